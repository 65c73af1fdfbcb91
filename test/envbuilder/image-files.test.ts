import { describe, expect, test } from "vitest";
import { md5Of, sha256Of } from "../../src/envbuilder/hashes.ts";
import { imageKeyPart, layOver, openLayerFiles } from "../../src/envbuilder/image-files.ts";
import { openTarReader } from "../../src/envbuilder/tar-reader.ts";
import { type Packed, writeTar } from "../features/tar-writer.ts";

const folder = (name: string, more: Partial<Packed> = {}): Packed => ({ name: `${name}/`, mode: 0o755, ...more });
const file = (name: string, text: string, more: Partial<Packed> = {}): Packed => ({ name, text, ...more });

function lay(paths: readonly string[], ...layers: readonly (readonly Packed[])[]) {
  const read = layers.map((members) => {
    const { visit, files } = openLayerFiles(paths);
    expect(openTarReader(visit)(writeTar(members))).toBe("ended");
    return files();
  });
  return layOver(read, paths);
}

function partOf(path: string, ...layers: readonly (readonly Packed[])[]): unknown {
  const files = lay([path], ...layers);
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

describe("what the builder and its own probe see in different ways is in doubt", () => {
  test.each<[string, string, readonly Packed[]]>([
    ["a file that is deleted", "deletes /a/b", [folder("a"), file("a/.wh.b", "")]],
    ["the folder itself", "deletes /a", [file(".wh.a", "")]],
    ["everything in it", "deletes /a", [folder("a"), file("a/.wh..wh..opq", "")]],
    ["everything there is", "deletes /", [file(".wh..wh..opq", "")]],
    ["a hard link", "hard link", [folder("a"), { name: "a/h", link: "x", type: "1" }]],
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

  test("what is deleted beside it is of no interest", () => {
    expect(partOf("a", [folder("a"), file(".wh.b", ""), file("b/.wh..wh..opq", "")])).toMatch(/^[0-9a-f]{64}$/);
  });
});

test("an ignore file is held against what is copied from an image too", () => {
  const files = lay(["a"], [folder("a"), file("a/b", "1"), file("a/c", "2")]);
  if ("doubt" in files) throw new Error(files.doubt);
  const withoutB = imageKeyPart(files, "a", (path) => path === "a/b");
  expect(withoutB).toBe(sha256Of(["drwxr-xr-x0,0", "-rw-r--r--0,02"].map(md5Of).join("")));
  expect(imageKeyPart(files, "a", () => true)).toBeUndefined();
  expect(imageKeyPart(files, "a/b", () => true)).toBeUndefined();
  // A folder of which nothing is left counts as empty where it is not ignored itself.
  expect(imageKeyPart(files, "a", (path) => path !== "a")).toBe(sha256Of(md5Of("drwxr-xr-x0,0")));
});
