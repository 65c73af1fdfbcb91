// Replays a history and counts how often the key moves, and how often the image's inputs do: node bench/histories.mjs
//
// Without arguments the history is a generated one, of a few hundred commits to repositories in the usual layouts; each commit says
// for itself whether it changes what is in the image. Goal: 0 stale (the image changed, the key did not), 0 needless (the other way round).
//
//   node bench/histories.mjs FOLDER [COMMITS [DOCKERFILE]]    the last so many commits (60) of a git repository that is there already: how often its
//                                                             key moves. With DOCKERFILE that file is built, with the repository as its context
//
// With ORACLE=PROGRAM it is compared with what somebody else says is in the image of DOCKERFILE: the program is given a line of JSON for each
// commit, { "folder", "dockerfile" }, and answers with a line: { "image": any text that stands for it } or { "error": … }. One made of BuildKit's
// own packages (dockerfile2llb for the instructions and what they read, fsutil for what is sent and copied of the context) has some 300 lines.
//
// Nothing is asked of any registry: every image that a history names is there, and stays what it is. FOLDER is only read: the commits are
// laid out in a temporary folder.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { BEGIN, EDITS, WORKSPACES } from "./history-layouts.mjs";
import { loadSource } from "./source.mjs";

const COMMITS = 600;
const LAYOUTS = Object.keys(BEGIN);

const temporary = mkdtempSync(join(tmpdir(), "histories-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

const { featureOf, hostOf, indexOf, inputsOf, openFiles, portsOf, probe, readFrom, registryOf } =
  await loadSource(temporary);
const { files } = openFiles(temporary);

const none = registryOf({});
const nameOf = ({ registry, repository, tag, digest }) => `${registry}/${repository}:${tag ?? digest ?? ""}`;

/** Every image is there, for two platforms, and always the same. */
const images = {
  ...none,
  manifest: (reference) => {
    const name = nameOf(reference);
    if (reference.registry === "cache.test") return none.manifest(reference);
    const value = indexOf({ "linux/amd64": name, "linux/arm64": `${name} arm64` });
    return Promise.resolve({ kind: "found", value });
  },
};

/** So is every feature; its options are what the configuration says. */
const features = {
  ...none,
  manifest: (reference) => {
    const value = featureOf({ id: reference.repository.split("/").at(-1) }, nameOf(reference));
    return Promise.resolve({ kind: "found", value });
  },
};

/** The key of a workspace, or why there is none. */
async function keyOf(workspace, given) {
  try {
    const inputs = inputsOf({ workspace, images: {}, inputs: given });
    const sources = await readFrom(inputs, { files, host: hostOf(workspace) });
    const { plan, verdict } = await probe(sources.wanted, images, portsOf(features, inputs));
    // Where something cannot be decided, what the commit says is all there is to compare.
    return plan ? plan.key : `${sources.wanted.ownKey} ${verdict.kind}`;
  } catch (error) {
    return `none: ${error.code ?? error}`;
  }
}

const git = (folder, ...args) =>
  execFileSync(
    "git",
    ["-c", "user.name=x", "-c", "user.email=x@x.test", "-c", "core.hooksPath=/dev/null", "-C", folder, ...args],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    },
  );

/** One repository with a folder for each layout; every commit says what it changes, and in which image. */
function generate(commits) {
  const root = join(temporary, "generated");
  for (const layout of LAYOUTS)
    for (const [path, text] of Object.entries({ ...BEGIN[layout], "src/there.c": "there\n" })) {
      mkdirSync(dirname(join(root, layout, path)), { recursive: true });
      writeFileSync(join(root, layout, path), text);
    }
  git(root, "init", "--quiet", "--initial-branch=main");
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message", "begin");
  // Always the same history: https://en.wikipedia.org/wiki/Linear_congruential_generator
  let seed = 1;
  const next = (below) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let number = 2; number <= commits + 1; number++) {
    const layout = LAYOUTS[next(LAYOUTS.length)];
    const { moves, edit } = EDITS[layout][next(EDITS[layout].length)];
    edit(join(root, layout), number);
    git(root, "add", "--all");
    const isEmpty = git(root, "status", "--porcelain") === "";
    git(root, "commit", "--quiet", "--allow-empty", "--message", `${layout} ${moves && !isEmpty ? "moves" : "stays"}`);
  }
  return root;
}

/** Lays out one commit after the other, oldest first. */
async function replay(repository, commits, each) {
  const folder = join(temporary, "replayed");
  execFileSync("git", ["clone", "--quiet", "--shared", "--no-checkout", resolve(repository), folder]);
  const list = git(folder, "rev-list", "--first-parent", `--max-count=${commits + 1}`, "HEAD")
    .trim()
    .split("\n")
    .reverse();
  for (const commit of list) {
    git(folder, "checkout", "--quiet", "--force", commit);
    git(folder, "clean", "--quiet", "-ffdx");
    await each(folder, git(folder, "log", "-1", "--format=%s", commit).trim(), commit);
  }
}

async function benchGenerated() {
  const repository = generate(COMMITS);
  const counts = Object.fromEntries(LAYOUTS.map((layout) => [layout, { moved: 0, inputs: 0, stale: 0, needless: 0 }]));
  const before = {};
  await replay(repository, COMMITS, async (folder, subject) => {
    const [changed, how] = subject.split(" ");
    for (const layout of LAYOUTS) {
      const within = WORKSPACES[layout];
      const key = await keyOf(join(folder, layout), within === undefined ? {} : { "workspace-folder": within });
      if (key.startsWith("none")) throw new Error(`${layout}: ${key}`);
      const moved = before[layout] !== undefined && before[layout] !== key;
      const inputs = changed === layout && how === "moves";
      before[layout] = key;
      counts[layout].moved += moved;
      counts[layout].inputs += inputs;
      counts[layout].stale += inputs && !moved;
      counts[layout].needless += moved && !inputs;
    }
  });
  console.log(`${COMMITS} commits; each layout is looked at after every one of them`);
  for (const [layout, { moved, inputs, stale, needless }] of Object.entries(counts))
    console.log(
      `${layout}: the image's inputs moved ${inputs} times, the key ${moved} times: ${stale} stale, ${needless} needless`,
    );
  process.exitCode = Object.values(counts).some(({ stale, needless }) => stale + needless > 0) ? 1 : 0;
}

const REPLAYED = ".devcontainer/replayed/devcontainer.json";

/** The same configuration in each commit, beside what the repository has. */
function configure(folder, dockerfile) {
  mkdirSync(dirname(join(folder, REPLAYED)), { recursive: true });
  writeFileSync(
    join(folder, REPLAYED),
    JSON.stringify({ build: { dockerfile: `../../${dockerfile}`, context: "../.." } }),
  );
}

/** Asks a program that answers lines with lines; `undefined` is what it cannot tell. */
function openOracle(program) {
  const { stdin, stdout } = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    close: () => stdin.end(),
    imageOf: async (question) => {
      stdin.write(`${JSON.stringify(question)}\n`);
      const { value } = await answers.next();
      if (value === undefined) throw new Error(`${program} has ended`);
      return JSON.parse(value).image;
    },
  };
}

async function benchForeign(repository, commits, dockerfile) {
  const oracle = process.env.ORACLE && dockerfile !== undefined ? openOracle(process.env.ORACLE) : undefined;
  const looks = [];
  await replay(repository, commits, async (folder, subject, commit) => {
    if (dockerfile !== undefined) configure(folder, dockerfile);
    const key = await keyOf(folder, dockerfile === undefined ? {} : { "devcontainer-json-path": REPLAYED });
    const image = await oracle?.imageOf({ folder, dockerfile: join(folder, dockerfile) });
    looks.push({ key, image, told: `${commit.slice(0, 10)} ${subject}` });
  });
  oracle?.close();
  const steps = looks.slice(1).map((look, at) => ({ ...look, before: looks[at], moved: look.key !== looks[at].key }));
  for (const { key, moved, told } of steps)
    if (moved) console.log(`${told}: ${key.startsWith("none") ? key : "moves"}`);
  console.log(`${steps.filter(({ moved }) => moved).length} of ${steps.length} commits move the key`);
  if (oracle) compare(steps);
}

/** Where the key and the oracle both know of two commits in a row, both have to move, or neither. */
function compare(steps) {
  const isKnown = ({ key, image }) => image !== undefined && !key.startsWith("none");
  const known = steps
    .filter((step) => isKnown(step) && isKnown(step.before))
    .map((step) => ({ ...step, inputs: step.image !== step.before.image }));
  const wrong = known.filter(({ moved, inputs }) => moved !== inputs);
  for (const { moved, told } of wrong) console.log(`${told}: ${moved ? "NEEDLESS" : "STALE"}`);
  const [inputs, needless] = [known.filter((step) => step.inputs), wrong.filter((step) => step.moved)].map(
    ({ length }) => length,
  );
  console.log(
    `the image's inputs moved at ${inputs} of ${known.length} that can be compared: ${wrong.length - needless} stale, ${needless} needless`,
  );
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

const [repository, commits = "60", dockerfile] = process.argv.slice(2);
if (repository === undefined) await benchGenerated();
else await benchForeign(repository, Number(commits), dockerfile);
