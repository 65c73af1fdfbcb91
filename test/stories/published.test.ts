import { beforeEach, expect, test } from "vitest";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

// What goes up while the images are still being checked: it may neither be missing, nor speak of something else, nor hold up the end.

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs: { platforms: "linux/amd64,linux/arm64", ...inputs }, ...more });

type Entry = { readonly digest: string; readonly platform: { readonly architecture: string } };
type Stored = {
  readonly subjects: unknown;
  readonly images: unknown;
  readonly seconds: Readonly<Record<string, number>>;
};

/** What the plan of a set says, beside the images that the set holds. */
function storedIn(digest: string): Stored {
  const json = (bytes: Buffer | undefined) => JSON.parse(bytes?.toString() ?? "null");
  const entries: readonly Entry[] = json(registry.manifest("team/app", digest)).manifests;
  const plan = json(registry.manifest("team/app", entries.at(-1)?.digest ?? ""));
  const { subject, predicate } = json(registry.blob("team/app", plan.layers[0].digest));
  const images = entries.filter(({ platform }) => platform.architecture !== "unknown");
  return {
    subjects: subject,
    images: images.map(({ digest, platform }) => ({
      name: `linux/${platform.architecture}`,
      digest: { sha256: digest.slice("sha256:".length) },
    })),
    seconds: predicate.built.seconds,
  };
}

const isPlatformsTag = (architecture: string) => (line: string) =>
  new RegExp(`^GET .*/k1-[0-9a-f]{64}-linux-${architecture}$`).test(line);

const ABSENT = {
  status: 404,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }),
};

test("the plan speaks of every image of the set, and is there before the images have been checked", async () => {
  const isPlan = (): boolean =>
    registry.asked.some(({ method, body }) => method === "PUT" && body.includes("urn:dev-container-cache:plan:1"));
  const seen: boolean[] = [];
  const isChecked = (line: string): boolean =>
    line.startsWith("GET /v2/team/app/blobs/") && registry.tags("team/app").length >= 2;
  registry.hold(isChecked, async () => {
    for (const end = Date.now() + 60_000; !isPlan() && Date.now() < end; )
      await new Promise((done) => setTimeout(done, 5));
    seen.push(isPlan());
  });
  const { code, log, outputs } = await run();
  expect(code, log).toBe(0);
  expect(seen.length).toBeGreaterThan(0);
  expect(new Set(seen)).toEqual(new Set([true]));
  const { subjects, images, seconds } = storedIn(outputs.digest ?? "");
  expect(subjects).toEqual(images);
  expect(images).toHaveLength(2);
  expect(Object.keys(seconds).sort()).toEqual(["linux/amd64", "linux/arm64"]);
});

test("the plan is pushed and not served: an error, and no set names it", async () => {
  const planBlob = (): string => {
    const put = registry.asked.find(
      ({ method, body }) => method === "PUT" && body.includes("urn:dev-container-cache:plan:1"),
    );
    return put?.url.searchParams.get("digest") ?? "none yet";
  };
  registry.override((line) => /^(?:GET|HEAD) /.test(line) && line.endsWith(planBlob()), {
    ...ABSENT,
    body: JSON.stringify({ errors: [{ code: "BLOB_UNKNOWN", message: "blob unknown" }] }),
  });
  const { code, log, outputs } = await run();
  expect({ code, result: outputs.result, image: outputs.image }, log).toEqual({ code: 1, result: "failed", image: "" });
  expect(log).toMatch(/The plan, \S+, was pushed, and the registry does not serve it: BLOB_UNKNOWN: .*\[E_PUSH\]/);
  expect(registry.tags("team/app").filter((tag) => /^[ky]1-[0-9a-f]{64}$/.test(tag))).toEqual([]);
});

test("another job was faster with one of two platforms: the set has both, and so has its plan", async () => {
  await run({ platforms: "linux/amd64" });
  let looks = 0;
  registry.override((line) => isPlatformsTag("amd64")(line) && looks++ === 0, ABSENT);
  const { code, log, outputs, builds } = await run();
  expect({ code, result: outputs.result }, log).toEqual({ code: 0, result: "built" });
  expect(log).toContain("linux/amd64: another job has just pushed this image.");
  expect(builds).toHaveLength(1);
  const { subjects, images } = storedIn(outputs.digest ?? "");
  expect(subjects).toEqual(images);
  expect(images).toHaveLength(2);
});

const LATER = { "retry-after": "50" };

test("an image fails its check while its plan is told to come later: nobody waits for that", async () => {
  const isPushed = (): boolean => registry.tags("team/app").length > 0;
  registry.override((line) => line.startsWith("POST") && isPushed(), { status: 503, headers: LATER });
  const began = Date.now();
  const told = await run({ platforms: "linux/amd64" }, { env: { FAKE_DOCKER_USES: "a".repeat(64) } });
  expect(told).toMatchObject({ code: 1, log: expect.stringContaining("[E_DOCKER]") });
  expect(Date.now() - began).toBeLessThan(50_000);
});

test("a hit does not wait for what it has asked in vain", async () => {
  await run();
  registry.override((line) => /\/manifests\/y1-/.test(line), ABSENT);
  registry.override(isPlatformsTag("amd64"), { status: 429, headers: LATER });
  const began = Date.now();
  expect((await run()).outputs.result).toBe("hit");
  expect(Date.now() - began).toBeLessThan(50_000);
});
