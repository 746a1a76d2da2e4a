// Texts that the proctor's and the centre's app share; each app has its own beside them.
import { I18n } from "../i18n.svelte.ts";
import { LANGS, type Message, preferredLang, timeExact } from "../i18n.ts";
import type { Lang } from "../wire/Lang.ts";
import type { Text } from "../wire/Text.ts";
import { span } from "./clock.ts";
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

/** A word of some catalogue of ours, or the text as it stands. */
function anyWord(what: string): string {
  return (
    words.maybe(`code.${what}`) ??
    words.maybe(`end.${what}`) ??
    words.maybe(`what.${what.replaceAll(" ", "_")}`) ??
    words.maybe(`consequence.${what}`) ??
    words.maybe(`lang_${what}`) ??
    what
  );
}

const DIGEST_SHOWN = 12;

/** What belongs to a line of the timeline, as the server writes it (`#3 FORBIDDEN_ITEM`, `300 s: reason`), in words. */
export function whatWord(kind: string, what: string): string {
  if (kind === "photo_stored") return words.maybe(`photo.${what.split("-")[0] ?? ""}`) ?? what;
  if (kind === "answer_put" || kind === "answer_late" || kind === "answer_superseded" || kind === "flagged") return words.t("what.question", { n: what });
  if (kind === "paused") return anyWord(what);
  if (kind === "message_sent" || kind === "identity_asked_again" || kind === "recheck_asked" || kind === "break_refused") return what;
  if (kind === "break_granted") {
    const [until = "", clock] = what.split(" ");
    return words.t(clock === "clock_stands" ? "what.break_until_stopped" : "what.break_until", { at: timeExact(Date.parse(until)) });
  }
  if (kind === "recheck_ruled" || kind === "gesture_judged") return what.split(": ").map((part, index) => (index === 0 ? anyWord(part) : part)).join(": ");
  if (kind === "consent_given") return words.t("what.text_version", { version: what.replace(/^consent-/, "") });
  if (kind === "device_bound") return words.t("what.binding", { n: what });
  if (kind === "media_stepped") return what.split(": ").map((word) => words.maybe(`line.${word}`) ?? word).join(", ");
  if (kind === "local_kept" || kind === "local_stored") return what;
  const stored = /^(recording|stills?|face|document)\b.*?(\d+)?(?:\.\w+)?$/.exec(what);
  if (kind === "evidence_stored" && stored) return [words.maybe(`what.${stored[1] ?? ""}`) ?? what, stored[2] ?? ""].join(" ").trim();
  if (/^[0-9a-f]{64}$/.test(what)) return `${what.slice(0, DIGEST_SHOWN)}…`;
  const media = /^video (true|false), audio (true|false)$/.exec(what);
  if (media) return words.t("what.media", { video: words.t(media[1] === "true" ? "yes" : "no"), audio: words.t(media[2] === "true" ? "yes" : "no") });
  const numbered = /^#(\d+)(?: (.*))?$/s.exec(what);
  if (numbered) return [`№${numbered[1] ?? ""}`, numbered[2] === undefined ? "" : anyWord(numbered[2])].filter((part) => part !== "").join(" ");
  const lasting = /^(\d+) (s|ms)(?:: (.*))?$/s.exec(what);
  if (lasting) {
    const length = span(Number(lasting[1]) * (lasting[2] === "s" ? 1000 : 1));
    if (lasting[3] === undefined) return length;
    return lasting[1] === "0" ? anyWord(lasting[3]) : `${length}, ${anyWord(lasting[3])}`;
  }
  const [reason, ...note] = what.split(": ");
  // It has not ended: a proposal has words of its own.
  if (kind === "end_proposed" && reason !== undefined) return [words.maybe(`proposed.${reason}`) ?? anyWord(reason), ...note].join(": ");
  if (kind === "closed" && reason !== undefined) return [anyWord(reason), ...note].join(": ");
  return anyWord(what);
}
