import { beforeEach, expect, test } from "vitest";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

// Attestations and the plan have no tag of their own, and many a clean-up takes what has no tag for left over. The image is as good
// without them, and no registry takes an index that names what is gone.

let registry: FakeRegistry;
let workspace: string;
const platforms = "linux/amd64,linux/arm64";

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  registry.refuseIncomplete();
  return sample.close;
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs: { platforms, ...inputs }, ...more });

type Entry = {
  readonly digest: string;
  readonly platform: { readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
};

const entriesOf = (reference: string): readonly Entry[] =>
  JSON.parse(registry.manifest("team/app", reference)?.toString() ?? "null").manifests;
const isPlan = ({ annotations }: Entry): boolean => annotations?.["dev-container-cache.own"] !== undefined;
const attestationsOf = (reference: string): readonly Entry[] =>
  entriesOf(reference).filter((one) => one.platform.architecture === "unknown" && !isPlan(one));
const imageOf = (reference: string, architecture: string): string =>
  entriesOf(reference).find(({ platform }) => platform.architecture === architecture)?.digest ?? "";
const sweep = (entries: readonly Entry[]): void => {
  for (const { digest } of entries) registry.sweep("team/app", digest);
};
const setTag = (): string => registry.tags("team/app").find((tag) => /^k1-[0-9a-f]{64}$/.test(tag)) ?? "";

test.each<[string, (digest: string) => readonly Entry[]]>([
  ["the attestations of one platform", (digest) => attestationsOf(digest).slice(0, 1)],
  [
    "all attestations and the plan",
    (digest) => entriesOf(digest).filter((one) => one.platform.architecture === "unknown"),
  ],
])(
  "a tag on a hit of which a clean-up has swept %s: it names the same images, and so does everybody from then on",
  async (_, gone) => {
    const { outputs: first } = await run();
    const swept = gone(first.digest ?? "");
    sweep(swept);
    const hit = await run({ tags: "latest" });
    expect(hit.code, hit.log).toBe(0);
    expect(hit).toMatchObject({ docker: [], outputs: { result: "hit", pushed: "true", platforms: first.platforms } });
    expect(registry.digest("team/app", "latest")).toBe(hit.outputs.digest);
    expect(registry.digest("team/app", setTag())).toBe(hit.outputs.digest);
    const digests = entriesOf("latest").map(({ digest }) => digest);
    for (const { digest } of swept) expect(digests).not.toContain(digest);
    expect(entriesOf("latest").filter(isPlan)).toHaveLength(1);
    const again = await run({ tags: "latest" });
    expect(again).toMatchObject({ code: 0, outputs: { result: "hit", pushed: "false", digest: hit.outputs.digest } });
  },
);

test("one more platform is joined with one whose attestations are gone", async () => {
  const { outputs: one } = await run({ platforms: "linux/arm64" });
  sweep(attestationsOf(one.digest ?? ""));
  const both = await run();
  expect(both.code, both.log).toBe(0);
  expect(both.builds.map(({ args }) => args[args.indexOf("--platform") + 1])).toEqual(["linux/amd64"]);
  expect(imageOf(both.outputs.digest ?? "", "arm64")).toBe(imageOf(one.digest ?? "", "arm64"));
});

test("legs whose attestations are gone are joined", async () => {
  for (const platforms of ["linux/amd64", "linux/arm64"])
    sweep(attestationsOf((await run({ platforms })).outputs.digest ?? ""));
  const joined = await run();
  expect(joined.code, joined.log).toBe(0);
  expect(joined).toMatchObject({ docker: [], outputs: { result: "hit", pushed: "true" } });
});

test("an image whose attestations are gone is as old as it was", async () => {
  const { outputs: first } = await run();
  sweep(attestationsOf(first.digest ?? ""));
  const month = 30 * 24 * 60 * 60 * 1000;
  expect(await run({ tags: "latest" }, { later: month })).toMatchObject({ code: 0, outputs: { result: "hit" } });
  const past = await run({ "cache-ttl-days": "45", "on-miss": "fail" }, { later: 2 * month });
  expect(past.log).toContain("was built 60 days ago");
});

test.each([
  ["and the tags of the platforms are there", () => undefined],
  [
    "and the tags of the platforms are gone too",
    () => {
      for (const tag of registry.tags("team/app").filter((one) => /^k1-.*-linux-/.test(one)))
        registry.sweep("team/app", registry.digest("team/app", tag) ?? "");
    },
  ],
])("a platform that is gone is built, and joined with the one that is there: %s", async (_, more) => {
  const { outputs: first } = await run();
  registry.sweep("team/app", imageOf(first.digest ?? "", "amd64"));
  more();
  const mended = await run({ tags: "latest" });
  expect(mended.code, mended.log).toBe(0);
  expect(mended.outputs.result).toBe("built");
  expect(mended.builds.map(({ args }) => args[args.indexOf("--platform") + 1])).toEqual(["linux/amd64"]);
  expect(imageOf(mended.outputs.digest ?? "", "arm64")).toBe(imageOf(first.digest ?? "", "arm64"));
  expect(await run()).toMatchObject({ docker: [], outputs: { result: "hit", digest: mended.outputs.digest } });
});
