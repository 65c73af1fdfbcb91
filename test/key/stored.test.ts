import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import type { Served } from "../../src/oci/manifest.ts";
import type { Plan } from "../../src/plan/keyed.ts";
import { storePlan } from "../../src/plan/stored-plan.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { featureOf, indexOf, planOf } from "../plan-of.ts";

/** A place of devcontainer.json that takes `${localEnv:CANARY}` into the plan. */
type Place = {
  readonly name: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** Beside the usual ones. */
  readonly files?: Readonly<Record<string, Content>>;
  /** What the variable holds, where it cannot be the usual text: a stage is written in the Dockerfile, in small letters. */
  readonly value?: string;
};

const CANARY = "canary-7f3a";
const VARIABLE = "${localEnv:CANARY}";
const FEATURE = "registry.test/f/tool:1";
const built = (build: Readonly<Record<string, unknown>>) => ({
  build: { dockerfile: "Dockerfile", context: "../app", ...build },
});
const featured = (more: Readonly<Record<string, unknown>>) => ({
  image: "registry.test/base:1",
  features: { [FEATURE]: {} },
  ...more,
});

const PLACES: readonly Place[] = [
  { name: "the image", json: { image: `registry.test/${VARIABLE}:1` } },
  { name: "the image's tag", json: { image: `registry.test/base:${VARIABLE}` } },
  { name: "the target", json: built({ target: VARIABLE }), value: "FIRST" },
  { name: "a build arg", json: built({ args: { WORD: VARIABLE } }) },
  { name: "a build arg that names the base", json: built({ args: { BASE: `registry.test/${VARIABLE}:1` } }) },
  {
    name: "a build arg that names the frontend",
    json: built({ args: { BUILDKIT_SYNTAX: `registry.test/${VARIABLE}:1` } }),
  },
  { name: "a build arg among the options", json: built({ options: [`--build-arg=WORD=${VARIABLE}`] }) },
  { name: "a build arg that the environment holds", json: built({ options: ["--build-arg", "CANARY"] }) },
  { name: "the target among the options", json: built({ options: ["--target", VARIABLE] }), value: "FIRST" },
  { name: "an option that counts", json: built({ options: [`--label=a=${VARIABLE}`] }) },
  { name: "an option that does not", json: built({ options: [`--memory=${VARIABLE}`] }) },
  { name: "an option that nobody knows", json: built({ options: ["--magic", VARIABLE] }) },
  { name: "the folder of a named context", json: built({ options: [`--build-context=shared=${VARIABLE}`] }) },
  { name: "the name of a named context", json: built({ options: [`--build-context=${VARIABLE}=shared`] }) },
  {
    name: "the image of a named context that stands in the place of the base",
    json: built({ options: [`--build-context=registry.test/base:1=docker-image://registry.test/${VARIABLE}:1`] }),
  },
  {
    name: "the image of a named context that is copied from",
    json: built({ options: [`--build-context=shared=docker-image://registry.test/${VARIABLE}:1`] }),
  },
  { name: "a feature's option", json: featured({ features: { [FEATURE]: { word: VARIABLE } } }) },
  { name: "a feature's only option", json: featured({ features: { [FEATURE]: VARIABLE } }) },
  { name: "a local feature's option", json: featured({ features: { "./local": { word: VARIABLE } } }) },
  { name: "an option that is a list", json: featured({ features: { [FEATURE]: { words: ["a", VARIABLE] } } }) },
  { name: "containerEnv", json: featured({ containerEnv: { WORD: VARIABLE } }) },
  { name: "containerUser", json: featured({ containerUser: VARIABLE }) },
  { name: "remoteUser", json: featured({ remoteUser: VARIABLE }) },
  {
    name: "the order of installation",
    json: featured({ overrideFeatureInstallOrder: [`registry.test/f/${VARIABLE}`] }),
  },
  { name: "what only the label carries", json: featured({ postCreateCommand: VARIABLE, mounts: [VARIABLE] }) },
  { name: "containerEnv without features", json: { image: "registry.test/base:1", containerEnv: { WORD: VARIABLE } } },
  ...["FROM registry.test/base:${CANARY}", "ARG B=registry.test/base:${CANARY}\n        FROM $$B"].map((lines) => ({
    name: `images of a Dockerfile in a compose file, ${lines}`,
    json: { dockerComposeFile: "compose.yml", service: "app" },
    files: {
      ".devcontainer/compose.yml": `services:\n  app:\n    build:\n      dockerfile_inline: |\n        ${lines}\n        RUN x\n`,
    },
  })),
  { name: "remoteEnv", json: { image: "registry.test/base:1", remoteEnv: { WORD: VARIABLE } } },
  {
    name: "the folder in the container",
    json: featured({ workspaceFolder: VARIABLE, containerEnv: { WORD: "${containerWorkspaceFolder}" } }),
  },
];

const PIN = "4711\n";
// From coreutils' sha256sum.
const SHA256_OF_PIN = "5fc78f87bd23b743897cdef478e590d1724e0bf33a98363906afe74629c7d1c8";

const FILES: Readonly<Record<string, Content>> = {
  ".devcontainer/Dockerfile": `ARG BASE=registry.test/base:1
FROM registry.test/base:1 AS plain
FROM $BASE AS first
ARG WORD CANARY
COPY --from=shared . /shared
`,
  ".devcontainer/local/devcontainer-feature.json": '{ "id": "local" }',
  "app/file.txt": "app\n",
  "shared/file.txt": "shared\n",
  [`${CANARY}/file.txt`]: "shared\n",
};

const IMAGES: Readonly<Record<string, Served>> = {
  "registry.test/base:1": indexOf({ "linux/amd64": "base" }),
  [`registry.test/base:${CANARY}`]: indexOf({ "linux/amd64": "base" }),
  [`registry.test/${CANARY}:1`]: indexOf({ "linux/amd64": "base" }),
  "docker.io/library/shared:latest": indexOf({ "linux/amd64": "shared" }),
  [FEATURE]: featureOf({ id: "tool", options: { word: { default: "" } } }),
};

async function storedFor({ json, files }: Place, value: string): Promise<string> {
  const workspace = makeCheckout({ ...FILES, ...files, ".devcontainer/devcontainer.json": JSON.stringify(json) });
  const { sources, probed } = await planOf({ workspace, images: IMAGES, env: { CANARY: value } });
  rmSync(workspace, { recursive: true });
  if (!probed.plan) throw new Error(JSON.stringify(probed.verdict));
  return JSON.stringify(storePlan({ sources, plan: probed.plan, salt: "salt", now: 0, seconds: {} }));
}

test.each(PLACES)("a value of the environment is not stored: $name", async (place) => {
  const { value = CANARY } = place;
  expect(await storedFor(place, value)).not.toContain(value);
});

/** Every sha256 under which a file of few possible contents could be guessed, for who knows all the rest. */
test.each([
  ["the build context", {}],
  [
    "a named context",
    { build: { dockerfile: "Dockerfile", context: "../empty", options: ["--build-context=shared=app"] } },
  ],
  ["a local feature", { image: "registry.test/base:1", features: { "./pin": {} } }],
])("what files hold cannot be guessed from what is stored: %s", async (_, json) => {
  const files = {
    ...FILES,
    ".devcontainer/Dockerfile": "FROM registry.test/base:1\nCOPY . /\nCOPY --from=shared . /\n",
    "app/.env": PIN,
    "empty/file": "",
    ".devcontainer/pin/devcontainer-feature.json": '{ "id": "pin" }',
    ".devcontainer/pin/.env": PIN,
    ".devcontainer/devcontainer.json": JSON.stringify({ ...built({}), ...json }),
  };
  const workspace = makeCheckout(files);
  const { sources, probed } = await planOf({ workspace, images: IMAGES });
  if (!probed.plan) throw new Error(JSON.stringify(probed.verdict));
  const store = (salt: string) =>
    JSON.stringify(storePlan({ sources, plan: probed.plan as Plan, salt, now: 0, seconds: {} }));
  const upstream = [...Object.values(IMAGES)].map(({ descriptor }) => descriptor.digest);
  const digests = (text: string) => new Set(text.match(/sha256:[0-9a-f]{64}/g));
  expect(store("one")).not.toContain(SHA256_OF_PIN);
  // What two salts have in common tells something: only what others publish may.
  const common = [...digests(store("one"))].filter((digest) => digests(store("two")).has(digest));
  const published = (JSON.stringify(probed.plan.platforms[0]?.plan.upstream.bases).match(/sha256:[0-9a-f]{64}/g) ??
    []) as string[];
  expect(common.filter((digest) => ![...upstream, ...published].includes(digest))).toEqual([]);
  rmSync(workspace, { recursive: true });
});
