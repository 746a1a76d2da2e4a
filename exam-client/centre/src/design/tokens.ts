// The tokens as the page itself has them: read out of its own style sheet, so that nothing here can be out of date.
import { contrast, NEEDED, parseRgb, type Rgb } from "./contrast.ts";

export type Pair = { readonly over: string; readonly under: string; readonly ratio: number; readonly needs: number };

/** Which colour stands on which: the pairs that the styles use. */
const PAIRS: readonly (readonly [string, string, keyof typeof NEEDED])[] = [
  ["--text", "--bg", "text"],
  ["--text", "--card", "text"],
  ["--muted", "--bg", "text"],
  ["--muted", "--card", "text"],
  ["--accent", "--bg", "text"],
  ["--accent", "--card", "text"],
  ["--on-accent", "--accent", "text"],
  ["--text", "--accent-soft", "text"],
  ["--text", "--ok-soft", "text"],
  ["--text", "--warn-soft", "text"],
  ["--text", "--bad-soft", "text"],
  ["--ok", "--card", "text"],
  ["--warn", "--card", "text"],
  ["--bad", "--card", "text"],
  ["--ok", "--ok-soft", "shape"],
  ["--warn", "--warn-soft", "shape"],
  ["--bad", "--bad-soft", "shape"],
  ["--line", "--card", "shape"],
];

/** Names of the custom properties of `:root`, in the order of the style sheet. */
export function tokenNames(sheets: Iterable<CSSStyleSheet>): string[] {
  const names = new Set<string>();
  for (const sheet of sheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSStyleRule) || rule.selectorText !== ":root") continue;
      // The build adds two of its own.
      for (const name of rule.style) if (name.startsWith("--") && !name.startsWith("--lightningcss")) names.add(name);
    }
  }
  return [...names];
}

export const valueOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A colour as it is painted now; null for a token that is none. */
export function colourOf(name: string): Rgb | null {
  const probe = document.createElement("i");
  probe.style.color = "rgb(1, 2, 3)";
  probe.style.color = `var(${name})`;
  document.documentElement.append(probe);
  const painted = CSS.supports("color", valueOf(name)) ? parseRgb(getComputedStyle(probe).color) : null;
  probe.remove();
  return painted;
}

/** Every pair with its contrast now. */
export function pairs(): Pair[] {
  return PAIRS.flatMap(([over, under, kind]) => {
    const [one, other] = [colourOf(over), colourOf(under)];
    return one && other ? [{ over, under, ratio: contrast(one, other), needs: NEEDED[kind] }] : [];
  });
}
