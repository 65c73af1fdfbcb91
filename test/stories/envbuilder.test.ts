import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeCheckout, put } from "../checkout.ts";
import { recorded } from "../envbuilder/recorded.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { type Play, play, readable, type Told } from "./harness.ts";

// The envbuilder dialect: a recording of the real kaniko, found by the bundle in a registry over HTTP.

const [run = never()] = recorded.flatMap((one) => (one.case === "d9" ? [one] : []));

function never(): never {
  throw new Error("the recording is gone");
}

const OCI = "application/vnd.oci.image.manifest.v1+json";
const NIL = "00000000-0000-0000-0000-000000000000";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  registry = await openFakeRegistry();
  workspace = makeCheckout({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" }, "containerUser": "vscode" }',
    ".devcontainer/Dockerfile": run.dockerfile.replaceAll("127.0.0.1:5999", registry.host),
  });
  for (const { manifest, config, contentType } of Object.values(run.images)) {
    registry.seedBlob("base", Buffer.from(config));
    registry.seedManifest("base", "oci", Buffer.from(manifest), contentType);
  }
  for (const [key, { manifest, config, contentType }] of Object.entries(run.cacheEntries)) {
    registry.seedBlob("team/app", Buffer.from(config));
    registry.seedManifest("team/app", key, Buffer.from(manifest), contentType);
  }
  seedBuilder();
});
afterEach(async () => {
  rmSync(workspace, { recursive: true });
  await registry.close();
});

function seedBuilder(): void {
  const folder = makeCheckout({ ".envbuilder/bin/envbuilder": { script: "fakebinary" } });
  const layer = gzipSync(execFileSync("tar", ["-c", "-C", folder, "."]));
  rmSync(folder, { recursive: true });
  const blob = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: registry.seedBlob("builder", bytes),
    size: bytes.length,
  });
  const config = blob(Buffer.from("{}"), "application/vnd.oci.image.config.v1+json");
  const layers = [blob(layer, "application/vnd.oci.image.layer.v1.tar+gzip")];
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: OCI, config, layers });
  registry.seedManifest("builder", "1", Buffer.from(manifest), OCI);
}

const seedImage = (): unknown => registry.seedManifest("team/app", "latest", Buffer.from(run.expectedManifest), OCI);

const ask = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({
    workspace,
    registry,
    docker: false,
    inputs: {
      dialect: "envbuilder",
      "builder-image": `${registry.host}/builder:1`,
      "cache-ttl-days": "36500",
      verify: "manifests",
      "on-miss": "fail",
      ...inputs,
    },
    ...more,
  });

const GONE = { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone"}]}' };
const lost = run.optimizeKeys.find(({ command }) => command.startsWith("RUN --mount"))?.key ?? "";
const lose = (reply = GONE): void => registry.override((line) => line.endsWith(`/manifests/${lost}`), reply);

test("an image that is there, and the environment: secrets stand in the files and in no output", async () => {
  seedImage();
  const told = await ask({
    "extra-env":
      "GREETING=hi\nENVBUILDER_INIT_SCRIPT=sleep 1\nCODER_AGENT_TOKEN=t0ken-of-the-agent\nSITE=https://u:p4ssword@h.test/",
  });
  expect(readable(told.log, registry)).toMatchInlineSnapshot(`
    "::add-mask::t0ken-of-the-agent
    ::group::Which image would envbuilder push for this commit?
    .devcontainer/devcontainer.json
    builder image: {registry}/builder:1
    platform: linux/amd64
    ::endgroup::
    ::group::Is it in {registry}/team/app?
    Hit: {registry}/team/app@sha256:<1>
    ::endgroup::
    result: hit {registry}/team/app@sha256:<1>
    The probe took {n} s, 15 requests in {n} waves, {n} bytes."
  `);
  const image = `${registry.host}/team/app@${run.expectedDigest}`;
  const { outputs } = told;
  expect(outputs).toMatchObject({ result: "hit", exists: "true", image, id: run.expectedDigest, pushed: "false" });
  const open = {
    ENVBUILDER_CACHE_REPO: `${registry.host}/team/app`,
    ENVBUILDER_CACHE_TTL_DAYS: "36500",
    ENVBUILDER_INIT_SCRIPT: "sleep 1",
    ENVBUILDER_REMOTE_REPO_BUILD_MODE: "true",
    GREETING: "hi",
  };
  expect(JSON.parse(outputs["env-map"] ?? "")).toEqual(open);
  expect(outputs.env?.split("\n")).toEqual(Object.entries(open).map(([name, value]) => `${name}=${value}`));
  const secrets = { CODER_AGENT_TOKEN: "t0ken-of-the-agent", SITE: "https://u:p4ssword@h.test/" };
  expect(JSON.parse(readFileSync(outputs["env-map-file"] ?? "", "utf8"))).toEqual({ ...open, ...secrets });
  expect(readFileSync(outputs["env-file"] ?? "", "utf8")).toContain("CODER_AGENT_TOKEN=t0ken-of-the-agent\n");
  expect(JSON.stringify(outputs) + told.summary).not.toMatch(/t0ken-of-the-agent|p4ssword/);
});

test("a missing layer is told at its line; whoever goes on gets the builder image", async () => {
  seedImage();
  lose();
  const failed = await ask();
  expect(failed).toMatchObject({ code: 1, outputs: { result: "miss", exists: "false", id: NIL, image: "" } });
  expect(failed.log).toMatch(/::error file=\.devcontainer\/Dockerfile,line=4::.*The image is not in/);
  expect(failed.log).toContain(`(key ${lost})`);
  const went = await ask({ "on-miss": "continue" });
  expect(went).toMatchObject({ code: 0, outputs: { result: "miss", id: NIL, image: `${registry.host}/builder:1` } });
});

test("a registry that keeps silent of what was pushed last holds no miss up for long", async () => {
  lose();
  let isSilent = false;
  registry.hold(
    (line) => line.endsWith("/manifests/latest"),
    () => {
      isSilent = true;
      return new Promise(() => undefined);
    },
  );
  // The run's own clock: a request that nobody answers takes a minute of it.
  const { outputs } = await ask({}, { hurry: { by: 5, when: () => isSilent } });
  expect(outputs).toMatchObject({ result: "miss" });
  expect(JSON.parse(outputs.timings ?? "").probe).toBeLessThan(45);
});

test("a registry in trouble is no miss", async () => {
  seedImage();
  lose({ status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' });
  expect(await ask({ "on-miss": "continue" })).toMatchObject({ code: 1, outputs: { result: "unknown", image: "" } });
  const went = await ask({ "on-unknown": "continue" });
  expect(went).toMatchObject({ code: 0, outputs: { result: "unknown", image: `${registry.host}/builder:1` } });
});

test("a fork's pull request pushes nothing and builds nothing", async () => {
  const event = {
    pull_request: {
      head: { repo: { full_name: "stranger/app", fork: true } },
      base: { repo: { full_name: "team/app" } },
    },
  };
  const env = { GITHUB_EVENT_NAME: "pull_request", GITHUB_REPOSITORY: "team/app" };
  const told = await ask({ "on-miss": "build" }, { event, env, docker: {} });
  expect(told).toMatchObject({ code: 0, docker: [], outputs: { result: "miss", image: `${registry.host}/builder:1` } });
  expect(told.requests.filter((line) => !/^(?:GET|HEAD) /.test(line))).toEqual([]);
  lose({ status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' });
  const unknown = await ask({ "on-miss": "build", "on-unknown": "build" }, { event, env, docker: {} });
  expect(unknown).toMatchObject({ code: 0, docker: [], outputs: { result: "unknown", exists: "false" } });
});

test("why what is nearly there is built all the same is told", async () => {
  const { log } = await ask({ "on-miss": "build" });
  expect(log).toMatch(/\nIt cannot be put together: its layer sha256:[0-9a-f]{64} cannot be put into .*\n/);
  expect(log).toContain("[E_DOCKER]");
});

test("a builder of which the registry tells nothing is the one that this machine has, and that is said", async () => {
  registry.override((line) => line.includes("/builder/manifests/"), GONE);
  const told = await ask({ "on-unknown": "build" }, { docker: {} });
  expect(told).toMatchObject({ code: 1, outputs: { result: "failed" } });
  expect(told.log).toMatch(/::warning::Which image \S+\/builder:1 is cannot be told/);
  expect(told.docker.find(([command]) => command === "create")?.at(-1)).toBe(`${registry.host}/builder:1`);
});

test("the builder that is run is the image that was looked into, by its digest", async () => {
  lose();
  const told = await ask({ "on-miss": "build" }, { docker: {} });
  expect(told.docker.find(([command]) => command === "create")?.at(-1)).toMatch(/\/builder@sha256:[0-9a-f]{64}$/);
});

test("a build secret is masked alone too", async () => {
  const { log } = await ask({ "extra-env": "ENVBUILDER_BUILD_SECRETS=A=s3cret-one,B=s3cret=two" });
  expect(log).toContain("::add-mask::s3cret-one\n");
  expect(log).toContain("::add-mask::s3cret=two\n");
});

test("a push that is demanded and refused is an error; where it is not, workspaces build by themselves", async () => {
  registry.override((line) => line.startsWith("POST "), {
    status: 403,
    body: '{"errors":[{"code":"DENIED","message":"no"}]}',
  });
  lose();
  const demanded = await ask({ "on-miss": "build", push: "true" }, { docker: {} });
  expect(demanded).toMatchObject({ code: 1, docker: [], outputs: { result: "failed" } });
  expect(demanded.log).toMatch(/\[E_PUSH\]/);
  const told = await ask({ "on-miss": "build" }, { docker: {} });
  expect(told).toMatchObject({ code: 0, docker: [], outputs: { result: "miss", image: `${registry.host}/builder:1` } });
  expect(told.log).toContain("Workspaces start with the builder image.");
});

test("an earlier image is asked for by its digest, and nothing else is", async () => {
  seedImage();
  registry.seedBlob("team/app", Buffer.from(run.expectedConfig));
  const image = `${registry.host}/team/app@${run.expectedDigest}`;
  const told = await ask({ "previous-image": image });
  expect(told).toMatchObject({ code: 0, outputs: { result: "hit", image, id: run.expectedDigest } });
  expect(told.requests.filter((line) => /builder|base/.test(line))).toEqual([]);
  registry.override((line) => line.includes(`/manifests/${run.expectedDigest}`), { status: 503 });
  const unknown = await ask({ "previous-image": image, "on-unknown": "continue" });
  expect(unknown).toMatchObject({ code: 0, outputs: { result: "unknown", exists: "false" } });
});

test("the requests that wait for one another are as many for thirty instructions as for one", async () => {
  const ends = async (count: number) => {
    const lines = Array.from({ length: count }, (_, at) => `RUN echo ${at}`);
    put(workspace, ".devcontainer/Dockerfile", [`FROM ${registry.host}/base:oci`, ...lines, ""].join("\n"));
    const told = await ask();
    expect(told.outputs.result).toBe("miss");
    return JSON.parse(told.outputs.timings ?? "");
  };
  const [one, thirty] = [await ends(1), await ends(30)];
  expect(thirty.requests - one.requests).toBe(29);
  expect(thirty.waves).toBe(one.waves);
  // Images, the base's config, layers.
  expect(thirty.waves).toBeLessThanOrEqual(3);
});

test("a hit takes five waves, the last one for the image and for all that must be there with it", async () => {
  seedImage();
  registry.override((line) => line.endsWith("/manifests/latest"), GONE);
  const { config, layers } = JSON.parse(run.expectedManifest);
  const sizes = new Map([config, ...layers].map(({ digest, size }) => [digest, size]));
  registry.override(
    (line) => line.startsWith("HEAD /v2/team/app/blobs/"),
    ({ url }) => ({ status: 200, headers: { "content-length": String(sizes.get(url.pathname.split("/").at(-1))) } }),
  );
  registry.together(/manifests\/(?:latest|oci|1)$/, 3);
  registry.together(/^GET \/v2\/(?:base|builder)\/blobs\//, 2);
  registry.together(/manifests\/[0-9a-f]{64}$/, 5);
  registry.together(/^GET \/v2\/team\/app\/blobs\//, 5);
  registry.together(new RegExp(`^HEAD .*/blobs/|/manifests/${run.expectedDigest}$`), sizes.size + 1);
  const { outputs, log } = await ask({ verify: "layers" });
  expect(outputs.result, log).toBe("hit");
  expect(JSON.parse(outputs.timings ?? "").waves).toBe(5);
});

test("no layer's look-up waits for a connection: they are opened while the images are read", async () => {
  const lines = Array.from({ length: 12 }, (_, at) => `RUN echo ${at}`);
  put(workspace, ".devcontainer/Dockerfile", [`FROM ${registry.host}/base:oci`, ...lines, ""].join("\n"));
  let before = 0;
  const isFirst = (line: string): boolean => /\/base\/manifests\//.test(line);
  registry.hold(isFirst, async () => {
    for (const end = Date.now() + 60_000; Date.now() < end && registry.connections() < 14; )
      await new Promise((done) => setTimeout(done, 5));
    before = registry.connections();
  });
  expect((await ask()).outputs.result).toBe("miss");
  expect(before).toBeGreaterThanOrEqual(14);
});
