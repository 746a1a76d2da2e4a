// Words of the trial run, in all three languages: they come with what needs them.
import { format, type Args, type Message } from "../../../shared/src/i18n.ts";
import type { Lang } from "../../../shared/src/wire/Lang.ts";
import { i18n } from "../text.ts";
import coachEn from "../texts/coach.en.json";
import coachKk from "../texts/coach.kk.json";
import coachRu from "../texts/coach.ru.json";
import en from "../texts/trial.en.json";
import kk from "../texts/trial.kk.json";
import ru from "../texts/trial.ru.json";

export type Key = keyof typeof ru;
const WORDS: Record<Lang, Record<Key, Message>> = { kk, ru, en };
const COACH = { kk: coachKk, ru: coachRu, en: coachEn };

export const w = (key: Key, args: Args = {}): string => format(i18n.lang, WORDS[i18n.lang][key], args);
/** What the coach says of the picture, as in the device check of the exam. */
export const coach = (key: keyof typeof coachRu): string => COACH[i18n.lang][key];
