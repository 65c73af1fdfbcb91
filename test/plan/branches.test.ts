import { expect, test } from "vitest";
import { branchTag } from "../../src/key/fingerprint.ts";
import { branchTags } from "../../src/plan/branches.ts";
import type { Head } from "../../src/sources/head.ts";
import type { Event } from "../../src/world.ts";

const FILE = ".devcontainer/devcontainer.json";
const SHA = "a".repeat(40);
const EVENT: Event = {
  name: "push",
  branch: "main",
  baseBranch: undefined,
  defaultBranch: "main",
  isPullRequest: false,
  isFork: false,
};
const branch = (name: string): Head => ({ kind: "branch", name });
const commit = (revision: string): Head => ({ kind: "commit", revision });

const tagsOf = (event: Partial<Event>, head: Head, more: Partial<Parameters<typeof branchTags>[0]> = {}) =>
  branchTags({
    alias: "auto",
    event: { ...EVENT, ...event },
    head,
    commit: SHA,
    configuration: FILE,
    variant: undefined,
    ...more,
  });
const plain = (...names: readonly string[]) => names.map((name) => branchTag(name, FILE));

test.each<[string, Partial<Event>, Head, readonly string[], readonly string[]]>([
  ["the event's branch", {}, branch("main"), ["main"], ["main"]],
  ["no git", {}, { kind: "unknown" }, ["main"], ["main"]],
  ["another branch", { name: "schedule" }, branch("release/1.x"), ["release/1.x"], ["release/1.x", "main"]],
  ["the event's commit", {}, commit(SHA), ["main"], ["main"]],
  ["another commit", { name: "schedule" }, commit("b".repeat(40)), [], ["main"]],
  ["a merge queue's branch", { branch: undefined }, branch("gh-readonly-queue/main/pr-1"), [], ["main"]],
  ["a tag", { branch: undefined }, commit(SHA), [], ["main"]],
  [
    "a pull request, whatever is checked out",
    { name: "pull_request", branch: "topic", baseBranch: "next", isPullRequest: true },
    branch("other"),
    [],
    ["topic", "next", "main"],
  ],
  ["a fork's code", { isFork: true }, branch("main"), [], ["main"]],
  [
    "another run's branch",
    { name: "workflow_run", branch: "topic" },
    commit("b".repeat(40)),
    ["topic"],
    ["topic", "main"],
  ],
  ["no event", { name: "", branch: undefined, defaultBranch: undefined }, branch("mine"), [], []],
])("what is moved and compared with: %s", (_, event, head, moved, known) => {
  expect(tagsOf(event, head)).toEqual({ moved: plain(...moved), known: plain(...known) });
});

test("a variant has names of its own, and then those that all share", () => {
  const of = (variant: Parameters<typeof branchTags>[0]["variant"]) =>
    tagsOf({ branch: "topic" }, branch("topic"), { variant });
  const [one, other, none] = [of({ target: "a" }), of({ target: "b" }), of(undefined)];
  expect(none).toEqual({ moved: plain("topic"), known: plain("topic", "main") });
  expect(one.moved).toHaveLength(2);
  expect(one.moved[0]).toMatch(/^branch-topic-[0-9a-f]{8}$/);
  expect(new Set([one.moved[0], other.moved[0], none.moved[0]]).size).toBe(3);
  expect(one.moved[1]).toBe(none.moved[0]);
  expect(one.known.slice(0, 1)).toEqual(one.moved.slice(0, 1));
  expect(one.known.slice(2)).toEqual(none.known);
  expect(tagsOf({}, branch("main"), { variant: { target: "a" }, alias: "false" }).moved).toEqual([]);
});

test("names that were given out stay", () => {
  expect(plain("main")).toEqual(["branch-main-7e268f37"]);
});
