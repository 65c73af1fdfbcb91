import { existsSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { type Play, play, readable, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;
let scanner: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  seedBase(registry, "tools/scanner", "1", "scanner");
  scanner = `${registry.host}/tools/scanner:1`;
  return sample.close;
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs: { platforms: "linux/amd64,linux/arm64", ...inputs }, ...more });

const parsed = ({ outputs }: Told, name: string): Record<string, unknown> => JSON.parse(outputs[name] ?? "");
const warnings = ({ log }: Told): string[] => log.split("\n").filter((line) => line.startsWith("::warning"));

test("a build with an SBOM: the generator is bound like a base, the packages are told; a hit hands the same out", async () => {
  const built = await run({ sbom: scanner });
  expect(built, built.log).toMatchObject({ code: 0, outputs: { result: "built" } });
  for (const { args, policy } of built.builds) {
    expect(args).toContain(`type=sbom,generator=${scanner}`);
    expect(args).toContain("mode=min");
    expect(JSON.stringify(policy)).toContain(`${scanner}@sha256:`);
  }
  const hit = await run({ sbom: scanner });
  expect(hit).toMatchObject({ code: 0, docker: [], outputs: { result: "hit" } });
  for (const told of [built, hit]) {
    const folder = told.outputs["sbom-dir"] ?? "";
    expect(parsed(told, "sbom-paths")).toEqual({
      "linux/amd64": `${folder}/linux-amd64.spdx.json`,
      "linux/arm64": `${folder}/linux-arm64.spdx.json`,
    });
    expect(parsed(told, "sbom-packages")).toEqual({
      "linux/amd64": { total: 1, types: { deb: 1 } },
      "linux/arm64": { total: 1, types: { deb: 1 } },
    });
    expect(JSON.parse(readFileSync(`${folder}/linux-arm64.spdx.json`, "utf8"))).toMatchObject({
      spdxVersion: "SPDX-2.3",
      packages: [{ name: "libc6" }],
    });
    expect(told.summary).toContain("| linux/amd64 | 1 | 1 | 1 kB |");
    expect(warnings(told)).toEqual([]);
  }
  expect(readable(hit.log, registry)).toContain(
    "::group::What is in it?\nlinux/amd64: 1 package\nlinux/arm64: 1 package\n::endgroup::",
  );
});

test("a hit that nobody asked for an SBOM asks nothing more than any other", async () => {
  await run({ sbom: scanner });
  const asked = await run({ sbom: scanner });
  const hit = await run();
  expect(hit).toMatchObject({
    outputs: { result: "hit", "sbom-dir": "", "sbom-paths": "{}", "sbom-packages": "{}" },
  });
  // Of each platform the list of its attestations, and the SBOM itself.
  expect(asked.requests.length - hit.requests.length).toBe(4);
});

test("what changed since the image before stands in the summary", async () => {
  await run({ sbom: scanner }, { env: { FAKE_DOCKER_SBOM: "libc6=2.36,nano=7" } });
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const { summary } = await run({ sbom: scanner }, { env: { FAKE_DOCKER_SBOM: "libc6=2.37,bash=5" } });
  expect(summary).toContain("The packages, compared with branch-main-7e268f37:");
  expect(summary).toContain("linux/amd64, linux/arm64: 1 package added, 1 package removed, 1 package changed");
  expect(summary).toContain("| deb | libc6 | 2.36 → 2.37 |");
});

test("a generator that writes nothing: an error, this time and the next", async () => {
  for (const _ of ["the first", "the next"]) {
    const told = await run({ sbom: scanner }, { env: { FAKE_DOCKER_SBOM: "nothing" } });
    expect(told).toMatchObject({ code: 1, outputs: { result: "failed", image: "", "sbom-dir": "" } });
    expect(told.log).toMatch(/ended well, and the SBOM generator \S+\/tools\/scanner:1 wrote nothing.*\[E_BUILD\]/);
    expect(told.builds).toHaveLength(2);
  }
});

test("an SBOM that is too large: built without, with a warning; with require: sbom it is an error", async () => {
  const env = { FAKE_DOCKER_SBOM: "too large" };
  const told = await run({ sbom: scanner, platforms: "linux/amd64" }, { env });
  expect(told, told.log).toMatchObject({
    code: 0,
    outputs: { result: "built", "sbom-dir": "", "sbom-packages": "{}" },
  });
  expect(told.builds.map(({ args }) => args.includes("--attest"))).toEqual([true, false]);
  expect(warnings(told)).toEqual([expect.stringContaining("the SBOM is larger than this BuildKit lets through")]);
  expect(told.summary).toContain("none: the index lists none for it");

  const insisting = await run({ sbom: scanner, platforms: "linux/amd64", require: "sbom" }, { env });
  expect(insisting).toMatchObject({ code: 1, outputs: { result: "failed" } });
  expect(insisting.builds).toHaveLength(1);
  expect(insisting.log).toContain("the SBOM is larger than BuildKit lets through, so nothing was pushed");
});

test("require: sbom makes a hit without one a miss, and the image is built again with one", async () => {
  const without = await run();
  const checked = await run({ require: "sbom", "on-miss": "fail", "on-drift": "use" });
  expect(checked).toMatchObject({ code: 1, outputs: { result: "miss" } });
  expect(checked.log).toContain("Does not count: linux/amd64 has no SBOM: the index lists none for it.");

  const again = await run({ sbom: scanner, require: "sbom,provenance" });
  expect(again, again.log).toMatchObject({ code: 0, outputs: { result: "built", key: without.outputs.key } });
  expect(again.builds).toHaveLength(2);
  expect(await run({ sbom: scanner, require: "sbom\nprovenance" })).toMatchObject({
    docker: [],
    outputs: { result: "hit" },
  });
});

test("sbom asked on a hit without one: said, and no failure", async () => {
  await run({ platforms: "linux/amd64" });
  const hit = await run({ platforms: "linux/amd64", sbom: scanner });
  expect(hit).toMatchObject({
    code: 0,
    docker: [],
    outputs: { result: "hit", "sbom-paths": "{}", "sbom-packages": "{}" },
  });
  expect(warnings(hit)).toEqual([expect.stringContaining("linux/amd64 has no SBOM: the index lists none for it")]);
});

test("sbom-dir: a folder of the checkout, also without sbom", async () => {
  await run({ sbom: scanner });
  const { outputs } = await run({ "sbom-dir": "out/sboms" });
  expect(outputs["sbom-dir"]).toBe(`${workspace}/out/sboms`);
  expect(readdirSync(join(workspace, "out/sboms"))).toEqual(["linux-amd64.spdx.json", "linux-arm64.spdx.json"]);
});

test("sbom-dir: what a link of the checkout leads to is not written", async () => {
  await run({ sbom: scanner });
  const elsewhere = join(mkdtempSync(join(tmpdir(), "elsewhere-")), "file");
  put(workspace, "out/file", "x");
  symlinkSync(elsewhere, join(workspace, "out/linux-amd64.spdx.json"));
  const told = await run({ "sbom-dir": "out" });
  expect(Object.keys(parsed(told, "sbom-paths"))).toEqual(["linux/arm64"]);
  expect(warnings(told)).toEqual([expect.stringContaining("there is a link of that name")]);
  expect(existsSync(elsewhere)).toBe(false);
});

test("provenance: max is told to buildx, and what it publishes is said", async () => {
  const told = await run({ provenance: "max", platforms: "linux/amd64" });
  expect(told.builds[0]?.args).toContain("mode=max");
  expect(warnings(told)).toEqual([
    expect.stringContaining("publishes the values of the build args to whoever can pull: GREETING"),
  ]);
});

test("what is only loaded has no SBOM, and that is said", async () => {
  const told = await run({ sbom: scanner, push: "false", platforms: "linux/amd64" });
  expect(told.builds[0]?.args).not.toContain("--attest");
  expect(told.requests.join("\n")).not.toContain("tools/scanner");
  expect(told).toMatchObject({ code: 0, outputs: { result: "built", "sbom-dir": "", "sbom-packages": "{}" } });
  expect(told.log).toContain("The image has no SBOM and no provenance");
});

test("a generator that is not there: an error before the build", async () => {
  const told = await run({ sbom: `${registry.host}/tools/other:1` });
  expect(told).toMatchObject({ code: 1, builds: [], outputs: { result: "failed" } });
  expect(told.log).toMatch(/The SBOM generator \S+\/tools\/other:1 cannot be read.*\[E_REGISTRY\]/);
});

test("the isolated Docker configuration has the login of the generator's registry", async () => {
  const other = await openFakeRegistry();
  seedBase(other, "tools/scanner", "1", "scanner");
  const auth = Buffer.from("me:secret-of-the-scanner").toString("base64");
  const config = Buffer.from(JSON.stringify({ auths: { [other.host]: { auth } } })).toString("base64");
  const sbom = `${other.host}/tools/scanner:1`;
  const { builds } = await run({ sbom, "docker-config-base64": config, platforms: "linux/amd64" });
  await other.close();
  expect(builds[0]?.dockerConfig.auths).toMatchObject({ [other.host]: { auth } });
});
