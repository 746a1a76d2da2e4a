// Texts that the proctor's and the centre's app share; each app has its own beside them.
import { I18n } from "../i18n.svelte.ts";
import { LANGS, type Message, preferredLang } from "../i18n.ts";
import type { Lang } from "../wire/Lang.ts";
import type { Text } from "../wire/Text.ts";
import type english from "./texts/en.json";

export type StaffKey = keyof typeof english;

type Messages = Readonly<Record<StaffKey, Message>>;

const files: Readonly<Record<Lang, () => Promise<{ default: Messages }>>> = {
  kk: () => import("./texts/kk.json"),
  ru: () => import("./texts/ru.json"),
  en: () => import("./texts/en.json"),
};

/** Words of both apps. */
export const words = new I18n<StaffKey>(async (lang) => (await files[lang]()).default);

const LANG_KEY = "synaq.staff.lang";

/** The language chosen before on this computer; the browser's otherwise. */
export function rememberedLang(): Lang {
  const kept = localStorage.getItem(LANG_KEY);
  return LANGS.find((lang) => lang === kept) ?? preferredLang(navigator.languages);
}

/** Switches both sets of texts and remembers the choice. */
export async function useLang(lang: Lang, own: { use(lang: Lang): Promise<void> }): Promise<void> {
  localStorage.setItem(LANG_KEY, lang);
  await Promise.all([words.use(lang), own.use(lang)]);
}

/** A text of the law's two languages; English readers get the Russian one. */
export function inLang(text: Text, lang: Lang): string {
  return lang === "kk" ? text.kk : text.ru;
}

/** An incident code in words; a code this version does not know stays as it is. */
export function codeWord(code: string): string {
  return words.maybe(`code.${code}`) ?? code;
}

/** `prefix.value` in words, or the value itself. */
export function wordOf(prefix: "end" | "stage" | "step" | "status" | "consequence" | "source", value: string): string {
  return words.maybe(`${prefix}.${value}`) ?? value;
}

/** A line of the timeline in words. */
export function kindWord(kind: string): string {
  return words.maybe(`kind.${kind}`) ?? words.t("kind.unknown", { kind });
}

/** What belongs to a line of the timeline: a code, a reason, a number or plain words. */
export function whatWord(kind: string, what: string): string {
  if (kind === "photo_stored") return words.maybe(`photo.${what}`) ?? what;
  return (
    words.maybe(`code.${what}`) ??
    words.maybe(`end.${what}`) ??
    words.maybe(`what.${what}`) ??
    words.maybe(`consequence.${what}`) ??
    words.maybe(`lang_${what}`) ??
    what
  );
}
