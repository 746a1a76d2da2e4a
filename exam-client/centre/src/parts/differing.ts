import type { Fault } from "../../../shared/src/staff/api.ts";

/** A field that two people wrote differently, as text for people. */
export type Differing = { readonly key: string; readonly name: string; readonly stored: string; readonly typed: string };

/** Of all fields those whose texts differ, in their order. */
export function differing(fields: readonly Differing[]): Differing[] {
  return fields.filter((field) => field.stored.trim() !== field.typed.trim());
}

/** Somebody else was faster: what is stored now says it. */
export const isStale = (fault: Fault | null): boolean => fault?.is === "problem" && fault.problem.code === "changed_meanwhile";
