// Replays a history and counts how often the key moves, and how often the image's inputs do: node bench/histories.mjs
//
// Without arguments the history is a generated one, of a few hundred commits to repositories in the four usual layouts; each commit says
// for itself whether it changes what is in the image. Goal: 0 stale (the image changed, the key did not), 0 needless (the other way round).
//
//   node bench/histories.mjs FOLDER [COMMITS]    the last so many commits (60) of a git repository that is there already: how often its key moves
//
// Nothing is asked of any registry: every image that a history names is there, and stays what it is. FOLDER is only read: the commits are
// laid out in a temporary folder.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { loadSource } from "./source.mjs";

const COMMITS = 300;
const LAYOUTS = ["own", "above", "all", "image"];

const temporary = mkdtempSync(join(tmpdir(), "histories-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

const { hostOf, indexOf, inputsOf, openFiles, portsOf, probe, readFrom, registryOf } = await loadSource(temporary);
const { files } = openFiles(temporary);

/** Every image is there, for two platforms, and always the same. */
function everything() {
  const none = registryOf({});
  const answer = (reference) => {
    const name = `${reference.registry}/${reference.repository}:${reference.tag ?? reference.digest ?? ""}`;
    if (reference.registry === "cache.test") return none.manifest(reference);
    const value = indexOf({ "linux/amd64": name, "linux/arm64": `${name} arm64` });
    return Promise.resolve({ kind: "found", value });
  };
  return { ...none, manifest: answer };
}

/** The key of a workspace, or why there is none. */
async function keyOf(workspace) {
  try {
    const inputs = inputsOf({ workspace, images: {} });
    const sources = await readFrom(inputs, { files, host: hostOf(workspace) });
    const registry = everything();
    const { plan, verdict } = await probe(sources.wanted, registry, portsOf(registry, inputs));
    // Features that are fetched have no digest here: what the commit says is all there is to compare.
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

const JSON_FILE = ".devcontainer/devcontainer.json";
const configuration = (more) =>
  `{\n  ${more},\n  "customizations": { "vscode": { "extensions": ["a.b"] } },\n  "forwardPorts": [3000]\n}\n`;
const DOCKERFILE = `# the dev container 0
FROM registry.test/base:1 AS tools
RUN echo tools 0
FROM registry.test/private:1 AS unused
RUN echo unused 0
FROM registry.test/base:1
ARG LEVEL=0
COPY --from=tools /etc/os-release /tools
COPY COPIED /opt/
RUN echo built 0
`;

/** Repositories as they begin. */
const BEGIN = {
  own: {
    [JSON_FILE]: configuration('"build": { "dockerfile": "Dockerfile" }'),
    ".devcontainer/Dockerfile": DOCKERFILE.replace("COPIED", "setup.sh"),
    ".devcontainer/setup.sh": "echo 0\n",
    ".devcontainer/README.md": "read me 0\n",
    "src/main.c": "int main0;\n",
  },
  above: {
    [JSON_FILE]: configuration('"build": { "dockerfile": "Dockerfile", "context": ".." }'),
    ".devcontainer/Dockerfile": DOCKERFILE.replace("COPIED", "requirements*.txt"),
    "requirements.txt": "a==0\n",
    "src/main.c": "int main0;\n",
    "docs/index.md": "docs 0\n",
  },
  all: {
    [JSON_FILE]: configuration('"build": { "dockerfile": "Dockerfile", "context": ".." }'),
    ".devcontainer/Dockerfile": DOCKERFILE.replace("COPIED", "."),
    ".dockerignore": "# 0\n.git\n.devcontainer\n**/*.md\n!docs/kept.md\n",
    "src/main.c": "int main0;\n",
    "docs/index.md": "docs 0\n",
    "docs/kept.md": "kept 0\n",
  },
  image: {
    [JSON_FILE]: configuration('"image": "registry.test/base:1"'),
    "src/main.c": "int main0;\n",
    "README.md": "read me 0\n",
  },
};

/** Raises the number behind the first place where a text fits. */
const raise = (path, before) => (root, number) => {
  const text = readFileSync(join(root, path), "utf8");
  const after = text.replace(new RegExp(`(${before})\\d+`), `$1${number}`);
  if (after === text) throw new Error(`${path} has no ${before}`);
  writeFileSync(join(root, path), after);
};
const place = (path) => (root, number) => {
  const full = join(root, path.replace("N", number));
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, `new ${number}\n`);
};
const flip = (path) => (root, number) => chmodSync(join(root, path), number % 2 === 0 ? 0o755 : 0o644);
const move = (one, other) => (root) => {
  const there = git(root, "ls-files", one).trim() !== "";
  renameSync(join(root, there ? one : other), join(root, there ? other : one));
};

const IN_DOCKERFILE = [
  { moves: false, edit: raise(".devcontainer/Dockerfile", "# the dev container ") },
  { moves: false, edit: raise(".devcontainer/Dockerfile", "echo unused ") },
  { moves: false, edit: raise(".devcontainer/Dockerfile", "registry.test/private:") },
  { moves: true, edit: raise(".devcontainer/Dockerfile", "echo tools ") },
  { moves: true, edit: raise(".devcontainer/Dockerfile", "echo built ") },
  { moves: true, edit: raise(".devcontainer/Dockerfile", "ARG LEVEL=") },
];
const IN_CONFIGURATION = [
  // The label says it: the image is another one.
  { moves: true, edit: raise(JSON_FILE, '"forwardPorts": \\[') },
  { moves: false, edit: place(".devcontainer/notes/N.md") },
];
const EDITS = {
  own: [
    ...IN_DOCKERFILE,
    ...IN_CONFIGURATION,
    { moves: true, edit: raise(".devcontainer/setup.sh", "echo ") },
    { moves: true, edit: flip(".devcontainer/setup.sh") },
    { moves: false, edit: raise(".devcontainer/README.md", "read me ") },
    { moves: false, edit: raise("src/main.c", "int main") },
  ],
  above: [
    ...IN_DOCKERFILE,
    ...IN_CONFIGURATION,
    { moves: true, edit: raise("requirements.txt", "a==") },
    { moves: true, edit: place("requirements-N.txt") },
    { moves: false, edit: raise("src/main.c", "int main") },
    { moves: false, edit: place("src/N.c") },
    { moves: false, edit: raise("docs/index.md", "docs ") },
    { moves: false, edit: flip("src/main.c") },
  ],
  all: [
    ...IN_DOCKERFILE,
    ...IN_CONFIGURATION,
    { moves: true, edit: raise("src/main.c", "int main") },
    { moves: true, edit: place("src/N.c") },
    { moves: true, edit: flip("src/main.c") },
    { moves: true, edit: raise("docs/kept.md", "kept ") },
    { moves: true, edit: move("src/there.c", "src/here.c") },
    { moves: true, edit: raise(".dockerignore", "# ") },
    { moves: false, edit: raise("docs/index.md", "docs ") },
    { moves: false, edit: place("docs/N.md") },
  ],
  image: [
    ...IN_CONFIGURATION,
    { moves: true, edit: raise(JSON_FILE, "registry.test/base:") },
    { moves: false, edit: raise("src/main.c", "int main") },
    { moves: false, edit: raise("README.md", "read me ") },
  ],
};

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
      const key = await keyOf(join(folder, layout));
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

async function benchForeign(repository, commits) {
  let [last, seen, moved] = [undefined, 0, 0];
  await replay(repository, commits, async (folder, subject, commit) => {
    const key = await keyOf(folder);
    seen++;
    if (last !== undefined && key !== last) {
      moved++;
      console.log(`${commit.slice(0, 10)} ${key.startsWith("none") ? key : "moves the key"}: ${subject}`);
    }
    last = key;
  });
  console.log(`${moved} of ${seen - 1} commits move the key`);
}

const [repository, commits = "60"] = process.argv.slice(2);
if (repository === undefined) await benchGenerated();
else await benchForeign(repository, Number(commits));
