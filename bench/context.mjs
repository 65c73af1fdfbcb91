// Reading a wide build context: node bench/context.mjs [FILES] [MEBIBYTES] [ROUNDS]     (100000 files, 1024 MiB and 5 rounds by default)
//
// What a hit spends on the context: a Dockerfile that takes ten files of it, beside the same ten files alone; and one that takes all of it,
// beside `sha256sum` over the same files. Each round runs both, one after the other, so that a busy moment hits both.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSource } from "./source.mjs";

const [FILES = 100_000, MEBIBYTES = 1024, ROUNDS = 5] = process.argv.slice(2).map(Number);
const BUDGET = { unread: 1.1, read: 1.2 };

const temporary = mkdtempSync(join(tmpdir(), "context-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));
const { hostOf, inputsOf, openFiles, readFrom } = await loadSource(temporary);
const { files } = openFiles(temporary);

function makeWorkspace(name, dockerfile, wide) {
  const root = join(temporary, name);
  mkdirSync(join(root, ".devcontainer"), { recursive: true });
  writeFileSync(
    join(root, ".devcontainer/devcontainer.json"),
    '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
  );
  writeFileSync(join(root, ".devcontainer/Dockerfile"), `FROM registry.test/base:1\n${dockerfile}\n`);
  mkdirSync(join(root, "read"));
  for (let number = 0; number < 10; number++) writeFileSync(join(root, `read/${number}.txt`), `${number}\n`);
  if (!wide) return root;
  const bytes = Buffer.alloc(Math.floor((MEBIBYTES * 1024 * 1024) / FILES), "x");
  for (let number = 0; number < FILES; number++) {
    if (number % 200 === 0) mkdirSync(join(root, `wide/${number / 200}`), { recursive: true });
    bytes.writeUInt32LE(number);
    writeFileSync(join(root, `wide/${Math.floor(number / 200)}/${number}`), bytes);
  }
  return root;
}

async function read(workspace) {
  const started = performance.now();
  const sources = await readFrom(inputsOf({ workspace, images: {} }), { files, host: hostOf(workspace) });
  const taken = sources.build.context.entries.get("linux/amd64").filter(({ kind }) => kind === "file").length;
  return { took: performance.now() - started, taken };
}

function sumByHand(workspace) {
  const started = performance.now();
  execFileSync("sh", ["-c", "find . -type f -print0 | xargs -0 sha256sum > /dev/null"], { cwd: workspace });
  return performance.now() - started;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rounds = async (count, work) => {
  const done = [];
  for (let number = 0; number < count; number++) done.push(await work());
  return done;
};

const few = makeWorkspace("few", "COPY read/ /read/", false);
const wide = makeWorkspace("wide", "COPY read/ /read/", true);
// Else the disk is still writing it while something is measured.
execFileSync("sync");
await read(few);
const unread = await rounds(ROUNDS * 4, async () => ({ few: await read(few), wide: await read(wide) }));
const [alone, among] = [median(unread.map(({ few }) => few.took)), median(unread.map(({ wide }) => wide.took))];
if (unread[0].wide.taken !== 10) throw new Error(`${unread[0].wide.taken} files were taken`);
console.log(
  `10 files read among ${FILES} files and ${MEBIBYTES} MiB: ${among.toFixed(1)} ms, the 10 alone ${alone.toFixed(1)} ms; ratio ${(among / alone).toFixed(2)} (budget ${BUDGET.unread})`,
);

writeFileSync(join(wide, ".devcontainer/Dockerfile"), "FROM registry.test/base:1\nCOPY . /all/\n");
sumByHand(wide);
const all = await rounds(ROUNDS, async () => ({ ours: await read(wide), hand: sumByHand(wide) }));
const [ours, hand] = [median(all.map(({ ours }) => ours.took)), median(all.map(({ hand }) => hand))];
console.log(
  `all of ${all[0].ours.taken} files read: ${ours.toFixed(0)} ms, sha256sum ${hand.toFixed(0)} ms; ratio ${(ours / hand).toFixed(2)} (budget ${BUDGET.read})`,
);
