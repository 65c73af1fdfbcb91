import { expect, test } from "vitest";
import { faultOfTag, readRelease, readTags } from "../../src/inputs/tag-inputs.ts";

const tags = (text: string) => readTags((name) => (name === "tags" ? text : ""));
const release = (text: string) => readRelease((name) => (name === "release" ? text : ""));

test.each([
  ["nothing", "", []],
  ["commas, lines, blanks", "latest, v1\n  v1.2 ,\n", ["latest", "v1", "v1.2"]],
  ["one twice", "v1,v1", ["v1"]],
])("tags: %s", (_, text, expected) => {
  expect(tags(text)).toEqual(expected);
});

test.each([
  ["nothing", "", undefined],
  ["a tag", " v1.2.3 ", { kind: "named", tag: "v1.2.3" }],
  ["auto", "auto", { kind: "auto" }],
])("release: %s", (_, text, expected) => {
  expect(release(text)).toEqual(expected);
});

test.each(["k1-abc", "k12-", "y1-abc", "branch-main", "layers-branch-main-0000-linux-amd64"])("%s is ours", (tag) => {
  expect(faultOfTag(tag)).toMatch(/belong to this action/);
  expect(() => tags(`v1,${tag}`)).toThrow(`The input tags holds "${tag}"`);
  expect(() => release(tag)).toThrow(`The input release holds "${tag}"`);
});

test.each(["k1", "key-1", "y", "branches", "layer-1", "main", "K1-abc", "v1_2-rc.1"])("%s is anybody's", (tag) => {
  expect(faultOfTag(tag)).toBeUndefined();
});

test.each([".v1", "-v1", "v1+2", "a/b", "repo:v1", "a".repeat(129), "ü"])("%s is no tag", (tag) => {
  expect(faultOfTag(tag)).toMatch(/it is no tag/);
});
