// Five practice questions that have nothing to do with any bank.
import type { ItemView } from "../../../shared/src/wire/ItemView.ts";
import type { Lang } from "../../../shared/src/wire/Lang.ts";

type Question = readonly [multiple: boolean, text: string, options: readonly string[]];

const PAPER: Record<Lang, readonly Question[]> = {
  kk: [
    [false, "Бір сағатта неше минут бар?", ["30", "60", "90", "100"]],
    [true, "Осылардың қайсысы түс? Бәрін таңдаңыз.", ["Қызыл", "Көк", "Орындық", "Дүйсенбі"]],
    [false, "Дүйсенбіден кейін қай күн келеді?", ["Сейсенбі", "Сәрсенбі", "Жексенбі", "Жұма"]],
    [true, "Қайсысы ұша алады? Бәрін таңдаңыз.", ["Торғай", "Сиыр", "Бүркіт", "Балық"]],
    [false, "Қазақстанның елордасы қай қала?", ["Алматы", "Шымкент", "Астана", "Қарағанды"]],
  ],
  ru: [
    [false, "Сколько минут в одном часе?", ["30", "60", "90", "100"]],
    [true, "Что из этого цвета? Выберите всё.", ["Красный", "Синий", "Стул", "Понедельник"]],
    [false, "Какой день идёт после понедельника?", ["Вторник", "Среда", "Воскресенье", "Пятница"]],
    [true, "Кто умеет летать? Выберите всех.", ["Воробей", "Корова", "Орёл", "Рыба"]],
    [false, "Какой город столица Казахстана?", ["Алматы", "Шымкент", "Астана", "Караганда"]],
  ],
  en: [
    [false, "How many minutes are there in an hour?", ["30", "60", "90", "100"]],
    [true, "Which of these are colours? Choose all.", ["Red", "Blue", "Chair", "Monday"]],
    [false, "Which day comes after Monday?", ["Tuesday", "Wednesday", "Sunday", "Friday"]],
    [true, "Which of these can fly? Choose all.", ["Sparrow", "Cow", "Eagle", "Fish"]],
    [false, "Which city is the capital of Kazakhstan?", ["Almaty", "Shymkent", "Astana", "Karaganda"]],
  ],
};

export function paper(lang: Lang): readonly ItemView[] {
  return PAPER[lang].map(([multiple, text, options], index) => ({ index, multiple, text, options: [...options] }));
}
