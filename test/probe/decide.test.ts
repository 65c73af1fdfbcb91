import { expect, test } from "vitest";
import type { Platform } from "../../src/oci/platform.ts";
import { cannotTell, type Decision, decide } from "../../src/probe/decide.ts";
import type { Found } from "../../src/probe/found.ts";
import type { Verdict } from "../../src/probe/verdict.ts";
import type { Doubt } from "../../src/sources/doubt.ts";
import { indexOf, sha } from "../plan-of.ts";

const amd64: Platform = { os: "linux", architecture: "amd64" };
const arm64: Platform = { os: "linux", architecture: "arm64" };
const index = indexOf({ "linux/amd64": "a", "linux/arm64": "b" });
const foundArm64: Found = { platform: arm64, manifest: sha("b"), index };
const image = { registry: "cache.test", repository: "team/app", digest: index.descriptor.digest };
const doubt: Doubt = {
  kind: "registry",
  what: "the tag x",
  error: { kind: "denied", request: "GET x", status: 403, words: "no" },
};
const limited: Doubt = {
  kind: "registry",
  what: "the tag x",
  error: { kind: "limited", request: "GET x", status: 429, words: "slow" },
};

const hit: Verdict = { kind: "hit", image, index, found: [foundArm64] };
const stale: Verdict = { kind: "stale", image, index, found: [foundArm64], reusable: [] };
const partial: Verdict = { kind: "partial", found: [foundArm64], missing: [amd64], damaged: [] };
const miss: Verdict = { kind: "miss", damaged: [] };

type Choice = {
  readonly onMiss?: "build" | "fail" | "continue";
  readonly onDrift?: "build" | "use" | "fail";
  readonly onUnknown?: "build" | "fail" | "continue";
  readonly force?: boolean;
};

const told = (decision: Decision): string => {
  if (decision.kind === "build")
    return `build ${decision.platforms.map(({ architecture }) => architecture).join("+")}, reuse ${decision.reuse.length}`;
  if (decision.kind === "report") return `report ${decision.result} ${decision.failure?.code ?? "ok"}`;
  return decision.kind === "hand-out" ? `hand out ${decision.result}` : `join ${decision.found.length}`;
};

test.each<[string, Verdict, Choice, string]>([
  ["hit", hit, {}, "hand out hit"],
  ["hit whatever the rest says", hit, { onMiss: "fail", onDrift: "fail" }, "hand out hit"],
  ["hit, force", hit, { force: true }, "build amd64+arm64, reuse 0"],
  ["joinable, force", { kind: "joinable", found: [foundArm64] }, { force: true }, "build amd64+arm64, reuse 0"],
  ["partial, force: what is there is built too", partial, { force: true }, "build amd64+arm64, reuse 0"],
  [
    "stale, force: what could be used again is built too",
    { ...stale, reusable: [foundArm64] },
    { force: true },
    "build amd64+arm64, reuse 0",
  ],
  ["stale, force over use", stale, { force: true, onDrift: "use" }, "build amd64+arm64, reuse 0"],
  [
    "stale for upstream cannot be read, force is no knowledge",
    { ...stale, doubt },
    { force: true },
    "report unknown E_AUTH",
  ],
  ["unknown, force is no knowledge", { kind: "unknown", doubt }, { force: true }, "report unknown E_AUTH"],
  ["joinable", { kind: "joinable", found: [foundArm64] }, { onMiss: "fail" }, "join 1"],
  ["partial, build", partial, {}, "build amd64, reuse 1"],
  ["partial, fail", partial, { onMiss: "fail" }, "report partial E_MISS"],
  ["partial, continue", partial, { onMiss: "continue" }, "report partial ok"],
  ["miss, build", miss, {}, "build amd64+arm64, reuse 0"],
  ["miss, fail", miss, { onMiss: "fail" }, "report miss E_MISS"],
  ["miss, continue", miss, { onMiss: "continue" }, "report miss ok"],
  ["stale, build", stale, {}, "build amd64+arm64, reuse 0"],
  ["stale, build what is not there", { ...stale, reusable: [foundArm64] }, {}, "build amd64, reuse 1"],
  ["stale, use", stale, { onDrift: "use", onMiss: "fail" }, "hand out stale"],
  ["stale, fail", stale, { onDrift: "fail" }, "report stale E_DRIFT"],
  ["stale for upstream cannot be read, use", { ...stale, doubt }, { onDrift: "use" }, "hand out stale"],
  ["stale for upstream cannot be read, build: on-unknown decides", { ...stale, doubt }, {}, "report unknown E_AUTH"],
  ["unknown, fail", { kind: "unknown", doubt }, {}, "report unknown E_AUTH"],
  ["unknown by a rate limit, fail", { kind: "unknown", doubt: limited }, {}, "report unknown E_UNKNOWN"],
  ["unknown, continue", { kind: "unknown", doubt }, { onUnknown: "continue" }, "report unknown ok"],
  ["unknown, build", { kind: "unknown", doubt }, { onUnknown: "build" }, "build amd64+arm64, reuse 0"],
])("%s", (_, verdict, choice, expected) => {
  const inputs = {
    onMiss: "build",
    onDrift: "build",
    onUnknown: "fail",
    force: false,
    platforms: [amd64, arm64],
    cacheRepository: { registry: "cache.test", repository: "team/app" },
    ...choice,
  } as const;
  // The platforms of what was found are the very objects of the inputs, as the probe hands them on.
  expect(told(decide(verdict, inputs, []))).toBe(expected);
});

test("who asked to fail on a miss is told all reasons, what is there and does not count among them", () => {
  const gone = "the layer sha256:1 of linux/amd64 is gone from the registry";
  const [old, changed] = ["the image that is there was built 9 days ago", "setup.sh changed"];
  const reasons = [gone, old, changed].map((text) => ({ part: "yours", ingredient: "context", text }) as const);
  const choice = { onMiss: "fail", onDrift: "build", onUnknown: "fail", force: false } as const;
  const inputs = { ...choice, platforms: [amd64], cacheRepository: { registry: "cache.test", repository: "team/app" } };
  const decision = decide({ kind: "miss", damaged: [gone, old] }, inputs, reasons);
  expect(decision).toMatchObject({
    failure: {
      message: `An image that counts for linux/amd64 is not in cache.test/team/app: ${gone}; ${old}; ${changed}.`,
    },
  });
});

test.each([
  ["miss", { kind: "miss", damaged: [] }],
  ["drift", { kind: "stale", reusable: [], found: [], doubt: undefined }],
] as const)("of many reasons the error tells the first, and how many there are: %s", (_, verdict) => {
  const reasons = [1, 2, 3, 4, 5].map((at) => {
    return { part: "yours", ingredient: "context", text: `file${at} changed`, at: { file: `file${at}` } } as const;
  });
  const choice = { onMiss: "fail", onDrift: "fail", onUnknown: "fail", force: false } as const;
  const inputs = { ...choice, platforms: [amd64], cacheRepository: { registry: "cache.test", repository: "team/app" } };
  const decision = decide(verdict as unknown as Verdict, inputs, reasons);
  expect(decision).toMatchObject({
    failure: {
      message: expect.stringMatching(/: file1 changed; file2 changed; file3 changed; and 2 more changes\.$/),
      at: { file: "file1" },
    },
  });
});

test("who is refused what the configuration names is told to look at the name, and not to log in alone", () => {
  const at = { file: ".devcontainer/Dockerfile", line: 1 };
  expect(cannotTell({ ...doubt, at }).fix).toMatch(/^Check the name first: .* Log in/);
  expect(cannotTell({ ...doubt, at, hint: "Was it b?" }).fix).toMatch(/^Was it b\? Log in/);
  expect(cannotTell({ ...limited, at, hint: "Was it b?" }).fix).toMatch(/^Log in to that registry/);
  expect(cannotTell(doubt).fix).toMatch(/^Log in/);
});
