import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

// A registry, or a proxy, that takes every request and answers none, from some step on. The run's clock goes fifteen times faster than
// ours, so that its minute is four seconds, and the two minutes of four tries eight.

const HURRY = 15;
const LONGEST = 6500;

const forEver = (): Promise<never> => new Promise(() => undefined);
const isPushed = (registry: FakeRegistry): boolean => registry.tags("team/app").length > 0;

type Silence = (line: string, registry: FakeRegistry) => boolean;

/** Plays a run against a registry of its own, and tells how many milliseconds it went on after the silence began. */
async function playSilence(
  isSilent: Silence,
  { first = false, ...more }: Partial<Play> & { readonly first?: boolean },
) {
  const { registry, workspace, close } = await openSample();
  if (first) await play({ workspace, registry });
  let began: number | undefined;
  registry.hold(
    (line) => isSilent(line, registry),
    () => {
      began ??= Date.now();
      return forEver();
    },
  );
  const told: Told = await play({ workspace, registry, hurry: HURRY, ...more });
  const lasted = Date.now() - (began ?? Number.NaN);
  await close();
  return { told, lasted };
}

describe.concurrent("silence", () => {
  test.each<[string, Silence, RegExp, "failed" | "unknown"]>([
    ["a base's config is read", (line) => line.startsWith("GET /v2/base/os/blobs/"), /\[E_UNKNOWN\]/, "unknown"],
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
    const { told, lasted } = await playSilence(isSilent, {});
    expect(lasted, told.log).toBeLessThan(LONGEST);
    expect(told.log).toMatch(words);
    expect(told).toMatchObject({ code: 1, outputs: { result, image: "" } });
  });

  test("a hit does not wait longer for what it only tells", async () => {
    const { told, lasted } = await playSilence((line) => line.includes("branch-"), { first: true });
    expect(lasted, told.log).toBeLessThan(LONGEST);
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
      const told = await play({ workspace, registry, hurry: HURRY, inputs, env });
      expect(Date.now() - began, told.log).toBeLessThan(LONGEST);
      expect(told).toMatchObject({ code: 1, outputs: { result: "unknown" } });
      expect(told.log).toMatch(/the answer was unavailable.*\[E_UNKNOWN\]/);
      proxy.close();
      await close();
    },
  );
});
