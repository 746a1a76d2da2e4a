import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // The name stands at each element of a component; by default it is twice as long.
    cssHash: ({ hash, css }) => `s${hash(css).slice(0, 5)}`,
  },
};
