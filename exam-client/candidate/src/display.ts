// How this device shows the page: size, colours, contrast, reading aloud. Remembered here only, told to nobody.

export const SIZES = [100, 125, 150, 200] as const;
export const THEMES = ["system", "light", "dark"] as const;

export interface Display {
  readonly size: (typeof SIZES)[number];
  readonly theme: (typeof THEMES)[number];
  readonly contrast: boolean;
  readonly aloud: boolean;
}

const KEY = "synaq.display";
const USUAL: Display = { size: 100, theme: "system", contrast: false, aloud: false };

/** What was stored, as far as it means something. */
export function readDisplay(text: string | null): Display {
  try {
    const kept = JSON.parse(text ?? "{}") as Partial<Display>;
    return {
      size: SIZES.find((size) => size === kept.size) ?? USUAL.size,
      theme: THEMES.find((theme) => theme === kept.theme) ?? USUAL.theme,
      contrast: kept.contrast === true,
      aloud: kept.aloud === true,
    };
  } catch {
    return USUAL;
  }
}

export function keptDisplay(): Display {
  try {
    return readDisplay(localStorage.getItem(KEY));
  } catch {
    return USUAL;
  }
}

export function applyDisplay({ size, theme, contrast }: Display): void {
  const { style, dataset } = document.documentElement;
  style.fontSize = size === 100 ? "" : `${size}%`;
  if (theme === "system") delete dataset.theme;
  else dataset.theme = theme;
  if (contrast) dataset.contrast = "more";
  else delete dataset.contrast;
}

export function keepDisplay(display: Display): void {
  applyDisplay(display);
  try {
    localStorage.setItem(KEY, JSON.stringify(display));
  } catch {
    // It holds until the page is left.
  }
}
