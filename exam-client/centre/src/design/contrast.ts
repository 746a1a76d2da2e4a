// Contrast of two colours as WCAG 2.2 measures it (1.4.3, 1.4.11).

export type Rgb = readonly [number, number, number];

/** Text, and pictures or borders that carry a meaning. */
export const NEEDED = { text: 4.5, shape: 3 } as const;

/** `rgb(11, 92, 173)` or `rgb(11 92 173 / 62%)`, as a browser says a computed colour; null for anything else. */
export function parseRgb(text: string): Rgb | null {
  const found = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : null;
}

function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** From 1 (the same) to 21 (black on white). */
export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
