import { readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import {
  environmentLines,
  makeHandover,
  publicEnvironment,
  readLoadedConfig,
  runnerEnvironment,
} from "../../src/handover/handover.ts";
import { openFiles } from "../../src/host/files.ts";
import type { ImageConfig } from "../../src/oci/config.ts";
import type { Exec, Log, World } from "../../src/world.ts";
import { hostOf } from "../plan-of.ts";

const { files, removeTemporaryFolders } = openFiles(tmpdir());

const AROUND = {
  isForeign: false,
  folders: { local: "/work/app", container: { value: "/workspaces/app", isPrivate: false } },
  runArgs: [],
} as const;
const nothing = (): void => undefined;
const quiet: Log = {
  info: nothing,
  warning: nothing,
  debug: nothing,
  notice: nothing,
  mask: nothing,
  detach: () => undefined,
  group: (_, body) => body(),
};
afterAll(() => removeTemporaryFolders());

/** What is kept for later steps lies in the folder that goes with the tests. */
async function handOver(
  metadata: readonly Readonly<Record<string, unknown>>[] | string | undefined,
  more: Partial<ImageConfig> = {},
  env: Readonly<Record<string, string>> = {},
  around: Partial<Pick<World, "host" | "log">> = {},
  circumstances: Partial<Parameters<typeof makeHandover>[1]> = {},
) {
  const label = typeof metadata === "object" ? JSON.stringify(metadata) : metadata;
  const labels: Readonly<Record<string, string>> = label === undefined ? {} : { "devcontainer.metadata": label };
  const config = { user: "", env: {}, labels, triggers: [], ...more };
  const readable = { env, withheld: () => undefined, holdsSecret: (value: string) => value.includes(SECRET) };
  return makeHandover(
    config,
    { ...AROUND, readable, ...circumstances },
    { files, host: hostOf("/work/app"), log: quiet, ...around },
  );
}

const SECRET = "s3cret-value";

test.each<[string, Readonly<Record<string, unknown>>, boolean]>([
  ["a user with a name", { remoteUser: "dev" }, true],
  ["a number", { remoteUser: "1000:1000" }, false],
  ["a user who is to keep the uid", { remoteUser: "dev", updateRemoteUserUID: false }, false],
])(
  "whether the input remote-user-uid would help where root works in the user's place: %s",
  async (_, metadata, would) => {
    const told: string[] = [];
    const host = hostOf("/work/app");
    await handOver(
      [metadata],
      {},
      {},
      {
        host: { ...host, capabilities: { ...host.capabilities, folderOwner: 1001 } },
        log: { ...quiet, info: (line) => void told.push(line) },
      },
    );
    const [line = ""] = told.filter((one) => one.includes("--user root"));
    expect(line).toContain("the folders of a job are the user 1001's");
    expect(line.includes("remote-user-uid")).toBe(would);
  },
);

test.each<[string, readonly string[] | undefined, readonly string[]]>([
  ["all", undefined, []],
  [
    "a few",
    ["--mount"],
    [
      "Of container-options this host's runner drops --user, --init without a word: the image's own user (USER in its Dockerfile) works there.",
    ],
  ],
  ["those that are needed", ["--user", "--init", "--mount"], []],
])("what the runner drops of the container's options is told: it takes %s", async (_, takesOptions, expected) => {
  const told: string[] = [];
  const host = hostOf("/work/app");
  const mounts = ["type=volume,target=/a", "type=volume,target=/b"];
  await handOver(
    [{ remoteUser: "dev", init: true, mounts }],
    {},
    {},
    {
      host: { ...host, capabilities: { ...host.capabilities, takesOptions } },
      log: { ...quiet, info: (line) => void told.push(line) },
    },
  );
  expect(told.filter((line) => line.includes("drops"))).toEqual(expected);
});

test("the environment of later jobs: containerEnv, remoteEnv over it, variables replaced", async () => {
  const handover = await handOver(
    [
      { containerEnv: { A: "base", B: "base" } },
      {
        containerEnv: { B: "own", TOKEN: "${localEnv:TOKEN}" },
        remoteEnv: { PATH: "${containerEnv:PATH}:/x", A: null, C: "${containerEnv:TOKEN}!" },
      },
    ],
    { env: { PATH: "/bin" } },
    { TOKEN: SECRET },
  );
  expect(JSON.parse(readFileSync(handover.envMapFile, "utf8"))).toEqual({
    B: "own",
    TOKEN: SECRET,
    PATH: "/bin:/x",
    C: `${SECRET}!`,
  });
  expect(readFileSync(handover.envFile, "utf8")).toBe(`B=own\nTOKEN=${SECRET}\nPATH=/bin:/x\nC=${SECRET}!\n`);
  expect(publicEnvironment(handover)).toEqual({ B: "own", PATH: "/bin:/x" });
});

test("what came from this machine's environment is in the files and nowhere else", async () => {
  const handover = await handOver(
    [
      {
        containerEnv: { A: "${localEnv:TOKEN}", B: "x${env:TOKEN}y" },
        remoteEnv: { C: "${containerEnv:A}", D: "${containerEnv:B}", E: "${localEnv:MISSING:default}" },
        mounts: ["type=volume,source=${localEnv:TOKEN},target=/data"],
        customizations: { tool: { token: "${localEnv:TOKEN}" } },
        postCreateCommand: "echo ${localEnv:TOKEN}",
      },
    ],
    {},
    { TOKEN: SECRET },
  );
  const { envFile, envMapFile, env, ...said } = handover;
  expect(said.options).toBe("--mount type=volume,target=/data");
  expect([...env.values()].every(({ isPrivate }) => isPrivate)).toBe(true);
  expect(JSON.stringify([said, publicEnvironment(handover)])).not.toContain(SECRET);
  for (const file of [envFile, envMapFile]) {
    expect(readFileSync(file, "utf8")).toContain(SECRET);
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  }
});

test("a variable that is not set is empty, by whatever name", async () => {
  const { env } = await handOver([{ containerEnv: { A: "${localEnv:constructor}", B: "${containerEnv:toString}" } }]);
  expect([...env].map(([name, { value }]) => [name, value])).toEqual([
    ["A", ""],
    ["B", ""],
  ]);
});

test("what is withheld from a configuration is withheld from its image, from its base and from its features, and is told", async () => {
  const warnings: string[] = [];
  const label = [
    { containerEnv: { A: "${localEnv:TOKEN:none}" } },
    { remoteEnv: { B: "x${env:TOKEN}", C: "${localEnv:NODE}", D: "a hidden b", E: "open" } },
  ];
  const labels = { "devcontainer.metadata": JSON.stringify(label) };
  const handover = await makeHandover(
    { user: "", env: {}, labels, triggers: [] },
    {
      ...AROUND,
      readable: {
        env: { NODE: "22" },
        withheld: (name) => (name === "TOKEN" ? { name, why: "token" } : undefined),
        holdsSecret: (value) => value.includes("hidden"),
      },
    },
    { files, host: hostOf("/work/app", { TOKEN: SECRET }), log: { ...quiet, warning: (line) => warnings.push(line) } },
  );
  expect(publicEnvironment(handover)).toEqual({ E: "open" });
  expect(handover.metadata).toMatchObject({ remoteEnv: { B: "x${env:TOKEN}", D: "***", E: "open" } });
  expect([...handover.env].map(([name, { value }]) => `${name}=${value}`)).toEqual([
    "A=none",
    "B=x",
    "C=22",
    "D=a hidden b",
    "E=open",
  ]);
  expect(warnings).toEqual([
    expect.stringMatching(/metadata asks for reads TOKEN, which is a token .* and is withheld/),
  ]);
});

// Whoever reads the files line by line would take the rest of such a name for a variable of its own.
test("what no variable can be called is left out", async () => {
  const names = ["A\nLD_PRELOAD", "A=B", "A\rB", "A\0B", ""];
  const { envFile } = await handOver([
    { containerEnv: Object.fromEntries(names.map((name) => [name, "x"])) },
    { remoteEnv: { OK: "1", "A\nB": "x" } },
  ]);
  expect(readFileSync(envFile, "utf8")).toBe("OK=1\n");
});

test.each<[string, Parameters<typeof handOver>[0], string, string]>([
  ["the label's remoteUser", [{ remoteUser: "a", containerUser: "b" }], "c", "a"],
  ["the last entry's", [{ remoteUser: "a" }, { remoteUser: "b" }], "c", "b"],
  ["the label's containerUser", [{ containerUser: "b" }], "c", "b"],
  ["the image's own", [{}], "c", "c"],
  ["nobody's: root", [{}], "", "root"],
  ["no label", undefined, "c", "c"],
  ["a label that is no JSON", "[", "c", "c"],
  ["a default of a variable that is not set", [{ remoteUser: "${localEnv:USER_X:app}" }], "c", "app"],
  ["the workspace's name", [{ remoteUser: "${localWorkspaceFolderBasename}" }], "c", "app"],
  ["a label that is one entry", '{"remoteUser":"a"}', "c", "a"],
  ["an entry that is no object", '["x", {"remoteUser":"a"}]', "c", "a"],
])("the user: %s", async (_, metadata, user, expected) => {
  expect((await handOver(metadata, { user })).remoteUser).toBe(expected);
});

const startedAs = (name: string) => ({ runArgs: [{ text: `-u${name}`, isPrivate: true }] });

// Beside the reference CLI's `up`: docker takes the last --user, and what is executed is executed as remoteUser, else as that one.
test.each<[string, Parameters<typeof handOver>[0], Parameters<typeof handOver>[4], string, string]>([
  ["remoteUser", [{ remoteUser: "a", containerUser: "b" }], startedAs("c"), "--user a", "a"],
  ["runArgs' over containerUser", [{ containerUser: "b" }], startedAs("c"), "--user c", "c"],
  ["containerUser over a compose service's", [{ containerUser: "b" }], { serviceUser: "s" }, "--user b", "b"],
  ["a compose service's", [{}], { serviceUser: "s" }, "--user s", "s"],
  ["a variable that is set", [{ remoteUser: "${localEnv:WHO}" }], {}, "--user ada", "ada"],
  ["one in containerUser", [{ containerUser: "${localEnv:WHO}" }], {}, "--user ada", "ada"],
  ["a variable that is empty", [{ remoteUser: "${localEnv:NONE}", containerUser: "b" }], {}, "--user b", "b"],
])("who works there, where several are named: %s", async (_, metadata, around, options, remoteUser) => {
  const told = await handOver(metadata, { user: "own" }, { WHO: "ada" }, {}, around);
  expect([told.options, told.remoteUser]).toEqual([options, remoteUser]);
});

test.each<[string, string, RegExp]>([
  ["a secret", "${localEnv:TOKEN}", /container-options: the name holds a secret\.$/],
  [
    "a variable that has no value",
    "x-${devcontainerId}",
    /: x-\$\{devcontainerId\} holds a variable that has no value/,
  ],
])("a user that cannot be told is passed over, with a warning: %s", async (_, remoteUser, warning) => {
  const warnings: string[] = [];
  const log = { ...quiet, warning: (line: string) => warnings.push(line) };
  const told = await handOver([{ remoteUser, containerUser: "b" }], {}, { TOKEN: SECRET }, { log });
  expect([told.options, told.remoteUser]).toEqual(["--user b", "b"]);
  expect(warnings).toEqual([expect.stringMatching(warning)]);
  expect(warnings.join()).not.toContain(SECRET);
});

test.each<[string, string, string]>([
  ["plain", "a b=c$d", "A=a b=c$d\n"],
  ["empty", "", "A=\n"],
  ["a line break", "a\nb", 'A="a\\nb"\n'],
  ["a line end of Windows", "a\r\nb", 'A="a\\r\\nb"\n'],
  ["double quotes", '{"a":1}', 'A="{\\"a\\":1}"\n'],
  ["single quotes", "it's", 'A="it\'s"\n'],
  ["a backslash", "a\\nb", 'A="a\\\\nb"\n'],
  ["a number sign", "a #b", 'A="a #b"\n'],
  ["blanks around", " a ", 'A=" a "\n'],
])("a dotenv line: %s", (_, value, expected) => {
  expect(environmentLines({ A: value })).toBe(expected);
});

/** Reads one line as dotenv readers do. Written for this test. */
function readLine(line: string): string {
  const value = line.slice(line.indexOf("=") + 1);
  if (!value.startsWith('"')) return value;
  return value.slice(1, -1).replaceAll(/\\(.)/g, (_, char: string) => ({ n: "\n", r: "\r" })[char] ?? char);
}

test("every value is one line, and can be read back", () => {
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom("\n", "\r", '"', "'", "\\", "n", "#", " ", "a") }),
  );
  fc.assert(
    fc.property(value, (written) => {
      const [line, ...rest] = environmentLines({ NAME: written }).split("\n");
      expect(rest).toEqual([""]);
      expect(readLine(line ?? "")).toBe(written);
    }),
    { numRuns: 1000 },
  );
});

/** Reads the file that GITHUB_ENV names, as GitHub's runner and act do. Written for this test. */
function readRunnerFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text === "" ? [] : text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const [equals, heredoc] = [line.indexOf("="), line.indexOf("<<")];
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) values[line.slice(0, equals)] = line.slice(equals + 1);
    else {
      if (heredoc < 1) throw new Error(`no variable: ${line}`);
      const end = lines.indexOf(line.slice(heredoc + 2), at + 1);
      if (end < 0) throw new Error(`no end: ${line}`);
      values[line.slice(0, heredoc)] = lines.slice(at + 1, end).join("\n");
      at = end;
    }
  }
  return values;
}

test("github-env holds values as they are, and those of several lines between delimiters", () => {
  const env = { A: 'it\'s "q" #x \\n', B: "a\nb\n", C: "", D: " x = <<y " };
  expect(runnerEnvironment(env)).toEqual({
    text: 'A=it\'s "q" #x \\n\nB<<END_OF_VALUE\na\nb\n\nEND_OF_VALUE\nC=\nD= x = <<y ',
    leftOut: [],
  });
});

test("no value ends its own text early, and every value can be read back", () => {
  const piece = fc.constantFrom("END_OF_VALUE", "END_OF_VALUE_", "\n", "\r", "=", "<<", "A", "PATH=/evil", " ");
  const value = fc.oneof(
    fc.string(),
    fc.array(piece).map((pieces) => pieces.join("")),
  );
  const name = fc
    .stringMatching(/^[A-Za-z_.-][A-Za-z0-9_. -]{0,8}$/)
    .filter((text) => !/^(node_options|(github|runner|actions|input)_)/i.test(text));
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (env) => {
      const { text, leftOut } = runnerEnvironment(env);
      expect(leftOut).toEqual([]);
      expect(readRunnerFile(text)).toEqual(env);
    }),
    { numRuns: 1000 },
  );
});

test("what a runner keeps to itself, and names that would begin a text of several lines, are left out of github-env and told", async () => {
  const names = ["GITHUB_TOKEN", "RUNNER_TEMP", "actions_x", "INPUT_A", "Node_Options", "A<<B"];
  const warnings: string[] = [];
  const label = JSON.stringify([{ remoteEnv: { OK: "1", ...Object.fromEntries(names.map((name) => [name, "x"])) } }]);
  const handover = await makeHandover(
    { user: "", env: {}, labels: { "devcontainer.metadata": label }, triggers: [] },
    { ...AROUND, readable: { env: {}, withheld: () => undefined, holdsSecret: () => false } },
    { files, host: hostOf("/work/app"), log: { ...quiet, warning: (line) => warnings.push(line) } },
  );
  expect(runnerEnvironment(publicEnvironment(handover))).toEqual({ text: "OK=1", leftOut: names });
  expect(warnings).toEqual([
    `The output github-env leaves out ${names.join(", ")}: a runner takes no variables of such names.`,
  ]);
});

const answers =
  (finished: Awaited<ReturnType<Exec>>): Exec =>
  async () =>
    finished;

test("the config of an image in the local engine", async () => {
  const stdout = '{"User":"dev","Env":["A=1"],"Labels":{"b":"c"},"OnBuild":null}\n';
  expect(await readLoadedConfig(answers({ code: 0, stdout, stderr: "" }), "x")).toEqual({
    user: "dev",
    env: { A: "1" },
    labels: { b: "c" },
    triggers: [],
  });
  expect(await readLoadedConfig(answers({ code: 1, stdout: "", stderr: "no such image" }), "x")).toBeUndefined();
  expect(await readLoadedConfig(answers(undefined), "x")).toBeUndefined();
});

test.each<[string, boolean, Parameters<typeof handOver>[0], Partial<ImageConfig>]>([
  ["nothing", true, [{ id: "ghcr.io/team/features/nodejs-like:1" }, { remoteUser: "node" }], { env: { PATH: "/bin" } }],
  ["a variable of Node's images", false, undefined, { env: { NODE_VERSION: "22.1.0" } }],
  ["a variable of the feature", false, undefined, { env: { NVM_DIR: "/usr/local/share/nvm" } }],
  ["the feature", false, [{ id: "ghcr.io/devcontainers/features/node:1" }], {}],
  ["the feature by digest", false, [{ id: `mirror.test/features/node@sha256:${"a".repeat(64)}` }], {}],
  ["the feature by a short name", false, [{ id: "node" }], {}],
])(
  "where actions need the image's Node that is said, unless its config tells of one: %s",
  async (_, isSaid, label, config) => {
    const { capabilities } = hostOf("/work/app");
    const saidOn = async (bringsNode: boolean): Promise<boolean> => {
      const lines: string[] = [];
      const host = { ...hostOf("/work/app"), capabilities: { ...capabilities, bringsNode } };
      await handOver(label, config, {}, { host, log: { ...quiet, info: (line) => void lines.push(line) } });
      return lines.some((line) => line.includes("the image's own Node"));
    };
    expect(await saidOn(false)).toBe(isSaid);
    expect(await saidOn(true)).toBe(false);
  },
);
