import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ registry, workspace, close } = await openSample());
});
afterAll(() => close());

const repo = (full_name: string) => ({ repo: { full_name }, ref: "topic" });
const FORK: Partial<Play> = {
  event: {
    repository: { full_name: "team/app", default_branch: "main" },
    pull_request: { head: repo("else/app"), base: repo("team/app") },
  },
  env: { GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/1/merge" },
};

const run = (more: Partial<Play> = {}): Promise<Told> => play({ workspace, registry, ...more });

/** The options of a build that could give it a right on the machine. */
const rightsOf = ({ builds }: Told) =>
  builds.flatMap(({ args }) => args.filter((arg) => /^--(allow|network|security-opt|cgroup-parent)\b/.test(arg)));

const RIGHTS = ["--allow=security.insecure", "--network=host", "--security-opt=seccomp=unconfined"];

test.each<[string, Readonly<Record<string, string>>]>([
  [
    "build.options",
    {
      ".devcontainer/devcontainer.json": JSON.stringify({
        build: { dockerfile: "Dockerfile", options: [...RIGHTS, "--add-host=db=10.0.0.1", "--label=of=options"] },
      }),
    },
  ],
  [
    "a compose file",
    {
      ".devcontainer/devcontainer.json": '{ "dockerComposeFile": "compose.yml", "service": "app" }',
      ".devcontainer/compose.yml": `services:
  app:
    build:
      context: .
      privileged: true
      network: host
      entitlements: [network.host]
      extra_hosts: ["db=10.0.0.1"]
      labels: { of: compose }
`,
    },
  ],
])(
  "rights that %s asks for: the repository's own code gets them, a fork's does not, and finds the same image",
  async (_, files) => {
    for (const [path, text] of Object.entries(files)) put(workspace, path, text);
    const fork = await run(FORK);
    expect(fork.outputs, fork.log).toMatchObject({ result: "built", pushed: "false" });
    expect(rightsOf(fork)).toEqual([]);
    expect(fork.builds[0]?.args).toContain("--add-host=db=10.0.0.1");
    expect(fork.log).toMatch(/^::warning file=\.devcontainer\/.*,line=\d+::--network=host is left out of the build/m);
    const own = await run();
    expect(own.outputs, own.log).toMatchObject({ result: "built", pushed: "true" });
    expect(rightsOf(own).length).toBeGreaterThan(2);
    expect(own.log).not.toContain("is left out of the build");
    expect(await run(FORK)).toMatchObject({ outputs: { result: "hit", digest: own.outputs.digest } });
  },
);

test("a token that the configuration asks for leaves by no way, and each place is told", async () => {
  const token = "canary-4d1f9e07";
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    JSON.stringify(
      {
        build: {
          dockerfile: "Dockerfile",
          args: { GREETING: "${localEnv:GITHUB_TOKEN}" },
          options: ["--label=a=${localEnv:ACTIONS_RUNTIME_TOKEN:none}", "--build-arg=HEADER"],
          cacheFrom: `${registry.host}/cache:\${localEnv:GITHUB_TOKEN}x`,
        },
        containerEnv: { A: "${localEnv:GITHUB_TOKEN}" },
        remoteEnv: { B: "${localEnv:HEADER:none}", C: "${localEnv:GREETING}" },
      },
      undefined,
      1,
    ),
  );
  const told = await run({
    env: {
      GITHUB_TOKEN: token,
      ACTIONS_RUNTIME_TOKEN: `${token}-2`,
      HEADER: `basic ${btoa(`x:${token}`)}`,
      GREETING: "hello",
    },
  });
  expect(told.outputs, told.log).toMatchObject({ result: "built" });
  const log = told.log.replace(/^::add-mask::.*$/gm, "");
  const files = ["env-file", "env-map-file", "plan"].map((name) => readFileSync(told.outputs[name] ?? "", "utf8"));
  for (const text of [log, JSON.stringify(told.builds), told.summary, ...files, ...told.requests]) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(btoa(`x:${token}`).slice(4, -4));
  }
  const places = [...log.matchAll(/^::warning file=([^,]*),line=(\d+)[^:]*::.*is withheld.*build-secrets/gm)];
  expect(places.map(([, file, line]) => `${file}:${line}`).sort()).toEqual(
    [11, 14, 17, 5, 8, 9].map((line) => `.devcontainer/devcontainer.json:${line}`),
  );
});
