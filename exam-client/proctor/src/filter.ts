// Who stands on the wall at the moment: found by name, or by how far they are. Pure.
import type { Tile } from "../../shared/src/wire/Tile.ts";

/** How far somebody is, or what is amiss, as a proctor asks for it. */
export const GROUPS = ["absent", "preparing", "running", "offline", "warned", "closed"] as const;
export type Group = (typeof GROUPS)[number];

type Standing = Pick<Tile, "stage" | "online" | "online_changed_at" | "warnings">;

const BELONGS: Readonly<Record<Group, (tile: Standing) => boolean>> = {
  absent: (tile) => tile.stage === "preparing" && !tile.online && tile.online_changed_at === null,
  preparing: (tile) => tile.stage === "preparing" && !BELONGS.absent(tile),
  running: (tile) => tile.stage === "running" || tile.stage === "paused",
  offline: (tile) => tile.stage !== "closed" && !tile.online && tile.online_changed_at !== null,
  warned: (tile) => tile.warnings > 0,
  closed: (tile) => tile.stage === "closed",
};

export const belongs = (tile: Standing, group: Group): boolean => BELONGS[group](tile);

/** Letters that a Russian keyboard lacks, as people type them there. */
const ALIKE: Readonly<Record<string, string>> = { ә: "а", ғ: "г", қ: "к", ң: "н", ө: "о", ұ: "у", ү: "у", һ: "х", і: "и", ё: "е" };

const folded = (text: string): string => text.toLocaleLowerCase().replace(/[әғқңөұүһіё]/g, (letter) => ALIKE[letter] ?? letter);

/** Each word that was typed begins a word of the name. */
export function isNamed(name: string, typed: string): boolean {
  const parts = folded(name).split(/[\s-]+/);
  return folded(typed).split(/\s+/).every((word) => parts.some((part) => part.startsWith(word)));
}
