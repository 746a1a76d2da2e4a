// What the page says of itself - saved again, minutes left, a warning, a stopped clock - in the system's voice: the same
// live regions and dialogs that a screen reader speaks of.
import type { Lang } from "../../../shared/src/wire/Lang.ts";
import { say, stopSaying } from "./voice.ts";

const SAID = "[role=status], [role=alert], dialog[open]";
/** Changes of these are there to be read, not to interrupt. */
const UNSAID = "[data-unsaid]";
/** A screen is put together in several steps; it is spoken of once. */
const REST_MS = 200;

/** Speaks from now on; `lang`: of the page. Returns how to stop. */
export function listen(lang: () => Lang): () => void {
  const known = new WeakMap<Element, string>();
  let timer: number | undefined;

  const look = (aloud: boolean): void => {
    for (const region of document.querySelectorAll<HTMLElement>(SAID)) {
      const [text, before] = [region.innerText.trim(), known.get(region)];
      known.set(region, text);
      const dialog = region.closest("dialog");
      // A dialog is read once, whole: a countdown in it is not.
      const isTold = dialog === region ? before !== undefined : dialog !== null && before === undefined;
      if (!aloud || isTold || text === "" || text === before || region.closest(UNSAID)) continue;
      if (dialog === region || region.role === "alert") stopSaying();
      for (const line of text.split(/\n+/)) say(line, lang());
    }
  };
  const changed = (): void => {
    timer ??= window.setTimeout(() => {
      timer = undefined;
      look(true);
    }, REST_MS);
  };
  look(false);
  const watcher = new MutationObserver(changed);
  watcher.observe(document.body, { subtree: true, childList: true, characterData: true });
  return () => {
    watcher.disconnect();
    clearTimeout(timer);
    stopSaying();
  };
}
