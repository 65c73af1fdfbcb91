// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of devcontainer.json
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/devcontainer/json.ts";
import { substitutionAt } from "../../src/devcontainer/substitute.ts";
import { configured, FILE } from "./configured.ts";
import { refusalOf } from "./refusal.ts";

const ENV = { USER: "me", EMPTY: "", EVIL: "${localEnv:USER}$&$1", "A B": "spaced" };

type Row = {
  name: string;
  written: string;
  becomes: string;
  environment?: true;
  host?: true;
  folderName?: true;
  unchanged?: true;
  unset?: string[];
  reads?: string[];
};

/** The variables of the environment that a text names, up to what ends a name. */
const namesIn = (written: string) =>
  [...written.matchAll(/\$\{(?:localEnv|env):([^:}]*)/g)].map(([, name = ""]) => name);

describe("a text value", () => {
  const rows: readonly Row[] = [
    { name: "without variables", written: "a $b {c}", becomes: "a $b {c}", unchanged: true },
    { name: "localEnv", written: "x-${localEnv:USER}-y", becomes: "x-me-y", environment: true },
    { name: "env, its other name", written: "${env:USER}", becomes: "me", environment: true },
    { name: "twice in one text", written: "${env:USER}${env:USER}", becomes: "meme", environment: true },
    { name: "not set", written: "[${localEnv:NO}]", becomes: "[]", environment: true, unset: ["NO"] },
    { name: "not set, with a default", written: "${localEnv:NO:bookworm}", becomes: "bookworm", environment: true },
    { name: "set, the default is not needed", written: "${localEnv:USER:x}", becomes: "me", environment: true },
    { name: "set to nothing is set", written: "[${localEnv:EMPTY:x}]", becomes: "[]", environment: true },
    {
      name: "a default ends at the next colon",
      written: "${localEnv:NO:http://x:1/y}",
      becomes: "http",
      environment: true,
    },
    { name: "an empty name", written: "[${localEnv:}]", becomes: "[]", environment: true, unset: [""] },
    { name: "an empty name with a default", written: "${localEnv::x}", becomes: "x", environment: true },
    { name: "a name with a blank", written: "${localEnv:A B}", becomes: "spaced", environment: true },
    {
      name: "what every object inherits is not set",
      written: "[${localEnv:constructor}]",
      becomes: "[]",
      environment: true,
      unset: ["constructor"],
    },
    { name: "what was put in is not read again", written: "${localEnv:EVIL}", becomes: ENV.EVIL, environment: true },
    {
      name: "nested braces end at the first",
      reads: ["NO"],
      written: "${localEnv:NO:${localEnv:USER}}",
      becomes: "${localEnv}",
      environment: true,
    },
    {
      name: "across lines is no variable",
      written: "${localEnv:\nUSER}",
      becomes: "${localEnv:\nUSER}",
      unchanged: true,
    },
    { name: "the workspace", written: "${localWorkspaceFolder}", becomes: "/home/dev/app", host: true },
    { name: "the workspace's name", written: "${localWorkspaceFolderBasename}", becomes: "app", folderName: true },
    {
      name: "the workspace in the container",
      written: "${containerWorkspaceFolder}",
      becomes: "/workspaces/app",
      folderName: true,
    },
    { name: "its name", written: "${containerWorkspaceFolderBasename}", becomes: "app", folderName: true },
    {
      name: "what follows a colon is ignored there",
      written: "${localWorkspaceFolderBasename:x}",
      becomes: "app",
      folderName: true,
    },
    {
      name: "host and environment",
      written: "${localWorkspaceFolder}/${env:USER}",
      becomes: "/home/dev/app/me",
      environment: true,
      host: true,
    },
    { name: "containerEnv stays", written: "${containerEnv:PATH}", becomes: "${containerEnv:PATH}", unchanged: true },
    { name: "devcontainerId stays", written: "${devcontainerId}", becomes: "${devcontainerId}", unchanged: true },
    { name: "an unknown one stays", written: "${localenv:USER}", becomes: "${localenv:USER}", unchanged: true },
    { name: "the empty one stays", written: "${}", becomes: "${}", unchanged: true },
    { name: "beside an unknown one", written: "${x}${env:USER}", becomes: "${x}me", environment: true },
  ];
  it.each(rows)(
    "$name",
    ({
      written,
      becomes,
      environment = false,
      host = false,
      folderName = false,
      unchanged = false,
      unset = [],
      reads = namesIn(written),
    }) => {
      const { json, substitutions, raw } = configured(JSON.stringify({ image: written }), ENV);
      expect(json).toEqual({ image: becomes });
      expect(raw).toEqual({ image: written });
      expect(substitutions).toEqual(
        unchanged
          ? []
          : [
              {
                path: ["image"],
                fromEnvironment: environment,
                fromHostPath: host,
                fromFolderName: folderName,
                unset,
                reads,
              },
            ],
      );
    },
  );
});

describe("the workspace in the container", () => {
  const written = "${containerWorkspaceFolder} ${containerWorkspaceFolderBasename}";
  it.each([
    { name: "by default", config: {}, becomes: "/workspaces/app app" },
    { name: "as configured", config: { workspaceFolder: "/src/x/" }, becomes: "/src/x/ x" },
    { name: "empty is not configured", config: { workspaceFolder: "" }, becomes: "/workspaces/app app" },
    { name: "with compose", config: { dockerComposeFile: "c.yml" }, becomes: "/ " },
    {
      name: "with compose, configured",
      config: { dockerComposeFile: "c.yml", workspaceFolder: "/w" },
      becomes: "/w w",
    },
    {
      name: "with variables",
      config: { workspaceFolder: "/src/${localWorkspaceFolderBasename}" },
      becomes: "/src/app app",
    },
    {
      name: "with itself",
      config: { workspaceFolder: "${containerWorkspaceFolder}" },
      becomes: "${containerWorkspaceFolder} ${containerWorkspaceFolder}",
    },
  ])("$name", ({ config, becomes }) => {
    expect(configured(JSON.stringify({ ...config, name: written }), ENV).json.name).toBe(becomes);
  });

  it("carries on what took part in it", () => {
    const workspaceFolder = "${localWorkspaceFolder}/${localEnv:USER}";
    const substituted = configured(JSON.stringify({ workspaceFolder, name: "${containerWorkspaceFolder}" }), ENV);
    expect(substituted.json.name).toBe("/home/dev/app/me");
    expect(substitutionAt(substituted, ["name"])).toMatchObject({ fromEnvironment: true, fromHostPath: true });
  });
});

it("reaches every value and no name", () => {
  const text = JSON.stringify({
    "${env:USER}": 1,
    build: { args: { A: "${env:USER}", B: 1, C: null } },
    mounts: ["x", ["${env:USER}"]],
  });
  const substituted = configured(text, ENV);
  expect(substituted.json).toEqual({
    "${env:USER}": 1,
    build: { args: { A: "me", B: 1, C: null } },
    mounts: ["x", ["me"]],
  });
  expect(substituted.substitutions.map(({ path }) => path)).toEqual([
    ["build", "args", "A"],
    ["mounts", 1, 0],
  ]);
  expect(substitutionAt(substituted, ["mounts", 1, 0])).toMatchObject({ fromEnvironment: true });
  expect(substitutionAt(substituted, ["mounts", 0])).toBeUndefined();
});

it.each(["localEnv", "env"])("%s without a name is refused with its line", async (name) => {
  const text = `{\n"image": "a",\n"mounts": [\n"x",\n"\${${name}}"]}`;
  const error = await refusalOf(() => configured(text));
  expect(error).toMatchObject({
    code: "E_CONFIG",
    message: `mounts[1] uses \${${name}} without the name of a variable.`,
    fix: `Write \${${name}:NAME}, or \${${name}:NAME:default}.`,
    at: { file: FILE, line: 5 },
  });
});

describe("any configuration", () => {
  const name = fc.constantFrom("A", "B", "C");
  const literal = fc.stringMatching(/^[^$]*$/);
  const value = fc.oneof(
    fc.string(),
    name.map((n) => `\${localEnv:${n}}`),
  );
  const pieces = fc.array(
    fc.oneof(
      literal.map((text) => ({ text })),
      name.map((variable) => ({ variable })),
    ),
  );

  it("holds the values of its variables, read once", () => {
    fc.assert(
      fc.property(pieces, fc.record({ A: value, B: value, C: value }), (written, env) => {
        const text = written.map((piece) => ("text" in piece ? piece.text : `\${localEnv:${piece.variable}}`)).join("");
        const expected = written.map((piece) => ("text" in piece ? piece.text : env[piece.variable as "A"])).join("");
        expect(configured(JSON.stringify({ name: text }), env).json.name).toBe(expected);
      }),
    );
  });

  it("keeps its shape, its names and its raw text", () => {
    const json = fc.dictionary(fc.constantFrom("image", "${env:A}", "x"), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(
        json.filter((object) => !JSON.stringify(object).includes("__proto__")),
        (object) => {
          const { json, raw, substitutions } = configured(JSON.stringify(object), { A: "1" });
          expect(namesOf(json)).toEqual(namesOf(raw));
          if (substitutions.length === 0) expect(json).toEqual(raw);
        },
      ),
    );
  });
});

function namesOf(value: Json): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.entries(value).map(([name, item]) => [name, namesOf(item)]);
}

describe("where the workspace is in the container", () => {
  it.each<[string, object, object]>([
    ["beside others, by its name", {}, { value: "/workspaces/app", isPrivate: false }],
    ["where the configuration says", { workspaceFolder: "/src/x" }, { value: "/src/x", isPrivate: false }],
    [
      "where it says with variables",
      { workspaceFolder: "/src/${localWorkspaceFolderBasename}" },
      { value: "/src/app", isPrivate: false },
    ],
    ["where this machine says", { workspaceFolder: "/home/${localEnv:NAME}" }, { value: "/home/me", isPrivate: true }],
    ["with compose the root", { dockerComposeFile: "c.yml" }, { value: "/", isPrivate: false }],
  ])("%s", (_, json, container) => {
    const { folders } = configured(JSON.stringify(json), { NAME: "me" });
    expect(folders).toEqual({ local: "/home/dev/app", container });
  });
});
