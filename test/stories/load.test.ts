import { beforeEach, expect, test } from "vitest";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const own = process.arch === "arm64" ? "arm64" : "amd64";
const other = own === "amd64" ? "arm64" : "amd64";

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs: { platforms: "linux/amd64,linux/arm64", ...inputs }, ...more });

/** The calls that fetch and name images: `pull <platform> <what>`, `tag <what> <name>`. */
const loads = ({ docker, outputs }: Told): readonly string[] => {
  const digests: Readonly<Record<string, string>> = JSON.parse(outputs.platforms ?? "{}");
  const named: readonly (readonly [string, string])[] = [
    [outputs.digest ?? "", "<index>"],
    ...Object.entries(digests).map(([platform, digest]) => [digest, `<${platform}>`] as const),
    [outputs.tag ?? "", "<tag>"],
    [`y1-${outputs["source-key"]?.slice("sha256:".length)}`, "<sources>"],
    [`${registry.host}/team/app`, "app"],
  ];
  return docker
    .filter(([command]) => command === "pull" || command === "tag")
    .map((args) =>
      named.reduce((line, [text, name]) => (text === "" ? line : line.replaceAll(text, name)), args.join(" ")),
    );
};

/** The machine's own platform is fetched by the index and named without suffix too. */
const expected = (...tags: readonly string[]): readonly string[] =>
  ["amd64", "arm64"].flatMap((architecture) => {
    const what = architecture === own ? "app@<index>" : `app@<linux/${architecture}>`;
    const names = tags.flatMap((tag) => [...(architecture === own ? [tag] : []), `${tag}-${architecture}`]);
    return [`pull --quiet --platform linux/${architecture} ${what}`, ...names.map((name) => `tag ${what} app:${name}`)];
  });

test("load: each platform by its digest and under its names, after a build and on a hit", async () => {
  const built = await run({ load: "true" });
  expect(built).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(loads(built)).toEqual(expected("<tag>"));
  const hit = await run({ load: "true", tags: "latest", push: "false" });
  expect(hit).toMatchObject({ code: 0, builds: [], outputs: { result: "hit" } });
  expect(loads(hit)).toEqual(expected("<tag>", "latest"));
  expect(hit.log).toContain(
    `In the local engine, linux/${other}: ${registry.host}/team/app:${hit.outputs.tag}-${other}`,
  );
});

test("a platform that is not the machine's has no name without suffix", async () => {
  const told = await run({ load: "true", platforms: `linux/${other}` });
  const what = `app@<linux/${other}>`;
  expect(loads(told)).toEqual([`pull --quiet --platform linux/${other} ${what}`, `tag ${what} app:<tag>-${other}`]);
});

test("what may not be pushed is built here, is there already, and gets the same names", async () => {
  const told = await run({ load: "true", push: "false", tags: "latest" });
  expect(told).toMatchObject({ code: 0, outputs: { result: "built", pushed: "false" } });
  const names = [`<tag>`, `<tag>-${own}`, "latest", `latest-${own}`];
  expect(loads({ ...told, outputs: { ...told.outputs, platforms: "{}" } })).toEqual(
    names.map((name) => `tag ${told.outputs["local-image"]?.replace(`${registry.host}/team/app`, "app")} app:${name}`),
  );
});

test("the last good image goes by the tag of its sources alone", async () => {
  await run();
  seedBase(registry, "base/os", "1", "two");
  const told = await run({ load: "true", "on-drift": "use", tags: "latest" });
  expect(told).toMatchObject({ code: 0, outputs: { result: "stale" } });
  expect(loads(told)).toEqual(expected("<sources>"));
});

test("docker is given the login in a configuration of its own, and nothing secret on its command line", async () => {
  registry.requireBasic({ user: "me", password: "canary-7f3a", anonymousMayPull: false });
  const login = { "registry-username": "me", "registry-password": "canary-7f3a" };
  const told = await run({ load: "true", ...login });
  expect(told.code, told.log).toBe(0);
  expect(JSON.stringify([told.docker, told.log.replaceAll("::add-mask::canary-7f3a", "")])).not.toContain(
    "canary-7f3a",
  );
  expect(told.left.filter((name) => name.startsWith("dev-container-cache-docker-"))).toEqual([]);
});

test("nothing is loaded where there is nothing: a miss with a fallback", async () => {
  const told = await run({ load: "true", "on-miss": "continue", "fallback-image": "debian:12" });
  expect(told).toMatchObject({ code: 0, outputs: { result: "miss" } });
  expect(loads(told)).toEqual([]);
});

test.each<[string, Partial<Play>, RegExp]>([
  [
    "no docker",
    { docker: false },
    /there is no engine to load the image into: there is no docker program.*\[E_DOCKER\]/,
  ],
  [
    "an engine that does not answer",
    { docker: { fails: "version", says: "Cannot connect to the Docker daemon" } },
    /there is no engine to load the image into: Cannot connect to the Docker daemon.*\[E_DOCKER\]/,
  ],
])("%s: an error before any work", async (_, more, words) => {
  const told = await run({ load: "true" }, more);
  expect(told).toMatchObject({ code: 1, requests: [], outputs: { result: "failed" } });
  expect(told.log).toMatch(words);
});

test("an engine that cannot reach the registry: an error with its words; the outputs name the image all the same", async () => {
  const { outputs } = await run();
  const docker = { fails: "pull", says: "Error response from daemon: x509: unknown authority" };
  const told = await run({ load: "true" }, { docker });
  expect(told).toMatchObject({ code: 1, outputs: { result: "failed", image: outputs.image, exists: "true" } });
  expect(told.log).toMatch(/the local engine could not take it: Error response from daemon: x509.*\[E_DOCKER\]/);
});
