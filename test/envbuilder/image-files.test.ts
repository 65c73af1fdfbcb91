import { describe, expect, test } from "vitest";
import { md5Of, sha256Of } from "../../src/envbuilder/hashes.ts";
import { imageKeyPart, type Laid, layOver, openLayerFiles } from "../../src/envbuilder/image-files.ts";
import { openTarReader } from "../../src/envbuilder/tar-reader.ts";
import { type Packed, writeTar } from "../features/tar-writer.ts";

const folder = (name: string, more: Partial<Packed> = {}): Packed => ({ name: `${name}/`, mode: 0o755, ...more });
const file = (name: string, text: string, more: Partial<Packed> = {}): Packed => ({ name, text, ...more });

function lay(laid: Laid, paths: readonly string[], ...layers: readonly (readonly Packed[])[]) {
  const read = layers.map((members) => {
    const { visit, files } = openLayerFiles(paths, laid);
    expect(openTarReader(visit)(writeTar(members))).toBe("ended");
    return files();
  });
  return layOver(read, paths);
}

const IMAGE = { isStage: false };
const STAGE = { isStage: true };

function partOf(path: string, ...layers: readonly (readonly Packed[])[]): unknown {
  return partIn(IMAGE, path, ...layers);
}

function partIn(laid: Laid, path: string, ...layers: readonly (readonly Packed[])[]): unknown {
  const files = lay(laid, [path], ...layers);
  return "doubt" in files ? files : imageKeyPart(files, path, () => false);
}

describe("a path of an image is hashed as kaniko hashes it", () => {
  test.each<[string, readonly (readonly Packed[])[], readonly string[]]>([
    ["a file alone", [[file("a", "x", { mode: 0o755, uid: 1000 })]], ["-rwxr-xr-xrs,0x"]],
    ["the upper one of two", [[file("a", "1")], [file("./a", "2")]], ["-rw-r--r--0,02"]],
    [
      "a folder, by the names in it",
      [[folder("a"), file("a/b.c", "2"), folder("a/b"), file("a/b/x", "1"), file("other", "")]],
      ["drwxr-xr-x0,0", "drwxr-xr-x0,0", "-rw-r--r--0,01", "-rw-r--r--0,02"],
    ],
    [
      "a folder over layers",
      [
        [folder("a"), file("a/1", "1")],
        [folder("a", { mode: 0o700 }), file("a/0", "0")],
      ],
      ["drwx------0,0", "-rw-r--r--0,00", "-rw-r--r--0,01"],
    ],
    ["a folder of another group, with a sticky bit", [[folder("a", { mode: 0o3777 })]], ["dgtrwxrwxrwx0,0"]],
    [
      "a link in a folder",
      [[folder("a"), { name: "a/l", link: "../x", mode: 0o777 }]],
      ["drwxr-xr-x0,0", "Lrwxrwxrwx0,0../x"],
    ],
  ])("%s", (_name, layers, parts) => {
    expect(partOf("a", ...layers)).toBe(sha256Of(parts.map(md5Of).join("")));
  });
});

describe("what a stage has is what its folder has once it is built, and root's copy of it", () => {
  const hashed = (...parts: readonly string[]) => sha256Of(parts.map(md5Of).join(""));
  const below = [folder("a"), file("a/b", "1"), folder("a/c"), file("a/c/d", "2")];

  test.each<[string, readonly (readonly Packed[])[], readonly string[]]>([
    ["a file that is deleted", [below, [file("a/.wh.b", "")]], ["drwxr-xr-x0,0", "drwxr-xr-x0,0", "-rw-r--r--0,02"]],
    ["a folder that is deleted", [below, [file("a/.wh.c", "")]], ["drwxr-xr-x0,0", "-rw-r--r--0,01"]],
    [
      "one that is made anew",
      [below, [file(".wh.a", ""), folder("a"), file("a/x", "3")]],
      ["drwxr-xr-x0,0", "-rw-r--r--0,03"],
    ],
    [
      "a folder that is emptied, which kaniko does not know of",
      [
        [folder("a"), file("a/b", "1")],
        [folder("a"), file("a/.wh..wh..opq", "")],
      ],
      ["drwxr-xr-x0,0", "-rw-r--r--0,01"],
    ],
    [
      "another's link",
      [[folder("a"), { name: "a/l", link: "x", mode: 0o755, uid: 1000 }]],
      ["drwxr-xr-x0,0", "Lrwxrwxrwx0,0x"],
    ],
    ["another's file", [[folder("a", { uid: 1 }), file("a/b", "1", { uid: 1 })]], ["drwxr-xr-x1,0", "-rw-r--r--1,01"]],
  ])("%s", (_name, layers, parts) => {
    expect(partIn(STAGE, "a", ...layers)).toBe(hashed(...parts));
  });

  test("a hard link is the file that it names, in an image too", () => {
    const members = [
      folder("a"),
      file("a/b", "1", { mode: 0o755 }),
      { name: "a/h", link: "./a/b", type: "1" as const },
    ];
    for (const laid of [STAGE, IMAGE])
      expect(partIn(laid, "a", members)).toBe(hashed("drwxr-xr-x0,0", "-rwxr-xr-x0,01", "-rwxr-xr-x0,01"));
  });

  test("in an image what a layer deletes stays, as the builder unpacks it", () => {
    const kept = hashed("drwxr-xr-x0,0", "-rw-r--r--0,01", "drwxr-xr-x0,0", "-rw-r--r--0,02");
    for (const name of ["a/.wh.b", ".wh.a", "a/.wh..wh..opq", ".wh..wh..opq"])
      expect(partOf("a", below, [file(name, "")])).toBe(kept);
  });
});

describe("what the builder's copy is cannot be told", () => {
  test.each<[string, string, readonly Packed[]]>([
    [
      "a hard link to what is not copied",
      "a file that is not copied",
      [folder("a"), { name: "a/h", link: "x", type: "1" }],
    ],
    ["a file that is run as somebody else", "somebody else", [folder("a"), file("a/s", "", { mode: 0o4755 })]],
    ["another's link", "not root's alone", [folder("a"), { name: "a/l", link: "x", mode: 0o777, uid: 1 }]],
    ["a link with a mode", "not root's alone", [folder("a"), { name: "a/l", link: "x", mode: 0o755 }]],
    ["a pipe", "no file, folder or link", [folder("a"), { name: "a/p", type: "6" }]],
    ["a file without its folder", "is in no layer", [file("a/b/c", "")]],
    ["a file before its folder", "is in no layer", [file("a/b", ""), folder("a")]],
  ])("%s", (_name, words, members) => {
    expect(partOf("a", members)).toEqual({ doubt: expect.stringContaining(words) });
  });

  test("a way that is a link", () => {
    const members = [{ name: "lib", link: "usr/lib", mode: 0o777 }, folder("usr/lib"), file("usr/lib/x", "")];
    expect(partOf("lib/x", members)).toEqual({ doubt: "/lib is no folder" });
    expect(partOf("usr/lib/x", members)).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a file that becomes a folder", () => {
    expect(partOf("a", [file("a", "")], [folder("a")])).toEqual({ doubt: expect.stringContaining("another kind") });
  });
});

test("an ignore file is held against what is copied from an image too", () => {
  const files = lay(IMAGE, ["a"], [folder("a"), file("a/b", "1"), file("a/c", "2")]);
  if ("doubt" in files) throw new Error(files.doubt);
  const withoutB = imageKeyPart(files, "a", (path) => path === "a/b");
  expect(withoutB).toBe(sha256Of(["drwxr-xr-x0,0", "-rw-r--r--0,02"].map(md5Of).join("")));
  expect(imageKeyPart(files, "a", () => true)).toBeUndefined();
  expect(imageKeyPart(files, "a/b", () => true)).toBeUndefined();
  // A folder of which nothing is left counts as empty where it is not ignored itself.
  expect(imageKeyPart(files, "a", (path) => path !== "a")).toBe(sha256Of(md5Of("drwxr-xr-x0,0")));
});
