// Texts every app needs: one per problem code and one per incident code.
import type { Message } from "../i18n.ts";
import type { Code } from "../wire/Code.ts";
import type { Lang } from "../wire/Lang.ts";
import type codesRu from "./codes.ru.json";

/** Of problems; the compiler says when the wire gets a code that has no text. */
export type ProblemKey = `problem.${Code}`;

/** Titles of incidents. */
export type IncidentKey = keyof typeof codesRu;

const PROBLEMS: Record<Lang, () => Promise<Readonly<Record<ProblemKey, Message>>>> = {
  kk: async () => (await import("./problems.kk.json")).default,
  ru: async () => (await import("./problems.ru.json")).default,
  en: async () => (await import("./problems.en.json")).default,
};

const INCIDENTS: Record<Lang, () => Promise<Readonly<Record<IncidentKey, Message>>>> = {
  kk: async () => (await import("./codes.kk.json")).default,
  ru: async () => (await import("./codes.ru.json")).default,
  en: async () => (await import("./codes.en.json")).default,
};

/** Texts of all problem codes. */
export function problemTexts(lang: Lang): Promise<Readonly<Record<ProblemKey, Message>>> {
  return PROBLEMS[lang]();
}

/** Titles of all incident codes, neutral and without blame. */
export function incidentTexts(lang: Lang): Promise<Readonly<Record<IncidentKey, Message>>> {
  return INCIDENTS[lang]();
}
