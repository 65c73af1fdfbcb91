import { readdirSync, readFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import {
  copySample,
  docker,
  type Ended,
  makeBase,
  REGISTRY,
  runAction,
  type Step,
  served,
  tags,
  unique,
} from "./harness.ts";

let repository: string;
let image: string;
let base: string;
let workspace: string;

beforeEach(async () => {
  repository = unique("e2e/release");
  image = `${REGISTRY}/${repository}`;
  base = (await makeBase({ repository: unique("base/os") })).image;
  workspace = copySample();
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Step> = {}): Promise<Ended> =>
  runAction({
    workspace,
    inputs: { "cache-repo": image, platforms: "linux/amd64,linux/arm64", ...inputs },
    ...more,
    env: { SAMPLE_BASE: base, ...more.env },
  });

const own = process.arch === "arm64" ? "arm64" : "amd64";
const machine = { amd64: "x86_64", arm64: "aarch64" };

/** Runs an image that has to be in the engine: nothing is pulled. */
const runHere = async (name: string, architecture: string, ...command: readonly string[]): Promise<string> =>
  (
    await docker(
      ...["run", "--rm", "--pull", "never", "--network", "none", "--platform", `linux/${architecture}`],
      ...[name, ...command],
    )
  ).trim();

test("load on a hit: every platform runs by its name without another pull, the machine's own without suffix and by its digest", async () => {
  await run();
  const hit = await run({ load: "true", tags: "latest" });
  expect(hit, hit.log).toMatchObject({ code: 0, outputs: { result: "hit" } });
  for (const architecture of ["amd64", "arm64"] as const)
    for (const tag of [hit.outputs.tag, "latest"])
      expect(await runHere(`${image}:${tag}-${architecture}`, architecture, "sample-greet")).toBe(
        `hello from ${machine[architecture]}`,
      );
  for (const name of [`${image}:${hit.outputs.tag}`, `${image}:latest`, hit.outputs.image ?? ""])
    expect(await runHere(name, own, "sample-greet")).toBe(`hello from ${machine[own]}`);
});

test("load on a build: the same names, and none of the push", async () => {
  const built = await run({ load: "true" });
  expect(built, built.log).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
  for (const name of [`${image}:${built.outputs.tag}`, built.outputs.image ?? ""])
    expect(await runHere(name, own, "sample-greet")).toBe(`hello from ${machine[own]}`);
  expect(await docker("images", "--format", "{{.Tag}}", image)).not.toContain("tmp-");
});

test("load where nothing may be pushed: the same names", async () => {
  const told = await run({ load: "true", push: "false", tags: "latest" });
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: "built", pushed: "false" } });
  for (const name of [`${told.outputs.tag}-${own}`, told.outputs.tag, "latest"])
    expect(await runHere(`${image}:${name}`, own, "sample-greet")).toBe(`hello from ${machine[own]}`);
  expect(await tags(repository)).toEqual([]);
});

test("tags name the set, on a build and on a hit, and are pulled", async () => {
  const built = await run({ tags: "latest" });
  const hit = await run({ tags: "latest,v1" });
  expect(hit, hit.log).toMatchObject({ code: 0, outputs: { result: "hit", digest: built.outputs.digest } });
  for (const tag of ["latest", "v1"]) {
    expect((await served(repository, tag))?.digest).toBe(built.outputs.digest);
    await docker("pull", "--quiet", "--platform", `linux/${own}`, `${image}:${tag}`);
    expect(await runHere(`${image}:${tag}`, own, "sample-greet")).toBe(`hello from ${machine[own]}`);
  }
});

/** What RUN once made up stands in a layer: whoever has the layer from a cache has the same. */
function makeUp(): void {
  put(workspace, ".devcontainer/Dockerfile", `FROM ${base}\nRUN cat /proc/sys/kernel/random/uuid > /made-up\n`);
  put(workspace, ".devcontainer/devcontainer.json", '{ "build": { "dockerfile": "Dockerfile" } }');
}

test("force builds with the layer cache; past cache-ttl-days it is built without, and then is young again", async () => {
  makeUp();
  const madeUp = async ({ outputs }: Ended): Promise<string> => {
    await docker("pull", "--quiet", "--platform", `linux/${own}`, outputs.image ?? "");
    return runHere(outputs.image ?? "", own, "cat", "/made-up");
  };
  const inputs = { platforms: `linux/${own}` };
  const first = await run(inputs);
  const forced = await run({ ...inputs, force: "true" });
  expect(forced, forced.log).toMatchObject({ code: 0, outputs: { result: "built", key: first.outputs.key } });
  expect(await madeUp(forced)).toBe(await madeUp(first));

  // The run thinks that it is 31 days later; BuildKit and the registry do not.
  const later = `const%20now=Date.now;Date.now=()=>now()+${31 * 24 * 60 * 60 * 1000};`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${later}` };
  const anew = await run({ ...inputs, "cache-ttl-days": "30" }, { env });
  expect(anew, anew.log).toMatchObject({ code: 0, outputs: { result: "built", key: first.outputs.key } });
  expect(anew.log).toContain("was built 31 days ago, and cache-ttl-days is 30");
  expect(await madeUp(anew)).not.toBe(await madeUp(first));
  expect(await run({ ...inputs, "cache-ttl-days": "30" }, { env })).toMatchObject({ outputs: { result: "hit" } });
});

test("the age and the length of a platform's build are those of BuildKit's own record", async () => {
  const legs = [await run({ platforms: "linux/amd64" }), await run({ platforms: "linux/arm64" })];
  const joined = await run();
  expect(joined).toMatchObject({ code: 0, outputs: { result: "hit", pushed: "true" } });
  const annotations = (entries: unknown): Readonly<Record<string, string>> =>
    (Array.isArray(entries) ? entries : [])
      .map(({ annotations = {} }) => annotations)
      .find((one) => "dev-container-cache.built" in one);
  const of = async ({ outputs }: Ended) =>
    annotations((await served(repository, outputs.digest ?? ""))?.document.manifests);
  const [first, set] = [await of(legs[0] ?? joined), await of(joined)];
  const time = (one: Readonly<Record<string, string>>): number => Date.parse(one["dev-container-cache.built"] ?? "");
  expect(Number(set["dev-container-cache.seconds"])).toBeGreaterThan(0);
  expect(time(set)).toBeLessThanOrEqual(time(first));
});

/** Programs of this machine that hold a text on their command line. */
function programsWith(text: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return line.includes(text) ? [line] : [];
      } catch {
        return [];
      }
    });
}

test("stopped in the middle of a build: nothing of it runs, no folder and no tag is left, and the next run builds", async () => {
  put(workspace, ".devcontainer/setup.sh", { script: "#!/bin/sh\nset -e\necho slowly; sleep 600; adduser -D dev\n" });
  const then = Date.now();
  const told = await run({}, { stopWhen: (log) => log.includes("slowly") });
  expect(told, told.log).toMatchObject({ code: 143, left: [] });
  expect(Date.now() - then).toBeLessThan(280_000);
  await expect.poll(() => programsWith(repository)).toEqual([]);
  expect(await tags(repository)).toEqual([]);
  put(workspace, ".devcontainer/setup.sh", readFileSync("test/fixtures/sample/.devcontainer/setup.sh", "utf8"));
  expect(await run()).toMatchObject({ code: 0, outputs: { result: "built" } });
});
