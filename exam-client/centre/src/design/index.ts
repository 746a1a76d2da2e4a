/** The design page, with everything it needs. */
export { default as DesignPage } from "./DesignPage.svelte";
