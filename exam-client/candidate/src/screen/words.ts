// Words of the shared screen, in all three languages: they come with what needs them.
import { format, type Message } from "../../../shared/src/i18n.ts";
import type { Lang } from "../../../shared/src/wire/Lang.ts";
import { i18n } from "../text.ts";
import en from "../texts/screen.en.json";
import kk from "../texts/screen.kk.json";
import ru from "../texts/screen.ru.json";

type Key = keyof typeof ru;
const WORDS: Record<Lang, Record<Key, Message>> = { kk, ru, en };

export const w = (key: Key): string => format(i18n.lang, WORDS[i18n.lang][key]);
