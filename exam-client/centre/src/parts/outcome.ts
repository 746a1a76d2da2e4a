// Words about a result. Theory only: whether the whole procedure is passed is decided elsewhere (LAW-04).
import { check, clock, cross, info, person, shield } from "../../../shared/src/icons.ts";
import { seal } from "../../../shared/src/staff/icons.ts";
import type { SessionSummary } from "../../../shared/src/wire/SessionSummary.ts";
import { text } from "../text.ts";

const STATE_ICONS: Readonly<Record<string, string>> = {
  created: person,
  preparing: person,
  running: clock,
  closed: info,
  sealed: seal,
  approved: shield,
};

export const stateIcon = (summary: SessionSummary): string => STATE_ICONS[summary.state] ?? info;

export const stateWord = (summary: SessionSummary): string => text.maybe(`state.${summary.state}`) ?? summary.state;

export function outcomeIcon(summary: SessionSummary): string {
  if (summary.outcome === "passed") return check;
  return summary.outcome === "not_passed" ? cross : info;
}

/** `theory stage passed`, or nothing before the end. `brief`: `passed`, below a heading that says of what. */
export function outcomeWord(summary: SessionSummary, brief = false): string | null {
  const key = brief ? `outcome.brief.${summary.outcome}` : `outcome.${summary.outcome}`;
  return summary.outcome === null ? null : (text.maybe(key) ?? summary.outcome);
}

/** Until the commission has approved the record, passed and not passed are preliminary. */
export const isPreliminary = (summary: SessionSummary): boolean =>
  (summary.outcome === "passed" || summary.outcome === "not_passed") && summary.state !== "approved";

export const deliveryWord = (delivery: string | null): string =>
  delivery === null ? "–" : (text.maybe(`delivery.${delivery}`) ?? delivery);
