// Drawn candidates: no picture of a real person is needed to learn where to look.
import type { Scene } from "./script.ts";

const SKIN = ["#e8b999", "#c98d66", "#f1cdb0", "#a56b46"] as const;
const HAIR = ["#2b211d", "#5a3d27", "#1b1b22", "#7a5b3a"] as const;
const WALLS = ["#4a5a6a", "#5d5348", "#40584c", "#574a5f"] as const;
const SHIRTS = ["#2f6fb0", "#8a4b6b", "#3f7d5a", "#b0752f", "#59628c"] as const;

const pick = <T>(from: readonly [T, ...T[]], place: number): T => from[place % from.length] ?? from[0];

function person(place: number, x: number, y: number, size: number, bent: boolean): string {
  const [skin, hair, shirt] = [pick(SKIN, place), pick(HAIR, place + 1), pick(SHIRTS, place)];
  const head = bent
    ? `<circle cx="${x}" cy="${y + 10}" r="${34 * size}" fill="${hair}"/>`
    : `<circle cx="${x}" cy="${y}" r="${34 * size}" fill="${skin}"/><path d="M${x - 36 * size} ${y - 4} a${36 * size} ${36 * size} 0 0 1 ${72 * size} 0 q${-36 * size} ${-26 * size} ${-72 * size} 0" fill="${hair}"/>
       <circle cx="${x - 12 * size}" cy="${y + 2}" r="${3.4 * size}" fill="#1c1c1c"/><circle cx="${x + 12 * size}" cy="${y + 2}" r="${3.4 * size}" fill="#1c1c1c"/>
       <path d="M${x - 10 * size} ${y + 17 * size} q${10 * size} ${6 * size} ${20 * size} 0" stroke="#7a3b31" stroke-width="3" fill="none"/>`;
  return `<path d="M${x - 70 * size} 260 q0 ${-105 * size} ${70 * size} ${-105 * size} t${70 * size} ${105 * size}z" fill="${shirt}"/>${head}`;
}

const THINGS: Readonly<Record<Scene, (place: number) => string>> = {
  calm: () => "",
  phone: () => `<rect x="214" y="168" width="34" height="60" rx="6" fill="#0b0d10" stroke="#cfd6de" stroke-width="3"/><rect x="219" y="175" width="24" height="42" fill="#77b7ff"/>`,
  second_person: (place) => `<g opacity=".96">${person(place + 2, 268, 92, 0.72, false)}</g>`,
  empty: () => `<rect x="120" y="110" width="80" height="100" rx="10" fill="#2c3138"/><rect x="150" y="205" width="20" height="40" fill="#2c3138"/>`,
  dark: () => `<rect width="320" height="240" fill="#020304" opacity=".93"/>`,
  headphones: () => `<path d="M118 112 a42 46 0 0 1 84 0" fill="none" stroke="#101317" stroke-width="9"/><rect x="108" y="104" width="18" height="34" rx="7" fill="#101317"/><rect x="194" y="104" width="18" height="34" rx="7" fill="#101317"/>`,
  notes: () => `<g transform="rotate(-9 80 196)"><rect x="38" y="166" width="86" height="58" fill="#fff7d6"/><path d="M46 178h66M46 188h58M46 198h66M46 208h40" stroke="#5b5b5b" stroke-width="3"/></g>`,
  portrait: () => `<rect x="238" y="26" width="64" height="78" fill="#d9c79b"/><rect x="244" y="32" width="52" height="66" fill="#eee3c6"/><circle cx="270" cy="60" r="14" fill="#caa182"/><path d="M248 98 q22 -34 44 0z" fill="#6a5a7a"/>`,
  bent: () => "",
  cup: () => `<path d="M214 190h40v34q0 10 -10 10h-20q-10 0 -10 -10z" fill="#e6e9ee"/><path d="M254 196q16 4 0 20" stroke="#e6e9ee" stroke-width="6" fill="none"/>`,
  mask: () => `<path d="M134 116h52l-5 26q-21 12 -42 0z" fill="#dfeaf2"/>`,
  cat: () => `<g transform="translate(246 150)"><ellipse cx="24" cy="52" rx="30" ry="22" fill="#c58a44"/><circle cx="24" cy="22" r="18" fill="#c58a44"/><path d="M9 12l4 -16l10 10zM39 12l-4 -16l-10 10z" fill="#c58a44"/><circle cx="18" cy="21" r="2.6"/><circle cx="30" cy="21" r="2.6"/></g>`,
};

/** The picture of a place with what happens there; `beat` moves it a little, so that it is seen to live. */
export function drawn(place: number, scene: Scene, beat: number): string {
  const sway = scene === "empty" ? 0 : [0, 2, 0, -2][(beat + place) % 4] ?? 0;
  const body = scene === "empty" ? "" : `<g transform="translate(${sway} 0)">${person(place, 160, 108, 1, scene === "bent")}</g>`;
  const behind = scene === "second_person" || scene === "portrait";
  const thing = THINGS[scene](place);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240"><rect width="320" height="240" fill="${pick(WALLS, place)}"/><rect x="18" y="20" width="60" height="70" fill="#ffffff18"/>${behind ? thing : ""}${body}<rect y="222" width="320" height="18" fill="#2a2622"/>${behind ? "" : thing}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
