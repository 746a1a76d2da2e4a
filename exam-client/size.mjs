// What a candidate's browser loads before the first screen, gzipped, and what it loads later on demand. Usage: node size.mjs DIST
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** At most 60 kB of JavaScript gzipped in all: 3 s at 160 kbit/s; kB = 1000 bytes. */
const LIMIT = 60_000;
/** With all that is loaded later on demand: the coach of the device check, the photos, the line while the exam runs, the screen where it is shared (words in three languages), the ear where nothing plays sound, the consent, the rules, the settings and reading aloud (also of what changes), the battery, who is watching, the conversation with the proctor. */
const EVER = 85_000;
/** Of another day: the candidate's own log after the exam, the trial run before it (words in three languages each). */
const OTHER_VISITS = /^(OwnLog|Trial)-/;
/** With them, should somebody load everything at once. */
const ANY_DAY = 113_000;

const dist = process.argv[2];
if (!dist) throw new Error("usage: node size.mjs DIST (the folder vite built)");
const gz = (path) => gzipSync(readFileSync(join(dist, path)), { level: 9 }).length;

const html = readFileSync(join(dist, "candidate/index.html"), "utf8");
const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1]);
const first = new Set(["sw.js"]);
const dynamic = new Set();
const follow = (path) => {
  if (first.has(path)) return;
  first.add(path);
  const code = readFileSync(join(dist, path), "utf8");
  for (const [, file] of code.matchAll(/(?:from|import)\s*["'`]\.\/([\w.-]+\.js)["'`]/g)) follow(`assets/${file}`);
  for (const [, file] of code.matchAll(/import\(\s*["'`]\.\/([\w.-]+\.js)["'`]/g)) dynamic.add(`assets/${file}`);
};
named.filter((path) => path.endsWith(".js")).forEach(follow);

// Of the files loaded on demand, one language: the largest of its kind counts.
const languages = readdirSync(join(dist, "assets")).filter((name) => dynamic.has(`assets/${name}`));
const largest = ["kk", "ru", "en"].map((lang) => {
  const files = languages.filter((name) => new RegExp(`(^|\\.)${lang}-`).test(name));
  if (files.length === 0) throw new Error(`no texts found for ${lang}`);
  return { lang, files, bytes: files.reduce((sum, name) => sum + gz(`assets/${name}`), 0) };
}).sort((a, b) => b.bytes - a.bytes)[0];

const rows = [...first].map((path) => [path, gz(path)]);
rows.push([`texts (${largest.lang})`, largest.bytes]);
const total = rows.reduce((sum, [, bytes]) => sum + bytes, 0);
for (const [path, bytes] of rows) console.log(`${String(bytes).padStart(8)}  ${path}`);
console.log(`${String(total).padStart(8)}  JavaScript of the first load, gzipped; limit ${LIMIT}`);
for (const path of named.filter((name) => name.endsWith(".css"))) console.log(`${String(gz(path)).padStart(8)}  ${path} (style, not counted)`);
const texts = /(^|\.)(kk|ru|en)-/;
const later = [...dynamic].filter((path) => !first.has(path) && !texts.test(path.slice("assets/".length)));
for (const path of later) console.log(`${String(gz(path)).padStart(8)}  ${path} (on demand)`);
const sum = (paths, from) => paths.reduce((bytes, path) => bytes + gz(path), from);
const ofTheDay = later.filter((path) => !OTHER_VISITS.test(path.slice("assets/".length)));
const ever = sum(ofTheDay, total);
const anyDay = sum(later, total);
console.log(`${String(ever).padStart(8)}  JavaScript of a whole exam, gzipped; limit ${EVER}`);
console.log(`${String(anyDay).padStart(8)}  with what belongs to other days, gzipped; limit ${ANY_DAY}`);
process.exit(total <= LIMIT && ever <= EVER && anyDay <= ANY_DAY ? 0 : 1);
