import { expect, test } from "vitest";
import { cannotTell } from "../../src/probe/decide.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf } from "../plan-of.ts";

const BASE = "registry.test/base:1";

test.each([
  ["biuld", "FROM registry.test/base:1\nCOPY --from=biuld /a /a\n", "No stage is called biuld: was build meant?"],
  ["biuld", "FROM biuld\n", "No stage is called biuld: was build meant?"],
  [
    "biuld",
    "FROM registry.test/base:1\nRUN --mount=type=bind,from=biuld true\n",
    "No stage is called biuld: was build meant?",
  ],
  [
    "late",
    "FROM late AS end\nFROM registry.test/base:1 AS late\nFROM end\n",
    "The stage late begins further down, and a FROM can only stand on one above it.",
  ],
])("a stage that is not there, and neither is an image %s: %j", async (_, dockerfile, hint) => {
  expect(await fixOf(`FROM ${BASE} AS build\n${dockerfile}`)).toMatch(hint);
});

test.each([
  ["BIULD", "FROM registry.test/base:1\nCOPY --from=BIULD /a /a\n", "No stage is called BIULD: was build meant?"],
  ["Build", "FROM Build\n", "The stage is called build, and a FROM has to write it so."],
  ["Debian", "FROM Debian\n", "Write it as [registry/]repository[:tag][@sha256:…], all lower-case."],
])("a name with capital letters is no image's: %s in %j", async (_, dockerfile, fix) => {
  await expect(fixOf(`FROM ${BASE} AS build\n${dockerfile}`)).rejects.toMatchObject({ fix });
});

test.each([
  ["biuld", `FROM ${BASE} AS biuld\nFROM biuld\n`],
  ["biuld", `FROM ${BASE}\nCOPY --from=biuld /a /a\n`],
])("what a named context stands for is no stage that was mistyped: %s in %j", async (name, dockerfile) => {
  const context = `${name}=docker-image://registry.test/none:1`;
  expect(await fixOf(`FROM ${BASE} AS build\n${dockerfile}`, context)).not.toMatch(/stage/i);
});

test.each([
  ["another word", "FROM registry.test/base:1\nCOPY --from=alpine /a /a\n"],
  ["a name with a host", "FROM registry.test/base:1\nCOPY --from=registry.test/biuld /a /a\n"],
  ["a stage that is called like its base", "FROM debian AS debian\n"],
])("%s is no stage that was mistyped", async (_, dockerfile) => {
  expect(await fixOf(`FROM ${BASE} AS build\n${dockerfile}`)).not.toMatch(/stage/i);
});

test("a platform that is mistyped is told as that, and not as a variable without a value", async () => {
  expect(await fixOf(`FROM --platform=linux/amd46 ${BASE}\n`)).toMatch(/^Correct it, like --platform=linux\/amd64/);
});

async function fixOf(dockerfile: string, contexts = ""): Promise<string> {
  const workspace = makeCheckout({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile": dockerfile,
  });
  const { probed } = await planOf({
    workspace,
    images: { [BASE]: indexOf({ "linux/amd64": "base" }) },
    inputs: { "build-contexts": contexts },
  });
  if (probed.verdict.kind !== "unknown") throw new Error(`the verdict is ${probed.verdict.kind}`);
  return cannotTell(probed.verdict.doubt).fix ?? "";
}
