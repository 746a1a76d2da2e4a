import { cameraOff, chat, check, clock, connection, device, document, info, person, warning } from "../../shared/src/icons.ts";
import { codeWord, wordOf } from "../../shared/src/staff/words.svelte.ts";
import type { Tile } from "../../shared/src/wire/Tile.ts";
import { text } from "./text.ts";

const ICONS: Readonly<Record<string, string>> = {
  help: chat,
  identity: document,
  device,
  incident: warning,
  end_proposal: person,
  camera: cameraOff,
  screen: device,
  recording: warning,
  offline: connection,
  warned: warning,
  break: clock,
  recheck: document,
  gesture: person,
};

/** The most urgent thing to do, in words. */
export function troubleWord(tile: Tile): string {
  if (tile.trouble === "incident" && tile.trouble_code) return codeWord(tile.trouble_code);
  return text.maybe(`trouble.${tile.trouble}`) ?? tile.trouble;
}

/** What to do about it. */
export function troubleAdvice(tile: Tile): string {
  return text.maybe(`advice.${tile.trouble}`) ?? "";
}

export function troubleIcon(tile: Tile): string {
  return ICONS[tile.trouble] ?? info;
}

/** Exam state in words: the step before, the clock during, the reason after. */
export function stateWord(tile: Tile): string {
  if (tile.stage === "preparing") return wordOf("step", tile.step);
  if (tile.stage === "closed" && tile.end_reason) return wordOf("end", tile.end_reason);
  return wordOf("stage", tile.stage);
}

export function stateIcon(tile: Tile): string {
  if (tile.stage === "closed") return check;
  return tile.stage === "preparing" ? person : clock;
}

