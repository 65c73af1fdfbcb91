import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Build, type Play, play, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

// What decides is told to the build, and counts; whoever gives another value finds nothing of the first.

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs, ...more });

const toldArgs = (build: Build | undefined): readonly string[] =>
  (build?.args ?? []).filter((_, at, args) => args[at - 1] === "--build-arg");

const onBase = (...lines: readonly string[]): void =>
  put(workspace, ".devcontainer/Dockerfile", [`FROM ${registry.host}/base/os:1`, ...lines, ""].join("\n"));

test("an arg that a base's ONBUILD declares counts: another value is another image", async () => {
  seedBase(registry, "base/os", "1", "one", { OnBuild: ["ARG FLAVOUR=plain", "RUN echo $FLAVOUR"] });
  const sweet = { "build-args": "FLAVOUR=sweet" };
  const built = await run(sweet);
  expect(toldArgs(built.builds[0])).toContain("FLAVOUR=sweet");
  expect(await run(sweet)).toMatchObject({ docker: [], outputs: { result: "hit", image: built.outputs.image } });
  const sour = await run({ "build-args": "FLAVOUR=sour", "on-miss": "fail" });
  expect(sour.outputs.result).toBe("miss");
  expect(sour.log).toContain("build arg FLAVOUR changed");
  const without = await run({ "on-miss": "fail" });
  expect(without.outputs.result).toBe("miss");
  expect(without.log).toContain("build arg FLAVOUR is gone");
});

test("an image of another value never stands in where the base has moved", async () => {
  const triggers = { OnBuild: ["ARG FLAVOUR=plain"] };
  seedBase(registry, "base/os", "1", "one", triggers);
  await run({ "build-args": "FLAVOUR=sweet" });
  seedBase(registry, "base/os", "1", "two", triggers);
  const told = (flavour: string) =>
    run({ "build-args": `FLAVOUR=${flavour}`, "on-drift": "use", "on-miss": "continue" });
  expect((await told("sour")).outputs.result).toBe("miss");
  expect((await told("sweet")).outputs.result).toBe("stale");
});

test("what nobody declares is told to the build, and does not count", async () => {
  const built = await run({ "build-args": "UNDECLARED=1" });
  expect(toldArgs(built.builds[0])).toContain("UNDECLARED=1");
  expect(await run({ "build-args": "UNDECLARED=2" })).toMatchObject({ docker: [], outputs: { result: "hit" } });
});

const git = { git: true, env: { GITHUB_SERVER_URL: "https://git.test", GITHUB_REPOSITORY: "team/app" } };
const label = (build: Build | undefined, name: string): readonly string[] =>
  (build?.args ?? []).filter((arg, at, args) => args[at - 1] === "--label" && arg.startsWith(`${name}=`));

test("what tells of the commit is offered only where the Dockerfile leaves it open", async () => {
  onBase("ARG SOURCE=build", "COPY setup.sh $SOURCE/");
  expect(toldArgs((await run({}, git)).builds[0])).not.toContainEqual(expect.stringMatching(/^SOURCE=/));
  onBase("ARG SOURCE", "RUN echo $SOURCE");
  expect(toldArgs((await run({}, git)).builds[0])).toContain("SOURCE=https://git.test/team/app");
});

test("a label of the Dockerfile's own stays", async () => {
  const name = "org.opencontainers.image.source";
  expect(label((await run({}, git)).builds[0], name)).toEqual([`${name}=https://git.test/team/app`]);
  onBase(`LABEL ${name}="https://elsewhere.test"`);
  expect(label((await run({}, git)).builds[0], name)).toEqual([]);
});

test("a declared proxy of Docker's configuration counts, and stands in no command line; an undeclared one does not count", async () => {
  const folder = mkdtempSync(join(tmpdir(), "docker-"));
  const configure = (proxy: string): void =>
    writeFileSync(join(folder, "config.json"), JSON.stringify({ proxies: { default: { httpProxy: proxy } } }));
  const env = { DOCKER_CONFIG: folder };
  configure("http://me:s3cr3t@one.test");
  const undeclared = await run({}, { env });
  expect(undeclared.builds[0]?.dockerConfig).toMatchObject({
    proxies: { default: { httpProxy: "http://me:s3cr3t@one.test" } },
  });
  configure("http://me:s3cr3t@two.test");
  expect(await run({}, { env })).toMatchObject({ docker: [], outputs: { result: "hit" } });
  onBase("ARG HTTP_PROXY", "ENV http_proxy=$HTTP_PROXY");
  const declared = await run({}, { env });
  expect(declared.builds[0]?.dockerConfig).toMatchObject({
    proxies: { default: { httpProxy: "http://me:s3cr3t@two.test" } },
  });
  expect(JSON.stringify(declared.docker)).not.toContain("s3cr3t");
  configure("http://me:s3cr3t@three.test");
  const other = await run({ "on-miss": "fail" }, { env });
  expect(other.log).toContain("build arg HTTP_PROXY changed");
  // What tells the host to hide it is no line that anybody sees.
  const shown = `${declared.log}\n${other.log}`.replace(/^::add-mask::.*$/gm, "");
  expect(`${shown}${JSON.stringify(other.outputs)}`).not.toContain("s3cr3t");
  rmSync(folder, { recursive: true });
});

test("a base that declares this machine's proxy with ONBUILD: no image with it is pushed", async () => {
  seedBase(registry, "base/os", "1", "one", { OnBuild: ["ARG HTTP_PROXY", "ENV proxy=$HTTP_PROXY"] });
  const folder = mkdtempSync(join(tmpdir(), "docker-"));
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ proxies: { default: { httpProxy: "http://one.test" } } }),
  );
  const env = { DOCKER_CONFIG: folder };
  const refused = await run({}, { env });
  expect(refused).toMatchObject({ code: 1, builds: [] });
  expect(refused.log).toMatch(/declares HTTP_PROXY with ONBUILD.*\[E_CONTEXT\]/);
  expect(await run({ "build-args": "HTTP_PROXY=" }, { env })).toMatchObject({ code: 0, outputs: { result: "built" } });
  rmSync(folder, { recursive: true });
});
