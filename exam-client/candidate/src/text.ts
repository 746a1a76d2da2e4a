// The candidate's texts: own ones, and those of problems shared by all apps.
import { I18n } from "../../shared/src/i18n.svelte.ts";
import type { Args, Message } from "../../shared/src/i18n.ts";
import { problemTexts, type ProblemKey } from "../../shared/src/texts/texts.ts";
import type { Code } from "../../shared/src/wire/Code.ts";
import type { Lang } from "../../shared/src/wire/Lang.ts";
import type { Text } from "../../shared/src/wire/Text.ts";
import type ru from "./texts/ru.json";

type OwnKey = keyof typeof ru;
export type Key = OwnKey | ProblemKey;

const OWN: Record<Lang, () => Promise<Readonly<Record<OwnKey, Message>>>> = {
  kk: async () => (await import("./texts/kk.json")).default,
  ru: async () => (await import("./texts/ru.json")).default,
  en: async () => (await import("./texts/en.json")).default,
};

export const i18n = new I18n<Key>(async (lang) => {
  const [own, problems] = await Promise.all([OWN[lang](), problemTexts(lang)]);
  return { ...own, ...problems };
});

export const t = (key: Key, args?: Args): string => i18n.t(key, args);

/** A text of the centre, which exists in kk and ru. */
export function own(text: Text): string {
  return i18n.lang === "kk" ? text.kk : text.ru;
}

/** Kind words for a failure. */
export function problem(code: Code | "unreachable"): string {
  return code === "unreachable" ? t("app.unreachable") : (i18n.maybe(`problem.${code}`) ?? t("problem.internal"));
}

/** What the texts a candidate agrees to are called in the record; a changed text gets a new name. */
export const CONSENT_VERSION = "consent-2";
export const BRIEFING_VERSIONS = {
  methodology: "methodology-1",
  appeal_procedure: "appeal-1",
  forbidden_items: "forbidden-1",
  conduct: "conduct-1",
} as const;

const KEY = "synaq.lang";

export function rememberedLang(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export async function useLang(lang: Lang): Promise<void> {
  try {
    localStorage.setItem(KEY, lang);
  } catch {
    // The page works without remembering the language.
  }
  await i18n.use(lang);
  document.title = `${t("app.title")} – Synaq`;
}
