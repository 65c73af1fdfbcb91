import { expect, test } from "vitest";
import { explainMiss, type Places } from "../../src/key/explain.ts";
import type { PlatformPlan } from "../../src/key/ingredients.ts";
import { hidePrivateValues, planStatement, readPlanStatement, type StoredPlan } from "../../src/key/stored.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as const;

const PLAN: PlatformPlan = {
  schema: 1,
  yours: {
    configuration: { kind: "dockerfile" },
    dockerfile: { escape: "\\", stages: [[], ["FROM base", "RUN make", "COPY . ."]] },
    context: { tree: digest("1") },
    arguments: { VARIANT: "12" },
    options: { platform: "linux/amd64" },
    features: [],
  },
  upstream: {
    bases: [{ written: "debian:12", reference: "docker.io/library/debian:12", digest: digest("a"), of: "platform" }],
    features: [],
    remote: [],
  },
  label: { forwardPorts: [3000], customizations: { x: 1 } },
  recipe: 1,
};
const TREES: StoredPlan["trees"] = {
  [digest("1")]: [
    ["setup.sh", "0755", digest("c")],
    ["link", "link", "setup.sh"],
    ["old", "0644", digest("d")],
  ],
  [digest("2")]: [
    ["setup.sh", "0644", digest("c")],
    ["link", "link", "other"],
    ["new", "0644", digest("e")],
  ],
  [digest("3")]: [
    ["setup.sh", "0755", digest("f")],
    ["link", "link", "setup.sh"],
    ["old", "0644", digest("d")],
  ],
};
const PLACES: Places = {
  configuration: ".devcontainer/devcontainer.json",
  dockerfile: ".devcontainer/Dockerfile",
  instructions: [[], [1, 4, 7]],
  arguments: { VARIANT: { file: "args.conf", line: 3 } },
  bases: { "debian:12": { file: ".devcontainer/Dockerfile", line: 1 } },
  context: ".devcontainer",
  features: {},
};
const HIDDEN = {
  image: false,
  target: false,
  references: new Set<string>(),
  options: new Set<string>(),
  contexts: new Set<string>(),
  features: new Set<string>(),
  installOrder: false,
  installation: new Set<string>(),
};

const stored = (plan: PlatformPlan, platforms = ["linux/amd64"]): StoredPlan => ({
  schema: 1,
  salt: "salt",
  configuration: ".devcontainer/devcontainer.json",
  platforms: Object.fromEntries(platforms.map((platform) => [platform, hidePrivateValues(plan, HIDDEN, "salt")])),
  trees: TREES,
  built: { at: "2026-01-01T00:00:00.000Z", seconds: {} },
});
const now = (plan: PlatformPlan, platforms = ["linux/amd64"]) => stored(plan, platforms).platforms;
const yours = (part: Partial<PlatformPlan["yours"]>): PlatformPlan => ({ ...PLAN, yours: { ...PLAN.yours, ...part } });

test.each<[string, PlatformPlan, readonly string[]]>([
  ["nothing", PLAN, []],
  [
    "an instruction",
    yours({ dockerfile: { escape: "\\", stages: [[], ["FROM base", "RUN make all", "COPY . ."]] } }),
    [".devcontainer/Dockerfile:4 RUN changed"],
  ],
  [
    "a removed instruction",
    yours({ dockerfile: { escape: "\\", stages: [[], ["FROM base", "RUN make"]] } }),
    [".devcontainer/Dockerfile: 1 instructions fewer at the end"],
  ],
  [
    "files: mode, link, new, gone",
    yours({ context: { tree: digest("2") } }),
    [
      ".devcontainer/setup.sh has mode 0644 now, before 0755",
      ".devcontainer/link points to other now",
      ".devcontainer/new is new",
      ".devcontainer/old is gone",
    ],
  ],
  ["a file's content", yours({ context: { tree: digest("3") } }), [".devcontainer/setup.sh changed"]],
  ["a build arg", yours({ arguments: { VARIANT: "13" } }), ["build arg VARIANT changed (args.conf:3)"]],
  [
    "a new and a gone build arg",
    yours({ arguments: { OTHER: "" } }),
    ["build arg VARIANT is gone (args.conf:3)", "build arg OTHER is new"],
  ],
  [
    "a base",
    {
      ...PLAN,
      upstream: {
        ...PLAN.upstream,
        bases: [
          { written: "debian:12", reference: "docker.io/library/debian:12", digest: digest("b"), of: "platform" },
        ],
      },
    },
    ["base debian:12 sha256:aaaaaaaaaaaa… → sha256:bbbbbbbbbbbb…"],
  ],
  [
    "the label",
    { ...PLAN, label: { forwardPorts: [3000] } },
    ["customizations changed, which stands in the image's metadata label"],
  ],
  ["the recipe", { ...PLAN, recipe: 2 }, ["a newer version of this action builds the image in another way"]],
  ["the target", yours({ configuration: { kind: "dockerfile", target: "dev" } }), ["build target (not set) → dev"]],
  [
    "cache-version",
    yours({ options: { platform: "linux/amd64", cacheVersion: "2" } }),
    ["cache-version (not set) → 2"],
  ],
])("what changed: %s", (_, plan, expected) => {
  expect(explainMiss(stored(PLAN), now(plan), TREES, PLACES).map(({ text }) => text)).toEqual(expected);
});

test("what all platforms share is told once, what one has is told with its name", () => {
  const both = ["linux/amd64", "linux/arm64"];
  const changed = yours({ arguments: { VARIANT: "13" } });
  expect(explainMiss(stored(PLAN, both), now(changed, both), TREES, PLACES)).toHaveLength(1);
  const one = { ...now(PLAN, both), "linux/arm64": now(changed)["linux/amd64"] ?? PLAN };
  expect(explainMiss(stored(PLAN, both), one, TREES, PLACES).map(({ text }) => text)).toEqual([
    "build arg VARIANT changed (args.conf:3) (linux/arm64)",
  ]);
});

test("platforms that came or went", () => {
  expect(explainMiss(stored(PLAN), now(PLAN, ["linux/arm64"]), TREES, PLACES).map(({ text }) => text)).toEqual([
    "platform linux/arm64 was not in the previous set",
    "platform linux/amd64 is no longer asked for",
  ]);
});

test("build args and private references are stored as salted hashes, and only the salt makes them comparable", () => {
  const hidden = { ...HIDDEN, references: new Set(["docker.io/library/debian:12"]) };
  const text = planStatement(
    {
      ...stored(PLAN),
      platforms: { "linux/amd64": hidePrivateValues(yours({ arguments: { TOKEN: "s3cret" } }), hidden, "one") },
    },
    [],
  );
  expect(text).not.toContain("s3cret");
  expect(text).not.toContain("debian:12");
  const [a, b] = ["one", "two"].map((salt) => hidePrivateValues(PLAN, HIDDEN, salt).yours.arguments.VARIANT);
  expect(a).toMatch(/^salted:sha256:/);
  expect(a).not.toBe(b);
});

test("a statement is read back as it was written", () => {
  const plan = stored(PLAN);
  expect(readPlanStatement(planStatement(plan, [{ name: "linux/amd64", digest: digest("9") }]))).toEqual(
    JSON.parse(JSON.stringify(plan)),
  );
});

test.each([
  ["no JSON", "<html>"],
  ["another predicate", JSON.stringify({ predicateType: "https://slsa.dev/provenance/v1", predicate: {} })],
  ["a later schema", planStatement({ ...stored(PLAN), schema: 2 }, [])],
  [
    "a plan with a hole",
    JSON.stringify({
      predicateType: "urn:dev-container-cache:plan:1",
      predicate: { ...stored(PLAN), platforms: { "linux/amd64": {} } },
    }),
  ],
])("what is no plan of ours is passed over: %s", (_, text) => {
  expect(readPlanStatement(text)).toBeUndefined();
});
