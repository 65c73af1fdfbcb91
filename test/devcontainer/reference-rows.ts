// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of devcontainer.json
import { expect } from "vitest";
import type { Difference, Shared } from "../differences/row.ts";

export const DEFAULT = ".devcontainer/devcontainer.json";

/** Each begins with its own path, by which the oracle knows it again; the last stage has no name, so that no target can be told. */
export const DOCKERFILES = Object.fromEntries(
  [".devcontainer/Dockerfile", "Dockerfile", "docker/Dockerfile.dev", "docker/a b/Dockerfile"].map((path) => [
    path,
    `# ${path}\nFROM debian:12 AS dev\nRUN true\nFROM debian:12\n`,
  ]),
);

const build = (more: object = {}) => ({ build: { dockerfile: "Dockerfile", ...more } });
const LABEL = '[{"id":"base"},{"remoteUser":"vscode"}]';

export type Row = {
  readonly name: string;
  /** The text of `.devcontainer/devcontainer.json`, or its value. */
  readonly config?: object | string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly baseLabel?: string;
};

/** Here both have to say the same, or both refuse. */
export const SAME: readonly Row[] = [
  // What is built
  { name: "an image", config: { image: "debian:12" } },
  { name: "an image with a digest", config: { image: `debian@sha256:${"0".repeat(64)}` } },
  {
    name: "an image rather than build without a Dockerfile",
    config: { image: "a:1", build: { target: "x", args: { A: "1" } } },
  },
  { name: "a Dockerfile", config: build() },
  { name: "a Dockerfile rather than an image", config: { image: "a:1", ...build() } },
  { name: "a Dockerfile named the old way", config: { dockerFile: "Dockerfile" } },
  {
    name: "the old name before the new one",
    config: { dockerFile: "../Dockerfile", ...build({ args: { A: "1" }, target: "dev" }) },
  },
  { name: "a Dockerfile rather than compose", config: { dockerComposeFile: "compose.yml", service: "x", ...build() } },
  { name: "no features", config: { image: "a:1", features: {} } },
  { name: "nothing", config: { name: "x" } },
  { name: "build alone", config: { build: {} } },
  { name: "a lower-case dockerfile at the top", config: { dockerfile: "Dockerfile" } },
  { name: "an empty image", config: { image: "" } },
  // Where it is
  { name: "a Dockerfile in the parent", config: { build: { dockerfile: "../Dockerfile" } } },
  { name: "a Dockerfile with another name", config: { build: { dockerfile: "../docker/Dockerfile.dev" } } },
  {
    name: "a path with a blank",
    config: { build: { dockerfile: "../docker/a b/Dockerfile", context: "../docker/a b" } },
  },
  {
    name: "a crooked path",
    config: { build: { dockerfile: ".././docker//../docker/./Dockerfile.dev", context: "..//" } },
  },
  { name: "an absolute path", config: { build: { dockerfile: "${localWorkspaceFolder}/Dockerfile" } } },
  { name: "a context", config: build({ context: ".." }) },
  { name: "a context of one dot", config: { build: { dockerfile: "../Dockerfile", context: "." } } },
  { name: "an empty context", config: build({ context: "" }) },
  { name: "an absolute context", config: build({ context: "${localWorkspaceFolder}/docker" }) },
  { name: "an old context", config: { dockerFile: "Dockerfile", context: ".." } },
  { name: "an old context with a new Dockerfile", config: { ...build(), context: ".." } },
  { name: "a new context with an old Dockerfile", config: { dockerFile: "Dockerfile", build: { context: ".." } } },
  {
    name: "a configuration in the root",
    files: { ".devcontainer.json": JSON.stringify(build({ context: "docker" })) },
  },
  { name: "the folder before the root", config: { image: "a:1" }, files: { ".devcontainer.json": '{"image": "b:1"}' } },
  { name: "no configuration" },
  // Arguments and target
  { name: "args in the order of the file", config: build({ args: { Z: "1", A: "2", M: "3" } }) },
  { name: "args whose names are numbers come first", config: build({ args: { Z: "1", "2": "b", "1": "a" } }) },
  { name: "args that are no text", config: build({ args: { N: 3, F: 1.5, E: 1e21, T: true, U: null } }) },
  { name: "args with everything in them", config: build({ args: { A: "a b=c $x \"q\" 'r' \\ ü\n", B: "" } }) },
  { name: "an arg that is an object", config: build({ args: { A: {} } }) },
  { name: "a target", config: build({ target: "dev" }) },
  { name: "an empty target", config: build({ target: "" }) },
  { name: "a source of cache", config: build({ cacheFrom: "reg.example/x:1" }) },
  { name: "sources of cache", config: build({ cacheFrom: ["reg.example/x:1", "type=gha"] }) },
  // Variables
  { name: "localEnv in an image", config: { image: "debian:${localEnv:TAG}" }, env: { TAG: "13" } },
  { name: "env, not set, with a default", config: { image: "debian:${env:TAG:11}" } },
  { name: "a default with colons", config: build({ args: { P: "${localEnv:NO:http://x:1/y}" } }) },
  { name: "set to nothing", config: build({ args: { P: "[${localEnv:E:x}]" } }), env: { E: "" } },
  { name: "an empty name", config: build({ args: { P: "[${localEnv:}][${localEnv::x}]" } }) },
  { name: "what every object inherits", config: build({ args: { P: "[${localEnv:constructor}]" } }) },
  {
    name: "a value is not read again",
    config: build({ args: { A: "${localEnv:A}" } }),
    env: { A: "${localEnv:B}$&$1$$", B: "b" },
  },
  { name: "nested variables", config: build({ args: { A: "${localEnv:NO:${localEnv:B}}" } }), env: { B: "b" } },
  { name: "names are left alone", config: build({ args: { "${localEnv:B}": "1" } }), env: { B: "b" } },
  {
    name: "in a Dockerfile's path",
    config: { build: { dockerfile: "../docker/Dockerfile.${localEnv:B}" } },
    env: { B: "dev" },
  },
  {
    name: "in target and cacheFrom",
    config: build({ target: "${env:B}", cacheFrom: ["x:${env:B}"] }),
    env: { B: "dev" },
  },
  {
    name: "the workspace in the container",
    config: build({
      args: { A: "${containerWorkspaceFolder} ${containerWorkspaceFolderBasename} ${localWorkspaceFolderBasename}" },
    }),
  },
  {
    name: "a workspace folder of its own",
    config: {
      workspaceFolder: "/src/${localWorkspaceFolderBasename}/",
      ...build({ args: { A: "${containerWorkspaceFolder} ${containerWorkspaceFolderBasename}" } }),
    },
  },
  {
    name: "a workspace folder that names itself",
    config: {
      workspaceFolder: "${containerWorkspaceFolder}/x",
      ...build({ args: { A: "${containerWorkspaceFolder}" } }),
    },
  },
  {
    name: "a workspace folder beside compose",
    config: { dockerComposeFile: "x", ...build({ args: { A: "${containerWorkspaceFolder}" } }) },
  },
  {
    name: "what build leaves alone",
    config: build({ args: { A: "${containerEnv:PATH} ${devcontainerId} ${x} ${} ${localenv:B}" } }),
    env: { B: "b" },
  },
  { name: "localEnv without a name", config: { image: "a:1", name: "${localEnv}" } },
  // The label
  {
    name: "every property of the label",
    config: {
      onCreateCommand: "1",
      updateContentCommand: ["2"],
      postCreateCommand: { a: "3" },
      postStartCommand: "4",
      postAttachCommand: "5",
      waitFor: "onCreateCommand",
      customizations: { x: { y: [1] } },
      mounts: ["type=volume,source=a,target=/a"],
      containerEnv: { A: "1" },
      containerUser: "root",
      init: true,
      privileged: false,
      capAdd: ["SYS_PTRACE"],
      securityOpt: ["seccomp=unconfined"],
      remoteUser: "me",
      userEnvProbe: "none",
      remoteEnv: { P: "${containerEnv:PATH}:/x" },
      overrideCommand: false,
      portsAttributes: { "1": { label: "x" } },
      otherPortsAttributes: { onAutoForward: "silent" },
      forwardPorts: [1, "db:2"],
      shutdownAction: "none",
      updateRemoteUserUID: false,
      hostRequirements: { cpus: 2 },
      name: "x",
      runArgs: ["--rm"],
      appPort: 1,
      initializeCommand: "true",
      workspaceMount: "",
      secrets: {},
      image: "a:1",
    },
  },
  {
    name: "the label carries variables as they are written",
    config: { image: "a:1", remoteUser: "${localEnv:U}", containerEnv: { A: "${localEnv:U}" } },
    env: { U: "me" },
  },
  { name: "null in the label", config: { image: "a:1", remoteUser: null } },
  {
    name: "quotes, dollars and backslashes in the label",
    config: { image: "a:1", postCreateCommand: "printf $'a\\tb' \"$$ $HOME `x`\" # ü" },
  },
  { name: "the label in a Dockerfile's build", config: { remoteUser: "me", ...build() } },
  { name: "a base with a label", config: { image: "a:1", remoteUser: "me" }, baseLabel: LABEL },
  { name: "a base with a label, nothing to add", config: build(), baseLabel: LABEL },
  {
    name: "a base with a single entry",
    config: { image: "a:1", init: true },
    baseLabel: '{"id": "x", "2": 1, "1": 2}',
  },
  { name: "a base with empty entries", config: { image: "a:1" }, baseLabel: '[{}, {"id": "x"}, {}]' },
  { name: "a base with nothing in its label", config: { image: "a:1" }, baseLabel: "[]" },
  { name: "a base with an invalid label", config: { image: "a:1", init: true }, baseLabel: "[{" },
  { name: "a base with a label that is a text", config: { image: "a:1", init: true }, baseLabel: '"x"' },
  { name: "a base with a number as entry", config: { image: "a:1", init: true }, baseLabel: '[1, {"id": "x"}]' },
  // Old properties
  {
    name: "extensions, settings, devPort",
    config: { image: "a:1", extensions: ["x.y"], settings: { a: 1 }, devPort: 0 },
  },
  {
    name: "old beside new",
    config: {
      image: "a:1",
      extensions: ["o"],
      settings: { a: "o", b: "o" },
      devPort: 1,
      customizations: { z: 1, vscode: { devPort: 2, settings: { c: "n", a: "n" }, extensions: ["n"] }, y: 1 },
    },
  },
  { name: "empty old properties", config: { image: "a:1", extensions: [], settings: {} } },
  { name: "old properties that are null", config: { image: "a:1", extensions: null, settings: null } },
  // Reading
  { name: "comments and trailing commas", config: '// x\n{ /* y */ "image": "a:1", "capAdd": ["x",], }' },
  { name: "a byte order mark", config: '\uFEFF{"image": "a:1"}' },
  { name: "a repeated name", config: '{"image": "a:1", "image": "b:1", "build": {"dockerfile": "x"}, "build": {}}' },
  { name: "a missing comma", config: '{"image": "a:1" "remoteUser": "me"}' },
  { name: "a missing brace", config: '{"image": "a:1", "capAdd": ["x"' },
  { name: "single quotes", config: '{\'image\': \'a:1\', "remoteUser": "me", "image": "b:1"}' },
  { name: "single quotes alone", config: "{'image': 'a:1'}" },
  { name: "a stray bracket", config: '{"image": "a:1", "capAdd": ["x"}, "remoteUser": "me"]}' },
  { name: "something behind it", config: '{"image": "a:1"}\n{"image": "b:1"}' },
  { name: "an unclosed comment", config: '{"image": "a:1", "remoteUser": "me" /* }' },
  { name: "an unclosed text", config: '{"image": "a:1", "remoteUser": "me\n, "init": true}' },
  { name: "an empty file", config: "" },
  { name: "nothing but space", config: " \n" },
  { name: "a list", config: '[{"image": "a:1"}]' },
];

export type Deviation = Row & Difference & { readonly reference: object; readonly ours: object };

const OUTSIDE: Shared = {
  what: "a Dockerfile or a context outside of the checkout",
  cli: "is built",
  here: "is refused",
  why: "what a commit does not hold cannot be looked for by commit",
};
const MISTYPED: Shared = {
  what: "a target that is a number, an arg that is a list",
  cli: "become texts: a stage 1, `A=x,y`",
  here: "are refused",
  why: "they are mistakes, and what becomes of them is no image that anybody meant",
};

/** Here we say something else, on purpose. */
export const DIFFERENT: readonly Deviation[] = [
  {
    name: "a Dockerfile outside the checkout",
    ...OUTSIDE,
    config: { build: { dockerfile: "../../Dockerfile" } },
    files: { "../Dockerfile": "# outside/Dockerfile\nFROM debian:12\n" },
    reference: { kind: "dockerfile", dockerfile: "outside/Dockerfile", context: ".." },
    ours: { kind: "error", words: expect.stringContaining("leaves the checkout") },
  },
  {
    name: "a context outside the checkout",
    ...OUTSIDE,
    config: build({ context: "../.." }),
    reference: { kind: "dockerfile", context: ".." },
    ours: { kind: "error", words: expect.stringContaining("leaves the checkout") },
  },
  {
    name: "the only configuration in a sub-folder",
    what: "`.devcontainer/<name>/devcontainer.json`",
    cli: "is not found",
    here: "counts where it is the only one; of several one has to be chosen",
    why: "the specification has them",
    files: { ".devcontainer/go/devcontainer.json": '{"image": "a:1"}' },
    reference: { kind: "error" },
    ours: { kind: "image", image: "a:1" },
  },
  {
    name: "a target that is a number",
    ...MISTYPED,
    config: build({ target: 1 }),
    reference: { kind: "dockerfile", target: "1" },
    ours: { kind: "error", words: expect.stringContaining("build.target is 1") },
  },
  {
    name: "an arg that is a list",
    ...MISTYPED,
    config: build({ args: { A: ["x", "y"] } }),
    reference: { kind: "dockerfile", args: ["A=x,y"] },
    ours: { kind: "error", words: expect.stringContaining("build.args.A") },
  },
  {
    name: "a property called __proto__",
    what: "a property called `__proto__`",
    cli: "what it holds comes into the label",
    here: "is a property that nobody knows",
    why: "a label says what the configuration says",
    config: '{"__proto__": {"image": "a:1", "remoteUser": "me"}, "image": "b:1"}',
    reference: { kind: "image", image: "b:1", label: '[ {"remoteUser":"me"} ]' },
    ours: { kind: "image", image: "b:1", label: undefined },
  },
];
