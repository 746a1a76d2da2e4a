// Texts every app needs: one per problem code and one per incident code.
import type { Message } from "../i18n.ts";
import type { Code } from "../wire/Code.ts";
import type { Lang } from "../wire/Lang.ts";
import type codesRu from "./codes.ru.json";

/** Codes that only staff can meet: their apps have the texts, a candidate's first load does without them. */
type StaffOnly =
  | "sign_in_required"
  | "credentials_wrong"
  | "role_missing"
  | "setup_link_invalid"
  | "password_too_weak"
  | "login_taken"
  | "no_picture"
  | "incident_not_open"
  | "warnings_changed"
  | "beginning_out_of_range"
  | "technical_code"
  | "code_switched_off"
  | "second_person_needed"
  | "nothing_waits"
  | "photos_changed"
  | "bank_invalid"
  | "bank_version_taken"
  | "programme_invalid"
  | "threshold_below_law"
  | "csv_invalid"
  | "times_out_of_order"
  | "second_factor_needed"
  | "second_factor_wrong"
  | "second_factor_due"
  | "second_factor_held"
  | "last_head"
  | "form_invalid"
  | "changed_meanwhile"
  | "sitting_full"
  | "exam_started"
  | "sitting_cancelled"
  | "candidate_known"
  | "record_sealed"
  | "mail_off"
  | "hold_open"
  | "evidence_erased"
  | "record_not_sealed"
  | "record_mismatch"
  | "validity_ruling_missing";

/** Of problems a candidate can meet; the compiler says when the wire gets a code that has no text. */
export type ProblemKey = `problem.${Exclude<Code, StaffOnly>}`;

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

/** Texts of the problem codes that a candidate can meet. */
export function problemTexts(lang: Lang): Promise<Readonly<Record<ProblemKey, Message>>> {
  return PROBLEMS[lang]();
}

/** Titles of all incident codes, neutral and without blame. */
export function incidentTexts(lang: Lang): Promise<Readonly<Record<IncidentKey, Message>>> {
  return INCIDENTS[lang]();
}
