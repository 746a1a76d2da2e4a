// What the page itself can see of the exam's conditions. Claims only; the server decides what they mean.
import type { SignalPhase } from "../../shared/src/wire/SignalPhase.ts";

type Tell = (code: string, phase: SignalPhase) => void;

/** Whether this browser can show the exam in full screen at all (an iPhone cannot). */
export function canFullscreen(): boolean {
  return document.fullscreenEnabled && typeof document.documentElement.requestFullscreen === "function";
}

/** Only from a click. A refusal is no fault of the candidate's. */
export async function enterFullscreen(): Promise<void> {
  if (!canFullscreen() || document.fullscreenElement) return;
  await document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => undefined);
}

/** More than one screen, where the browser tells without a permission. */
export function secondScreen(): boolean | null {
  const extended = (screen as Screen & { isExtended?: boolean }).isExtended;
  return extended ?? null;
}

/** Browser and system in a few words, at most 120 characters. */
export function browserName(): string {
  type Brands = { brands: { brand: string; version: string }[]; platform: string };
  const data = (navigator as Navigator & { userAgentData?: Brands }).userAgentData;
  // One of the names means nothing, by design; "Chromium" stands beside the name that people know.
  const brands = data?.brands.filter(({ brand }) => !/not.?a.?brand/i.test(brand)) ?? [];
  const brand = brands.find(({ brand }) => brand !== "Chromium") ?? brands[0];
  return (data && brand ? `${brand.brand} ${brand.version}, ${data.platform}` : navigator.userAgent).slice(0, 120);
}

/** Page hidden and full screen left. Losing the focus alone is not counted: prompts and input methods take it too. */
export function watchPage(tell: Tell, fullscreenChanged: (on: boolean) => void): () => void {
  let entered = document.fullscreenElement !== null;
  const visibility = (): void => tell("WINDOW_BLUR", document.visibilityState === "hidden" ? "begin" : "end");
  const fullscreen = (): void => {
    const on = document.fullscreenElement !== null;
    if (on) tell("FULLSCREEN_EXIT", "end");
    else if (entered) tell("FULLSCREEN_EXIT", "begin");
    entered ||= on;
    fullscreenChanged(on);
  };
  document.addEventListener("visibilitychange", visibility);
  document.addEventListener("fullscreenchange", fullscreen);
  return () => {
    document.removeEventListener("visibilitychange", visibility);
    document.removeEventListener("fullscreenchange", fullscreen);
  };
}

/** On the questions: nothing is copied out, nothing pasted in. */
export function guardText(tell: Tell): (node: HTMLElement) => () => void {
  return (node) => {
    const block = (event: Event): void => {
      event.preventDefault();
      tell("COPY_PASTE", "seen");
    };
    const quietly = (event: Event): void => event.preventDefault();
    for (const name of ["copy", "cut", "paste"]) node.addEventListener(name, block);
    for (const name of ["contextmenu", "dragstart"]) node.addEventListener(name, quietly);
    return () => {
      for (const name of ["copy", "cut", "paste"]) node.removeEventListener(name, block);
      for (const name of ["contextmenu", "dragstart"]) node.removeEventListener(name, quietly);
    };
  };
}
