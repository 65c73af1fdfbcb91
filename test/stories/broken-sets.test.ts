import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

// A set of which a part is gone, or that is too old: what `verify`, `require` and `cache-ttl-days` make of it, that only what does not count is
// built, and that the next run finds a whole set.

let registry: FakeRegistry;
let workspace: string;
let sbom: string;
let close: () => Promise<void>;
let first: Told["outputs"];
/** Each row has a copy of the set in a repository of its own. */
let repository: string;
let rows = 0;

beforeAll(async () => {
  ({ registry, workspace, close } = await openSample());
  registry.refuseIncomplete();
  seedBase(registry, "tools/scanner", "1", "scanner");
  sbom = `${registry.host}/tools/scanner:1`;
  repository = "team/app";
  first = (await run()).outputs;
});
afterAll(() => close());
beforeEach(() => {
  repository = `team/row-${++rows}`;
  registry.copy("team/app", repository);
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({
    workspace,
    registry,
    inputs: { "cache-repo": `${registry.host}/${repository}`, platforms: "linux/amd64,linux/arm64", sbom, ...inputs },
    ...more,
  });

type Descriptor = { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> };
type Entry = Descriptor & { readonly platform: { readonly architecture: string } };
type Manifest = { readonly config: Descriptor; readonly layers: readonly Descriptor[] };

/** The parts of a set, by what they are. */
function partsOf(digest: string) {
  const read = <T>(reference: string): T => JSON.parse(registry.manifest(repository, reference)?.toString() ?? "null");
  const { manifests } = read<{ manifests: readonly Entry[] }>(digest);
  const image = (architecture: string): string =>
    manifests.find(({ platform }) => platform.architecture === architecture)?.digest ?? "";
  const isPlan = ({ annotations }: Entry): boolean => annotations?.["dev-container-cache.own"] !== undefined;
  const attestation = (architecture: string): string =>
    manifests.find((one) => !isPlan(one) && one.annotations?.["vnd.docker.reference.digest"] === image(architecture))
      ?.digest ?? "";
  const statement = (manifest: string, type: string): string =>
    read<Manifest>(manifest).layers.find(({ annotations }) =>
      annotations?.["in-toto.io/predicate-type"]?.includes(type),
    )?.digest ?? "";
  const plan = manifests.find(isPlan)?.digest ?? "";
  return {
    image,
    attestation,
    plan,
    planStatement: statement(plan, "plan"),
    config: (architecture: string) => read<Manifest>(image(architecture)).config.digest,
    layer: (architecture: string) => read<Manifest>(image(architecture)).layers[0]?.digest ?? "",
    sbom: (architecture: string) => statement(attestation(architecture), "spdx"),
    provenance: (architecture: string) => statement(attestation(architecture), "slsa"),
  };
}
type Parts = ReturnType<typeof partsOf>;

const manifest = (digest: string): void => registry.sweep(repository, digest);
const blob = (digest: string): void => registry.sweepBlob(repository, digest);
const untag = (pattern: RegExp): void => {
  for (const tag of registry.tags(repository).filter((one) => pattern.test(one))) registry.untag(repository, tag);
};

const BREAKS = {
  nothing: () => undefined,
  "a manifest": ({ image }: Parts) => manifest(image("arm64")),
  "both manifests": ({ image }: Parts) => ["amd64", "arm64"].map(image).map(manifest),
  "a config": ({ config }: Parts) => blob(config("arm64")),
  "the config that is handed over": ({ config }: Parts) => blob(config("amd64")),
  "a layer": ({ layer }: Parts) => blob(layer("arm64")),
  "both layers": ({ layer }: Parts) => ["amd64", "arm64"].map(layer).map(blob),
  "what is attached to an image": ({ attestation }: Parts) => manifest(attestation("arm64")),
  "an SBOM": ({ sbom }: Parts) => blob(sbom("arm64")),
  "a provenance": ({ provenance }: Parts) => blob(provenance("arm64")),
  "the plan": ({ plan }: Parts) => manifest(plan),
  "what the plan says": ({ planStatement }: Parts) => blob(planStatement),
  "a platform's tag": () => untag(/^k1-.*-linux-arm64$/),
  "the set's tag": () => untag(/^k1-[0-9a-f]{64}$/),
  "all tags of the key": () => untag(/^k1-/),
  "all tags of the key, and a layer": ({ layer }: Parts) => {
    untag(/^k1-/);
    blob(layer("arm64"));
  },
  "all tags of the key and of the sources": () => untag(/^[ky]1-/),
} as const;

type Inputs = Readonly<Record<string, string>>;
type Row = {
  readonly gone: keyof typeof BREAKS;
  readonly inputs: Inputs;
  /** Which platforms are built anew: none where it is a hit. */
  readonly built: readonly ("amd64" | "arm64")[];
  readonly why?: RegExp;
};
const BOTH = ["amd64", "arm64"] as const;

/** The same with each of some inputs. */
const each = (all: readonly Inputs[], gone: Row["gone"], built: Row["built"], why = /^/): readonly Row[] =>
  all.map((inputs) => ({ gone, inputs, built, why }));

const NO_LAYERS: readonly Inputs[] = [{ verify: "manifests" }, { verify: "none" }];
const ANYHOW: readonly Inputs[] = [{}, ...NO_LAYERS];

const ROWS: readonly Row[] = [
  ...each(ANYHOW, "nothing", []),
  ...each([{}, { verify: "manifests" }], "a manifest", ["arm64"], /the manifest of linux\/arm64 is gone/),
  ...each([{ verify: "none" }], "a manifest", []),
  ...each([{}, { verify: "manifests" }], "both manifests", BOTH, /the manifest of linux\/amd64 is gone/),
  ...each([{}], "a config", ["arm64"], /the layer sha256:\w+ of linux\/arm64 is gone/),
  ...each(NO_LAYERS, "a config", []),
  ...each([{}], "the config that is handed over", ["amd64"], /the config of linux\/amd64 is gone/),
  ...each(NO_LAYERS, "the config that is handed over", []),
  ...each([{}], "a layer", ["arm64"], /the layer sha256:\w+ of linux\/arm64 is gone/),
  ...each(NO_LAYERS, "a layer", []),
  ...each([{}], "both layers", BOTH, /the layer sha256:\w+ of linux\/amd64 is gone/),
  ...each(ANYHOW, "what is attached to an image", []),
  ...each(
    [
      { require: "sbom" },
      { require: "provenance" },
      { require: "sbom,provenance", verify: "manifests" },
      { require: "sbom", verify: "none" },
    ],
    "what is attached to an image",
    ["arm64"],
    /linux\/arm64 has no (?:SBOM|provenance): its attestations are gone/,
  ),
  ...each([{}, { require: "provenance" }, { require: "sbom", verify: "manifests" }], "an SBOM", []),
  ...each([{ require: "sbom" }], "an SBOM", ["arm64"], /the SBOM of linux\/arm64 is gone/),
  ...each([{ require: "sbom" }], "a provenance", []),
  ...each([{ require: "provenance" }], "a provenance", ["arm64"], /the provenance of linux\/arm64 is gone/),
  ...each([...ANYHOW, { require: "sbom,provenance" }], "the plan", []),
  ...each([...ANYHOW, { require: "sbom,provenance" }], "what the plan says", []),
  ...each(ANYHOW, "a platform's tag", []),
  ...each(ANYHOW, "the set's tag", []),
  ...each(ANYHOW, "all tags of the key", []),
  ...each([{}], "all tags of the key, and a layer", ["arm64"], /the layer sha256:\w+ of linux\/arm64 is gone/),
  ...each(
    [{}],
    "all tags of the key and of the sources",
    BOTH,
    /nothing differs from branch-main-\w+ that the plan knows/,
  ),
];

const later = 60 * 24 * 60 * 60 * 1000;
const OLD = /was built 60 days ago, and cache-ttl-days is 45/;

test.each(ROWS)("gone is $gone, with $inputs: built is $built", async ({ gone, inputs, built, why = /^/ }) => {
  BREAKS[gone](partsOf(first.digest ?? ""));
  await expectMended({ inputs, built, why });
});

test.each<Row>([
  ...each([{}, { verify: "none" }], "nothing", BOTH, OLD),
  ...each([{}, { verify: "none" }], "a manifest", BOTH, OLD),
  ...each([{ verify: "manifests" }], "a layer", BOTH, OLD),
  ...each([{}, { require: "sbom,provenance" }], "the plan", BOTH, OLD),
  ...each([{}], "what is attached to an image", BOTH, OLD),
  ...each([{}], "the set's tag", BOTH, OLD),
  ...each([{}], "all tags of the key", BOTH, OLD),
])("too old, and gone is $gone, with $inputs: built is $built", async ({ gone, inputs, built, why = /^/ }) => {
  BREAKS[gone](partsOf(first.digest ?? ""));
  await expectMended({ inputs: { "cache-ttl-days": "45", ...inputs }, built, why, later });
});

test.each<Row>([
  ...each([{}], "a manifest", ["arm64"]),
  ...each([{}, { verify: "none" }], "the plan", []),
  ...each([{}], "what is attached to an image", []),
  ...each([{}], "the set's tag", []),
  ...each([{}], "all tags of the key", []),
])("young enough, and gone is $gone, with $inputs: built is $built", async ({ gone, inputs, built }) => {
  BREAKS[gone](partsOf(first.digest ?? ""));
  await expectMended({ inputs: { "cache-ttl-days": "75", ...inputs }, built, why: /^/, later });
});

/** The output, the log and the summary give the same reasons. */
function expectSameWords({ outputs, log, summary }: Told, why: RegExp): void {
  const reasons: readonly { readonly text: string }[] = JSON.parse(outputs["miss-reasons"] ?? "");
  expect(reasons.map(({ text }) => text).join("\n"), log).toMatch(why);
  for (const { text } of reasons) {
    expect(log).toContain(text);
    expect(summary.replaceAll("\\", "")).toContain(text);
  }
}

type Expected = {
  readonly inputs: Readonly<Record<string, string>>;
  readonly built: readonly string[];
  readonly why: RegExp;
  readonly later?: number;
};

async function expectMended({ inputs, built, why, later: passed = 0 }: Expected): Promise<void> {
  const more = { later: passed };
  const kept = BOTH.filter((one) => !built.includes(one));
  const platformsOf = ({ outputs }: Told) => JSON.parse(outputs.platforms ?? "");
  // Who only looks is told the same, and changes nothing.
  const looked = await run({ ...inputs, "on-miss": "fail", push: "false" }, more);
  const result = built.length === 0 ? "hit" : built.length === 2 ? "miss" : "partial";
  expect(looked, looked.log).toMatchObject({ code: built.length === 0 ? 0 : 1, docker: [], outputs: { result } });
  expect(looked.log).toMatch(why);
  if (built.length > 0) expectSameWords(looked, why);
  expect(JSON.parse(looked.outputs["missing-platforms"] ?? "")).toEqual(built.map((one) => `linux/${one}`));
  expect(looked.requests.filter((line) => !/^(GET|HEAD) /.test(line))).toEqual([]);

  const told = await run(inputs, more);
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: built.length === 0 ? "hit" : "built" } });
  if (built.length > 0) expectSameWords(told, why);
  expect(told.builds.map(({ args }) => args[args.indexOf("--platform") + 1]).sort()).toEqual(
    built.map((one) => `linux/${one}`),
  );
  const fresh = OLD.source === why.source;
  expect(told.builds.map(({ args }) => args.includes("--no-cache"))).toEqual(built.map(() => fresh));
  const before = JSON.parse(first.platforms ?? "");
  for (const one of kept) expect(platformsOf(told)[`linux/${one}`]).toBe(before[`linux/${one}`]);

  const again = await run(inputs, more);
  const { digest, key } = told.outputs;
  expect(again, again.log).toMatchObject({
    code: 0,
    docker: [],
    outputs: { result: "hit", pushed: "false", digest, key },
  });
}
