import { I18n } from "../../shared/src/i18n.svelte.ts";
import type { Message } from "../../shared/src/i18n.ts";
import type { Lang } from "../../shared/src/wire/Lang.ts";
import type english from "./texts/en.json";

export type CentreKey = keyof typeof english;

type Messages = Readonly<Record<CentreKey, Message>>;

const files: Readonly<Record<Lang, () => Promise<{ default: Messages }>>> = {
  kk: () => import("./texts/kk.json"),
  ru: () => import("./texts/ru.json"),
  en: () => import("./texts/en.json"),
};

/** Texts of the centre and the commission. */
export const text = new I18n<CentreKey>(async (lang) => (await files[lang]()).default);
