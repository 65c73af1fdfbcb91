import { expect, test } from "vitest";
import type { Difference, Places } from "../../src/key/difference.ts";
import { explainMiss } from "../../src/key/explain.ts";
import type { PlatformPlan, UpstreamFeature, WrittenFeature, Yours } from "../../src/key/ingredients.ts";
import type { StoredPlan } from "../../src/key/stored.ts";
import { NOWHERE } from "./nowhere.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as const;
const CONFIGURATION = ".devcontainer/devcontainer.json";

const TOOL: UpstreamFeature = {
  id: "tool",
  written: "r.test/tool:1",
  digest: digest("1"),
  options: [["version", "2"]],
};
const LOCAL: UpstreamFeature = { id: "local", written: "./local", digest: digest("2"), options: [["mode", "fast"]] };
const NEEDED: UpstreamFeature = { id: "needed", written: "r.test/needed", digest: digest("3"), options: [] };

const WRITTEN: readonly WrittenFeature[] = [
  { id: "./local", options: { mode: "fast" }, tree: digest("2") },
  { id: "r.test/tool:1", options: { version: "2" } },
];

type Change = { readonly installed?: readonly UpstreamFeature[]; readonly yours?: Partial<Yours> };

const plan = ({ installed = [NEEDED, TOOL, LOCAL], yours = {} }: Change = {}): PlatformPlan => ({
  schema: 1,
  yours: {
    configuration: { kind: "image", image: "base" },
    arguments: {},
    options: { platform: "linux/amd64" },
    features: WRITTEN,
    installation: { remoteUser: "dev" },
    ...yours,
  },
  upstream: { bases: [], features: installed, remote: [] },
  label: {},
  recipe: 1,
});

const PLACES: Places = {
  ...NOWHERE,
  lockfile: { file: "lock.json" },
  locks: { "r.test/tool:1": { file: "lock.json", line: 2 } },
  features: {
    "./local": { file: CONFIGURATION, line: 4 },
    "r.test/tool:1": { file: CONFIGURATION, line: 5 },
    "r.test/new": { file: CONFIGURATION, line: 6 },
  },
};

function explain(before: PlatformPlan, now: PlatformPlan): Difference[] {
  const previous: StoredPlan = {
    schema: 1,
    salt: "salt",
    configuration: CONFIGURATION,
    platforms: { "linux/amd64": before },
    trees: {},
    built: { at: "2026-01-01T00:00:00.000Z", seconds: {} },
  };
  return explainMiss(previous, { "linux/amd64": now }, {}, PLACES);
}

const line = (number: number) => ({ file: CONFIGURATION, line: number });
const anywhere = { file: CONFIGURATION };
const rewritten = (feature: WrittenFeature): Partial<Yours> => ({
  features: WRITTEN.map((one) => (one.id === feature.id ? feature : one)),
});

test.each<[string, Change, readonly (readonly [part: string, text: string, at?: Difference["at"]])[]]>([
  ["nothing", {}, []],
  [
    "another digest under the same tag: others did that",
    { installed: [NEEDED, { ...TOOL, digest: digest("9") }, LOCAL] },
    [["upstream", "feature r.test/tool:1 sha256:111111111111… → sha256:999999999999…", line(5)]],
  ],
  [
    "another digest of what a feature depends on: there is no line for it",
    { installed: [{ ...NEEDED, digest: digest("9") }, TOOL, LOCAL] },
    [["upstream", "feature r.test/needed sha256:333333333333… → sha256:999999999999…"]],
  ],
  [
    "the files of a local one",
    {
      installed: [NEEDED, TOOL, { ...LOCAL, digest: digest("9") }],
      yours: rewritten({ id: "./local", options: { mode: "fast" }, tree: digest("9") }),
    },
    [["yours", "feature ./local changed: its files are others now", line(4)]],
  ],
  [
    "an option",
    {
      installed: [NEEDED, { ...TOOL, options: [["version", "3"]] }, LOCAL],
      yours: rewritten({ id: "r.test/tool:1", options: { version: "3" } }),
    },
    [["yours", "feature r.test/tool:1 option version changed", line(5)]],
  ],
  [
    "an option more and one less",
    { installed: [NEEDED, { ...TOOL, options: [["other", "1"]] }, LOCAL] },
    [
      ["yours", "feature r.test/tool:1 option version changed", line(5)],
      ["yours", "feature r.test/tool:1 option other changed", line(5)],
    ],
  ],
  [
    "a digest, and the default of an option with it",
    { installed: [NEEDED, { ...TOOL, digest: digest("9"), options: [["version", "9"]] }, LOCAL] },
    [["upstream", "feature r.test/tool:1 sha256:111111111111… → sha256:999999999999…", line(5)]],
  ],
  [
    "digest and option",
    {
      installed: [NEEDED, { ...TOOL, digest: digest("9"), options: [["version", "3"]] }, LOCAL],
      yours: rewritten({ id: "r.test/tool:1", options: { version: "3" } }),
    },
    [
      ["upstream", "feature r.test/tool:1 sha256:111111111111… → sha256:999999999999…", line(5)],
      ["yours", "feature r.test/tool:1 option version changed", line(5)],
    ],
  ],
  [
    "a new one",
    { installed: [NEEDED, TOOL, LOCAL, { ...NEEDED, written: "r.test/new" }] },
    [["yours", "feature r.test/new is new", line(6)]],
  ],
  [
    "a new one that another depends on",
    { installed: [NEEDED, TOOL, LOCAL, { ...NEEDED, written: "r.test/deep" }] },
    [["upstream", "feature r.test/deep is new"]],
  ],
  ["one less", { installed: [NEEDED, TOOL] }, [["yours", "feature ./local is no longer installed", line(4)]]],
  [
    "another order",
    { installed: [LOCAL, NEEDED, TOOL] },
    [["yours", "features are installed in another order", anywhere]],
  ],
  [
    "one less leaves the others in their order",
    { installed: [NEEDED, LOCAL] },
    [["yours", "feature r.test/tool:1 is no longer installed", line(5)]],
  ],
  [
    "the user",
    { yours: { installation: { remoteUser: "ada" } } },
    [["yours", "remoteUser changed, with which features are installed", anywhere]],
  ],
  [
    "an environment variable",
    { yours: { installation: { remoteUser: "dev", "containerEnv.A": "1" } } },
    [["yours", "containerEnv.A changed, with which features are installed", anywhere]],
  ],
  [
    "what is written differently and comes to the same",
    { yours: rewritten({ id: "r.test/tool:1", options: "2" }) },
    [["yours", "feature r.test/tool:1 is written differently, and installs the same", line(5)]],
  ],
  [
    "a lockfile that says what is installed without it",
    { yours: rewritten({ id: "r.test/tool:1", options: { version: "2" }, locked: digest("1") }) },
    [],
  ],
  ["an order that was asked for and changes nothing", { yours: { installOrder: ["r.test/tool"] } }, []],
  [
    "an order that was asked for",
    { installed: [LOCAL, NEEDED, TOOL], yours: { installOrder: ["./local"] } },
    [["yours", "overrideFeatureInstallOrder is new, the order in which features are installed", anywhere]],
  ],
])("what changed: %s", (_, change, expected) => {
  const told = explain(plan(), plan(change)).map(({ part, text, at }) => (at ? [part, text, at] : [part, text]));
  expect(told).toEqual(expected);
});

test("the first features and the last ones are told, and neither what they depend on nor with whom they are installed", () => {
  const without = plan({ installed: [], yours: { features: [], installation: {} } });
  const told = (before: PlatformPlan, now: PlatformPlan) => explain(before, now).map(({ text }) => text);
  expect(told(without, plan())).toEqual(["feature r.test/tool:1 is new", "feature ./local is new"]);
  expect(told(plan(), without)).toEqual([
    "feature r.test/tool:1 is no longer installed",
    "feature ./local is no longer installed",
  ]);
});

test("one feature that is installed twice, with other options", () => {
  const twice = (second: string): PlatformPlan =>
    plan({
      installed: [
        { ...TOOL, options: [["version", "1"]] },
        { ...TOOL, options: [["version", second]] },
      ],
    });
  expect(explain(twice("2"), twice("2"))).toEqual([]);
  expect(explain(twice("2"), twice("3")).map(({ text }) => text)).toEqual([
    "feature r.test/tool:1 option version changed",
  ]);
});
