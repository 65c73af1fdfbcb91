import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

// A registry, or a proxy, that takes every request and answers none, from some step on. From then on the run's clock goes fifteen
// times faster than ours, so that its minute is four seconds.

const HURRY = 15;
/** In a minute a request that hears nothing for half of it is sent twice, and begun a third time at most. With four tries it took two. */
const MOST = 3;
/** The blobs of a plan are sent at once, and to the same address; their uploads are opened while the images are read back. */
const PLAN_BLOBS = 2;

const forEver = (): Promise<never> => new Promise(() => undefined);
const isPushed = (registry: FakeRegistry): boolean => registry.tags("team/app").length > 0;

type Silence = (line: string, registry: FakeRegistry) => boolean;

/** Plays a run against a registry of its own, and tells how often it asked for one thing that nobody answered, at most. */
async function playSilence(
  isSilent: Silence,
  { first = false, ...more }: Partial<Play> & { readonly first?: boolean },
) {
  const { registry, workspace, close } = await openSample();
  if (first) await play({ workspace, registry });
  const asked = new Map<string, number>();
  registry.hold((line) => {
    const isHeld = isSilent(line, registry);
    if (isHeld) asked.set(line, (asked.get(line) ?? 0) + 1);
    return isHeld;
  }, forEver);
  const hurry = { by: HURRY, when: () => asked.size > 0 };
  const told: Told = await play({ workspace, registry, hurry, ...more });
  await close();
  const times = [...asked].map(([line, often]) => (line.startsWith("POST") ? often / PLAN_BLOBS : often));
  return { told, most: Math.max(...times) };
}

describe.concurrent("silence", () => {
  test.each<[string, Silence, RegExp, "failed" | "unknown"]>([
    ["a base's config is read", (line) => line.startsWith("GET /v2/base/os/blobs/"), /\[E_UNKNOWN\]/, "unknown"],
    [
      "the image is looked for",
      (line) => line.startsWith("GET /v2/team/app/manifests/k1-"),
      // Not the base's config, for which no time was left.
      /The request: GET \S+\/v2\/team\/app\/manifests\/k1-.*\[E_UNKNOWN\]/,
      "unknown",
    ],
    ["it is asked whether it takes a push", (line) => line.startsWith("POST"), /\[E_PUSH\]/, "failed"],
    [
      "an image is read back",
      (line, registry) => /^GET .*\/manifests\/sha256:/.test(line) && isPushed(registry),
      /\[E_PUSH\]/,
      "failed",
    ],
    ["a layer is looked at", (line, registry) => line.startsWith("HEAD") && isPushed(registry), /\[E_PUSH\]/, "failed"],
    ["the plan is pushed", (line, registry) => line.startsWith("POST") && isPushed(registry), /\[E_PUSH\]/, "failed"],
    ["the set is tagged", (line) => /^PUT .*\/k1-[0-9a-f]{64}$/.test(line), /\[E_PUSH\]/, "failed"],
    ["nothing is answered after a push", (_, registry) => isPushed(registry), /\[E_PUSH\]/, "failed"],
  ])("a registry that falls silent when %s: an error within a minute", async (_, isSilent, words, result) => {
    const { told, most } = await playSilence(isSilent, {});
    expect(most, told.log).toBeLessThanOrEqual(MOST);
    expect(most).toBeGreaterThan(0);
    expect(told.log).toMatch(words);
    expect(told).toMatchObject({ code: 1, outputs: { result, image: "" } });
  });

  test("a hit does not wait longer for what it only tells", async () => {
    const { told, most } = await playSilence((line) => line.includes("branch-"), { first: true });
    expect(most, told.log).toBeLessThanOrEqual(MOST);
    expect(most).toBeGreaterThan(0);
    expect(told).toMatchObject({ code: 0, outputs: { result: "hit" } });
  });

  test.each(["http", "https"])(
    "a proxy that accepts and says nothing, spoken to by %s: unknown within a minute",
    async (by) => {
      const { registry, workspace, close } = await openSample();
      let began = Number.NaN;
      const proxy = createServer((socket) => {
        if (Number.isNaN(began)) began = Date.now();
        socket.on("error", () => undefined);
      });
      await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
      const address = proxy.address();
      const port = typeof address === "object" && address ? address.port : 0;
      const inputs = { "cache-repo": "registry.test/team/app" };
      const env = { HTTPS_PROXY: `${by}://127.0.0.1:${port}` };
      const hurry = { by: HURRY, when: () => !Number.isNaN(began) };
      const told = await play({ workspace, registry, hurry, inputs, env });
      // Five minutes, which the way through a proxy was waited for, are twenty seconds.
      expect(Date.now() - began, told.log).toBeLessThan(16_000);
      expect(told).toMatchObject({ code: 1, outputs: { result: "unknown" } });
      expect(told.log).toMatch(/the answer was unavailable.*\[E_UNKNOWN\]/);
      proxy.close();
      await close();
    },
  );
});
