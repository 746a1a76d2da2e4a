// Words of the design page; they come with it.
import { format, type Args, type Message } from "../../../shared/src/i18n.ts";
import type { Lang } from "../../../shared/src/wire/Lang.ts";
import { text } from "../text.ts";
import en from "../texts/design.en.json";
import kk from "../texts/design.kk.json";
import ru from "../texts/design.ru.json";

export type Key = keyof typeof ru;
const WORDS: Record<Lang, Readonly<Record<Key, Message>>> = { kk, ru, en };

export const w = (key: Key, args: Args = {}): string => format(text.lang, WORDS[text.lang][key], args);
