// Words of the settings, in all three languages: they come with what needs them.
import { format, type Args, type Message } from "../../../shared/src/i18n.ts";
import type { Lang } from "../../../shared/src/wire/Lang.ts";
import { i18n } from "../text.ts";
import en from "../texts/settings.en.json";
import kk from "../texts/settings.kk.json";
import ru from "../texts/settings.ru.json";

type Key = keyof typeof ru;
const WORDS: Record<Lang, Record<Key, Message>> = { kk, ru, en };

export const w = (key: Key, args: Args = {}): string => format(i18n.lang, WORDS[i18n.lang][key], args);
export const wIn = (lang: Lang, key: Key, args: Args = {}): string => format(lang, WORDS[lang][key], args);
