import { expect, test } from "vitest";
import { metadataLabel } from "../../src/devcontainer/label.ts";
import { readPlanStatement } from "../../src/key/stored.ts";
import { readImageConfig } from "../../src/oci/config.ts";
import { parseJson, readJson } from "../../src/oci/json.ts";

/** As deep as a text of 200 kB can be. */
const DEEP = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

test.each([
  ["a list", `${"[".repeat(200)}${"]".repeat(200)}`, true],
  ["one list more", `${"[".repeat(201)}${"]".repeat(201)}`, false],
  ["objects in lists", `${'[{"a":'.repeat(101)}1${"}]".repeat(101)}`, false],
  ["a text without an end", DEEP, false],
  ["no JSON", "{", false],
])("what is nested beyond reason is no JSON: %s", (_, text, isRead) => {
  expect(readJson(text) !== undefined).toBe(isRead);
  expect(parseJson(new TextEncoder().encode(text)) !== undefined).toBe(isRead);
});

test("whoever writes out again what others have nested comes to an end", () => {
  const base = `{"remoteUser": "dev", "customizations": {"x": ${DEEP}}}`;
  expect(metadataLabel({ base, raw: { remoteUser: "me" } })).toBe('[ {"remoteUser":"me"} ]');
  expect(readImageConfig(`{"config": {"User": "dev", "x": ${DEEP}}}`).user).toBe("");
  expect(readPlanStatement(`{"predicate": ${DEEP}}`)).toBeUndefined();
});
