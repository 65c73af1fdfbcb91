import { expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { baseWith, indexOf } from "../plan-of.ts";
import { type Before, type Mutation, movedBy, toldOfAll } from "./around.ts";

const BASE = "registry.test/base:1";
const configuration = (json: Readonly<Record<string, unknown>>): string => JSON.stringify({ image: BASE, ...json });
const files = (json: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, Content>> => ({
  ".devcontainer/devcontainer.json": configuration(json),
});
const BEFORE: Before = {
  files: files({ remoteUser: "${localEnv:WHO:dev}", containerEnv: { A: "${localEnv:B:b}" } }),
  images: { [BASE]: indexOf({ "linux/amd64": "base" }) },
};
const ASKED: Before = { ...BEFORE, inputs: { "remote-user-uid": "1001" } };
const YOURS: readonly (Mutation & { readonly before: Before })[] = [
  { name: "a uid that is asked for", inputs: { "remote-user-uid": "1001" }, before: BEFORE },
  { name: "another uid", inputs: { "remote-user-uid": "1002" }, before: ASKED },
  { name: "who gets it, by the environment", env: { WHO: "ada" }, before: ASKED },
];

const NOTHING: readonly (Mutation & { readonly before: Before })[] = [
  { name: "auto, where the host gives folders away", inputs: { "remote-user-uid": "auto" }, before: BEFORE },
  { name: "who works in it, by the environment, without a uid", env: { WHO: "ada" }, before: BEFORE },
  { name: "the environment beside a uid", env: { B: "other" }, before: ASKED },
  {
    name: "a uid that the configuration does not want",
    from: files({ updateRemoteUserUID: false }),
    inputs: { "remote-user-uid": "1001" },
    before: BEFORE,
  },
];

test.each(YOURS)("must move all keys: $name", async ({ before, ...mutation }) => {
  expect(await movedBy(mutation, before)).toEqual(["key", "own", "source", "unlabelled"]);
});

test.each(NOTHING)("must move nothing: $name", async ({ before, ...mutation }) => {
  expect(await movedBy(mutation, before)).toEqual([]);
});

test("a label that decides against the base's whether the user gets the uid is no new label alone", async () => {
  const edit = (root: string): void => {
    for (const [path, content] of Object.entries(files({ updateRemoteUserUID: true }))) put(root, path, content);
  };
  const mutation = { name: "said in the configuration", from: files(), edit };
  expect(await movedBy(mutation, ASKED)).toEqual(["key", "own", "unlabelled"]);
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own"]);
});

test("of a base that names the user the digest counts, which is known without its config", async () => {
  const [one, other] = [baseWith(BASE, []), baseWith(BASE, ["RUN true"])];
  const asked = { ...ASKED, files: files(), images: one.images, ...(one.blobs ? { blobs: one.blobs } : {}) };
  expect(await movedBy({ name: "another base", images: other.images }, asked)).toEqual(["key", "unlabelled"]);
});

test("what is told of each", async () => {
  expect(await toldOfAll(YOURS.slice(0, 1), BEFORE)).toEqual({
    "a uid that is asked for": ["the input remote-user-uid (not set) → 1001"],
  });
  expect(await toldOfAll(YOURS.slice(1), ASKED)).toEqual({
    "another uid": ["the input remote-user-uid 1001 → 1002"],
    "who gets it, by the environment": [
      "remoteUser changed, and that user gets remote-user-uid (it reads the variable WHO) @ .devcontainer/devcontainer.json:1",
    ],
  });
});
