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
  expect(RECIPE).toBe(4);
});

// Of real folders. A change here reaches everybody too; where only the generated text changes, no key does by itself: see test/recipe.test.ts.
test("golden keys of whole dev containers", async () => {
  const keys = await Promise.all(GOLDEN.map(async (golden) => [golden.name, await keyOfGolden(golden)]));
  expect(Object.fromEntries(keys)).toMatchInlineSnapshot(`
    {
      "FROM without a name over two lines": "sha256:abc2ab684fe7a68787f9e03c7d4e5ace4d3df7d0a0070c0577887d0acff28a45",
      "a heredoc at the end": "sha256:ce10680f9f1f1dcbbee9a1a492370b256a8172d1d92373a3f5737bec7d427663",
      "a target in the middle and another escape character": "sha256:51c4f4e52e2a9e6a81bdfdb0e681024e7e7944cdd9f52e0d234b4488040072b0",
      "a user with a group": "sha256:3546362b9dad558061a7bb12341175e20447ace29579ea9b3679756ad6ed26aa",
      "an image whose user gets another uid": "sha256:25ad99942e763120b4907f6f3bfc1e0d837e18b6a8e4e3494cd01f5282364edb",
      "an image with two features": "sha256:7e7549448c06303f520d730aa462fd6ff5e4d6adb5d0432a335781f810e1aae3",
      "an image without features": "sha256:a5aefb3700eacb2e68f7c0c92b9776989d31921ddeebd83aedca46a2328bfe8b",
      "another uid for root": "sha256:345597aedd12191995e16f5407e4d1d3a4017e877b258a6f11ddf781516c0053",
      "containerEnv with quotes, dollars and backslashes": "sha256:5295b30d4135858d9b95a3d1b40c223b4c4231c6111fe3626e23b2ec6a0d73a1",
      "features, and another uid for a name with quotes": "sha256:2f31c2b71863527443e63b6cdb5bb371ea4541131c2e5cca0c95019917f58abf",
      "line ends of Windows": "sha256:e99dc9d9381ff7a3107bd2be34952f5d6ccf5d4dfedbde6c87d34a84f00a1836",
      "the base's own user": "sha256:e4a4a055119609980f6eba9178401639aeda70385220028ce5cd4f0894535bbb",
      "the same with another escape character": "sha256:8a459e0c0c6c9315963bce2f3321157ddaac046854e2b3f90d66dacac08dde71",
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
