// What proctors say most, sent in the candidate's language whatever language the proctor works in.
import type { Lang } from "../../shared/src/wire/Lang.ts";
import texts from "./texts/phrases.json";

export type Phrase = Readonly<Record<Lang, string>>;

export const PHRASES: Readonly<Record<"message" | "ask_again" | "pause" | "refuse_break" | "recheck" | "everybody", readonly Phrase[]>> = texts;
