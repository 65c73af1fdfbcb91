import { expect, test } from "vitest";
import {
  branchTag,
  ownKey,
  platformKey,
  platformTag,
  setKey,
  setTag,
  sourceKey,
  sourceTag,
  treeDigest,
} from "../../src/key/fingerprint.ts";
import { type ContextEntry, type PlatformPlan, RECIPE } from "../../src/key/ingredients.ts";
import { GOLDEN, keyOfGolden } from "../golden.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as const;

const PLAN: PlatformPlan = {
  schema: 1,
  yours: {
    configuration: { kind: "dockerfile", target: "dev", users: { remoteUser: "dev" }, containerEnv: { EDITOR: "vi" } },
    dockerfile: { escape: "\\", stages: [["ARG VARIANT=11"], ["FROM base:${VARIANT} AS dev", "RUN make"]] },
    context: { tree: digest("c") },
    arguments: { VARIANT: "12" },
    options: { platform: "linux/amd64" },
    features: [],
  },
  upstream: {
    bases: [{ written: "base:${VARIANT}", reference: "registry.test/base:12", digest: digest("b"), of: "platform" }],
    features: [],
    remote: [],
  },
  label: { forwardPorts: [3000] },
  recipe: 1,
};
const OTHER: PlatformPlan = { ...PLAN, yours: { ...PLAN.yours, options: { platform: "linux/arm64" } } };

// Golden keys: a change here is a miss for every user. It needs a higher RECIPE, or another SCHEMA.
test("golden keys", () => {
  expect(platformKey(PLAN)).toMatchInlineSnapshot(
    `"sha256:8863492428d0d6629c0c46c69cddfaba024fd28e5c88bcbabf74b334d0173420"`,
  );
  expect(setKey([platformKey(PLAN), platformKey(OTHER)])).toMatchInlineSnapshot(
    `"sha256:29d35c76a1ed9250fd41e08b56526b92191841317c436de6c2ecb49b5613bbe9"`,
  );
  expect(sourceKey([PLAN.yours, OTHER.yours])).toMatchInlineSnapshot(
    `"sha256:dfc755ca04d72c26d2453fb22d8f3e58d8f8bb9de1cfb84e7c7ef9ec79aa665d"`,
  );
  expect(ownKey([PLAN, OTHER])).toMatchInlineSnapshot(
    `"sha256:d6e98c9d5e1d3c452617f83f95c2fa751984ae97b82d71cc089440e6b36e0656"`,
  );
  expect(RECIPE).toBe(2);
});

// Of real folders. A change here reaches everybody too; where only the generated text changes, no key does by itself: see test/recipe.test.ts.
test("golden keys of whole dev containers", async () => {
  const keys = await Promise.all(GOLDEN.map(async (golden) => [golden.name, await keyOfGolden(golden)]));
  expect(Object.fromEntries(keys)).toMatchInlineSnapshot(`
    {
      "FROM without a name over two lines": "sha256:805821c28b7f50c583d30eacd0db284ff98b0c689459ea5123b25050850fef4e",
      "a heredoc at the end": "sha256:f653d835e48898d1217bab752c0218dfe312005c92e851e8d64b53b2a2bf5db6",
      "a target in the middle and another escape character": "sha256:98516ef8a29b3a79723f5f45d4832d0e6b51d75166e041d90ed953a10aef0f9a",
      "a user with a group": "sha256:1208c37bb333694336dfcf552edd3bd7e8cf9c77e9f9905d092566029f46cd3f",
      "an image whose user gets another uid": "sha256:23350b17f8624324a847f7a907995a6ef54cb6668c2a06300069f0f1f5193ca4",
      "an image with two features": "sha256:ca64f5fb4ba76b010ace1e7da4873ea24994324f1de031c461e0414da459f5d4",
      "an image without features": "sha256:e445a6b46c0b8207b861d866cc22b93e62d933474b976f0cc17ab0192011bf11",
      "another uid for root": "sha256:386e1111dbefa3d8b1bc11512f0336a47ffa70812d951c5df51ecc18ee9a9617",
      "containerEnv with quotes, dollars and backslashes": "sha256:063499f0d8f592756a0daea2073a65beca093b54ea77aec6e6dab658b2a4fb7b",
      "features, and another uid for a name with quotes": "sha256:f0d670cf1e56bdd433010123339de0490eba67f29570d6a8c0974affc673ad1b",
      "line ends of Windows": "sha256:3bffd709ea8c02bb4fd697542c9a1f08ad16f608970b7c34655d1301cf2cad82",
      "the base's own user": "sha256:1f1fa870904402537dae8ae4333e7be3e78155c6c529dcb196b0cbdef4ee4ba9",
      "the same with another escape character": "sha256:21e3cdc575658eff0ea623834847c826a0e2c61e4f727812ee79741443915110",
    }
  `);
});

test("a set's keys do not depend on the order of its platforms", () => {
  expect(setKey([digest("2"), digest("1")])).toBe(setKey([digest("1"), digest("2")]));
  expect(sourceKey([OTHER.yours, PLAN.yours])).toBe(sourceKey([PLAN.yours, OTHER.yours]));
  expect(ownKey([OTHER, PLAN])).toBe(ownKey([PLAN, OTHER]));
});

test("upstream moves the key and neither the source key nor the own key", () => {
  const moved: PlatformPlan = { ...PLAN, upstream: { ...PLAN.upstream, bases: [] } };
  expect(platformKey(moved)).not.toBe(platformKey(PLAN));
  expect(sourceKey([moved.yours])).toBe(sourceKey([PLAN.yours]));
  expect(ownKey([moved])).toBe(ownKey([PLAN]));
});

test.each<[string, Partial<PlatformPlan>]>([
  ["label", { label: {} }],
  ["recipe", { recipe: 2 }],
  ["yours", { yours: OTHER.yours }],
])("%s moves the own key", (_, part) => {
  expect(ownKey([{ ...PLAN, ...part }])).not.toBe(ownKey([PLAN]));
});

const ENTRIES: readonly ContextEntry[] = [
  { path: "a", kind: "file", mode: "0644", content: digest("a") },
  { path: "b", kind: "link", target: "a" },
  { path: "c", kind: "directory" },
];

test("the tree's digest depends on every part of an entry and not on the order of reading", () => {
  expect(treeDigest([...ENTRIES].reverse())).toBe(treeDigest(ENTRIES));
  const variants: readonly (readonly ContextEntry[])[] = [
    [{ path: "a", kind: "file", mode: "0755", content: digest("a") }],
    [{ path: "a", kind: "file", mode: "0644", content: digest("b") }],
    [{ path: "x", kind: "file", mode: "0644", content: digest("a") }],
    [{ path: "a", kind: "link", target: digest("a") }],
    [{ path: "a", kind: "directory" }],
    [],
  ];
  expect(new Set([ENTRIES, ...variants].map(treeDigest)).size).toBe(variants.length + 1);
});

test("tags", () => {
  const hex = "d".repeat(64);
  expect(setTag(digest("d"))).toBe(`k1-${hex}`);
  expect(sourceTag(digest("d"))).toBe(`y1-${hex}`);
  expect(platformTag(digest("d"), { os: "linux", architecture: "arm", variant: "v7" })).toBe(`k1-${hex}-linux-arm-v7`);
});

test.each([
  ["main", /^branch-main-[0-9a-f]{8}$/],
  ["feature/Größe #1", /^branch-feature-gr-e-1-[0-9a-f]{8}$/],
  ["x".repeat(300), /^branch-x{60}-[0-9a-f]{8}$/],
])("branch %s", (branch, tag) => {
  expect(branchTag(branch, ".devcontainer/devcontainer.json")).toMatch(tag);
});

test("branches that look alike and configurations of one branch have tags of their own", () => {
  const tags = [branchTag("a/b", "x"), branchTag("a-b", "x"), branchTag("A/b", "x"), branchTag("a/b", "y")];
  expect(new Set(tags).size).toBe(tags.length);
});
