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
    configuration: { kind: "dockerfile", target: "dev" },
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
  label: { forwardPorts: [3000], remoteUser: "dev", containerEnv: { EDITOR: "vi" } },
  recipe: 1,
};
const OTHER: PlatformPlan = { ...PLAN, yours: { ...PLAN.yours, options: { platform: "linux/arm64" } } };

// Golden keys: a change here is a miss for every user. It needs a higher RECIPE, or another SCHEMA.
test("golden keys", () => {
  expect(platformKey(PLAN)).toMatchInlineSnapshot(
    `"sha256:970375b54473919f86889c8addc527e81af9f5bc321a6e500ccfc91dc140a272"`,
  );
  expect(setKey([platformKey(PLAN), platformKey(OTHER)])).toMatchInlineSnapshot(
    `"sha256:7acf010d8a434a731fb88ddd64af06e2304d71f9f66f993dcf5bc824dbea3feb"`,
  );
  expect(sourceKey([PLAN.yours, OTHER.yours])).toMatchInlineSnapshot(
    `"sha256:e5d990c320e29a68737edde23654bc05eb9d5a34ff435aeddb33fd8a8c047603"`,
  );
  expect(ownKey([PLAN, OTHER])).toMatchInlineSnapshot(
    `"sha256:0ddec0272fa40ec7616551fef8db3f5f04ae876b7ac73444e48bcc9586a0d57d"`,
  );
  expect(RECIPE).toBe(5);
});

// Of real folders. A change here reaches everybody too; where only the generated text changes, no key does by itself: see test/recipe.test.ts.
test("golden keys of whole dev containers", async () => {
  const keys = await Promise.all(GOLDEN.map(async (golden) => [golden.name, await keyOfGolden(golden)]));
  expect(Object.fromEntries(keys)).toMatchInlineSnapshot(`
    {
      "FROM without a name over two lines": "sha256:310fe2a273625b33879f32496493416bf555281c4464f4c4eb3a1fe8bea18ff5",
      "a heredoc at the end": "sha256:75ca7583fe77b0a147187c8ff5bbf83f1c2a40240c87c0aa0a984de8592eae8b",
      "a target in the middle and another escape character": "sha256:d04d63606d0a586102704b13d92de4afc003668844819d9a7e86a068603b1812",
      "a user with a group": "sha256:8d3089a6c6195bb1bfee50f977b4f87f25b43a52b793e7c1ba95183038dae127",
      "an image whose user gets another uid": "sha256:e07744a3be78649031a0f527aaa71158b83db60632d5c19ecaf460a8645d6ee4",
      "an image with two features": "sha256:bab7bfebcec3bee7c5a5ded4bc6f10637f0d8d68aa94d869a9c08d5152d9e3da",
      "an image without features": "sha256:8ced8c32cd92e4ef6753cb42272a195d7515f8f1dfb4ffad82abae0eb1b4e229",
      "another uid for root": "sha256:eade9ae54d6fca16fa005ec40babe10b25e4d0b87564f5923b951be78cd27dbd",
      "containerEnv with quotes, dollars and backslashes": "sha256:2511e1dd5dea7867c0279c61c3e9707506d4359ea1080c7b3a5eafaaaab9e408",
      "features, and another uid for a name with quotes": "sha256:2e949373206948f389447192c7b5224ec9a79788cf5355a6a44072ae1f3c8db3",
      "line ends of Windows": "sha256:b788fc321c09234f0d1a5ab9847266419e000e0352ba3468ac91ced06bf440f7",
      "the base's own user": "sha256:3f7afc2c9ad3dbfcdc40251bcd49edeff0ba506105e67b79de32197324b03361",
      "the same with another escape character": "sha256:0e35bcd8336bf9b5311b81cd05133bedc8acf40f4cfecd8da9c2879bdce19971",
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
