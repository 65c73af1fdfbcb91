import { describe, expect, test } from "vitest";
import { play } from "./harness.ts";
import { ENGINE_ROWS, inject, ROWS, type Row } from "./push-faults.ts";
import { openSample } from "./sample.ts";
import { unsound } from "./sound.ts";

const KINDS = [
  ["platform", /^k1-[0-9a-f]{64}-linux-amd64$/],
  ["set", /^k1-[0-9a-f]{64}$/],
  ["source", /^y1-/],
  ["branch", /^branch-/],
  ["latest", /^latest$/],
] as const;

/** Plays a push in which that goes wrong, then, where it ended red, once more without. */
async function playRow(row: Row, builder: Readonly<Record<string, string>>): Promise<void> {
  const { registry, workspace, close } = await openSample();
  try {
    const inputs = { platforms: "linux/amd64", tags: "latest", ...builder };
    const { hits } = inject(registry, row);
    const told = await play({ workspace, registry, inputs });
    const [, , { code, error, tags, warning }] = row;
    expect(hits(), "the fault was met").toBeGreaterThan(0);
    expect(told.code, told.log).toBe(code);
    expect(told.outputs.result, told.log).toBe(code === 0 ? "built" : "failed");
    if (error !== undefined) expect(told.log).toContain(`[${error}]`);
    if (warning === undefined) expect(told.log).not.toContain("::warning");
    else expect(told.log).toMatch(warning);
    const there = registry.tags("team/app").filter((tag) => !tag.startsWith("tmp-"));
    expect(there.map((tag) => KINDS.find(([, name]) => name.test(tag))?.[0] ?? tag).sort(), told.log).toEqual(
      [...tags].sort(),
    );
    expect(unsound(registry)).toEqual([]);
    if (code === 0) return;
    registry.recover();
    const again = await play({ workspace, registry, inputs });
    expect(again.code, again.log).toBe(0);
    expect(unsound(registry)).toEqual([]);
  } finally {
    await close();
  }
}

describe.concurrent("a builder that pushes by digest", () => {
  test.each(ROWS)("%s: %s", (...row) => playRow(row, { "buildkit-image": "moby/buildkit:test" }));
});

describe.concurrent("the engine's own builder", () => {
  test.each(ENGINE_ROWS)("%s: %s", (...row) => playRow(row, {}));
});

test.each([
  ["immutable", "The image tag already exists and the repository is immutable", /Let the tags layers-\* .* move/],
  ["refused", "403 Forbidden", /Set cache-to to a place that takes it/],
])("the layer cache's tags are %s: one warning for both platforms, with its way out", async (_, words, fix) => {
  const { registry, workspace, close } = await openSample();
  const inputs = { platforms: "linux/amd64,linux/arm64" };
  const told = await play({ workspace, registry, inputs, env: { FAKE_DOCKER_CACHE: words } });
  await close();
  expect(told.code, told.log).toBe(0);
  const warnings = told.log.split("\n").filter((line) => line.startsWith("::warning"));
  expect(warnings).toEqual([
    expect.stringContaining("The layer cache of linux/amd64, linux/arm64 could not be exported"),
  ]);
  expect(warnings[0]).toMatch(fix);
  expect(told.summary.match(/^ {4}(?:section|1\.0 s) .*$/gm)).toEqual(
    ["linux/amd64", "linux/arm64"].flatMap((platform) => [
      `    section ${platform}`,
      "    1.0 s exporting cache to registry :crit, 00:00:00.000, 1000ms",
    ]),
  );
});

test.each([
  ["refused", "unexpected status from HEAD request: 403 Forbidden", /Log in .* set cache-from to what may be read/],
  ["out of reach", "dial tcp: lookup cache.test: no such host", /set cache-from to a place that can be read/],
])(
  "a layer cache that is %s on its way in: one warning for both platforms, why, and what to set",
  async (_, words, fix) => {
    const { registry, workspace, close } = await openSample();
    const inputs = { platforms: "linux/amd64,linux/arm64" };
    const told = await play({ workspace, registry, inputs, env: { FAKE_DOCKER_UNREAD: words } });
    await close();
    expect(told.code, told.log).toBe(0);
    const warnings = told.log.split("\n").filter((line) => line.startsWith("::warning"));
    expect(warnings).toEqual([
      expect.stringContaining(`could not be read, and what it may hold was built anew: ${words}.`),
    ]);
    expect(warnings[0]).toMatch(fix);
  },
);

test("there are rows for every request and every fault", () => {
  expect(ROWS.length + ENGINE_ROWS.length).toBeGreaterThanOrEqual(60);
});
