import { describe, expect, test } from "vitest";
import { cleanPath, joinPath } from "../../src/dockerfile/go-path.ts";

describe("paths are cleaned as Go's filepath.Clean does", () => {
  test.each([
    ["", "."],
    [".", "."],
    ["/", "/"],
    ["//a//b/", "/a/b"],
    ["a/./b/../c", "a/c"],
    ["a/..", "."],
    ["../../a", "../../a"],
    ["a/../../b", "../b"],
    ["/../a", "/a"],
    ["/..", "/"],
    ["./a", "a"],
    ["...", "..."],
    ["a/.../b", "a/.../b"],
  ])("%j is %j", (path, cleaned) => {
    expect(cleanPath(path)).toBe(cleaned);
  });
});

describe("paths are joined as Go's filepath.Join does", () => {
  test.each([
    [[], ""],
    [["", ""], ""],
    [["a", "", "b"], "a/b"],
    [["/root", "/a"], "/root/a"],
    [["/root", "../a"], "/a"],
    [["/root", "."], "/root"],
    [["", "/a/"], "/a"],
  ])("%j is %j", (elements, joined) => {
    expect(joinPath(...elements)).toBe(joined);
  });
});
