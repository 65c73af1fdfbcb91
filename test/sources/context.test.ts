import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import {
  type ContextFilter,
  contextTime,
  layOutContext,
  listBelow,
  readPaths,
  seenFrom,
} from "../../src/sources/context.ts";
import { openTree } from "../../src/sources/tree.ts";
import { makeCheckout, put } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const { files } = openFiles(tmpdir());
const everything: ContextFilter = { isLeftOut: () => false, canPrune: () => false };
const readContext = async (root: string, filter: ContextFilter) => {
  const tree = openTree(files, root);
  return readPaths(tree, await listBelow(tree, "", filter));
};

// sha256 of "hello\n", from coreutils.
const HELLO = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

test("files, links and folders, sorted; modes as git has them", async () => {
  const root = makeCheckout({
    "b/run.sh": { script: "hello\n" },
    "a.txt": "hello\n",
    link: { link: "b/../a.txt" },
    "b/inner/x": "hello\n",
  });
  chmodSync(join(root, "a.txt"), 0o640);
  expect(await readContext(root, everything)).toEqual([
    { path: "a.txt", kind: "file", mode: "0644", content: HELLO },
    { path: "b", kind: "directory" },
    { path: "b/inner", kind: "directory" },
    { path: "b/inner/x", kind: "file", mode: "0644", content: HELLO },
    { path: "b/run.sh", kind: "file", mode: "0755", content: HELLO },
    { path: "link", kind: "link", target: "b/../a.txt" },
  ]);
});

test("a left-out folder is only looked into where something of it may come back, and what comes back brings its folders", async () => {
  const root = makeCheckout({ "out/deep/kept": "hello\n", "out/gone": "", "never/x": "", in: "hello\n" });
  const looked: string[] = [];
  const filter: ContextFilter = {
    isLeftOut: (path) => /^(out|never)/.test(path) && path !== "out/deep/kept",
    canPrune: (path) => {
      looked.push(path);
      return path.startsWith("never");
    },
  };
  const entries = await readContext(root, filter);
  expect(entries.map(({ path }) => path)).toEqual(["in", "out", "out/deep", "out/deep/kept"]);
  expect(looked).not.toContain("never/x");
});

test("laid out again it is the same content with fixed modes and times, whatever the umask", async () => {
  const root = makeCheckout({
    "b/run.sh": { script: "hello\n" },
    "a.txt": "hello\n",
    link: { link: "nowhere" },
    "b/empty/x": "",
  });
  const entries = await readContext(root, everything);
  const to = mkdtempSync(join(tmpdir(), "laid-out-"));
  const umask = process.umask(0o077);
  await layOutContext(files, root, entries, to);
  process.umask(umask);
  expect(await readContext(to, everything)).toEqual(entries);
  expect(readdirSync(to, { recursive: true }).sort()).toEqual([
    "a.txt",
    "b",
    "b/empty",
    "b/empty/x",
    "b/run.sh",
    "link",
  ]);
  expect(lstatSync(join(to, "a.txt")).mode & 0o7777).toBe(0o644);
  expect(lstatSync(join(to, "b/run.sh")).mode & 0o7777).toBe(0o755);
  expect(lstatSync(join(to, "b")).mode & 0o7777).toBe(0o755);
  expect(readlinkSync(join(to, "link"))).toBe("nowhere");
  expect(readFileSync(join(to, "a.txt"), "utf8")).toBe("hello\n");
  const times = ["a.txt", "b/run.sh", "link", "b", "b/empty", "."].map((path) => lstatSync(join(to, path)).mtimeMs);
  expect(new Set(times).size).toBe(1);
  // 1980-01-01, and less than a second.
  expect(Math.floor((times[0] ?? 0) / 1000)).toBe(315_532_800);
});

async function timeOfFile(text: string): Promise<bigint> {
  const root = makeCheckout({ "a.txt": text, "b.txt": "the same\n" });
  const to = mkdtempSync(join(tmpdir(), "laid-out-"));
  await layOutContext(files, root, await readContext(root, everything), to);
  return lstatSync(join(to, "b.txt"), { bigint: true }).mtimeNs;
}

// BuildKit would take the one for the other otherwise: see test/e2e/same-size.test.ts.
test("other content of the same size has another time, the same content the same", async () => {
  const [one, two, again] = [await timeOfFile("one\n"), await timeOfFile("two\n"), await timeOfFile("one\n")];
  expect(two).not.toBe(one);
  expect(again).toBe(one);
});

test("times are told apart to the microsecond", () => {
  const digest = (start: string) => `sha256:${start.padEnd(64, "0")}` as const;
  const numbers = [0, 0x20, 0x40, 0x60, 0xffffc0, 0xffffe0];
  const times = numbers.map((number) => contextTime(digest(number.toString(16).padStart(8, "0"))));
  const path = join(makeCheckout({ f: "" }), "f");
  const seen = times.map((time) => {
    utimesSync(path, time, time);
    return lstatSync(path, { bigint: true }).mtimeNs;
  });
  expect(new Set(seen).size).toBe(times.length);
});

test("a file that changed since it was hashed fails the build, even with its old size and time", async () => {
  const root = makeCheckout({ "a.txt": "hello\n" });
  const { atime, mtime } = lstatSync(join(root, "a.txt"));
  const entries = await readContext(root, everything);
  put(root, "a.txt", "HELLO\n");
  utimesSync(join(root, "a.txt"), atime, mtime);
  const to = mkdtempSync(join(tmpdir(), "laid-out-"));
  await expect(layOutContext(files, root, entries, to)).rejects.toMatchObject({
    code: "E_CHANGED",
    message: expect.stringContaining("a.txt"),
  });
});

// `git checkout`, a clean step, a build tool: whatever moved what was hashed, it has changed.
test.each<[what: string, path: string, move: (root: string) => void]>([
  ["is gone", "d/a.bin", (root) => rmSync(join(root, "d/a.bin"))],
  ["was renamed", "d/a.bin", (root) => renameSync(join(root, "d/a.bin"), join(root, "d/b.bin"))],
  ["is a folder", "d/a.bin", (root) => swap(join(root, "d/a.bin"), (path) => mkdirSync(path))],
  ["is a pipe", "d/a.bin", (root) => swap(join(root, "d/a.bin"), (path) => execFileSync("mkfifo", [path]))],
  ["is a link to a device", "d/a.bin", (root) => swap(join(root, "d/a.bin"), (path) => symlinkSync("/dev/null", path))],
  ["is a link to nowhere", "d/a.bin", (root) => swap(join(root, "d/a.bin"), (path) => symlinkSync("x", path))],
  ["is a link to itself", "d/a.bin", (root) => swap(join(root, "d/a.bin"), (path) => symlinkSync("a.bin", path))],
  ["lost its folder", "d/a.bin", (root) => rmSync(join(root, "d"), { recursive: true })],
  ["has a file for a folder", "d/a.bin", (root) => swap(join(root, "d"), (path) => writeFileSync(path, ""))],
  ["lost its checkout", "d/a.bin", (root) => rmSync(root, { recursive: true })],
])("a file that %s when the build starts has changed", async (_, path, move) => {
  for (const size of [5, 300_000]) {
    const root = makeCheckout({ "d/a.bin": "x".repeat(size), "z.txt": "" });
    const entries = await readContext(root, everything);
    move(root);
    const to = await files.temporaryFolder("moved");
    const refused = await refusalOf(() => layOutContext(files, root, entries, to));
    expect(refused).toMatchObject({ code: "E_CHANGED", message: expect.stringContaining(path) });
  }
});

function swap(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true });
  make(path);
}

test("a name that is not UTF-8 is told and not left out", async () => {
  const root = makeCheckout({ "a.txt": "" });
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x61])]), "");
  await expect(readContext(root, everything)).rejects.toMatchObject({ code: "E_CONTEXT" });
});

test("an empty folder and a missing one", async () => {
  expect(await readContext(mkdtempSync(join(tmpdir(), "empty-")), everything)).toEqual([]);
});

// Small files are read in one piece, others as a stream.
test.each([1, 256 * 1024, 256 * 1024 + 1, 3_000_000])(
  "a file of %d bytes is hashed and laid out whole",
  async (size) => {
    const content = "x".repeat(size - 1).concat("y");
    const root = makeCheckout({ "a.bin": { script: content } });
    const entries = await readContext(root, everything);
    const sha256 = createHash("sha256").update(content).digest("hex");
    expect(entries).toEqual([{ path: "a.bin", kind: "file", mode: "0755", content: `sha256:${sha256}` }]);
    const to = await files.temporaryFolder("large");
    await layOutContext(files, root, entries, to);
    expect(readFileSync(join(to, "a.bin"), "utf8") === content).toBe(true);
    const { mode, mtime } = lstatSync(join(to, "a.bin"));
    expect({ mode: mode & 0o777, year: mtime.getUTCFullYear() }).toEqual({ mode: 0o755, year: 1980 });
    writeFileSync(join(root, "a.bin"), content.replace("y", "z"));
    expect(await refusalOf(() => layOutContext(files, root, entries, to))).toMatchObject({ code: "E_CHANGED" });
  },
);

test("what changed is told at its place in the repository", async () => {
  const root = makeCheckout({ "d/a.txt": "hello\n" });
  const entries = await readContext(root, everything);
  put(root, "d/a.txt", "HELLO\n");
  for (const [seen, file] of [
    ["sub/app", "sub/app/d/a.txt"],
    [".", "d/a.txt"],
  ] as const) {
    const to = await files.temporaryFolder("placed");
    const refused = await refusalOf(() => seenFrom(seen, () => layOutContext(files, root, entries, to)));
    expect(refused).toMatchObject({ code: "E_CHANGED", at: { file }, fix: expect.stringContaining("dockerignore") });
  }
});
