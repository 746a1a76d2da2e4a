// One key for one act. Keys go by their place on the keyboard, so that the kk and ru layouts work alike.
export type KeyAct =
  | "admit" | "ask_again" | "confirm" | "dismiss" | "snooze" | "undo" | "next_alert" | "previous_alert"
  | "message" | "pause" | "record" | "time" | "end" | "sound" | "next" | "keys"
  | "break" | "recheck" | "gesture" | "link" | "everybody" | "notes" | "only_mine" | "find";

const CODES: Readonly<Record<string, KeyAct>> = {
  KeyA: "admit",
  KeyQ: "ask_again",
  KeyC: "confirm",
  KeyD: "dismiss",
  KeyM: "message",
  KeyP: "pause",
  KeyR: "record",
  KeyT: "time",
  KeyE: "end",
  KeyS: "sound",
  KeyN: "next",
  KeyZ: "snooze",
  KeyU: "undo",
  KeyJ: "next_alert",
  KeyK: "previous_alert",
  KeyB: "break",
  KeyI: "recheck",
  KeyG: "gesture",
  KeyL: "link",
  KeyW: "everybody",
  KeyH: "notes",
  KeyO: "only_mine",
  KeyF: "find",
};

/** Key caps in the order of the list. */
export const KEY_CAPS: readonly (readonly [KeyAct, string])[] = [
  ["confirm", "C"], ["dismiss", "D"], ["undo", "U"], ["snooze", "Z"], ["next_alert", "J"], ["previous_alert", "K"],
  ["next", "N"], ["admit", "A"], ["ask_again", "Q"], ["message", "M"], ["record", "R"], ["pause", "P"], ["time", "T"],
  ["break", "B"], ["recheck", "I"], ["gesture", "G"], ["link", "L"], ["sound", "S"], ["end", "E"],
  ["everybody", "W"], ["notes", "H"], ["only_mine", "O"], ["find", "F"], ["keys", "?"],
];

/** What this key means, if anything. */
export function keyOf(event: KeyboardEvent): KeyAct | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  if (event.key === "?" || (event.shiftKey && event.code === "Slash")) return "keys";
  if (event.shiftKey) return null;
  return CODES[event.code] ?? null;
}

const OFF_KEY = "synaq.proctor.keys_off";
let on = $state(localStorage.getItem(OFF_KEY) === null);

/** Single-key shortcuts can be switched off (WCAG 2.1.4): speech input types letters by accident. */
export function keysAreOn(): boolean {
  return on;
}

export function switchKeys(to: boolean): void {
  on = to;
  if (to) localStorage.removeItem(OFF_KEY);
  else localStorage.setItem(OFF_KEY, "1");
}
