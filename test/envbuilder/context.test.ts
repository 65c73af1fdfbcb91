import { describe, expect, test } from "vitest";
import { type Context, withMagic } from "../../src/envbuilder/context.ts";
import { md5Of, sha256Of } from "../../src/envbuilder/hashes.ts";

const empty: Context = { stat: async () => undefined, list: async () => ["a"], md5: async () => "" };

/** Recorded: the key's part for the file with the user's name. */
describe("the file that tells the user is hashed as kaniko hashes it", () => {
  test.each([
    ["", "4ff2dae38a60dd78b25dd4e2af5ed94326363eab9ba5d72149643726706fd676"],
    ["vscode", "a0a8576a959d2c371aec39ee576319dd0f5f1faa8a7901abce362008a8fc4aa4"],
    ["root", "b1999730346659ec7f123e31af6d95aec4078cd67a4c9f51ca7d3359b77349e8"],
  ])("%j", async (user, part) => {
    const context = withMagic(empty, { binaryMd5: "", user });
    expect(sha256Of(await context.md5(".envbuilder.tmp/image", "-rw-r--r--0,0"))).toBe(part);
  });
});

test("envbuilder's own folder stands in the context, whatever the checkout has under its name", async () => {
  const checkout: Context = {
    ...empty,
    list: async () => ["z", ".envbuilder.tmp"],
    md5: async (path) => {
      throw new Error(`there is no ${path}`);
    },
  };
  const context = withMagic(checkout, { binaryMd5: "m", user: "" });
  expect(await context.list(".")).toEqual(["z", ".envbuilder.tmp"]);
  expect(await context.list(".envbuilder.tmp")).toEqual(["envbuilder", "image"]);
  expect(await context.stat(".envbuilder.tmp/envbuilder")).toEqual({ kind: "file", mode: 0o755 });
  expect(await context.stat(".envbuilder.tmp/other")).toBeUndefined();
  expect(await context.md5(".envbuilder.tmp/envbuilder", "-rwxr-xr-x0,0")).toBe("m");
  expect(await context.md5(".envbuilder.tmp", "drwxr-xr-x0,0")).toBe(md5Of("drwxr-xr-x0,0"));
});

test("md5 of a file with its mode and owner in front", () => {
  expect(md5Of("-rw-r--r--0,0hello\n")).toBe("3796735f6017f2c65d88fd62f1bd7366");
});
