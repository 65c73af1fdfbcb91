import { mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { inspectBuilder } from "../../src/buildx/builder.ts";
import { type Builders, chooseBuilders, type WantedBuilders } from "../../src/buildx/builders.ts";
import type { BuilderNetwork, KnownRegistry } from "../../src/buildx/buildkitd.ts";
import { openBuildx, runBuildx } from "../../src/buildx/buildx.ts";
import { askEngine } from "../../src/buildx/engine.ts";
import { isolateDockerConfiguration, type KnownLogin } from "../../src/buildx/isolation.ts";
import { findPlugin } from "../../src/buildx/plugin.ts";
import { openExec } from "../../src/host/exec.ts";
import { openFiles } from "../../src/host/files.ts";
import { openOwner } from "../../src/host/owner.ts";
import type { Finished } from "../../src/world.ts";
import { put } from "../checkout.ts";
import {
  copySample,
  docker,
  type Ended,
  makeBase,
  REGISTRY,
  runAction,
  runImage,
  type Step,
  tags,
  unique,
} from "./harness.ts";
import { folder, LOGIN, makeCertificate, makePasswordFile, startRegistry } from "./registries.ts";
import { runScript } from "./script.ts";

// Builders of every driver that can be had without Docker Hub, and what reaches them of what our client knows.

const IMAGE = `${REGISTRY}/${unique("buildkit")}:v0.26.3`;
const OTHER_IMAGE = IMAGE.replace("v0.26.3", "other");

const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };
const NOTHING: BuilderNetwork = { registries: [], proxies: {}, inputs: [] };
const known = (host: string, told: Partial<KnownRegistry> = {}): KnownRegistry => ({
  host,
  mirrors: [],
  certificates: [],
  insecure: false,
  ...told,
});

const env = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])));
const { exec } = openExec(env);
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

type Site = {
  readonly builders: Builders;
  readonly told: readonly string[];
  /** Builds one platform and pushes it under a name. */
  readonly build: (dockerfile: string, platform: typeof amd64, name: string) => Promise<Finished>;
};

/** Chooses builders as a run does: in a configuration of its own, with the machine's docker. */
async function choose(wanted: Partial<WantedBuilders>, logins: readonly KnownLogin[] = []): Promise<Site> {
  const { files, removeTemporaryFolders } = openFiles(folder);
  ends.push(async () => removeTemporaryFolders());
  const own = await isolateDockerConfiguration(files, env, await files.temporaryFolder("docker"), logins);
  const engine = askEngine({ exec, env: own });
  const buildx = await openBuildx({ exec, env: own }, { plugin: await findPlugin(files, env) });
  const told: string[] = [];
  const tell = (line: string): void => void told.push(line);
  const nothing = (): void => undefined;
  const group = <T>(_: string, body: () => Promise<T>): Promise<T> => body();
  const log = {
    info: tell,
    warning: tell,
    error: nothing,
    notice: nothing,
    debug: nothing,
    mask: nothing,
    detach: () => undefined,
    group,
  };
  const builders = await chooseBuilders(
    {
      platforms: [amd64],
      push: true,
      name: undefined,
      byPlatform: new Map(),
      image: undefined,
      refuseOwnImage: undefined,
      restart: false,
      network: NOTHING,
      entitlements: [],
      ...wanted,
    },
    {
      ...{ exec, env: own, files, buildx, engine, log, clock: Date.now, owner: openOwner() },
      salt: () => unique("").slice(1).padEnd(32, "0"),
      atEnd: (undo) => void ends.push(undo),
    },
  );
  const build: Site["build"] = async (dockerfile, platform, name) => {
    const context = mkdtempSync(join(folder, "context-"));
    writeFileSync(join(context, "Dockerfile"), dockerfile);
    const args = ["build", "--builder", builders.forPlatform(platform).name, "--progress", "plain"];
    args.push("--platform", `${platform.os}/${platform.architecture}`, "--output", `type=image,name=${name},push=true`);
    return runBuildx(buildx, [...args, context], { exec, env: own });
  };
  return { builders, told, build };
}

async function containers(name: string): Promise<string[]> {
  const filter = ["--filter", `name=buildx_buildkit_${name}`, "--format"];
  const all = await docker("ps", "--all", ...filter, "{{.Names}} {{.ID}}");
  const volumes = await docker("volume", "ls", "--filter", `name=buildx_buildkit_${name}`, "--format", "{{.Name}}");
  return [...all.split("\n"), ...volumes.split("\n")].filter((line) => line !== "");
}

/** Containers and volumes of builders that runs have made for themselves. */
async function machineOf(): Promise<string[]> {
  return containers("dev-container-cache-");
}

test("docker's plugin is found where docker finds it, and the engine is what docker says", async () => {
  const { files } = openFiles(folder);
  const format = '{{range .ClientInfo.Plugins}}{{if eq .Name "buildx"}}{{.Path}}{{end}}{{end}}';
  const path = (await docker("info", "--format", format)).trim();
  expect(realpathSync((await findPlugin(files, env)) ?? "")).toBe(realpathSync(path));
  const engine = await askEngine({ exec, env });
  expect(await docker("version", "--format", "{{.Server.Version}}")).toContain(`${engine?.version?.join(".")}`);
  const status = await docker("info", "--format", "{{json .DriverStatus}}");
  expect(engine?.store).toBe(status.includes("io.containerd.snapshotter") ? "containerd" : "classic");
});

test("the engine's own builder is what it is said to be", async () => {
  const { builders, told } = await choose({ platforms: [amd64, arm64] });
  const builder = builders.forPlatform(arm64);
  expect(told).toEqual([expect.stringMatching(/linux\/amd64 .*linux\/arm64 /)]);
  expect(builder.nodes[0]?.platforms).toEqual(expect.arrayContaining(["linux/amd64", "linux/arm64"]));
});

test("a builder that is not there is told with buildx's own words", async () => {
  await expect(choose({ name: "no-such-builder" })).rejects.toMatchObject({
    message: expect.stringMatching(/no builder "no-such-builder" found/),
  });
});

test("a platform that nobody can build for is told before the build", async () => {
  await expect(choose({ platforms: [{ os: "windows", architecture: "amd64" }] })).rejects.toMatchObject({
    message: expect.stringMatching(/cannot build for windows\/amd64; it can for linux\/amd64/),
  });
});

test("a docker-buildx on PATH is enough where there is no docker", async () => {
  const plugins = await docker("info", "--format", "{{range .ClientInfo.Plugins}}{{.Name}}={{.Path}} {{end}}");
  const plugin = /(?:^| )buildx=(\S+)/.exec(plugins)?.[1] ?? "";
  const path = mkdtempSync(join(folder, "path-"));
  symlinkSync(plugin, join(path, "docker-buildx"));
  const alone = { exec, env: { ...env, PATH: path } };
  const buildx = await openBuildx(alone);
  expect(buildx).toMatchObject({ program: "docker-buildx", prefix: [] });
  expect(await inspectBuilder(undefined, { ...alone, buildx, engine: askEngine(alone) })).toMatchObject({
    engine: undefined,
    driver: expect.stringMatching(/^docker/),
  });
});

describe("with an image of BuildKit", () => {
  beforeAll(async () => {
    await runScript("scripts/buildkit.sh", IMAGE);
    await docker("buildx", "imagetools", "create", "--tag", OTHER_IMAGE, IMAGE);
  });

  test("a builder for this run alone builds both platforms, and nothing of it is left", async () => {
    const base = await makeBase({ repository: unique("base") });
    const { builders, build } = await choose({
      platforms: [amd64, arm64],
      image: IMAGE,
      network: { ...NOTHING, registries: [known(REGISTRY, { insecure: true })] },
    });
    const { name, driver, nodes } = builders.forPlatform(amd64);
    expect({ driver, buildkit: nodes[0]?.buildkit }).toEqual({ driver: "docker-container", buildkit: [0, 26, 3] });
    for (const platform of [amd64, arm64])
      expect(await build(`FROM ${base.image}\nRUN true\n`, platform, `${REGISTRY}/${unique("own")}:1`)).toMatchObject({
        code: 0,
      });
    expect(await containers(name)).toHaveLength(2);
    for (const end of ends.splice(0).reverse()) await end();
    expect(await containers(name)).toEqual([]);
  });

  test("the action makes one for its run, builds features for both platforms with it, and removes it; then it is a hit", async () => {
    const workspace = copySample();
    const base = await makeBase({ repository: unique("base/builder") });
    put(
      workspace,
      ".devcontainer/devcontainer.json",
      JSON.stringify({ image: base.image, features: { "./tool": {} } }),
    );
    put(workspace, ".devcontainer/tool/devcontainer-feature.json", '{ "id": "tool", "version": "1.0.0" }');
    put(workspace, ".devcontainer/tool/install.sh", { script: "#!/bin/sh\nuname -m > /tool\n" });
    const run = (inputs: Readonly<Record<string, string>> = {}) =>
      runAction({
        workspace,
        inputs: { "cache-repo": `${REGISTRY}/${cache}`, platforms: "linux/amd64,linux/arm64", ...inputs },
      });
    const cache = unique("e2e/builder");
    const before = await docker("ps", "--all", "--format", "{{.Names}}");
    const built = await run({ "buildkit-image": IMAGE });
    expect(built.outputs.result, built.log).toBe("built");
    expect(built.log).toMatch(/Builder dev-container-cache-[0-9a-f]+ \(driver docker-container\)/);
    expect(await runImage(built.outputs.image ?? "", "linux/arm64", "cat", "/tool")).toBe("aarch64");
    expect(await docker("ps", "--all", "--format", "{{.Names}}")).toBe(before);
    expect(await run()).toMatchObject({ outputs: { result: "hit", image: built.outputs.image } });
  });

  test.each<[string, (log: string) => boolean]>([
    ["starts", (log) => log.includes("Building linux/amd64")],
    ["builds", (log) => log.includes("(driver docker-container) builds")],
    ["is removed", (log) => log.includes("Pushed and read back")],
  ])("a run that is stopped while its builder %s leaves nothing of it", async (_, stopWhen) => {
    const base = await makeBase({ repository: unique("base/stopped") });
    const before = await machineOf();
    const ended = await runAction({
      workspace: copySample(),
      inputs: { "cache-repo": `${REGISTRY}/${unique("e2e/stopped")}`, "buildkit-image": IMAGE },
      env: { SAMPLE_BASE: base.image },
      stopWhen,
    });
    expect(ended.code, ended.log).toBe(143);
    expect(ended.left.filter((name) => /-(?:docker|build|buildkit)-/.test(name))).toEqual([]);
    expect(await machineOf()).toEqual(before);
  });

  test("an empty one takes the layers that another one left beside the image; a pull request takes and leaves none", async () => {
    const workspace = copySample();
    const base = await makeBase({ repository: unique("base/layers") });
    const cache = unique("e2e/layers");
    const run = async (more: Pick<Step, "env" | "event"> = {}): Promise<Ended> => {
      const inputs = { "cache-repo": `${REGISTRY}/${cache}`, "buildkit-image": IMAGE, force: "true" };
      const ended = await runAction({ workspace, inputs, ...more, env: { SAMPLE_BASE: base.image, ...more.env } });
      expect(ended.outputs.result, ended.log).toBe("built");
      return ended;
    };
    const head = { ref: "topic", repo: { full_name: "team/app" } };
    const pull = {
      env: { GITHUB_EVENT_NAME: "pull_request", GITHUB_HEAD_REF: "topic", GITHUB_BASE_REF: "main" },
      event: {
        repository: { default_branch: "main", full_name: "team/app" },
        pull_request: { head, base: { ref: "main", repo: { full_name: "team/app" } } },
      },
    };
    const layers = async (): Promise<readonly string[]> =>
      (await tags(cache)).filter((tag) => tag.startsWith("layers-"));
    expect((await run(pull)).log).toMatch(/\d steps, 0 cached/);
    expect(await layers()).toEqual([]);
    expect((await run()).log).toMatch(/\d steps, 0 cached/);
    expect(await layers()).toHaveLength(1);
    expect((await run(pull)).log).toMatch(/(\d) steps, \1 cached/);
    expect(await layers()).toHaveLength(1);
  });

  test("one that is kept goes on with its container, and starts anew for another image or when asked", async () => {
    const name = unique("kept");
    ends.push(() => removeKept(name));
    const wanted = { name, image: IMAGE };
    await choose(wanted);
    const first = await containers(name);
    await choose(wanted);
    expect(await containers(name)).toEqual(first);
    await choose({ ...wanted, image: OTHER_IMAGE });
    const second = await containers(name);
    expect(second[0]).not.toBe(first[0]);
    await choose({ ...wanted, image: OTHER_IMAGE, restart: true });
    expect((await containers(name))[0]).not.toBe(second[0]);
  });

  test("a remote one builds what is named for it, the engine's the rest", async () => {
    const id = (
      await docker("run", "--detach", "--privileged", "--network", "host", IMAGE, "--addr", await freeAddress())
    ).trim();
    ends.push(async () => void (await docker("rm", "--force", "--volumes", id)));
    const address = JSON.parse(await docker("inspect", "--format", "{{json .Args}}", id))[1];
    const name = unique("remote");
    await docker("buildx", "create", "--name", name, "--driver", "remote", "--platform", "linux/arm64", address);
    ends.push(async () => void (await docker("buildx", "rm", name)));
    const { builders, build, told } = await choose({
      platforms: [amd64, arm64],
      byPlatform: new Map([["linux/arm64", name]]),
    });
    expect(builders.forPlatform(arm64)).toMatchObject({ name, driver: "remote" });
    expect(builders.forPlatform(amd64).name).not.toBe(name);
    expect(told.at(-1)).toBe(`Builder ${name} (driver remote) builds linux/arm64 natively.`);
    const base = await makeBase({ repository: unique("base") });
    const built = await build(`FROM ${base.image}\nRUN true\n`, arm64, `${REGISTRY}/${unique("remote")}:1`);
    expect(built).toMatchObject({ code: 0 });
  });

  describe("and a registry with a certificate of its own and a login", () => {
    let host: string;
    let pem: string;
    beforeAll(async () => {
      const made = makeCertificate("IP:127.0.0.1,DNS:registry.test");
      pem = made.pem;
      const tls = `, tls: { certificate: ${made.certificate}, key: ${made.key} } }`;
      host = await startRegistry("builders", `${tls}\nauth: { htpasswd: { realm: t, path: ${makePasswordFile()} } }`);
    });
    const pushed = async (network: BuilderNetwork, registry = host): Promise<Finished> => {
      const repository = unique("app");
      const logins = [{ name: { registry, repository }, login: LOGIN }];
      const { build } = await choose({ image: IMAGE, network }, logins);
      return build("FROM scratch\nCOPY Dockerfile /\n", amd64, `${registry}/${repository}:1`);
    };

    test("the certificate reaches the builder", async () => {
      const registries = [known(host, { certificates: [pem] })];
      expect(await pushed({ ...NOTHING, registries })).toMatchObject({ code: 0 });
    });

    test("named insecure, its certificate is not looked at", async () => {
      expect(await pushed({ ...NOTHING, registries: [known(host, { insecure: true })] })).toMatchObject({ code: 0 });
    });

    test("a proxy with a login leads the builder to a name that only the proxy knows", async () => {
      const proxy = await openProxy({ "registry.test:443": host });
      const proxies = { HTTPS_PROXY: `http://me:secret@127.0.0.1:${proxy.port}` };
      const registries = [known("registry.test", { certificates: [pem] })];
      expect(await pushed({ ...NOTHING, registries, proxies }, "registry.test")).toMatchObject({ code: 0 });
      expect(new Set(proxy.asked)).toEqual(new Set(["registry.test:443 Basic bWU6c2VjcmV0"]));
    });

    test("without the certificate it is not trusted", async () => {
      const proxy = await openProxy({ "registry.test:443": host });
      const proxies = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
      expect(await pushed({ ...NOTHING, proxies }, "registry.test")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("certificate signed by unknown authority"),
      });
    });
  });

  test("a mirror with a path is where the builder looks first", async () => {
    const name = unique("base");
    await makeBase({ repository: `hub/library/${name}`, tag: "1" });
    const { build } = await choose({
      image: IMAGE,
      network: {
        ...NOTHING,
        registries: [known("docker.io", { mirrors: [`${REGISTRY}/hub`] }), known(REGISTRY, { insecure: true })],
      },
    });
    const built = await build(`FROM ${name}:1\nRUN true\n`, amd64, `${REGISTRY}/${unique("mirrored")}:1`);
    expect(built).toMatchObject({ code: 0 });
    expect(built.stderr).toContain(`docker.io/library/${name}:1`);
  });
});

/** The run's own record of a kept builder is gone with the run: what is left are the container and its volume. */
async function removeKept(name: string): Promise<void> {
  await docker("rm", "--force", "--volumes", `buildx_buildkit_${name}0`);
  await docker("volume", "rm", "--force", `buildx_buildkit_${name}0_state`);
}

async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return `tcp://127.0.0.1:${port}`;
}

/** A forward proxy that knows names which nobody else does, and notes what it is asked and with which login. */
async function openProxy(
  hosts: Readonly<Record<string, string>>,
): Promise<{ readonly port: number; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createServer((client) => {
    client.once("data", (head) => {
      const [, target = ""] = /^CONNECT (\S+)/.exec(head.toString()) ?? [];
      asked.push(`${target} ${/proxy-authorization: (.*)\r/i.exec(head.toString())?.[1]}`);
      const [name = "", port] = (hosts[target] ?? "").split(":");
      if (port === undefined) {
        client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
        return;
      }
      const behind = connect(Number(port), name, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(behind).pipe(client);
      });
      behind.on("error", () => client.destroy());
    });
    client.on("error", () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  ends.push(async () => void server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}
