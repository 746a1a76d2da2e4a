// Reading aloud, in one file that is fetched when somebody has chosen it.
export { listen } from "./listen.ts";
export { default as ReadAloud } from "./ReadAloud.svelte";
