import { expect, test } from "vitest";
import { checkoutOf, openCache } from "./kept.ts";

// Where a layer that is missing is told to be: at the line that somebody has written.

const FEATURE =
  '{ "id": "one", "version": "1.0.0", "name": "One", "description": "two", "containerEnv": { "A": "1" } }';

async function places(json: string, dockerfile: readonly string[] = ["FROM base.test/base:1", "", "RUN own"]) {
  const checkout = checkoutOf(dockerfile, {
    ".devcontainer/devcontainer.json": json,
    ".devcontainer/Dockerfile": `${dockerfile.join("\n")}\n`,
    ".devcontainer/one/devcontainer-feature.json": FEATURE,
    ".devcontainer/one/install.sh": { script: "" },
    ".devcontainer/other/devcontainer-feature.json": FEATURE,
    ".devcontainer/other/install.sh": { script: "" },
  });
  const told: string[] = [];
  await openCache().keepAll(checkout, {}, ({ text, at }) =>
    told.push(`${at.file}:${at.line ?? ""} ${text.split(" ")[0]}`),
  );
  return told;
}

const JSON_FILE = ".devcontainer/devcontainer.json";
const TAIL = [`${JSON_FILE}: COPY`, `${JSON_FILE}: COPY`];

test("a Dockerfile's own lines, those of features, and envbuilder's own", async () => {
  const json =
    '{\n "build": { "dockerfile": "Dockerfile" },\n "remoteUser": "dev",\n "features": {\n  "./other": {},\n  "./one": {}\n }\n}';
  expect(await places(json)).toEqual([
    ".devcontainer/Dockerfile:3 RUN",
    `${JSON_FILE}:6 RUN`,
    `${JSON_FILE}:5 RUN`,
    ...TAIL,
  ]);
});

test("an image's features", async () => {
  const json = '{\n "image":\n  "base.test/base:1",\n "features": { "./one": {} }\n}';
  expect(await places(json)).toEqual([`${JSON_FILE}:4 RUN`, ...TAIL]);
});

test("a base of whose image nothing can be told", async () => {
  const json = '{\n "image":\n  "gone.test/base:1"\n}';
  const verdict = await openCache().probe(checkoutOf([], { ".devcontainer/devcontainer.json": json }));
  expect(verdict).toMatchObject({ kind: "unknown", doubt: { at: { file: JSON_FILE, line: 3 } } });
});
