// Words of the candidate's own log, in all three languages: they come with what needs them.
import { format, type Args, type Message } from "../../../shared/src/i18n.ts";
import type { Lang } from "../../../shared/src/wire/Lang.ts";
import { i18n } from "../text.ts";
import en from "../texts/own-log.en.json";
import kk from "../texts/own-log.kk.json";
import ru from "../texts/own-log.ru.json";

export type Key = keyof typeof ru;
const WORDS: Record<Lang, Readonly<Record<string, Message>>> = { kk, ru, en };

/** For keys made from data: the text, or nothing if there is none. */
export function maybe(key: string, args: Args = {}): string | undefined {
  const message = WORDS[i18n.lang][key];
  return message === undefined ? undefined : format(i18n.lang, message, args);
}

export const w = (key: Key, args: Args = {}): string => maybe(key, args) ?? key;
