import fc from "fast-check";
import { expect, test } from "vitest";
import type { BuildStep } from "../../src/buildx/build-record.ts";
import { pictureOf } from "../../src/report/picture.ts";
import { renderSummary, summarise } from "../../src/report/summary.ts";
import { REPORTS } from "./reports.ts";

// Golden texts, of which scripts/pictures.mjs makes the pictures of docs/.
test.each(Object.entries(REPORTS))("the summary of %s", async (name, report) => {
  await expect(renderSummary(report, { drawsMermaid: true })).toMatchFileSnapshot(`../golden/summary-${name}.txt`);
});

test.each([
  [
    "hit",
    "- ✅ **Dev container** `.devcontainer/devcontainer.json`: the image is in the cache, about 6 min of building saved\n",
  ],
  [
    "built",
    "- 🔨 **Dev container** `.devcontainer/devcontainer.json`: the image was built: linux/amd64 in 91.3 s, linux/arm64 in 128.6 s (.devcontainer/Dockerfile:6 RUN changed; requirements.txt changed; feature ghcr.io/devcontainers/features/node:1 option version changed)\n",
  ],
])("where another job tells of it, a %s is a line", (name, line) => {
  const report = REPORTS[name];
  if (!report) throw new Error(name);
  expect(summarise(report, { drawsMermaid: true }, ["miss"])).toBe(line);
  expect(summarise(report, { drawsMermaid: true }, [report.result])).toBe(
    renderSummary(report, { drawsMermaid: true }),
  );
});

test.each(["failed", "miss", "fork", "refused"])("what nobody else tells of is told whole: %s", (name) => {
  const report = REPORTS[name];
  if (!report) throw new Error(name);
  expect(summarise(report, { drawsMermaid: true }, [])).toBe(renderSummary(report, { drawsMermaid: true }));
});

const PLATFORM = { os: "linux", architecture: "amd64" };
const step = (name: string, more: Partial<BuildStep> = {}): BuildStep => ({
  name,
  begun: 0,
  seconds: 1,
  isInstruction: true,
  how: "ran",
  ...more,
});
const draw = (steps: readonly BuildStep[], drawsMermaid = true): string =>
  pictureOf([{ platform: PLATFORM, steps }], { drawsMermaid }).join("\n\n");
const barsOf = (picture: string): readonly string[] => picture.split("\n").filter((line) => line.includes("ms"));

test("a host that draws nothing gets a table of the slowest and the cached", () => {
  const steps = [step("[2/9] RUN a && b", { seconds: 61.2 }), step("[3/9] RUN c | d", { how: "cached", seconds: 0 })];
  expect(draw(steps, false)).toBe(`**The build for linux/amd64:** 2 steps, 1 cached, 1 min 1 s

| Platform | Step | Time |
| --- | --- | --- |
| linux/amd64 | \\[2/9\\] RUN a &amp;&amp; b | 1 min 1 s |
| linux/amd64 | \\[3/9\\] RUN c \\| d | cached |`);
});

test("of many steps the slowest eight and four of the cached, in the order in which they began", () => {
  const ran = Array.from({ length: 30 }, (_, at) => step(`ran ${at}`, { begun: 30 - at, seconds: at }));
  const cached = Array.from({ length: 30 }, (_, at) => step(`old ${at}`, { begun: 40 + at, how: "cached" }));
  const names = barsOf(draw([...ran, ...cached])).map((line) => /(ran|old) \d+/.exec(line)?.[0]);
  const slowest = [29, 28, 27, 26, 25, 24, 23, 22].map((at) => `ran ${at}`);
  expect(names).toEqual([...slowest, "old 0", "old 1", "old 2", "old 3"]);
  expect(draw([...ran, ...cached], false)).toContain("And 48 more steps, in the log.");
});

test("nothing was built, nothing is drawn", () => {
  expect(pictureOf([], { drawsMermaid: true })).toEqual([]);
  expect(pictureOf([{ platform: PLATFORM, steps: [] }], { drawsMermaid: true })).toEqual([]);
});

test("no name of a step is anything else in a diagram than a label", () => {
  const hostile = fc
    .array(
      fc.constantFrom(
        ...[
          "\n",
          "```",
          "%%",
          "#",
          ";",
          ":",
          "::",
          "<b>",
          "click x call y()",
          "section ",
          "title ",
          "end",
          "---",
          "$$",
        ],
        ...["a", "[1/2] ", "2026-01-01", '"', "`", "&", "\\", "\u2028", "{", "}", "%%{init: {}}%%", "dateFormat x"],
      ),
      { maxLength: 8 },
    )
    .map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 4 }), (names) => {
      const picture = draw(names.map((name) => step(name)));
      const [, chart = ""] = /^```mermaid\n([\s\S]*?)\n```$/m.exec(picture) ?? [];
      const [head, ...tasks] = chart.split("\n    section linux/amd64\n");
      expect(head).toBe("gantt\n    dateFormat HH:mm:ss.SSS\n    axisFormat %S.%L s\n    todayMarker off");
      const lines = tasks.join("").split("\n");
      expect(lines).toHaveLength(names.length);
      for (const line of lines)
        expect(line).toMatch(/^ {4}1\.0 s(?: (?:[\p{L}\p{N} ._/@=+-]|#58;)+…?)? :active, 00:00:00\.000, 1000ms$/u);
    }),
  );
});
