// What happens beside the questions, loaded with the exam: breaks, a check of the identity, a gesture.
export { default as Acts } from "./Acts.svelte";
export { default as Cover } from "./Cover.svelte";
