import { I18n } from "../../shared/src/i18n.svelte.ts";
import type { Message } from "../../shared/src/i18n.ts";
import type { Lang } from "../../shared/src/wire/Lang.ts";
import type english from "./texts/en.json";

export type ProctorKey = keyof typeof english;

type Messages = Readonly<Record<ProctorKey, Message>>;

const files: Readonly<Record<Lang, () => Promise<{ default: Messages }>>> = {
  kk: () => import("./texts/kk.json"),
  ru: () => import("./texts/ru.json"),
  en: () => import("./texts/en.json"),
};

/** The wall's own texts. */
export const text = new I18n<ProctorKey>(async (lang) => (await files[lang]()).default);
