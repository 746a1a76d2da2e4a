// Words of breaks, checks and gestures in mid-exam, in all three languages: they come with what needs them.
import { format, type Args, type Message } from "../../../shared/src/i18n.ts";
import type { Lang } from "../../../shared/src/wire/Lang.ts";
import { i18n } from "../text.ts";
import en from "../texts/acts.en.json";
import kk from "../texts/acts.kk.json";
import ru from "../texts/acts.ru.json";

type Key = keyof typeof ru;
const WORDS: Record<Lang, Record<Key, Message>> = { kk, ru, en };

export const w = (key: Key, args?: Args): string => format(i18n.lang, WORDS[i18n.lang][key], args);
