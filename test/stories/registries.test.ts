import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { play } from "./harness.ts";
import { sampleCheckout, seedBase } from "./sample.ts";

// What the registries of a run are told and tell, from the inputs to the log.

let registry: FakeRegistry;
let mirror: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  [registry, mirror] = await Promise.all([openFakeRegistry(), openFakeRegistry()]);
  for (const one of [registry, mirror]) seedBase(one, "base/os", "1", "one");
  workspace = sampleCheckout(registry);
});
afterEach(() => Promise.all([registry.close(), mirror.close()]));

const isBase = (line: string): boolean => line.includes("/base/os/");

const DOCKERFILE = ".devcontainer/Dockerfile";

test.each([
  ["a base", (host: string) => `ARG X\n\nFROM ${host}/base/os:1\n`, 3],
  ["a frontend", (host: string) => `# syntax=${host}/docker/dockerfile:1\nFROM scratch\n`, 1],
  ["an image that is copied from", (host: string) => `FROM scratch\nCOPY --from=${host}/base/os:1 /a /a\n`, 2],
])("%s outside allowed-images is refused with its line, and no registry hears of it", async (_, text, line) => {
  put(workspace, DOCKERFILE, text(mirror.host));
  const inputs = { "allowed-images": `${registry.host}/**\nscratch` };
  const { code, log } = await play({ workspace, registry, inputs });
  expect(code).toBe(1);
  expect(log).toMatch(new RegExp(`^::error file=.*${DOCKERFILE},line=${line}::.*allowed-images`, "m"));
  expect([...registry.requests, ...mirror.requests]).toEqual([]);
});

test.each([
  ["registry-mirrors", "docker.io"],
  ["registry-mirrors", "docker.io=https://mirror.test"],
  ["allowed-images", "ghcr.io/UPPER"],
  ["insecure", "https://registry.test"],
])("%s that cannot be read is named, and nothing is asked: %s", async (name, value) => {
  const { code, log } = await play({ workspace, registry, inputs: { [name]: value } });
  expect(code).toBe(1);
  expect(log).toMatch(new RegExp(`^::error.*The input ${name} .*\\[E_INPUT\\]`, "m"));
  expect(registry.requests).toEqual([]);
});

test("a mirror is asked in place of the base's registry, and the plan keeps the base's own name", async () => {
  const inputs = { "registry-mirrors": `${registry.host}=${mirror.host}` };
  const direct = await play({ workspace, registry, inputs: { "on-miss": "continue" } });
  const mirrored = await play({ workspace, registry, inputs: { ...inputs, "on-miss": "continue" } });
  expect(mirrored.outputs.key).toBe(direct.outputs.key);
  expect(mirrored.requests.filter(isBase)).toEqual([]);
  // What it says of ONBUILD is in its config.
  const [index, ...others] = mirror.requests.filter(isBase);
  expect(index).toBe("GET /v2/base/os/manifests/1");
  for (const line of others) expect(line).toMatch(/^GET \/v2\/base\/os\/(manifests|blobs)\/sha256:[0-9a-f]{64}$/);
  expect(mirror.requests.filter((line) => line.includes("team/app"))).toEqual([]);

  mirror.override(isBase, { status: 503 });
  const fallen = await play({ workspace, registry, inputs: { ...inputs, "on-miss": "continue" } });
  expect(fallen.log).toContain(`The mirror ${mirror.host} does not give ${registry.host}/base/os:1 (unavailable:`);
  expect(fallen.outputs.key).toBe(direct.outputs.key);
});

test("an upstream that cannot be read fails no job whose sources have an image, with on-drift: use", async () => {
  const built = await play({ workspace, registry });
  registry.override(isBase, { status: 403, body: '{"errors":[{"code":"DENIED","message":"go away"}]}' });
  const used = await play({ workspace, registry, inputs: { "on-drift": "use" } });
  expect(used.code).toBe(0);
  expect(used.outputs).toMatchObject({ result: "stale", image: built.outputs.image });
  expect(used.builds).toEqual([]);
  const stopped = await play({ workspace, registry, inputs: { "on-drift": "fail" } });
  expect(stopped.code).toBe(1);
});

test("a rate limit is told with what is left of it", async () => {
  registry.override(isBase, {
    status: 429,
    headers: { "retry-after": "3600", "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600" },
    body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit"}]}',
  });
  const { code, log, summary } = await play({ workspace, registry });
  expect(code).toBe(1);
  for (const text of [log, summary]) {
    expect(text).toContain("You have reached your pull rate limit");
    expect(text).toContain("0 of 100 are left");
  }
});

test("what the probe spent stands in the log, the summary and the outputs", async () => {
  const { log, summary, outputs } = await play({ workspace, registry, inputs: { "on-miss": "continue" } });
  expect(log).toMatch(/The probe took [\d.]+ s, \d+ requests in \d+ waves, \d+ bytes\./);
  expect(summary).toMatch(/\d+ requests?.*\d+ waves?/);
  expect(JSON.parse(outputs.timings ?? "")).toMatchObject({
    requests: expect.any(Number),
    bytes: expect.any(Number),
    waves: expect.any(Number),
  });
});

test.each([
  ["no JSON", "{canary", /config\.json is no JSON object: its logins are not used/],
  ["a helper that is not there", '{"credsStore":"gone"}', /docker-credential-gone, which is not on PATH/],
  ["a helper that prints junk", '{"credsStore":"junk"}', /docker-credential-junk .* cannot be read/],
])("a docker configuration with %s is warned of by its name, and a public registry is read", async (_, text, words) => {
  const folder = join(workspace, ".docker");
  put(workspace, ".docker/config.json", text);
  put(workspace, "bin/docker-credential-junk", { script: "#!/bin/sh\necho canary\n" });
  registry.requireBearer({ user: "me", password: "pass", anonymousMayPull: true });
  const { log, outputs } = await play({
    workspace,
    registry,
    inputs: { "on-miss": "continue", push: "false" },
    env: { DOCKER_CONFIG: folder, PATH: `${workspace}/bin:/usr/bin:/bin` },
  });
  expect(log).toMatch(new RegExp(`^::warning::.*${words.source}`, "m"));
  expect(log).not.toContain("canary");
  expect(outputs.result).toBe("miss");
});
