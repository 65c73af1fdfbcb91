// Start-up of the bundle over an empty Node process: node bench/startup.mjs [node …]
// Every round starts each process once, one after the other, so that a busy moment hits both. The bundle is stopped by a wrong input,
// which it reads first: all that is loaded on the way to a hit has been loaded by then.
import { spawnSync } from "node:child_process";
import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROUNDS = 31;
const BUDGET = { startUp: 60, mainFile: 450_000 };
const empty = join(mkdtempSync(join(tmpdir(), "bench-")), "empty.mjs");
writeFileSync(empty, "");

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function time(node, file) {
  const started = process.hrtime.bigint();
  const ended = spawnSync(node, [file], { env: { PATH: process.env.PATH, INPUT_DIALECT: "none" }, encoding: "utf8" });
  const took = Number(process.hrtime.bigint() - started) / 1e6;
  if (file !== empty && !ended.stdout.includes("E_INPUT"))
    throw new Error(`the bundle did not load: ${ended.stdout}${ended.stderr}`);
  return took;
}

const size = statSync("dist/index.js").size;
console.log(`dist/index.js: ${size} bytes (budget ${BUDGET.mainFile})`);
for (const node of process.argv.length > 2 ? process.argv.slice(2) : [process.execPath]) {
  const rounds = Array.from({ length: ROUNDS }, () => [time(node, empty), time(node, "dist/index.js")]);
  const [alone, bundle] = [median(rounds.map(([a]) => a)), median(rounds.map(([, b]) => b))];
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  const over = bundle - alone;
  console.log(
    `${version}: empty ${alone.toFixed(1)} ms, bundle ${bundle.toFixed(1)} ms, over ${over.toFixed(1)} ms (budget ${BUDGET.startUp}), ratio ${(bundle / alone).toFixed(2)}`,
  );
}
