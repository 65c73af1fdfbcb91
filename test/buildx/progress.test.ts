import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { output, play, time, vertex } from "./progress-room.ts";

test("a step that runs: its name, what it prints, how long it took", () => {
  const { log } = play([
    vertex("a", "[2/3] RUN make", { from: 1 }),
    output("a", "cc main.c\nld main\n"),
    vertex("a", "[2/3] RUN make", { from: 1, to: 3.5 }),
  ]);
  expect(log).toEqual([
    "[linux/arm64] [2/3] RUN make",
    "[linux/arm64]   cc main.c",
    "[linux/arm64]   ld main",
    "[linux/arm64]   done in 2.5 s",
    "[linux/arm64] 1 step, 0 cached, 0.0 s",
  ]);
});

test("what BuildKit says it has pushed, once that has ended", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const part = (id: string, times = {}): string => JSON.stringify({ statuses: [{ id, vertex: "p", ...times }] });
  const ended = { started: time(1), completed: time(2) };
  const pushed: string[] = [];
  const { log } = play(
    [
      part("pushing layers", ended),
      part(`pushing manifest for cache.test/app:tmp-1@${digest}`, { started: time(1) }),
      part(`exporting manifest list ${digest}`, ended),
      part("pushing manifest for cache.test/app:latest", ended),
      part(`pushing manifest for cache.test/app@${digest}`, ended),
    ],
    { onPushed: (one) => pushed.push(one) },
  );
  expect(pushed).toEqual([digest]);
  expect(log).toEqual([]);
});

test("what is cached, what copies, and what BuildKit does for itself", () => {
  const { log } = play([
    vertex("i", "[internal] load build definition from Dockerfile", { from: 0, to: 1 }),
    vertex("m", "[linux/arm64 internal] load metadata for debian:12", { from: 0, to: 1 }),
    vertex("r", "resolve image config for docker-image://docker.io/scanner:1", { from: 0, to: 1 }),
    vertex("t", "[auth] team/app:pull token for ghcr.io", { from: 0, to: 1 }),
    vertex("x", "[context shared] load .dockerignore", { from: 0, to: 1 }),
    vertex("a", "[2/4] RUN make", { from: 1, to: 1, cached: true }),
    vertex("b", "[3/4] COPY . /app", { from: 1 }),
    vertex("b", "[3/4] COPY . /app", { from: 1, to: 1.2 }),
    vertex("c", "[4/4] WORKDIR /app", { from: 2, to: 2, cached: true }),
    vertex("c", "[4/4] WORKDIR /app", { from: 2, to: 2, cached: true }),
    vertex("d", "[other 2/2] RUN nobody needs this"),
  ]);
  expect(log).toEqual([
    "[linux/arm64] [2/4] RUN make: cached",
    "[linux/arm64] [3/4] COPY . /app: 0.2 s",
    "[linux/arm64] [4/4] WORKDIR /app: cached",
    "[linux/arm64] 3 steps, 2 cached, 0.0 s",
  ]);
});

test("a cached step whose layers are fetched in the end is told of again, and stays cached", () => {
  const { log } = play([
    vertex("a", "[2/2] RUN make", { from: 1, to: 1, cached: true }),
    vertex("a", "[2/2] RUN make", { from: 2 }),
    vertex("a", "[2/2] RUN make", { from: 2, to: 9 }),
  ]);
  expect(log).toEqual(["[linux/arm64] [2/2] RUN make: cached", "[linux/arm64] 1 step, 1 cached, 0.0 s"]);
});

test("the steps of a build: when each began, how long it took, and what became of it", () => {
  const { end } = play([
    vertex("i", "[internal] load build definition from Dockerfile", { from: 0, to: 1 }),
    vertex("a", "[2/4] RUN make", { from: 3, to: 3, cached: true }),
    vertex("f", BASE, { from: 1, to: 3 }),
    vertex("b", "[3/4] COPY . /app", { from: 3.5, to: 4 }),
    vertex("c", "[4/4] RUN test", { from: 4 }),
    vertex("d", "[other 2/2] RUN beside", { from: 4 }),
    vertex("n", "[third 2/2] RUN nobody needs this"),
    vertex("c", "[4/4] RUN test", { from: 4, to: 6, error: "boom" }),
    vertex("d", "[other 2/2] RUN beside", { from: 4, to: 6, error: "context canceled" }),
  ]);
  expect(end.steps).toEqual([
    { name: "[1/2] FROM debian:12@sha256:aaaaaaaaaaaa", isInstruction: false, begun: 0, seconds: 2, how: "ran" },
    { name: "[2/4] RUN make", isInstruction: true, begun: 2, seconds: 0, how: "cached" },
    { name: "[3/4] COPY . /app", isInstruction: true, begun: 2.5, seconds: 0.5, how: "ran" },
    { name: "[4/4] RUN test", isInstruction: true, begun: 3, seconds: 2, how: "failed" },
    { name: "[other 2/2] RUN beside", isInstruction: true, begun: 3, seconds: 2, how: "cancelled" },
  ]);
});

const BASE = `[1/2] FROM debian:12@sha256:${"a".repeat(64)}`;

test("a base image is over when a step needs it, not each time that BuildKit calls it completed", () => {
  const { log } = play([
    vertex("f", BASE, { from: 0, to: 1 }),
    vertex("f", BASE, { from: 2 }),
    JSON.stringify({ statuses: [{ id: "sha256:1", vertex: "f", current: 1, total: 9, started: time(2) }] }),
    JSON.stringify({ statuses: [{ id: "sha256:2", vertex: "f", current: 1, total: 9, started: time(2) }] }),
    vertex("f", BASE, { from: 2, to: 4 }),
    vertex("f", BASE, { from: 2, to: 5 }),
    vertex("a", "[2/2] RUN make", { inputs: ["f"] }),
    vertex("a", "[2/2] RUN make", { from: 6, to: 7, inputs: ["f"] }),
  ]);
  expect(log).toEqual([
    "[linux/arm64] [1/2] FROM debian:12@sha256:aaaaaaaaaaaa: is being fetched",
    "[linux/arm64] [1/2] FROM debian:12@sha256:aaaaaaaaaaaa: 4.0 s",
    "[linux/arm64] [2/2] RUN make: 1.0 s",
    "[linux/arm64] 1 step, 0 cached, 0.0 s",
  ]);
});

const layer = (id: string, to?: number) =>
  JSON.stringify({
    statuses: [{ id, vertex: "f", total: 9, started: time(0), ...(to === undefined ? {} : { completed: time(to) }) }],
  });

test.each([
  ["there already", [layer("sha256:1", 0)]],
  ["while another step has the floor", [vertex("a", "[other 2/2] RUN make", { from: 0 }), layer("sha256:1")]],
])("a base image of which nothing need be said yet: %s", (_, lines) => {
  const { log } = play([vertex("f", BASE, { from: 0 }), ...lines]);
  expect(log.filter((line) => line.includes("fetched"))).toEqual([]);
  expect(log.filter((line) => line.includes("FROM"))).toEqual([
    "[linux/arm64] [1/2] FROM debian:12@sha256:aaaaaaaaaaaa: 0.0 s",
  ]);
});

test("what a push consists of, where it took a while", () => {
  const part = (id: string, to: number) =>
    JSON.stringify({ statuses: [{ id, vertex: "e", current: 0, started: time(0), completed: time(to) }] });
  const { log } = play([
    vertex("e", "exporting to image", { from: 0 }),
    part("exporting manifest", 0.9),
    part("exporting layers", 2),
    part("pushing layers", 12),
    part("pushing layers", 12),
    vertex("e", "exporting to image", { from: 0, to: 13 }),
  ]);
  expect(log).toEqual([
    "[linux/arm64] exporting to image",
    "[linux/arm64]   exporting layers: 2.0 s",
    "[linux/arm64]   pushing layers: 12.0 s",
    "[linux/arm64]   done in 13.0 s",
    "[linux/arm64] 0 steps, 0 cached, 0.0 s",
  ]);
});

test("pieces are cut within lines and characters, and streams do not mix", () => {
  const bytes = Buffer.from("grün\n");
  const { log } = play([
    vertex("a", "[2/2] RUN make", { from: 0 }),
    output("a", bytes.subarray(0, 3)),
    output("a", "warning: ", 2),
    output("a", bytes.subarray(3)),
    output("a", "unused\nno end", 2),
    vertex("a", "[2/2] RUN make", { from: 0, to: 1 }),
    output("b", bytes.subarray(0, 3)),
  ]);
  expect(log).toEqual([
    "[linux/arm64] [2/2] RUN make",
    "[linux/arm64]   grün",
    "[linux/arm64]   warning: unused",
    "[linux/arm64]   no end",
    "[linux/arm64]   done in 1.0 s",
    "[linux/arm64] a step without a name",
    "[linux/arm64]   gr\ufffd",
    "[linux/arm64] 1 step, 0 cached, 0.0 s",
  ]);
});

test.each([
  ["a progress bar", "10%\r50%\r100%\n", "  100%"],
  ["a line of another system", "fine\r\n", "  fine"],
  ["colours", "\u001b[1;31mred\u001b[0m\n", "  red"],
  ["a command to the runner, which the log breaks", "::add-mask::a ##[x]b\n", "  ::add-mask::a ##[x]b"],
  ["a tab and spaces at the end", "\ta  \n", "  \ta"],
  ["an empty line", "\n", ""],
  ["a very long line", `${"x".repeat(2500)}\n`, `  ${"x".repeat(2000)}… (500 more characters)`],
])("printed: %s", (_, printed, told) => {
  const { log } = play([vertex("a", "[2/2] RUN make", { from: 0 }), output("a", printed)]);
  expect(log[1]).toBe(`[linux/arm64] ${told}`.trimEnd());
});

test("an error, and the text that buildx ends with", () => {
  const error = 'process "/bin/sh -c make" did not complete successfully: exit code: 2';
  const { log, end } = play([
    vertex("a", "[2/2] RUN make", { from: 0 }),
    vertex("b", "[other 1/1] RUN sleep", { from: 0 }),
    output("a", "no rule\n", 2),
    vertex("a", "[2/2] RUN make", { from: 0, to: 1, error }),
    vertex("b", "[other 1/1] RUN sleep", { from: 0, to: 1, error: `${error}: context canceled: context canceled` }),
    "Dockerfile:2",
    "--------------------",
    "   2 | >>> RUN make",
    "--------------------",
    `ERROR: failed to build: failed to solve: ${error}`,
  ]);
  expect(log).toEqual([
    "[linux/arm64] [2/2] RUN make",
    "[linux/arm64]   no rule",
    "[linux/arm64]   failed after 1.0 s",
    "[linux/arm64] [other 1/1] RUN sleep",
    "[linux/arm64]   cancelled",
    "[linux/arm64] Dockerfile:2",
    "[linux/arm64] --------------------",
    "[linux/arm64]    2 | >>> RUN make",
    "[linux/arm64] --------------------",
    `[linux/arm64] ERROR: failed to build: failed to solve: ${error}`,
    "[linux/arm64] 2 steps, 0 cached, 0.0 s",
  ]);
  expect(end.failure).toEqual({
    words: `failed to solve: ${error}`,
    step: "[2/2] RUN make",
    output: ["no rule"],
    line: 2,
  });
});

test("a step that was ended because another failed is not what failed", () => {
  const error = "process did not complete successfully: exit code: 137: context canceled";
  const { end } = play([vertex("a", "[2/2] RUN make", { from: 0, to: 1, error }), "ERROR: failed to solve: other"]);
  expect(end.failure.step).toBeUndefined();
});

test.each<readonly [string, string, string]>([
  ["is not there yet", "failed to configure registry cache importer: r/cache:1: not found", "there is none yet"],
  [
    "is not there yet",
    "failed to configure registry cache importer: docker.io/r/cache:1: not found",
    "there is none yet",
  ],
  ...[
    "failed to configure registry cache importer: r/other:1: not found",
    "failed to configure registry cache importer: r/cache:1: pull access denied",
    "failed to configure registry cache importer: r/cache:1: failed to fetch token: 404 Not Found: not found",
  ].map((error) => ["cannot be read", error, `nothing to import: ${error}`] as const),
])("a layer cache that %s is no failure: %s", (_, error, told) => {
  const { log, end } = play([
    vertex("c", "importing cache manifest from r/cache:1", { from: 0, to: 1, error }),
    vertex("a", "[2/2] RUN make", { from: 0, to: 1, error: "broken" }),
    "ERROR: something else",
  ]);
  expect(log[0]).toBe(`[linux/arm64] importing cache manifest from r/cache:1: ${told}`);
  expect(end.refusedCaches).toEqual(told === "there is none yet" ? [] : [{ name: "r/cache:1", error }]);
  expect(end.failure.step).toBe("[2/2] RUN make");
});

test("a layer cache that could not be exported is told apart from what made the build fail", () => {
  const error = "error writing manifest blob: 400 Bad Request";
  const { end } = play([vertex("c", "exporting cache to registry", { from: 0, to: 1, error })]);
  expect(end.lostCache).toBe(error);
  expect(play([vertex("c", "exporting cache to registry", { from: 0, to: 1 })]).end.lostCache).toBeUndefined();
});

test("the last lines of what failed are kept", () => {
  const printed = Array.from({ length: 50 }, (_, line) => `line ${line}\n`).join("");
  const { end } = play([
    output("a", printed),
    output("a", "the end"),
    vertex("a", "[2/2] RUN make", { from: 0, to: 1, error: "broken" }),
    "ERROR: broken",
  ]);
  expect(end.failure.output).toHaveLength(20);
  expect(end.failure.output.at(-1)).toBe("the end");
  expect(end.failure.output[0]).toBe("line 31");
});

test("names, errors, warnings and the text are redacted; what commands print is not", () => {
  const { log, end } = play(
    [
      vertex("c", "importing cache manifest from r", { from: 0, to: 1, error: "canary: not found" }),
      vertex("a", "[2/2] RUN make KEY=canary", { from: 0 }),
      output("a", "canary\n"),
      JSON.stringify({ warnings: [{ short: Buffer.from("Rule: canary").toString("base64") }] }),
      vertex("a", "[2/2] RUN make KEY=canary", { from: 0, to: 1, error: "cannot canary" }),
      "ERROR: failed to solve: cannot canary",
    ],
    { reword: (text) => text.replaceAll("canary", "$KEY") },
  );
  expect(log.filter((line) => line.includes("canary"))).toEqual(["[linux/arm64]   canary"]);
  expect(end.failure).toMatchObject({ step: "[2/2] RUN make KEY=$KEY", words: "failed to solve: cannot $KEY" });
  expect(end.warnings[0]?.short).toBe("Rule: $KEY");
});

test("of much text, the last words are kept", () => {
  const { end } = play([...Array.from({ length: 300 }, (_, line) => `#1 ${line}`), "ERROR: at last"]);
  expect(end.failure.words).toBe("at last");
});

test("a remark about no line", () => {
  const short = Buffer.from("Rule: x").toString("base64");
  const { end } = play([JSON.stringify({ warnings: [{ short, url: "", range: [{ start: { line: 0 } }] }] })]);
  expect(end.warnings).toEqual([{ short: "Rule: x", url: undefined, line: undefined }]);
});

test("old buildx indents each object over several lines", () => {
  const indented = [
    vertex("a", "[2/2] RUN make", { from: 0 }),
    output("a", "fine\n"),
    vertex("a", "[2/2] RUN make", { from: 0, to: 1 }),
  ].flatMap((line) => JSON.stringify(JSON.parse(line), undefined, 2).split("\n"));
  expect(play(indented).log).toEqual([
    "[linux/arm64] [2/2] RUN make",
    "[linux/arm64]   fine",
    "[linux/arm64]   done in 1.0 s",
    "[linux/arm64] 1 step, 0 cached, 0.0 s",
  ]);
});

const recorded = (name: string) => readFileSync(`test/fixtures/buildx/${name}.stderr`, "utf8").split("\n");

test.each(["failed-0.13.1", "failed-0.29.1"])("as a real buildx said it: %s", (name) => {
  const { log, end } = play(recorded(name));
  expect(log.map((line) => line.replace("[linux/arm64] ", "").replace(/127.*$/, "…")).slice(0, 4)).toEqual([
    "[1/2] FROM …",
    '[2/2] RUN for i in $(seq 1 40); do echo "line $i"; done; echo oops >&2; exit 42',
    "  line 1",
    expect.stringMatching(/^ {2}(oops|line 2)$/),
  ]);
  expect(log.filter((line) => line.includes("  line "))).toHaveLength(40);
  expect(log.at(-1)).toBe("[linux/arm64] 1 step, 0 cached, 0.0 s");
  expect(end.failure).toMatchObject({ line: 3, step: expect.stringContaining("exit 42") });
  expect(end.failure.words).toMatch(/^failed to solve: process .* exit code: 42$/);
  expect(end.failure.output).toContain("line 40");
});

test("checks of two platforms, as a real buildx said them", () => {
  const { warnings } = play(recorded("checked-0.29.1")).end;
  expect(warnings.map(({ short, line }) => `${line} ${short.replace(/:.*/, "")}`)).toEqual([
    "1 StageNameCasing",
    "1 FromAsCasing",
    "1 ConsistentInstructionCasing",
    "2 SecretsUsedInArgOrEnv",
    "3 SecretsUsedInArgOrEnv",
    "5 LegacyKeyValueFormat",
    "6 JSONArgsRecommended",
  ]);
  expect(warnings[0]?.url).toBe("https://docs.docker.com/go/dockerfile/rule/stage-name-casing/");
});

test.each([
  ["plain progress", ["#1 [internal] load", "", "#1 DONE 0.0s"], ["#1 [internal] load", "#1 DONE 0.0s"]],
  ["an object that is something else", ['{"name":1}'], ['{"name":1}']],
  ["an object that never ends", ["{", '  "vertexes": ['], ["{", '  "vertexes": [']],
  ["an object that is broken", ["{", "  oops", "}", "on"], ["{", "  oops", "}", "on"]],
])("not rawjson is told as it is: %s", (_, lines, told) => {
  expect(play(lines).log).toEqual(told.map((line) => `[linux/arm64] ${line}`));
});

const names = fc.constantFrom(
  "[1/3] FROM a",
  "[2/3] RUN b",
  "[3/3] COPY c d",
  "exporting to image",
  "[internal] e",
  "",
);
const digests = fc.constantFrom("a", "b", "c", "d");
const times = fc.option(fc.oneof(fc.integer({ min: 0, max: 99 }).map(time), fc.string()), { nil: undefined });
const messages = fc.record(
  {
    vertexes: fc.array(
      fc.record(
        { digest: digests, name: names, started: times, completed: times, cached: fc.boolean(), error: fc.string() },
        { requiredKeys: ["digest", "name"] },
      ),
    ),
    logs: fc.array(fc.record({ vertex: digests, stream: fc.nat(2), data: fc.base64String() })),
    statuses: fc.array(
      fc.record({ vertex: digests, id: fc.string(), total: fc.nat(), started: times, completed: times }),
    ),
    warnings: fc.array(fc.record({ short: fc.base64String(), range: fc.jsonValue() })),
  },
  { requiredKeys: [] },
);

test("nothing that is read makes it throw", () => {
  const lines = fc.oneof(
    fc.string(),
    fc.constantFrom("{", "}", "------", "Dockerfile:0", "ERROR: x"),
    fc.json(),
    messages.map((message) => JSON.stringify(message)),
    fc.jsonValue().map((value) => JSON.stringify({ vertexes: value, logs: value, statuses: value, warnings: value })),
    fc
      .jsonValue()
      .map((value) => JSON.stringify({ vertexes: [value], logs: [value], statuses: [value], warnings: [value] })),
  );
  fc.assert(
    fc.property(fc.array(lines), fc.nat(9000), (stderr, pace) => {
      let now = 0;
      const { log } = play(stderr, { clock: () => (now += pace) });
      expect(log.every((line) => !line.includes("\n") && line.startsWith("[linux/arm64]"))).toBe(true);
    }),
  );
});

test("every line that a step prints is told once, in its order, whoever else talks", () => {
  const said = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(8000)), { maxLength: 40 });
  fc.assert(
    fc.property(said, (turns) => {
      let now = 0;
      const lines = turns.map(([digest], index) => output(digest, `${digest} says ${index}\n`));
      const paces = turns.map(([, pace]) => pace);
      const { log } = play(lines, { clock: () => (now += paces[now % (paces.length || 1)] ?? 1) });
      for (const digest of ["a", "b", "c"]) {
        const expected = turns.flatMap(([speaker], index) => (speaker === digest ? [`${digest} says ${index}`] : []));
        expect(log.map((line) => line.slice(16)).filter((line) => line.startsWith(`${digest} says`))).toEqual(expected);
      }
    }),
  );
});
