import { expect, test } from "vitest";
import type { Difference } from "../../src/key/difference.ts";
import { withVerdict } from "../../src/probe/reasons.ts";
import type { Verdict } from "../../src/probe/verdict.ts";
import { tellLook } from "../../src/report/log.ts";
import { renderSummary } from "../../src/report/summary.ts";
import type { Log } from "../../src/world.ts";
import { REPORTS } from "../report/reports.ts";

// Whatever the verdict is, its reasons are told in the same words by the output `miss-reasons`, the log and the summary, and each of them once
// by each.

const GONE = "the layer sha256:1 of linux/amd64 is gone from the registry";
const OLD = "the image that is there was built 9 days ago, and cache-ttl-days is 7";
const changed: Difference = {
  part: "yours",
  ingredient: "context",
  text: "setup.sh changed",
  at: { file: "setup.sh" },
};
const aged: Difference = { part: "upstream", ingredient: "age", text: OLD };
const nothing: Difference = { part: "cache", ingredient: "image", text: "nothing differs from branch-main" };
const first: Difference = { part: "cache", ingredient: "image", text: "this is the first of its branch" };
const doubt = {
  kind: "plan",
  what: "Dockerfile:1: which image that is",
  fix: "Say it.",
  at: { file: "Dockerfile" },
} as const;
const DOUBT = "Whether the image is there cannot be told: Dockerfile:1: which image that is.";

const image = { registry: "r.test", repository: "team/app", digest: `sha256:${"1".repeat(64)}` } as const;
const stored = REPORTS.stale?.verdict;
if (stored?.kind !== "stale") throw new Error("there is no stale report");
const { index } = stored;
const stale = { kind: "stale", image, index, found: [], reusable: [] } as const;

test.each<[name: string, verdict: Verdict, reasons: readonly Difference[], expected: readonly string[]]>([
  ["a miss", { kind: "miss", damaged: [] }, [changed], ["setup.sh changed"]],
  ["the first of its branch", { kind: "miss", damaged: [] }, [first], [first.text]],
  ["a miss of which nothing differs", { kind: "miss", damaged: [] }, [nothing], [nothing.text]],
  ["what does not count", { kind: "miss", damaged: [GONE] }, [nothing], [GONE]],
  ["what does not count, beside a change", { kind: "miss", damaged: [GONE] }, [changed], [GONE, "setup.sh changed"]],
  ["what is too old", { kind: "miss", damaged: [OLD] }, [aged], [OLD]],
  ["a part of it", { kind: "partial", found: [], missing: [], damaged: [GONE] }, [nothing], [GONE]],
  ["a set that is joined anew", { kind: "joinable", found: [], damaged: [GONE] }, [], [GONE]],
  ["a tag that is put back", { kind: "hit", image, index, found: [], lacksTag: true, damaged: [GONE] }, [], [GONE]],
  ["a hit", { kind: "hit", image, index, found: [] }, [], []],
  ["drift", stale, [changed], ["setup.sh changed"]],
  ["drift, and what does not count", { ...stale, damaged: [GONE] }, [changed], [GONE, "setup.sh changed"]],
  ["drift that cannot be read", { ...stale, doubt }, [], [DOUBT]],
  ["a doubt", { kind: "unknown", doubt }, [first], [DOUBT]],
])("%s", (_, verdict, reasons, expected) => {
  const explanation = withVerdict(verdict, { previous: undefined, reasons });
  expect(explanation.reasons.map(({ text }) => text)).toEqual(expected);
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  const log = { info: add, notice: add, warning: add } satisfies Partial<Log>;
  tellLook({ probed: { plan: undefined, verdict }, explanation }, log as unknown as Log, "fail");
  const report = { ...REPORTS.built, verdict, reasons: explanation.reasons, previous: undefined, sboms: undefined };
  const summary = renderSummary({ ...report, result: "built" } as NonNullable<typeof REPORTS.built>, {
    drawsMermaid: false,
  }).replaceAll("\\", "");
  for (const text of expected)
    for (const told of [lines.join("\n"), summary]) expect(told.split(text), told).toHaveLength(2);
});
