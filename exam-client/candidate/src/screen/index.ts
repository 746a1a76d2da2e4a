// Everything of the shared screen, loaded where the exam asks for it.
export { default as Ask } from "./Ask.svelte";
export { default as Check } from "./Check.svelte";
export { default as Need } from "./Need.svelte";
export { Share } from "./share.svelte.ts";
export { w } from "./words.ts";
