// Node 20 does not strip types, so the tests are compiled to a temporary folder first.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const out = mkdtempSync(join(tmpdir(), "synaq-tests-"));
const run = (...args) => spawnSync(process.execPath, args, { cwd: import.meta.dirname, stdio: "inherit" }).status ?? 1;
let status = run("node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json", "--outDir", out);
if (status === 0) {
  writeFileSync(join(out, "package.json"), '{"type":"module"}');
  const tests = readdirSync(out, { recursive: true }).filter((name) => name.endsWith(".test.js"));
  if (tests.length === 0) throw new Error("no tests were compiled");
  status = run("--test", ...tests.map((name) => join(out, name)));
}
rmSync(out, { recursive: true, force: true });
process.exit(status);
