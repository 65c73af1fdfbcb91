import fc from "fast-check";
import { expect, test } from "vitest";
import type { Difference, Places } from "../../src/key/difference.ts";
import { explainMiss } from "../../src/key/explain.ts";
import type { ContextEntry, PlatformPlan } from "../../src/key/ingredients.ts";
import {
  type Hidden,
  hidePrivateValues,
  planStatement,
  readPlanStatement,
  type StoredPlan,
  storeTrees,
} from "../../src/key/stored.ts";
import { NOWHERE } from "./nowhere.ts";

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
const file = (path: string, mode: "0644" | "0755", content: string): ContextEntry => {
  return { path, kind: "file", mode, content: digest(content) };
};
const link = (target: string): ContextEntry => ({ path: "link", kind: "link", target });
const TREES = storeTrees(
  new Map([
    [digest("1"), [file("setup.sh", "0755", "c"), link("setup.sh"), file("old", "0644", "d")]],
    [digest("2"), [file("setup.sh", "0644", "c"), link("other"), file("new", "0644", "e")]],
    [digest("3"), [file("setup.sh", "0755", "f"), link("setup.sh"), file("old", "0644", "d")]],
  ]),
  "salt",
);
const PLACES: Places = {
  ...NOWHERE,
  dockerfile: ".devcontainer/Dockerfile",
  instructions: { "linux/amd64": [[], [1, 4, 7]], "linux/arm64": [[], [1, 4, 7]] },
  arguments: { VARIANT: { file: "args.conf", line: 3 } },
  bases: { "debian:12": { source: { file: ".devcontainer/Dockerfile", line: 1 } } },
  context: ".devcontainer",
  options: {
    "--label=team=b": { input: "labels" },
    "--network=host": { file: ".devcontainer/devcontainer.json", line: 9 },
  },
};
const HIDDEN: Hidden = {
  image: false,
  target: false,
  dockerfile: false,
  references: new Set(),
  contexts: new Set(),
  options: new Set(),
  features: new Set(),
  installOrder: false,
  installation: new Set(),
};

/** One of everything. */
const RICH: PlatformPlan = {
  ...PLAN,
  yours: {
    ...PLAN.yours,
    contexts: { shared: { tree: digest("1") }, tools: { image: "registry.test/tools:1" } },
    options: { platform: "linux/amd64", cacheVersion: "1", build: ["--network=host"] },
    features: [{ id: "./local", options: { a: 1 }, tree: digest("4") }],
    installOrder: ["./local"],
    installation: { remoteUser: "dev" },
  },
  upstream: {
    ...PLAN.upstream,
    frontend: { written: "f:1", reference: "docker.io/library/f:1", digest: digest("f"), of: "index" },
    features: [{ id: "local", written: "./local", digest: digest("4"), options: [["a", "1"]] }],
  },
};

const stored = (plan: PlatformPlan, platforms = ["linux/amd64"]): StoredPlan => ({
  schema: 1,
  salt: "salt",
  configuration: ".devcontainer/devcontainer.json",
  platforms: Object.fromEntries(platforms.map((platform) => [platform, hidePrivateValues(plan, HIDDEN, "salt")])),
  trees: TREES,
  origins: {
    dockerfile: ".devcontainer/Dockerfile",
    context: ".devcontainer",
    ignoring: { file: ".dockerignore", lines: [] },
    folders: { shared: "shared" },
    sources: {
      "build arg VARIANT": { file: "args.conf", line: 3 },
      "build context tools": { input: "build-contexts" },
    },
  },
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
    "the frontend's line",
    yours({ dockerfile: { escape: "\\", stages: [["# syntax=a"], ["FROM base", "RUN make", "COPY . ."]] } }),
    [".devcontainer/Dockerfile:1 # syntax is new"],
  ],
  [
    "a removed instruction",
    yours({ dockerfile: { escape: "\\", stages: [[], ["FROM base", "RUN make"]] } }),
    [".devcontainer/Dockerfile: COPY . . is gone"],
  ],
  [
    "files: mode, link, new, gone",
    yours({ context: { tree: digest("2") } }),
    [
      ".devcontainer/link points to other now",
      ".devcontainer/new is part of the build now",
      ".devcontainer/setup.sh has mode 0644 now, before 0755",
      ".devcontainer/old is no longer part of the build",
    ],
  ],
  ["a file's content", yours({ context: { tree: digest("3") } }), [".devcontainer/setup.sh changed"]],
  ["a build arg", yours({ arguments: { VARIANT: "13" } }), ["build arg VARIANT changed (args.conf:3)"]],
  [
    "a new and a gone build arg",
    yours({ arguments: { OTHER: "" } }),
    ["build arg OTHER is new", "build arg VARIANT is gone (before: args.conf:3)"],
  ],
  // Every object of JavaScript has a member of that name.
  [
    "a build arg called constructor",
    yours({ arguments: { ...PLAN.yours.arguments, constructor: "x" } }),
    ["build arg constructor is new"],
  ],
  [
    "a base called constructor",
    {
      ...PLAN,
      upstream: {
        ...PLAN.upstream,
        bases: [
          ...PLAN.upstream.bases,
          { written: "constructor", reference: "docker.io/library/c:1", digest: digest("b"), of: "platform" },
        ],
      },
    },
    ["base constructor is new"],
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
  [
    "the target",
    yours({
      configuration: { kind: "dockerfile", target: "dev" },
      dockerfile: { escape: "\\", stages: [[], ["FROM base (target)", "RUN make"]] },
    }),
    ["build target (not set) → dev"],
  ],
  ["a name for the target that it has anyway", yours({ configuration: { kind: "dockerfile", target: "dev" } }), []],
  [
    "cache-version",
    yours({ options: { platform: "linux/amd64", cacheVersion: "2" } }),
    ["the input cache-version (not set) → 2"],
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
    "platform linux/arm64 was not in the previous set (the input platforms)",
    "platform linux/amd64 is no longer asked for (the input platforms)",
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

/** Every place of a JSON value, by its path. */
function pathsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [path, ...members.flatMap(([name, member]) => pathsOf(member, [...path, name]))];
}

function putAt(value: unknown, [step, ...rest]: readonly (string | number)[], what: unknown): unknown {
  if (step === undefined) return what;
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const changed = members.map(([name, member]) => [name, name === String(step) ? putAt(member, rest, what) : member]);
  return Array.isArray(value) ? changed.map(([, member]) => member) : Object.fromEntries(changed);
}

// An explanation is a kindness: whatever somebody stored in our name, the run goes on.
test("whatever a stored plan holds, it is explained or passed over", () => {
  const statement: unknown = JSON.parse(planStatement(stored(RICH), []));
  const paths = pathsOf(statement);
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, what) => {
      const previous = readPlanStatement(JSON.stringify(putAt(statement, path, what)));
      if (previous) expect(explainMiss(previous, now(RICH), TREES, PLACES)).toBeInstanceOf(Array);
    }),
    { numRuns: 3000 },
  );
});

const built = (...options: readonly string[]): PlatformPlan =>
  yours({ options: { platform: "linux/amd64", build: options } });

test("names as long as a stored plan may hold them are cut, and the reasons stay short", () => {
  const long = "x".repeat(100_000);
  const before = stored({ ...PLAN, label: { ...(PLAN.label as object), [long]: 1 } });
  const told = explainMiss(before, now(PLAN), TREES, PLACES).map(({ text }) => text);
  expect(told).toEqual([expect.stringMatching(/^x{2000}…$/)]);
});

test.each<[string, readonly string[], readonly string[], readonly Partial<Difference>[]]>([
  [
    "a label of the input",
    ["--label=team=a"],
    ["--label=team=b"],
    [{ text: "label team changed (the input labels; ignore-labels takes it out of the key)" }],
  ],
  ["a label that is gone", ["--label=team=a"], [], [{ text: "label team is gone" }]],
  [
    "an option of the configuration, with its place",
    ["--network=none"],
    ["--network=host"],
    [
      {
        text: "build option --network changed (.devcontainer/devcontainer.json:9)",
        at: { file: ".devcontainer/devcontainer.json", line: 9 },
      },
    ],
  ],
  [
    "several at once, one of several of a name",
    ["--add-host=a=1", "--add-host=b=1", "--label=x=1"],
    ["--add-host=a=1", "--add-host=b=2", "--label=x=1", "--never=1"],
    [{ text: "build option --add-host changed" }, { text: "build option --never is new" }],
  ],
  [
    "one that stands there hashed",
    [`salted:${digest("a")}`],
    [`salted:${digest("b")}`],
    [{ text: "a build option that holds a value of the environment changed" }],
  ],
])("options of the build: %s", (_, was, is, expected) => {
  const told = explainMiss(stored(built(...was)), now(built(...is)), TREES, PLACES);
  expect(told).toEqual(expected.map((one) => ({ part: "yours", ingredient: "option", ...one })));
});
