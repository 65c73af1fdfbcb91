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
    `"sha256:1aee1f90c2530f9ec2f3cb4e7cf4b4a31b83016f7d62384e717ec9637f391aca"`,
  );
  expect(setKey([platformKey(PLAN), platformKey(OTHER)])).toMatchInlineSnapshot(
    `"sha256:8f7412e53460f4cb0811da1d4c2e25c677d79114960b07e42e8d41b971438d92"`,
  );
  expect(sourceKey([PLAN.yours, OTHER.yours])).toMatchInlineSnapshot(
    `"sha256:e5d990c320e29a68737edde23654bc05eb9d5a34ff435aeddb33fd8a8c047603"`,
  );
  expect(ownKey([PLAN, OTHER])).toMatchInlineSnapshot(
    `"sha256:0ddec0272fa40ec7616551fef8db3f5f04ae876b7ac73444e48bcc9586a0d57d"`,
  );
  expect(RECIPE).toBe(3);
});

// Of real folders. A change here reaches everybody too; where only the generated text changes, no key does by itself: see test/recipe.test.ts.
test("golden keys of whole dev containers", async () => {
  const keys = await Promise.all(GOLDEN.map(async (golden) => [golden.name, await keyOfGolden(golden)]));
  expect(Object.fromEntries(keys)).toMatchInlineSnapshot(`
    {
      "FROM without a name over two lines": "sha256:e73790ee07894bd7e1964fe0fd9a272586236fe1fdce8760eb1df26d425d1a0f",
      "a heredoc at the end": "sha256:7d46759294fe5bec65b5455d455a7c9b8a6fea671661e8e710bc9aa3eea3801c",
      "a target in the middle and another escape character": "sha256:38d345a9fc2a9c88c2e07d35978df29c0a3f974d0e5581c3f99ab06dec78fce5",
      "a user with a group": "sha256:834bdbf5f81c644a439c34c17c09a5d467b871105554ca7ffeea09ab4af45108",
      "an image whose user gets another uid": "sha256:1137388d74c971989bb6d19b2a5df244774ab4efa5b2dad95bcfd87885c62cbf",
      "an image with two features": "sha256:578cd7d314df50c0b1fb9dfabe3b484f7b139afe42ff9ae2d6528136d869da0d",
      "an image without features": "sha256:ee2d4449dac72ac63c84dd8f5717580f99e54cb6f41d6f26e4a4e23d102fe826",
      "another uid for root": "sha256:0bdbac97dc5e811b5b02480fa2594dcad0e31397c250519a2eef798ffdc674f7",
      "containerEnv with quotes, dollars and backslashes": "sha256:8dfd22f7d668fef78461241f243b7ab1b8bb3baf0bcebb291e947e33d57af9be",
      "features, and another uid for a name with quotes": "sha256:485f20d4b97765a85bd46d4916168743ad7a6618c837177abb0c4b3f30c5e400",
      "line ends of Windows": "sha256:a27973332aaf9e34681c9f738f01048f22a54b18c73bb7d1b985bd64997b94f5",
      "the base's own user": "sha256:ba9994c93535021b940c723e53a85021b7c2e94b617ec1407cb216407b721581",
      "the same with another escape character": "sha256:252108021ee7b8f183e60c6d484166a1a95a3e0ff63d8e30793488753b22ad17",
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
