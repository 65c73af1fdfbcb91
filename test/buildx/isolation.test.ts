import { mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isolateDockerConfiguration } from "../../src/buildx/isolation.ts";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";

test("only the logins of this run, the user's builders, and nothing of his written", async () => {
  const own = {
    auths: { "other.test": { auth: "b3RoZXI6c2VjcmV0" } },
    credsStore: "desktop",
    proxies: { default: { httpProxy: "http://proxy.test" } },
    currentContext: "remote",
  };
  const home = makeCheckout({
    ".docker/config.json": JSON.stringify(own),
    ".docker/buildx/current": '{"Key":"k","Name":"b"}',
    ".docker/buildx/instances/b": '{"Name":"b"}',
    ".docker/buildx/refs/b/old": "{}",
    ".docker/contexts/meta/x/meta.json": "{}",
  });
  const before = readdirSync(home, { recursive: true }).sort();
  const folder = mkdtempSync(join(tmpdir(), "isolated-"));
  const logins = new Map([
    ["docker.io", { username: "me", password: "pass:word" }],
    ["cache.test", { identityToken: "t0ken" }],
  ]);
  const env = await isolateDockerConfiguration(openFiles(tmpdir()).files, { HOME: home }, folder, logins);
  expect(env).toEqual({ DOCKER_CONFIG: folder, BUILDX_CONFIG: `${folder}/buildx` });
  expect(JSON.parse(readFileSync(`${folder}/config.json`, "utf8"))).toEqual({
    proxies: own.proxies,
    currentContext: "remote",
    cliPluginsExtraDirs: [`${home}/.docker/cli-plugins`],
    auths: { "https://index.docker.io/v1/": { auth: "bWU6cGFzczp3b3Jk" }, "cache.test": { identitytoken: "t0ken" } },
  });
  expect(statSync(`${folder}/config.json`).mode & 0o777).toBe(0o600);
  expect(readFileSync(`${folder}/buildx/instances/b`, "utf8")).toBe('{"Name":"b"}');
  expect(readdirSync(`${folder}/buildx`).sort()).toEqual(["current", "instances"]);
  expect(readdirSync(home, { recursive: true }).sort()).toEqual(before);
});

test("no configuration at all", async () => {
  const folder = mkdtempSync(join(tmpdir(), "isolated-"));
  await isolateDockerConfiguration(openFiles(tmpdir()).files, { HOME: "/nowhere" }, folder, new Map());
  expect(JSON.parse(readFileSync(`${folder}/config.json`, "utf8")).auths).toEqual({});
});
