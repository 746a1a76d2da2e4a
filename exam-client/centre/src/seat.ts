// Who sits here, and which sections are theirs. The server holds every route to the same roles; this only spares people
// doors that are shut.
import { Account } from "../../shared/src/staff/account.svelte.ts";
import { eye } from "../../shared/src/icons.ts";
import { book, calendar, home, key, list, office, people, plan, seal } from "../../shared/src/staff/icons.ts";
import type { Role } from "../../shared/src/wire/Role.ts";

/** The one account of the page. */
export const account = new Account();

type Section = { name: string; icon: string; roles: readonly Role[] };

/** In the order of the navigation. */
export const SECTIONS: readonly Section[] = [
  { name: "", icon: home, roles: ["centre", "commission", "author", "auditor"] },
  { name: "banks", icon: book, roles: ["centre", "author", "auditor"] },
  { name: "programmes", icon: plan, roles: ["centre", "author", "auditor"] },
  { name: "sittings", icon: calendar, roles: ["centre", "auditor"] },
  { name: "results", icon: list, roles: ["centre", "auditor"] },
  { name: "records", icon: seal, roles: ["commission"] },
  { name: "staff", icon: people, roles: ["centre", "auditor"] },
  { name: "profile", icon: office, roles: ["centre", "auditor"] },
  { name: "log", icon: eye, roles: ["centre", "auditor"] },
  { name: "account", icon: key, roles: ["centre", "proctor", "commission", "author", "auditor"] },
];

/** Some role of the person is among these. */
export const hasAny = (roles: readonly Role[]): boolean => roles.some(account.has);

/** There is such a section. */
export const isSection = (name: string): boolean => SECTIONS.some((one) => one.name === name);

/** The section is the person's; an unknown one is nobody's. */
export const isOpenTo = (section: string): boolean => hasAny(SECTIONS.find((one) => one.name === section)?.roles ?? []);

/** Banks and programmes may be changed. */
export const maySetLibrary = (): boolean => hasAny(["centre", "author"]);

/** Sittings, candidates and staff may be changed. */
export const mayRunCentre = (): boolean => account.has("centre");
