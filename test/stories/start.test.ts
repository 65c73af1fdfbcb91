import { readdirSync, readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { play } from "./harness.ts";
import { openSample } from "./sample.ts";

test("what every run reads stays small: a hit starts as fast as that is read, and all else lies in chunks of its own", () => {
  expect(statSync("dist/index.js").size).toBeLessThan(450_000);
});

test("what runners download with the action stays small", () => {
  const bundle = readdirSync("dist").map((name) => readFileSync(`dist/${name}`));
  expect(gzipSync(Buffer.concat(bundle)).length).toBeLessThan(680_000);
});

test("a run that waits for what can never come has failed, and says so", async () => {
  const { workspace, registry, close } = await openSample();
  const never = `
    import files from "node:fs/promises";
    import { syncBuiltinESMExports } from "node:module";
    files.realpath = () => new Promise(() => {});
    syncBuiltinESMExports();`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(never)}` };
  const { code, log } = await play({ workspace, registry, env });
  expect(code, log).toBe(1);
  expect(log).toMatch(/^::error.*can never come.*\[E_BUG\]/m);
  await close();
});
