// A sitting as it is played for training: who sits, what happens when, and what a proctor should make of it.
import type { Lang } from "../../../shared/src/wire/Lang.ts";

/** Ten minutes of the sitting's own time. */
export const LENGTH_MS = 600_000;

/** What a picture shows. */
export type Scene =
  | "calm" | "phone" | "second_person" | "empty" | "dark" | "headphones" | "notes"
  | "portrait" | "bent" | "cup" | "mask" | "cat";

export interface Planted {
  readonly id: number;
  /** Place on the wall, from 0. */
  readonly place: number;
  /** By the sitting's clock. */
  readonly at: number;
  readonly lasts: number;
  readonly code: string;
  readonly scene: Scene;
  /** A rule was broken; otherwise it only looks so. */
  readonly isViolation: boolean;
  /** A detector raised an alert; what it did not see a proctor has to notice on the wall. */
  readonly hasAlert: boolean;
}

const S = 1_000;
const plant = (id: number, place: number, seconds: number, lasts: number, code: string, scene: Scene, isViolation: boolean, hasAlert = true): Planted => ({
  id, place, at: seconds * S, lasts: lasts * S, code, scene, isViolation, hasAlert,
});

export const SCRIPT: readonly Planted[] = [
  plant(1, 3, 15, 30, "FORBIDDEN_ITEM", "phone", true),
  plant(2, 7, 45, 20, "NO_FACE", "bent", false),
  plant(3, 10, 80, 40, "SECOND_PERSON", "second_person", true),
  plant(4, 1, 115, 25, "SECOND_PERSON", "portrait", false),
  plant(5, 5, 150, 60, "FORBIDDEN_ITEM", "notes", true, false),
  plant(6, 8, 165, 30, "CAMERA_COVERED", "dark", false),
  plant(7, 0, 210, 45, "LEFT_PLACE", "empty", true),
  plant(8, 3, 255, 25, "FORBIDDEN_ITEM", "cup", false),
  plant(9, 11, 290, 40, "HEADPHONES", "headphones", true),
  plant(10, 4, 320, 25, "NO_FACE", "mask", false),
  plant(11, 10, 360, 45, "FORBIDDEN_ITEM", "phone", true),
  plant(12, 2, 400, 60, "FORBIDDEN_ITEM", "phone", true, false),
  plant(13, 6, 430, 25, "SECOND_PERSON", "cat", false),
  plant(14, 9, 470, 40, "SECOND_PERSON", "second_person", true),
  plant(15, 7, 520, 30, "HEADPHONES", "headphones", true),
];

/** Candidates call and write too. */
export const CALLS: readonly { readonly place: number; readonly at: number; readonly text: Readonly<Record<Lang, string>> }[] = [
  { place: 6, at: 60 * S, text: { kk: "Қағазға жазуға бола ма?", ru: "Можно ли писать на бумаге?", en: "May I write on paper?" } },
  { place: 2, at: 240 * S, text: { kk: "Сұрақтың суреті ашылмай тұр.", ru: "Не открывается картинка к вопросу.", en: "The picture of a question does not open." } },
];

export const NAMES: readonly string[] = [
  "Ахметова Айгерім", "Иванов Пётр", "Серікұлы Нұрлан", "Ким Анна", "Жұмабаева Дана", "Оспанов Ерлан",
  "Петрова Мария", "Қайратұлы Олжас", "Ли Виктор", "Төлегенова Сәуле", "Смирнов Олег", "Бекова Гүлнәр",
];

export type Outcome = "found" | "noticed" | "missed" | "wrongly_dismissed" | "rightly_dismissed" | "wrongly_confirmed" | "left_open";

/** What a proctor did about something planted; `at` by the sitting's clock. */
export interface Ruling {
  readonly planted: number;
  readonly is: "confirmed" | "dismissed";
  readonly at: number;
}

export interface Result {
  readonly planted: Planted;
  readonly outcome: Outcome;
  /** From its beginning to the ruling, by the sitting's clock. */
  readonly tookMs: number | null;
}

/** The last ruling on each counts: what was taken back was not meant. */
export function resultsOf(script: readonly Planted[], rulings: readonly Ruling[], until: number): Result[] {
  return script
    .filter(({ at }) => at < until)
    .map((planted) => {
      const ruling = [...rulings].reverse().find((each) => each.planted === planted.id);
      const tookMs = ruling ? Math.max(0, ruling.at - planted.at) : null;
      if (planted.isViolation) {
        if (!ruling) return { planted, outcome: "missed", tookMs };
        if (ruling.is === "dismissed") return { planted, outcome: "wrongly_dismissed", tookMs };
        return { planted, outcome: planted.hasAlert ? "found" : "noticed", tookMs };
      }
      if (!ruling) return { planted, outcome: "left_open", tookMs };
      return { planted, outcome: ruling.is === "dismissed" ? "rightly_dismissed" : "wrongly_confirmed", tookMs };
    });
}

const RIGHT: readonly Outcome[] = ["found", "noticed", "rightly_dismissed"];
export const isRight = (outcome: Outcome): boolean => RIGHT.includes(outcome);

/** The middle one, in milliseconds; nothing without any. */
export function middleOf(results: readonly Result[]): number | null {
  const took = results.flatMap(({ tookMs }) => (tookMs === null ? [] : [tookMs])).sort((a, b) => a - b);
  return took[Math.floor(took.length / 2)] ?? null;
}
