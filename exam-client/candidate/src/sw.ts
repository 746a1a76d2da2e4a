// Lets a reload work while offline: keeps the page and its files, never an answer of the API.
declare const self: ServiceWorkerGlobalScope;
/** Written by the build (vite.config.ts): every file of the candidate's page. */
declare const __PRECACHE__: readonly string[];

const FILES: readonly string[] = __PRECACHE__;
/** Any link yields the same page; a real one would stay behind on the device. */
const SHELL = "/c/shell";
const PREFIX = "candidate-";
const CACHE = PREFIX + FILES.join().split("").reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0, 7).toString(36);
/** A slow line gets the stored page after this. */
const PAGE_WAIT_MS = 4_000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([SHELL, ...FILES])));
});

// No skipWaiting: a page in mid-exam keeps the files it was made of.
self.addEventListener("activate", (event) => {
  const clean = async (): Promise<void> => {
    for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

async function page(request: Request): Promise<Response> {
  const stored = await caches.match(SHELL);
  try {
    const fresh = await fetch(request, stored ? { signal: AbortSignal.timeout(PAGE_WAIT_MS) } : {});
    return fresh.ok || !stored ? fresh : stored;
  } catch (error) {
    if (stored) return stored;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname.startsWith("/c/")) event.respondWith(page(request));
  else if (FILES.includes(url.pathname)) event.respondWith(caches.match(request).then((stored) => stored ?? fetch(request)));
});

export {};
