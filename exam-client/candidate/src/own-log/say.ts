// A line of the log in words.
import { countdown } from "../../../shared/src/i18n.ts";
import type { OwnLine } from "../../../shared/src/wire/OwnLine.ts";
import { i18n, t } from "../text.ts";
import { maybe } from "./words.ts";

/** What an incident code means, in one sentence. */
export const happened = (code: string): string => i18n.maybe(`happened.${code}`) ?? t("happened.OTHER");

/** A kind that this page does not know is left out. */
export function say({ kind, which, seconds }: OwnLine): string | undefined {
  const args = { time: seconds === null ? "" : countdown(seconds * 1_000), what: which ? happened(which) : "" };
  return maybe(`line.${kind}.${which ?? ""}`, args) ?? maybe(`line.${kind}`, args);
}
