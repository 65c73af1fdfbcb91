import { describe, expect, it } from "vitest";
import { findComposeFiles } from "../../src/compose/find.ts";
import { readComposeService } from "../../src/compose/read.ts";
import { composeRequest } from "../../src/compose/request.ts";
import { openSources } from "../../src/compose/sources.ts";
import { configured } from "../devcontainer/configured.ts";
import { openMemoryFiles, type Tree } from "../devcontainer/memory-files.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { requestFor, WORKSPACE } from "./project.ts";

const CONFIG = `${WORKSPACE}/.devcontainer/devcontainer.json`;

const ask = (json: object, env: Record<string, string> = {}) =>
  composeRequest(configured(JSON.stringify(json, undefined, 1), env), CONFIG, {
    workspace: WORKSPACE,
    checkout: WORKSPACE,
    env,
    withheld: () => undefined,
  });

type Row = {
  name: string;
  files: unknown;
  tree?: readonly string[];
  dotenv?: string;
  env?: Record<string, string>;
  found: readonly string[];
};

describe("the compose files are", () => {
  const rows: readonly Row[] = [
    { name: "the one that is named", files: "compose.yml", found: [".devcontainer/compose.yml"] },
    {
      name: "those that are named, from the folder of devcontainer.json",
      files: ["../compose.yml", "over.yml"],
      found: ["compose.yml", ".devcontainer/over.yml"],
    },
    { name: "the named one with its variables", files: "../${localEnv:F}.yml", env: { F: "x" }, found: ["x.yml"] },
    { name: "of COMPOSE_FILE", files: [], env: { COMPOSE_FILE: "a.yml:sub/b.yml" }, found: ["a.yml", "sub/b.yml"] },
    {
      name: "of COMPOSE_FILE with another separator",
      files: [],
      env: { COMPOSE_FILE: "a.yml,b.yml", COMPOSE_PATH_SEPARATOR: "," },
      found: ["a.yml", "b.yml"],
    },
    {
      name: "of COMPOSE_FILE in .env",
      files: [],
      dotenv: 'X=1\nCOMPOSE_FILE="a.yml:b.yml" # c\n',
      found: ["a.yml", "b.yml"],
    },
    {
      name: "of the environment before .env",
      files: [],
      dotenv: "COMPOSE_FILE=a.yml\n",
      env: { COMPOSE_FILE: "b.yml" },
      found: ["b.yml"],
    },
    {
      name: "the usual one",
      files: [],
      tree: ["compose.yaml", "docker-compose.yml", "compose.override.yaml"],
      found: ["docker-compose.yml"],
    },
    {
      name: "the usual one and what lies over it",
      files: [],
      tree: ["docker-compose.yml", "docker-compose.override.yml"],
      found: ["docker-compose.yml", "docker-compose.override.yml"],
    },
    {
      name: "compose's own names where the usual one is missing",
      files: [],
      tree: ["compose.yaml", "compose.override.yaml"],
      found: ["compose.yaml", "compose.override.yaml"],
    },
  ];
  it.each(rows)("$name", async ({ files, tree = [], dotenv, env, found }) => {
    const memory: Tree = Object.fromEntries([
      ...tree.map((path) => [`${WORKSPACE}/${path}`, ""]),
      ...(dotenv === undefined ? [] : [[`${WORKSPACE}/.env`, dotenv]]),
    ]);
    const request = ask({ dockerComposeFile: files, service: "app" }, env);
    const { paths } = await findComposeFiles(request, openSources(openMemoryFiles(memory), { checkout: WORKSPACE }));
    expect(paths).toEqual(found.map((path) => `${WORKSPACE}/${path}`));
  });

  it("nowhere", async () => {
    const request = ask({ dockerComposeFile: [], service: "app" });
    const refusal = await refusalOf(() =>
      findComposeFiles(request, openSources(openMemoryFiles({}), { checkout: WORKSPACE })),
    );
    expect(refusal.message).toBe(
      "dockerComposeFile names no file, and in the workspace there is none of docker-compose.yml, docker-compose.yaml, compose.yaml, compose.yml.",
    );
    expect(refusal.at).toEqual({ file: ".devcontainer/devcontainer.json", line: 2 });
  });

  it("named by COMPOSE_FILE and missing", async () => {
    const request = ask({ dockerComposeFile: [], service: "app" }, { COMPOSE_FILE: "a.yml" });
    const refusal = await refusalOf(() => readComposeService(request, openMemoryFiles({})));
    expect(refusal.message).toBe("COMPOSE_FILE names a.yml, and there is no such file.");
  });
});

describe("devcontainer.json is refused", () => {
  it.each([
    { name: "without a service", json: { dockerComposeFile: "a.yml" }, line: 2 },
    { name: "with an empty service", json: { dockerComposeFile: "a.yml", service: "" }, line: 2 },
    { name: "with a service that is a number", json: { dockerComposeFile: "a.yml", service: 5 }, line: 3 },
    { name: "with a file that is a number", json: { dockerComposeFile: ["a.yml", 5], service: "a" }, line: 4 },
    { name: "with an empty file", json: { dockerComposeFile: "", service: "a" }, line: 2 },
    { name: "with files in a mapping", json: { dockerComposeFile: {}, service: "a" }, line: 2 },
  ])("$name", async ({ json, line }) => {
    const refusal = await refusalOf(() => ask(json));
    expect(refusal).toMatchObject({ code: "E_CONFIG", at: { file: ".devcontainer/devcontainer.json", line } });
  });
});

describe("links", () => {
  const service = "services: {app: {image: a}}";
  const readTree = (tree: Tree) => readComposeService(requestFor({}), openMemoryFiles(tree));

  it("inside of the workspace are followed", async () => {
    const tree = { [`${WORKSPACE}/compose.yml`]: { link: "sub/real.yml" }, [`${WORKSPACE}/sub/real.yml`]: service };
    expect(await readTree(tree)).toMatchObject({ kind: "image" });
  });

  it("out of it are refused", async () => {
    const tree = { [`${WORKSPACE}/compose.yml`]: { link: "/etc/compose.yml" }, "/etc/compose.yml": service };
    expect((await refusalOf(() => readTree(tree))).message).toBe(
      "dockerComposeFile names compose.yml, a link that leaves the checkout.",
    );
  });

  it("of .env out of it are refused", async () => {
    const tree = {
      [`${WORKSPACE}/compose.yml`]: service,
      [`${WORKSPACE}/.env`]: { link: "/root/.env" },
      "/root/.env": "A=1",
    };
    expect((await refusalOf(() => readTree(tree))).message).toContain(".env, a link that leaves the checkout.");
  });
});
