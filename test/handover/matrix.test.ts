import { expect, test } from "vitest";
import { makeMatrix } from "../../src/handover/matrix.ts";
import { parseRunner, type Runner } from "../../src/inputs/runners.ts";
import type { Platform } from "../../src/oci/platform.ts";
import type { Verdict } from "../../src/probe/verdict.ts";
import type { Result } from "../../src/publish/outcome.ts";
import { chooseRunners } from "../../src/report/runners-due.ts";
import { indexOf, sha } from "../plan-of.ts";

const amd64: Platform = { os: "linux", architecture: "amd64" };
const arm64: Platform = { os: "linux", architecture: "arm64" };
const armv7: Platform = { os: "linux", architecture: "arm", variant: "v7" };
const riscv64: Platform = { os: "linux", architecture: "riscv64" };

test.each<[string, string, Runner]>([
  ["one label", "linux/arm64=ubuntu-24.04-arm", { platform: arm64, labels: ["ubuntu-24.04-arm"] }],
  ["several labels", "linux/arm64=self-hosted, ARM64", { platform: arm64, labels: ["self-hosted", "ARM64"] }],
  ["blanks, and the platform by another name", " linux/aarch64 = big arm ", { platform: arm64, labels: ["big arm"] }],
  ["a variant", "linux/arm/v7=pi", { platform: armv7, labels: ["pi"] }],
  ["a label with an equals sign", "linux/amd64=size=xl", { platform: amd64, labels: ["size=xl"] }],
])("an item of runners: %s", (_, item, expected) => {
  expect(parseRunner(item)).toEqual(expected);
});

test.each([
  ["a typo in the platform", "linux/arm46=pi", /"linux\/arm46" is no platform: linux has no architecture "arm46"/],
  ["a label alone", "ubuntu-24.04-arm", /not written as linux\/<architecture>=<label>/],
  ["a blank for the sign", "linux/arm64 pi", /not written as linux\/<architecture>=<label>/],
  ["JSON", '{"linux/arm64": "pi"}', /not written as linux\/<architecture>=<label>/],
  ["no label", "linux/arm64=", /not written as linux\/<architecture>=<label>/],
  ["no equals sign", "linux/arm64", /not written as/],
  ["an empty label among others", "linux/arm64=self-hosted,,ARM64", /not written as/],
])("an item of runners that is wrong: %s", (_, item, words) => {
  const parsed = parseRunner(item);
  expect("wrong" in parsed ? parsed.wrong : parsed).toMatch(words);
});

const index = indexOf({ "linux/amd64": "a", "linux/arm64": "b" });
const image = { registry: "cache.test", repository: "team/app", digest: index.descriptor.digest };
const foundAmd64 = { platform: amd64, manifest: sha("a"), index };
const stale: Verdict = { kind: "stale", image, index, found: [foundAmd64], reusable: [] };
const miss: Verdict = { kind: "miss", damaged: [] };

type Due = { readonly result: Result; readonly verdict: Verdict; readonly missing: readonly Platform[] };

test.each<[string, Due, readonly Platform[]]>([
  ["a hit", { result: "hit", verdict: { kind: "joinable", found: [foundAmd64] }, missing: [] }, []],
  ["a miss", { result: "miss", verdict: miss, missing: [amd64, arm64] }, [amd64, arm64]],
  [
    "some are missing",
    {
      result: "partial",
      verdict: { kind: "partial", found: [foundAmd64], missing: [arm64], damaged: [] },
      missing: [arm64],
    },
    [arm64],
  ],
  ["the last good image handed out", { result: "stale", verdict: stale, missing: [] }, [amd64, arm64]],
  [
    "the last good image handed out, one platform of it is up to date",
    { result: "stale", verdict: { ...stale, reusable: [foundAmd64] }, missing: [] },
    [arm64],
  ],
  ["a base moved, and it was built", { result: "built", verdict: stale, missing: [] }, []],
  ["it cannot be told", { result: "unknown", verdict: miss, missing: [amd64, arm64] }, []],
])("who has to build: %s", (_, ending, expected) => {
  const due = chooseRunners({ platforms: [amd64, arm64], runners: [] }, ending);
  expect(due.map(({ platform }) => platform)).toEqual(expected);
});

test("each platform has a machine of its kind, the rare ones are emulated, and what is named counts", () => {
  const runners: readonly Runner[] = [{ platform: armv7, labels: ["self-hosted", "pi"] }];
  const missing = [amd64, arm64, armv7, riscv64];
  const due = chooseRunners({ platforms: missing, runners }, { result: "miss", verdict: miss, missing });
  expect(makeMatrix(due)).toEqual({
    include: [
      { platform: "linux/amd64", runner: "ubuntu-latest", slug: "linux-amd64" },
      { platform: "linux/arm64", runner: "ubuntu-24.04-arm", slug: "linux-arm64" },
      { platform: "linux/arm/v7", runner: ["self-hosted", "pi"], slug: "linux-arm-v7" },
      { platform: "linux/riscv64", runner: "ubuntu-latest", slug: "linux-riscv64" },
    ],
  });
});

test("nobody has to build: a matrix without legs", () => {
  expect(makeMatrix([])).toEqual({ include: [] });
});
