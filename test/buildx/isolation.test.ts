import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { isolateDockerConfiguration, type KnownLogin, needsHubLogin } from "../../src/buildx/isolation.ts";
import { openFiles } from "../../src/host/files.ts";
import { type Content, closedFolder, makeCheckout } from "../checkout.ts";

const { files } = openFiles(tmpdir());
const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function makeHome(content: Readonly<Record<string, Content>>): string {
  const home = makeCheckout(content);
  made.push(home);
  return home;
}

async function isolate(
  env: Readonly<Record<string, string>>,
  logins: readonly KnownLogin[] = [],
): Promise<{ readonly folder: string; readonly env: Readonly<Record<string, string>>; readonly config: unknown }> {
  const folder = mkdtempSync(join(tmpdir(), "isolated-"));
  made.push(folder);
  const told = await isolateDockerConfiguration(files, env, folder, logins);
  return { folder, env: told, config: JSON.parse(readFileSync(`${folder}/config.json`, "utf8")) };
}

const name = (registry: string, repository: string) => ({ registry, repository });
const ME = { username: "me", password: "pass:word" };

test("only the logins of this run, the user's builders, and nothing of his written", async () => {
  const own = {
    auths: { "other.test": { auth: "b3RoZXI6c2VjcmV0" } },
    credsStore: "desktop",
    credHelpers: { "third.test": "pass" },
    proxies: { default: { httpProxy: "http://proxy.test" } },
    currentContext: "remote",
  };
  const home = makeHome({
    ".docker/config.json": JSON.stringify(own),
    ".docker/buildx/current": '{"Key":"k","Name":"b"}',
    ".docker/buildx/instances/b": '{"Name":"b"}',
    ".docker/buildx/.buildNodeID": "0011223344556677",
    ".docker/buildx/refs/b/old": "{}",
    ".docker/buildx/config/other.test/team/app@push/config.json": '{"auths":{"other.test":{"auth":"c2VjcmV0"}}}',
    ".docker/contexts/meta/x/meta.json": "{}",
  });
  const before = readdirSync(home, { recursive: true }).sort();
  const { folder, env, config } = await isolate({ HOME: home }, [
    { name: name("docker.io", "library/debian"), login: ME },
    { name: name("cache.test", "team/app"), login: { identityToken: "t0ken" } },
    { name: name("token.test", "team/app"), login: { registryToken: "bearer" } },
    { name: name("public.test", "team/app"), login: undefined },
  ]);
  expect(env).toEqual({ DOCKER_CONFIG: folder, BUILDX_CONFIG: `${folder}/buildx`, DOCKER_AUTH_CONFIG: "" });
  expect(config).toEqual({
    proxies: own.proxies,
    currentContext: "remote",
    cliPluginsExtraDirs: [`${home}/.docker/cli-plugins`],
    auths: {
      "https://index.docker.io/v1/": { auth: "bWU6cGFzczp3b3Jk" },
      "cache.test": { identitytoken: "t0ken" },
      "token.test": { registrytoken: "bearer" },
    },
  });
  expect(statSync(`${folder}/config.json`).mode & 0o777).toBe(0o600);
  expect(readFileSync(`${folder}/buildx/instances/b`, "utf8")).toBe('{"Name":"b"}');
  expect(readFileSync(`${folder}/contexts/meta/x/meta.json`, "utf8")).toBe("{}");
  expect(readdirSync(`${folder}/buildx`).sort()).toEqual(["current", "instances"]);
  expect(readdirSync(home, { recursive: true }).sort()).toEqual(before);
});

test("repositories of one registry keep the logins that they have: the first for all, the others in scoped folders", async () => {
  const { folder, config } = await isolate({ HOME: "/nowhere" }, [
    { name: name("ghcr.test", "team/public"), login: undefined },
    { name: name("ghcr.test", "team/cache"), login: ME },
    { name: name("ghcr.test", "other/base"), login: { username: "reader", password: "r" } },
    { name: name("ghcr.test", "team/twin"), login: ME },
    { name: name("docker.io", "library/debian"), login: ME },
    { name: name("docker.io", "team/tool"), login: { identityToken: "hub" } },
  ]);
  expect(config).toMatchObject({
    auths: { "ghcr.test": { auth: "bWU6cGFzczp3b3Jk" }, "https://index.docker.io/v1/": { auth: "bWU6cGFzczp3b3Jk" } },
  });
  const scoped = readdirSync(`${folder}/buildx/config`, { recursive: true, encoding: "utf8" });
  const written = scoped.filter((path) => path.endsWith("config.json")).sort();
  expect(
    Object.fromEntries(
      written.map((path) => [path, JSON.parse(readFileSync(`${folder}/buildx/config/${path}`, "utf8")).auths]),
    ),
  ).toEqual({
    "ghcr.test/other/base/config.json": { "ghcr.test": { auth: "cmVhZGVyOnI=" } },
    "ghcr.test/team/public/config.json": { "nobody.invalid": {} },
    "registry-1.docker.io/team/tool/config.json": { "https://index.docker.io/v1/": { identitytoken: "hub" } },
  });
  expect(statSync(`${folder}/buildx/config/ghcr.test/other/base/config.json`).mode & 0o777).toBe(0o600);
});

describe("what the user has", () => {
  test.each<[string, Readonly<Record<string, Content>>]>([
    ["no configuration", {}],
    ["a broken configuration", { ".docker/config.json": "{" }],
    ["a configuration that is a list", { ".docker/config.json": "[]" }],
    ["a link in the folder of builders", { ".docker/buildx/instances/b": { link: "/etc/hostname" } }],
  ])("%s is no reason to fail", async (_, content) => {
    const home = makeHome(content);
    const { folder, config } = await isolate({ HOME: home });
    // An entry there must be, else docker's client looks for a helper program of its own.
    expect(config).toMatchObject({ auths: { "nobody.invalid": {} } });
    expect(readdirSync(folder, { recursive: true })).not.toContain("buildx/instances/b");
  });

  test("folders that its variables name", async () => {
    const home = makeHome({
      "d/config.json": JSON.stringify({ cliPluginsExtraDirs: ["/opt/plugins"] }),
      "x/instances/n": "{}",
      ".docker/buildx/instances/not-this": "{}",
    });
    const { folder, config } = await isolate({
      HOME: home,
      DOCKER_CONFIG: `${home}/d`,
      BUILDX_CONFIG: `${home}/x`,
    });
    expect(config).toMatchObject({ cliPluginsExtraDirs: [`${home}/d/cli-plugins`, "/opt/plugins"] });
    expect(readdirSync(`${folder}/buildx/instances`)).toEqual(["n"]);
  });

  test.each([
    ["TLS without a path", { DOCKER_TLS_VERIFY: "1" }, "/home/me/.docker"],
    ["TLS without a check and without a path", { DOCKER_TLS: "1" }, "/home/me/.docker"],
    ["TLS with a path", { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/certs" }, undefined],
    ["no TLS", {}, undefined],
  ])("an engine with %s finds its certificates", async (_, variables, path) => {
    const { env } = await isolate({ HOME: "/home/me", ...variables });
    expect(env.DOCKER_CERT_PATH).toBe(path);
  });
});

test("a folder of docker's that is another user's is passed over, as docker does", async () => {
  const home = makeHome({
    ".docker/config.json": "{}",
    ".docker/contexts/meta/x/meta.json": "{}",
    ".docker/buildx/current": '{"Name":"b"}',
    ".docker/buildx/instances/b": '{"Driver":"cloud"}',
  });
  for (const closed of [".docker", ".docker/buildx"]) {
    const refusing = closedFolder(files, `${home}/${closed}`);
    const folder = mkdtempSync(join(tmpdir(), "isolated-"));
    made.push(folder);
    await isolateDockerConfiguration(refusing, { HOME: home }, folder, []);
    expect(readdirSync(folder).sort()).toEqual([
      "buildx",
      "config.json",
      ...(closed === ".docker" ? [] : ["contexts"]),
    ]);
    expect(readdirSync(`${folder}/buildx`)).toEqual([]);
    expect(await needsHubLogin(refusing, { HOME: home }, ["b"])).toBe(false);
  }
});

test.each([
  ["the current one", { current: '{"Name":"c"}' }, {}, []],
  ["one that the environment names", {}, { BUILDX_BUILDER: "c" }, []],
  ["one that an input names", {}, {}, ["b", "c"]],
])("%s of Docker's cloud needs the login for Docker Hub", async (_, more, env, names) => {
  const records = { "instances/c": '{"Driver":"cloud"}', "instances/b": '{"Driver":"docker-container"}', ...more };
  const content = Object.fromEntries(Object.entries(records).map(([path, text]) => [`.docker/buildx/${path}`, text]));
  expect(await needsHubLogin(files, { HOME: makeHome(content), ...env }, names)).toBe(true);
});

test.each([
  ["no builder", {}],
  ["a builder of another driver", { current: '{"Name":"b"}', "instances/b": '{"Driver":"remote"}' }],
  ["a builder without a record", { current: '{"Name":"gone"}' }],
  ["a name that leads elsewhere", { current: '{"Name":"../c"}', c: '{"Driver":"cloud"}', "instances/x": "{}" }],
])("%s needs no login for Docker Hub", async (_, records) => {
  const content = Object.fromEntries(Object.entries(records).map(([path, text]) => [`.docker/buildx/${path}`, text]));
  expect(await needsHubLogin(files, { HOME: makeHome(content) }, [])).toBe(false);
});
