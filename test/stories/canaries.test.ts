import { Buffer } from "node:buffer";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { openMachine, type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");
/** One for each way in which a run comes to know a secret. */
const canary = (way: string): string => `canary_${way}_5f0e2b9c`;
const WAYS = [
  ...["password", "config", "machine", "github", "actions", "variable", "file", "key", "proxy", "configured"],
  ...["aws", "auth"],
];

/** A run that is given them all: in inputs, variables and files. */
function everywhere(machine: string): Partial<Play> {
  const login = (way: string): string => JSON.stringify({ auth: base64(`ada:${canary(way)}`) });
  mkdirSync(join(machine, ".docker"), { recursive: true });
  const proxies = `{"default":{"ftpProxy":"http://ada:${canary("configured")}@127.0.0.1:1"}}`;
  writeFileSync(
    join(machine, ".docker/config.json"),
    `{"auths":{"machine.test":${login("machine")}},"proxies":${proxies}}`,
  );
  put(workspace, "npmrc", `registry=https://a.test/\n//a.test/:_authToken=${canary("file")}\n`);
  put(workspace, "key", `-----BEGIN OPENSSH PRIVATE KEY-----\n${canary("key")}\n-----END OPENSSH PRIVATE KEY-----\n`);
  const env = {
    GITHUB_TOKEN: canary("github"),
    ACTIONS_RUNTIME_TOKEN: canary("actions"),
    AWS_SECRET_ACCESS_KEY: canary("aws"),
    DOCKER_AUTH_CONFIG: `{"auths":{"auth.test":${login("auth")}}}`,
    NPM_TOKEN: canary("variable"),
    FTP_PROXY: `http://ada:${canary("proxy")}@127.0.0.1:1`,
    NO_PROXY: "127.0.0.1",
  };
  const inputs = {
    "registry-username": "ada",
    "registry-password": canary("password"),
    "docker-config-base64": base64(`{"auths":{"config.test":${login("config")}}}`),
    "build-secrets": "npm=NPM_TOKEN\nid=rc,src=npmrc",
    ssh: "default=key",
  };
  registry.requireBasic({ user: "ada", password: canary("password"), anonymousMayPull: true });
  return { workspace, registry, machine, env, inputs };
}

const without = (log: string): string => log.replace(/^::add-mask::.*$/gm, "");

/** What a run has left on the machine, but for what a later job is given in a file that only its user reads. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => `${path}\n${readFileSync(path, "latin1")}`);
}

/** Everything that came out of a run: what others read, what programs were called with, what was pushed, what is left. */
function cameOut(told: Told, machine: string): Readonly<Record<string, string>> {
  const before = /\/(?:\.docker\/config\.json|docker|docker\.builds|output|summary)\n/;
  return {
    log: without(told.log),
    outputs: JSON.stringify(told.outputs),
    summary: told.summary,
    arguments: JSON.stringify(told.docker),
    builds: JSON.stringify(told.builds.map(({ dockerConfig: _, ...build }) => build)),
    pushed: registry.asked.map(({ body }) => body.toString("latin1").replace(/"dockerConfig":.*/, "")).join("\n"),
    addresses: registry.asked.map(({ url }) => url.href).join("\n"),
    left: filesOf(machine)
      .filter((file) => !before.test(file))
      .join("\n"),
  };
}

/** As it is, and as it stands in a login. */
const forms = (way: string): readonly string[] => [
  canary(way),
  encodeURIComponent(canary(way)),
  base64(`ada:${canary(way)}`),
  // As Markdown has it.
  canary(way).replaceAll("_", "\\_"),
];

function leaksOf(told: Told, machine: string): readonly string[] {
  return Object.entries(cameOut(told, machine)).flatMap(([where, text]) =>
    WAYS.flatMap((way) => (forms(way).some((form) => text.includes(form)) ? [`${way} in ${where}`] : [])),
  );
}

type Row = {
  readonly name: string;
  readonly arrange?: () => void;
  readonly play?: Partial<Play>;
  readonly result: string;
};

/** What the other side says when it has been told one: a registry that repeats a login, a build that prints a secret. */
const all = (): string => WAYS.map(canary).join(" ");

const ROWS: readonly Row[] = [
  { name: "a build", result: "built" },
  {
    name: "a build that fails and prints them",
    play: { docker: { fails: "buildx build", says: `#9 ERROR: ${all()}\nERROR: failed to solve: ${all()}` } },
    result: "failed",
  },
  {
    name: "a registry that repeats them",
    arrange: () =>
      registry.override((line) => line.includes("/team/app/"), {
        status: 403,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ errors: [{ code: "DENIED", message: all() }] }),
      }),
    result: "unknown",
  },
  {
    name: "an input that holds one and is wrong",
    play: { inputs: { tags: `${canary("password")}!` } },
    result: "failed",
  },
];

test.each(ROWS)("no secret comes out: $name", async ({ arrange, play: more = {}, result }) => {
  const machine = openMachine();
  const given = everywhere(machine);
  arrange?.();
  const told = await play({ workspace, registry, ...given, ...more, inputs: { ...given.inputs, ...more.inputs } });
  expect(told.outputs.result, told.log).toBe(result);
  expect(leaksOf(told, machine)).toEqual([]);
});
