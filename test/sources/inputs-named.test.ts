import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";

// What an input asks for is told as that input's: no file has said it, and an annotation on one would lead people astray.

const IMAGE = { ".devcontainer/devcontainer.json": '{ "image": "base.test/os:1" }' };
const DOCKERFILE = "FROM base.test/os:1 AS one\n";
const BUILT = {
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
  ".devcontainer/Dockerfile": DOCKERFILE,
};

type Row = readonly [
  what: string,
  checkout: Readonly<Record<string, string>>,
  inputs: Readonly<Record<string, string>>,
  words: RegExp,
  fix: RegExp,
];
test.each<Row>([
  [
    "target beside an image",
    IMAGE,
    { target: "x" },
    /^The input target is "x", and a configuration that names an image/,
    /^Leave the input out/,
  ],
  [
    "target that no stage has",
    BUILT,
    { target: "x" },
    /^The input target is "x", and .devcontainer\/Dockerfile has no/,
    /^Its stages are one\.$/,
  ],
  [
    "build-contexts",
    IMAGE,
    { "build-contexts": "foo=nothere" },
    /^The input build-contexts names the build context nothere/,
    /from the workspace/,
  ],
  [
    "build-context-path",
    { Dockerfile: DOCKERFILE },
    { "dockerfile-path": "Dockerfile", "build-context-path": "nothere" },
    /^The input build-context-path names the build context nothere/,
    /from the workspace/,
  ],
  [
    "dockerfile-path",
    { "README.md": "" },
    { "dockerfile-path": "Dockerfile" },
    /^The input dockerfile-path names Dockerfile, and there is no such file/,
    /from the workspace/,
  ],
])("%s", async (_, checkout, inputs, words, fix) => {
  const workspace = makeCheckout(checkout);
  const { files } = openFiles(tmpdir());
  const asked = inputsOf({ workspace, images: {}, inputs });
  const refused = await refusalOf(() => readFrom(asked, { files, host: hostOf(workspace) }));
  rmSync(workspace, { recursive: true });
  expect(refused).toMatchObject({ code: "E_INPUT", at: undefined });
  expect([refused.message, refused.fix]).toEqual([expect.stringMatching(words), expect.stringMatching(fix)]);
});

test("a target of the configuration stays the Dockerfile's", async () => {
  const built = {
    ...BUILT,
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "target": "x" } }',
  };
  const workspace = makeCheckout(built);
  const { files } = openFiles(tmpdir());
  const refused = await refusalOf(() =>
    readFrom(inputsOf({ workspace, images: {} }), { files, host: hostOf(workspace) }),
  );
  rmSync(workspace, { recursive: true });
  expect(refused).toMatchObject({ code: "E_DOCKERFILE", at: { file: ".devcontainer/Dockerfile", line: 1 } });
});
