import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { DECIDING, INPUTS } from "../../src/inputs/names.ts";
import { noticeUnknownInputs } from "../../src/inputs/unknown-inputs.ts";

test("the names are those of action.yml", () => {
  expect(INPUTS).toEqual(Object.keys(parse(readFileSync("action.yml", "utf8")).inputs));
  expect(INPUTS).toEqual(expect.arrayContaining([...DECIDING]));
});

test("nothing is said of what action.yml knows, as runners write it", () => {
  expect(noticeUnknownInputs(INPUTS.map((name) => name.toUpperCase()))).toEqual([]);
});

describe("an error where what is meant pushes or decides", () => {
  it.each([
    ["ON-MIS", "on-miss"],
    ["CACHEREPO", "cache-repo"],
    ["CACHE_REPO", "cache-repo"],
    ["ONMISS", "on-miss"],
    ["ON-DRFIT", "on-drift"],
    ["PLATFORM", "platforms"],
    ["TAG", "tags"],
    ["PUHS", "push"],
    ["ALLOWED-IMAGE", "allowed-images"],
    ["GIT-SUBMODULE", "git-submodules"],
    ["GIT_LFS", "git-lfs"],
  ])("%s", (given, meant) => {
    expect(() => noticeUnknownInputs([given])).toThrow(
      `There is no input ${given.toLowerCase()}; ${meant} is one, and that decides what happens.`,
    );
  });
});

// Letter by letter beside each input's, a name of some kilobytes took seconds.
test("a name that is far longer than any input is compared with none", () => {
  const name = "A".repeat(1_000_000);
  expect(noticeUnknownInputs([name])).toEqual([{ text: `There is no input ${name.toLowerCase()}: it does nothing.` }]);
});

test.each([
  ["BUILD-ARG", "There is no input build-arg: it does nothing. Was build-args meant?"],
  ["USERNAME", "There is no input username: it does nothing. Was registry-username meant?"],
  ["SOMETHING-ELSE", "There is no input something-else: it does nothing."],
  // What other actions call it, where another name of ours is nearer.
  ["IMAGENAME", "There is no input imagename: it does nothing. Was cache-repo meant?"],
  ["SUBFOLDER", "There is no input subfolder: it does nothing. Was workspace-folder meant?"],
  ["CONFIGFILE", "There is no input configfile: it does nothing. Was devcontainer-json-path meant?"],
  ["FILE", "There is no input file: it does nothing. Was dockerfile-path meant?"],
  ["CONTEXT", "There is no input context: it does nothing. Was build-context-path meant?"],
  ["SUBMODULES", "There is no input submodules: it does nothing. Was git-submodules meant?"],
  ["LFS", "There is no input lfs: it does nothing. Was git-lfs meant?"],
  ["SECRET-ENVS", "There is no input secret-envs: it does nothing. Was build-secrets meant?"],
  ["PULL", "There is no input pull: it does nothing."],
])("a warning: %s", (given, text) => {
  expect(noticeUnknownInputs(["ON-MISS", given])).toEqual([{ text }]);
});
