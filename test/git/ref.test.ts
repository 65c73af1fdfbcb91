import { expect, test } from "vitest";
import { findCommit, namesToAsk, parseGitRef } from "../../src/git/ref.ts";

const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];

test.each([
  ["HEAD", { kind: "head" }],
  ["main", { kind: "name", name: "main" }],
  ["team/feature#1", { kind: "name", name: "team/feature#1" }],
  ["refs/merge-requests/1/head", { kind: "ref", ref: "refs/merge-requests/1/head" }],
  [A.toUpperCase(), { kind: "commit", id: A }],
  ["0".repeat(64), { kind: "commit", id: "0".repeat(64) }],
  ["abc1234", { kind: "name", name: "abc1234" }],
  // Neither is a whole id.
  ["1".repeat(41), { kind: "name", name: "1".repeat(41) }],
])("%s", (written, ref) => {
  expect(parseGitRef(written)).toEqual(ref);
});

test.each([
  "-b",
  "--upload-pack=x",
  "a b",
  "a..b",
  "a~1",
  "a^{}",
  "a:b",
  "refs/heads/*",
  "a/",
  "/a",
  "a//b",
  ".a",
  "a/.b",
])("%s is no name of git's", (written) => expect(parseGitRef(written)).toHaveProperty("wrong"));
test.each(["a.lock", "a.", "@", "a@{1}", "a\\b", "a\nb", "x".repeat(256)])("%j is no name of git's", (written) => {
  expect(parseGitRef(written)).toHaveProperty("wrong");
});

const TOLD = [
  "ref: refs/heads/trunk\tHEAD",
  `${A}\tHEAD`,
  `${A}\trefs/heads/trunk`,
  // A pattern is compared with the end of names too.
  `${C}\trefs/remotes/x/refs/heads/trunk`,
  `${B}\trefs/tags/v1`,
  `${C}\trefs/tags/v1^{}`,
  "not-an-id\trefs/heads/odd",
].join("\n");

test.each([
  ["the default branch by its name", { kind: "head" } as const, { commit: A, ref: "refs/heads/trunk" }],
  ["a branch", { kind: "name", name: "trunk" } as const, { commit: A, ref: "refs/heads/trunk" }],
  ["of a tag the commit", { kind: "name", name: "v1" } as const, { commit: C, ref: "refs/tags/v1" }],
  ["a whole name alone", { kind: "ref", ref: "refs/heads/v1" } as const, undefined],
  ["what is no id", { kind: "name", name: "odd" } as const, undefined],
])("what a server tells: %s", (_, ref, found) => {
  expect(findCommit(TOLD, ref)).toEqual(found);
});

test("a detached HEAD has no branch", () => {
  expect(findCommit(`${A}\tHEAD\n`, { kind: "head" })).toEqual({ commit: A, ref: undefined });
});

test("a server is asked for nothing but what can be it", () => {
  expect(namesToAsk({ kind: "name", name: "x" })).toEqual(["refs/heads/x", "refs/tags/x", "refs/tags/x^{}"]);
});
