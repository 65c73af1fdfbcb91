import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openAttributes } from "../../src/envbuilder/attributes.ts";
import { openContext } from "../../src/envbuilder/files-context.ts";
import { openFiles } from "../../src/host/files.ts";

const { files } = openFiles(tmpdir());
let root = "";
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "context-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function lay(path: string, content = path): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

const context = (index?: string, folder = root) => openContext({ files, workspace: root, folder, index });

/** As `git ls-files -s -z` tells it. */
const indexOf = (entries: Readonly<Record<string, string>>): string =>
  Object.entries(entries)
    .map(([path, mode]) => `${mode} ${"0".repeat(40)} 0\t${path}\0`)
    .join("");

describe("modes are those of the builder's clone, whatever the disk has", () => {
  test.each([
    ["by the disk", undefined],
    ["by git's index", { "d/plain": "100644", "d/run": "100755", link: "120000" }],
  ])("%s", async (_name, entries) => {
    lay("d/plain");
    lay("d/run");
    chmodSync(join(root, "d/plain"), 0o666);
    chmodSync(join(root, "d/run"), 0o700);
    chmodSync(join(root, "d"), 0o2777);
    symlinkSync("d/plain", join(root, "link"));
    const { stat } = await context(entries && indexOf(entries));
    expect(await stat("d/plain")).toEqual({ kind: "file", mode: 0o644 });
    expect(await stat("d/run")).toEqual({ kind: "file", mode: 0o755 });
    expect(await stat("d")).toEqual({ kind: "directory", mode: 0o755 });
    expect(await stat(".")).toEqual({ kind: "directory", mode: 0o755 });
    expect(await stat("link")).toEqual({ kind: "link", mode: 0o777 });
    expect(await stat("nothing")).toBeUndefined();
    expect(await stat("nothing/in/it")).toBeUndefined();
  });
});

test("the index decides which files there are and how they may be used", async () => {
  lay("a");
  lay("made");
  lay("changed");
  lay(".git/HEAD");
  symlinkSync("a", join(root, "swapped"));
  const index = indexOf({
    a: "100755",
    changed: "120000",
    swapped: "100644",
    gone: "100644",
    sub: "160000",
    "d/e": "100644",
  });
  const { stat, list } = await context(index);
  expect(await stat("a")).toEqual({ kind: "file", mode: 0o755 });
  expect(await stat("made")).toBeUndefined();
  for (const doubtful of ["changed", "swapped", "gone", "sub"])
    expect(await stat(doubtful)).toEqual({ kind: "unknown" });
  expect([...(await list("."))].sort()).toEqual([".git", "a", "changed", "d", "gone", "sub", "swapped"]);
  expect(await list(".git")).toEqual(["HEAD"]);
  expect(await stat(".git")).toEqual({ kind: "directory", mode: 0o755 });
});

test("links in front of a name are followed inside of the checkout, and nowhere else", async () => {
  lay("real/file");
  symlinkSync("real", join(root, "way"));
  symlinkSync(tmpdir(), join(root, "out"));
  for (const index of [undefined, indexOf({ "real/file": "100755", way: "120000", out: "120000" })]) {
    const { stat, md5 } = await context(index);
    expect(await stat("way/file")).toMatchObject({ kind: "file" });
    expect(await md5("way/file", "")).toBe(createHash("md5").update("real/file").digest("hex"));
    expect(await stat("out/anything")).toEqual({ kind: "unknown" });
    expect(await stat("way")).toEqual({ kind: "link", mode: 0o777 });
  }
});

test("a context below the checkout, reached through a link", async () => {
  lay("below/file");
  symlinkSync("below", join(root, "way"));
  const { stat, list } = await context(indexOf({ "below/file": "100755" }), join(root, "way"));
  expect(await stat("file")).toEqual({ kind: "file", mode: 0o755 });
  expect(await list(".")).toEqual(["file"]);
});

test("content is hashed with a text in front: that of a small file, of a large one, of a link, of nothing in a folder", async () => {
  lay("small", "hello\n");
  lay("large", "x".repeat(3 * 1024 * 1024));
  symlinkSync("small", join(root, "link"));
  const { md5 } = await context();
  const expected = (text: string) => createHash("md5").update(text).digest("hex");
  expect(await md5("small", "-rw-r--r--0,0")).toBe("3796735f6017f2c65d88fd62f1bd7366");
  expect(await md5("large", "a")).toBe(expected(`a${"x".repeat(3 * 1024 * 1024)}`));
  expect(await md5("link", "L")).toBe(expected("Lsmall"));
  expect(await md5(".", "d")).toBe(expected("d"));
});

describe("what git writes otherwise than it keeps is in doubt", () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 5\n`;

  test.each([
    ["a file of git LFS", "*.bin filter=lfs diff=lfs merge=lfs -text", "f.bin", "content", "unknown"],
    ["its pointer", "*.bin filter=lfs diff=lfs merge=lfs -text", "f.bin", pointer, "file"],
    ["another filter's", "*.bin filter=crypt", "f.bin", pointer, "unknown"],
    ["line ends of Windows", "*.bat text eol=crlf", "f.bat", "a", "unknown"],
    ["line ends of Unix", "*.sh text eol=lf", "f.sh", "a", "file"],
    ["another name", "*.bin filter=lfs", "f.txt", "a", "file"],
    ["a folder's", "d/** filter=lfs", "d/f", "a", "unknown"],
    ["a comment", "# * filter=lfs", "f", "a", "file"],
    ["a macro", "[attr]big filter=lfs", "f", "a", "unknown"],
  ])("%s", async (_name, attributes, path, content, kind) => {
    lay(".gitattributes", `${attributes}\n`);
    lay(path, content);
    expect(await (await context()).stat(path)).toMatchObject({ kind });
  });

  test("the folders on the way are looked at, and each once", async () => {
    const read: string[] = [];
    const { filtersOf } = openAttributes(async (path) => {
      read.push(path);
      return path === "a/.gitattributes" ? "*.z ident" : undefined;
    });
    expect(await filtersOf("a/b/c.z")).toEqual(["ident"]);
    expect(await filtersOf("a/b/c.y")).toEqual([]);
    expect(await filtersOf("c.z")).toEqual([]);
    expect(read).toEqual([".gitattributes", "a/.gitattributes", "a/b/.gitattributes"]);
  });
});
