import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { lookForImage } from "../../src/probe/look.ts";
import type { Log, World } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { baseWith, hostOf, inputsOf, planOf, portsOf, readFrom, registryOf } from "../plan-of.ts";

const BASE = "registry.test/base:1";
const FILES = {
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
  ".devcontainer/Dockerfile": `FROM ${BASE}\n`,
};

/** The warnings of a look on a base with these triggers; without any nothing is served. */
async function warningsOf(triggers: readonly string[] | undefined, args: string): Promise<readonly string[]> {
  const workspace = makeCheckout(FILES);
  const { images = {}, blobs = {} } = triggers ? baseWith(BASE, triggers) : {};
  const registry = registryOf(images, blobs);
  const warnings: string[] = [];
  const log = { warning: (text: string) => void warnings.push(text) } satisfies Partial<Log>;
  const { files } = openFiles(tmpdir());
  const world = { files, host: hostOf(workspace), registry, clock: Date.now, log } as unknown as World;
  const inputs = inputsOf({ workspace, images: {}, inputs: { "build-args": args } });
  const sources = await readFrom(inputs, world);
  const readWith = async () => sources;
  await lookForImage(
    {
      inputs,
      sources,
      ports: portsOf(registry, inputs),
      readWith,
      onVerdict: () => undefined,
      onSettled: () => undefined,
    },
    world,
  );
  rmSync(workspace, { recursive: true });
  return [...sources.warnings.map(({ text }) => text), ...warnings];
}

const idle = (name: string): string =>
  `Build arg ${name} (line ${name === "ONE" ? 1 : 2} of the input build-args) is not an ARG of .devcontainer/Dockerfile: it does nothing, and does not count for the key`;

test.each<[name: string, triggers: readonly string[] | undefined, expected: readonly string[]]>([
  ["no base declares it", ["RUN true"], [idle("ONE"), idle("TWO")]],
  ["a base declares one of them", ["ARG ONE"], [idle("TWO")]],
  ["a base declares both", ["ARG ONE TWO=2"], []],
  [
    "nobody knows",
    undefined,
    ["ONE", "TWO"].map(
      (name) => `${idle(name)}, unless a base image declares it with ONBUILD, which could not be read`,
    ),
  ],
])("an arg that the Dockerfile does not declare: %s", async (_, triggers, expected) => {
  expect(await warningsOf(triggers, "ONE=1\nTWO=2")).toEqual(expected);
});

type Files = Readonly<Record<string, string>>;

/** The key that is looked for last, on a base with these triggers: what is built then has that one. */
async function keyOf(files: Files, triggers: readonly string[]): Promise<string | undefined> {
  const workspace = makeCheckout({ ...FILES, ...files });
  const { images = {}, blobs = {} } = baseWith(BASE, triggers);
  const registry = registryOf(images, blobs);
  const world = { ...openFiles(tmpdir()), host: hostOf(workspace), registry, clock: Date.now } as unknown as World;
  const inputs = inputsOf({ workspace, images: {} });
  const look = await lookForImage(
    {
      inputs,
      sources: await readFrom(inputs, world),
      ports: portsOf(registry, inputs),
      readWith: (known) => readFrom(inputs, world, known),
      onVerdict: () => undefined,
      onSettled: () => undefined,
    },
    world,
  );
  rmSync(workspace, { recursive: true });
  return look.probed.plan?.key;
}

/** The key that is looked for first: whether the base has triggers is not known then. */
async function firstKeyOf(files: Files, triggers: readonly string[]): Promise<string | undefined> {
  const workspace = makeCheckout({ ...FILES, ...files });
  const { probed } = await planOf({ workspace, ...baseWith(BASE, triggers) });
  rmSync(workspace, { recursive: true });
  return probed.plan?.key;
}

const dockerfile = (text: string): Files => ({ ".devcontainer/Dockerfile": text });

test("what a stage is called counts where a trigger of the base asks for it, and nowhere else", async () => {
  const [first, second] = [dockerfile(`FROM ${BASE} AS one\n`), dockerfile(`FROM ${BASE} AS two\n`)];
  const asking = ["ARG TARGETSTAGE", "RUN echo $TARGETSTAGE"];
  expect(await keyOf(first, asking)).not.toBe(await keyOf(second, asking));
  expect(await keyOf(first, ["RUN true"])).toBe(await keyOf(second, ["RUN true"]));
});

const ignoring = (rules: string): Files => ({ ".devcontainer/.dockerignore": rules, ".devcontainer/a": "a\n" });

// With the real builder all of these are other images: a hit on the earlier one would be a wrong one.
test.each<[name: string, triggers: readonly string[], before: Files, now: Files]>([
  ["an ARG that it uses", ["ARG V", "RUN echo $V"], {}, dockerfile(`ARG V=1\nFROM ${BASE}\n`)],
  [
    "the name of an ARG that it uses",
    ["ARG V", "RUN echo $V"],
    dockerfile(`ARG W=1\nFROM registry.test/base:$W\n`),
    dockerfile(`ARG V=1\nFROM registry.test/base:$V\n`),
  ],
  ["a file that it takes", ["COPY package*.json /"], {}, { ".devcontainer/package.json": "{}\n" }],
  ["a file that was ignored", ["COPY . /"], ignoring("*\n"), ignoring("*\n!a\n")],
])("what a trigger had nothing of is no hit once there is some: %s", async (_, triggers, before, now) => {
  expect(await firstKeyOf(now, triggers)).not.toBe(await keyOf(before, triggers));
  expect(await keyOf(now, triggers)).not.toBe(await keyOf(before, triggers));
});

test("a base without triggers, or with some that take nothing of the sources, is looked for once", async () => {
  for (const triggers of [[], ["RUN true", "ENV A=b"]])
    expect(await keyOf({}, triggers)).toBe(await firstKeyOf({}, triggers));
});
