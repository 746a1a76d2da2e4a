import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

/** The service worker is asked for by a fixed address, so it alone has no hash in its name. */
const WORKER = "sw";
const PRECACHE_MARK = "__PRECACHE__";

/** Writes into the service worker which files the candidate's page consists of, other languages included. */
function precacheList(): Plugin {
  return {
    name: "precache-list",
    // After the page's own plugin, which takes an entry that only imports another chunk into the page and out of the
    // bundle: a list with a file that does not exist leaves the page without its worker.
    enforce: "post",
    generateBundle(_options, bundle) {
      const wanted = new Set<string>();
      const follow = (fileName: string): void => {
        const chunk = bundle[fileName];
        if (wanted.has(fileName) || chunk?.type !== "chunk") return;
        wanted.add(fileName);
        for (const css of chunk.viteMetadata?.importedCss ?? []) wanted.add(css);
        for (const asset of chunk.viteMetadata?.importedAssets ?? []) wanted.add(asset);
        [...chunk.imports, ...chunk.dynamicImports.filter((name) => !OTHER_VISITS.test(bundle[name]?.name ?? ""))].forEach(follow);
      };
      const chunks = Object.values(bundle).filter((part) => part.type === "chunk");
      const worker = chunks.find((chunk) => chunk.name === WORKER);
      const candidate =
        chunks.find((chunk) => chunk.isEntry && chunk.name === "candidate") ??
        chunks.find((chunk) => chunk.name === FIRST_LOAD_NAME);
      if (!worker || !candidate) throw new Error("the candidate's page or its service worker was not built");
      follow(candidate.fileName);
      if (!worker.code.includes(PRECACHE_MARK)) throw new Error(`the service worker does not hold ${PRECACHE_MARK}`);
      const list = JSON.stringify([...wanted].map((name) => `/${name}`).sort());
      worker.code = worker.code.replace(PRECACHE_MARK, list);
    },
  };
}

/**
 * Built apart (`--mode candidate`, `--mode staff`): a runtime shared with the staff's apps would carry their needs
 * into the candidate's first load (3 kB of 60). Any other mode builds all at once.
 */
const CANDIDATE = { candidate: "candidate/index.html", [WORKER]: "candidate/src/sw.ts" };
const STAFF = { proctor: "proctor/index.html", centre: "centre/index.html" };

/** What is loaded on demand shares most of its needs with the first load: apart from it, both compress worse by 2 kB. */
const ON_DEMAND = /src\/(?:(?:screen|line|coach|acts|hear|own-log|trial|settings|watched)\/|chat\/Panel|screens\/(?:Consent|Device|Photos|Queue|Texts)|parts\/(?:CheckRow|PhotoCard)|picture\.ts)|\.json$/;
/** Loaded on another day than the exam's: fetched then, not kept on every device for the exam. */
const OTHER_VISITS = /^(?:OwnLog|Trial)$/;
const FIRST_LOAD_NAME = "first";
const FIRST_LOAD = [{ name: FIRST_LOAD_NAME, test: (id: string) => !ON_DEMAND.test(id) && !id.includes("/sw.ts") }];

export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  base: "/",
  publicDir: false,
  plugins: mode === "staff" ? [svelte()] : [svelte(), precacheList()],
  build: {
    target: "es2022",
    outDir: process.env["SYNAQ_DIST"] ?? "dist",
    emptyOutDir: mode !== "staff",
    modulePreload: { polyfill: false },
    // The pages' policy forbids data: outside pictures; a file is cached by its hash anyway.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: mode === "candidate" ? CANDIDATE : mode === "staff" ? STAFF : { ...CANDIDATE, ...STAFF },
      output: {
        entryFileNames: (chunk) => (chunk.name === WORKER ? "sw.js" : "assets/[name]-[hash].js"),
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
        ...(mode === "candidate" ? { codeSplitting: { groups: FIRST_LOAD } } : {}),
      },
    },
  },
}));
