// Messages, plurals and dates in kk, ru and en without a library: 0.9 kB against 5 to 18 kB.
import type { Lang } from "./wire/Lang.ts";

/** Kazakh first (ui.md). */
export const LANGS: readonly Lang[] = ["kk", "ru", "en"];

/** Each language named in itself. */
export const LANG_NAMES: Readonly<Record<Lang, string>> = { kk: "Қазақша", ru: "Русский", en: "English" };

/** A text, or one text per plural category of the language, chosen by the argument `n`. */
export type Message = string | Readonly<Record<string, string>>;

/** What `{name}` in a message is replaced with. */
export type Args = Readonly<Record<string, string | number>>;

const rules = new Map<Lang, Intl.PluralRules>();

function pluralRules(lang: Lang): Intl.PluralRules {
  let found = rules.get(lang);
  if (!found) rules.set(lang, (found = new Intl.PluralRules(lang)));
  return found;
}

/** The plural categories a message of this language has to hold. */
export function pluralCategories(lang: Lang): readonly string[] {
  return [...pluralRules(lang).resolvedOptions().pluralCategories].sort();
}

/** Fills a message in; a missing argument stays visible as `{name}`. */
export function format(lang: Lang, message: Message, args: Args = {}): string {
  const text = typeof message === "string" ? message : (message[pluralRules(lang).select(Number(args.n ?? 0))] ?? message.other ?? "");
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(args[name] ?? hole));
}

/** The browser's first language that we have; Kazakh otherwise. */
export function preferredLang(wanted: readonly string[]): Lang {
  for (const tag of wanted) {
    const found = LANGS.find((lang) => tag.toLowerCase().startsWith(lang));
    if (found) return found;
  }
  return "kk";
}

/** Asia/Almaty is +05:00 the year round since 2024; browsers with older zone data would say +06:00. */
const ALMATY_MS = 5 * 3_600_000;

const two = (n: number): string => String(n).padStart(2, "0");

/** `20.11.2026` at +05:00. */
export function date(at: number): string {
  const d = new Date(at + ALMATY_MS);
  return `${two(d.getUTCDate())}.${two(d.getUTCMonth() + 1)}.${d.getUTCFullYear()}`;
}

/** `14:30` at +05:00. */
export function time(at: number): string {
  const d = new Date(at + ALMATY_MS);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

/** `14:30:05` at +05:00. */
export function timeExact(at: number): string {
  return `${time(at)}:${two(new Date(at + ALMATY_MS).getUTCSeconds())}`;
}

/** `20.11.2026, 14:30` at +05:00. */
export function dateTime(at: number): string {
  return `${date(at)}, ${time(at)}`;
}

/** `2026-11-20` as people write it here: `20.11.2026`. */
export function calendarDate(iso: string): string {
  return iso.split("-").reverse().join(".");
}

/** `59:07` or `1:20:00`; rounded up, so that 0:00 is really the end. */
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const h = Math.floor(s / 3600);
  const rest = `${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return h > 0 ? `${h}:${rest}` : rest;
}
