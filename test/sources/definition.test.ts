import { expect, test } from "vitest";
import { parseConfiguration } from "../../src/devcontainer/parse.ts";
import { substitute } from "../../src/devcontainer/substitute.ts";
import { openFiles } from "../../src/host/files.ts";
import { readDefinition } from "../../src/sources/definition.ts";
import type { Definition } from "../../src/sources/definition-shape.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const FILE = ".devcontainer/devcontainer.json";
const WORKSPACE = "/work/app";
const { files } = openFiles("/nowhere");

type Env = Readonly<Record<string, string>>;

async function define(json: Readonly<Record<string, unknown>>, env: Env = {}): Promise<Definition> {
  const configuration = substitute(parseConfiguration(JSON.stringify(json, undefined, 1), FILE), {
    localEnv: env,
    localWorkspaceFolder: WORKSPACE,
  });
  const found = { file: `${WORKSPACE}/${FILE}`, relative: FILE };
  const workspace = { folder: WORKSPACE, checkout: WORKSPACE };
  return readDefinition({ configuration, found, workspace, readable: { env, withheld: () => undefined } }, files);
}

const build = (more: Readonly<Record<string, unknown>> = {}, env?: Env) =>
  define({ build: { dockerfile: "Dockerfile", ...more } }, env);
const options = (...list: readonly string[]) => build({ options: list });

/** Values alone, by name. */
const values = (map: ReadonlyMap<string, { readonly value: string }>) =>
  [...map].map(([name, { value }]) => [name, value]);

test("an image", async () => {
  const definition = await define({ image: "debian:${localEnv:V}" }, { V: "12" });
  expect(definition).toMatchObject({
    source: {
      kind: "image",
      image: { value: "debian:12", fromEnvironment: true, fromHostPath: false, at: { file: FILE, line: 2 } },
    },
    target: undefined,
    counted: [],
    doubt: undefined,
  });
});

test.each<[string, Readonly<Record<string, unknown>>, readonly [dockerfile: string, context: string]]>([
  [
    "beside the configuration",
    { build: { dockerfile: "Dockerfile" } },
    ["/.devcontainer/Dockerfile", "/.devcontainer"],
  ],
  ["elsewhere", { build: { dockerfile: "../docker/dev.Dockerfile" } }, ["/docker/dev.Dockerfile", "/docker"]],
  ["with a context", { build: { dockerfile: "Dockerfile", context: ".." } }, ["/.devcontainer/Dockerfile", ""]],
  ["by the old properties", { dockerFile: "Dockerfile", context: "../app" }, ["/.devcontainer/Dockerfile", "/app"]],
])("a Dockerfile: %s", async (_, json, [dockerfile, context]) => {
  expect((await define(json)).source).toMatchObject({
    kind: "dockerfile",
    dockerfile: { value: `${WORKSPACE}${dockerfile}` },
    context: { value: `${WORKSPACE}${context}` },
  });
});

test.each<[string, Readonly<Record<string, unknown>>]>([
  ["a Dockerfile", { build: { dockerfile: "../../Dockerfile" } }],
  ["a context", { build: { dockerfile: "Dockerfile", context: "../../other" } }],
  ["a context by an absolute path", { build: { dockerfile: "Dockerfile", context: "/etc" } }],
  ["a context by a variable", { build: { dockerfile: "Dockerfile", context: "${localWorkspaceFolder}/.." } }],
])("what leaves the workspace is refused: %s", async (_, json) => {
  expect(await refusalOf(() => define(json))).toMatchObject({ code: "E_CONFIG", at: { file: FILE } });
});

test("the target: build.target, and over it the option, the last one", async () => {
  expect((await build({ target: "a" })).target?.value).toBe("a");
  expect((await build({ target: "a", options: ["--target=b", "--target", "c"] })).target?.value).toBe("c");
  expect((await build({ target: "${localEnv:T}" }, { T: "a" })).target).toMatchObject({
    value: "a",
    fromEnvironment: true,
  });
});

test.each<[string, Readonly<Record<string, unknown>>, Env, readonly (readonly [string, string])[]]>([
  [
    "of the configuration",
    { args: { A: "1", B: 2, C: true } },
    {},
    [
      ["A", "1"],
      ["B", "2"],
      ["C", "true"],
    ],
  ],
  [
    "of an option",
    { options: ["--build-arg", "A=1", "--build-arg=B=x=y"] },
    {},
    [
      ["A", "1"],
      ["B", "x=y"],
    ],
  ],
  ["the option wins", { args: { A: "1" }, options: ["--build-arg=A=2"] }, {}, [["A", "2"]]],
  ["the last option wins", { options: ["--build-arg=A=1", "--build-arg=A=2"] }, {}, [["A", "2"]]],
  ["of the environment", { options: ["--build-arg=A"] }, { A: "1" }, [["A", "1"]]],
  ["of the environment, which has none", { args: { A: "1" }, options: ["--build-arg=A"] }, {}, [["A", "1"]]],
  ["an empty value is one", { options: ["--build-arg=A="] }, { A: "1" }, [["A", ""]]],
])("build args: %s", async (_, more, env, expected) => {
  expect(values((await build(more, env)).args)).toEqual(expected);
});

test("a build arg remembers what took part in it", async () => {
  const { args } = await build(
    { args: { A: "${localEnv:X}", B: "${localWorkspaceFolder}", C: "c" }, options: ["--build-arg=X"] },
    { X: "1" },
  );
  expect([...args].map(([name, one]) => [name, one.fromEnvironment, one.fromHostPath])).toEqual([
    ["A", true, false],
    ["B", false, true],
    ["C", false, false],
    ["X", true, false],
  ]);
});

test.each<[string, string, Readonly<Record<string, unknown>>]>([
  ["a folder", "lib=shared", { kind: "folder", value: `${WORKSPACE}/shared` }],
  ["the workspace itself", "lib=.", { kind: "folder", value: WORKSPACE }],
  ["a folder by an absolute path", `lib=${WORKSPACE}/shared`, { kind: "folder", value: `${WORKSPACE}/shared` }],
  ["a folder that climbs and comes back", "lib=x/../shared/", { kind: "folder", value: `${WORKSPACE}/shared` }],
  ["an image", "lib=docker-image://debian:12", { kind: "image", value: "debian:12" }],
  ["a folder with an equals sign", "lib=a=b", { kind: "folder", value: `${WORKSPACE}/a=b` }],
])("a named context: %s", async (_, written, expected) => {
  const { contexts, doubt } = await options(`--build-context=${written}`);
  expect(contexts.get("lib")).toMatchObject(expected);
  expect(doubt).toBeUndefined();
});

test.each([
  ["nothing", "lib="],
  ["no source", "lib"],
  ["a folder outside", "lib=../other"],
  ["a folder outside by an absolute path", "lib=/etc"],
  ["the workspace's neighbour", `lib=${WORKSPACE}-other`],
  ["an address", "lib=https://github.com/a/b.git"],
  ["git over ssh", "lib=git@github.com:a/b.git"],
  ["an image in a folder", "lib=oci-layout://x"],
  ["another target", "lib=target:x"],
  ["an image without a name", "lib=docker-image://"],
])("what is in a named context cannot be told: %s", async (_, written) => {
  const { contexts, doubt } = await options(`--build-context=${written}`);
  expect(contexts.size).toBe(0);
  expect(doubt).toMatchObject({
    kind: "plan",
    what: expect.stringContaining("the build context lib"),
    at: { file: FILE, line: 5 },
  });
});

test("options that count, those that do not, and those that are left out", async () => {
  const definition = await options(
    "--network=host",
    "--memory",
    "1g",
    "--push",
    "--magic=1",
    "--label",
    "a=b",
    "--cache-from=c",
  );
  expect(definition.counted.map(({ name, value }) => [name, value])).toEqual([
    ["network", "host"],
    ["label", "a=b"],
    ["magic", "1"],
  ]);
  expect(definition.uncounted.map(({ name, value }) => [name, value])).toEqual([["memory", "1g"]]);
  expect(definition.cacheFrom).toMatchObject([{ entry: { type: "registry" }, at: { file: FILE, line: 12 } }]);
  expect(definition.warnings).toEqual([
    { text: "build.options: --push is left out, the action sets that itself", at: { file: FILE, line: 8 } },
    { text: expect.stringMatching(/^build.options: --magic is not known here/), at: { file: FILE, line: 9 } },
  ]);
  expect(definition.doubt).toBeUndefined();
});

test("an option that nobody knows and that names a path: nothing can be told", async () => {
  expect((await options("--magic=../x")).doubt).toMatchObject({
    what: expect.stringContaining("--magic"),
    at: { line: 5 },
  });
});

test.each([
  ["one that makes no image", "--check"],
  ["another Dockerfile", "-f=x"],
  ["what is no option", "network=host"],
  ["a build arg without a name", "--build-arg==x"],
  ["an option without its value", "--network"],
])("refused: %s", async (_, option) => {
  expect(await refusalOf(() => options(option))).toMatchObject({ code: "E_CONFIG", at: { file: FILE, line: 5 } });
});

test("what buildx does not take is told with its line, and a mistyped option with the one that was meant", async () => {
  const good = ["--network=host", "--add-host=a:10.0.0.1", "--add-host=b=host-gateway", "--add-host=c:[::1]"];
  const also = ["--ulimit", "nofile=1024:2048", "--shm-size=512m", "--shm-size=1.5GiB", "--label=a"];
  expect((await options(...good, ...also)).warnings).toEqual([]);
  const { warnings } = await options(
    "--network=hostt",
    "--add-host=a",
    "--ulimit=nofiles=1",
    "--shm-size=big",
    "--buid-arg",
  );
  const told = (line: number, words: RegExp) => ({ text: expect.stringMatching(words), at: { file: FILE, line } });
  expect(warnings).toEqual([
    told(
      5,
      /^build\.options holds --network=hostt, which buildx does not take \(default, none, host\): a build will fail$/,
    ),
    told(6, /--add-host=a, which buildx does not take \(host=address\)/),
    told(7, /--ulimit=nofiles=1, which buildx does not take \(name=soft:hard/),
    told(8, /--shm-size=big, which buildx does not take \(a size/),
    told(9, /--buid-arg is not known here; .*; build-arg was probably meant$/),
  ]);
});

test("secrets and keys of the options, with paths in the workspace", async () => {
  const { secrets, ssh, uncounted } = await options(
    "--secret=id=a,env=TOKEN",
    "--secret",
    "id=b,src=keys/b",
    "--ssh=default",
    "--pull",
  );
  expect(secrets).toEqual([
    { id: "a", source: { kind: "env", name: "TOKEN" }, at: { file: FILE, line: 5 } },
    { id: "b", source: { kind: "file", written: "/work/app/keys/b" }, at: { file: FILE, line: 6 } },
  ]);
  expect(ssh).toEqual([{ id: "default", written: [], at: { file: FILE, line: 8 } }]);
  expect(uncounted.map(({ name }) => name)).toEqual(["pull"]);
});

test.each([
  ["--secret=id=npm,src=/etc/shadow", "names a file outside the workspace"],
  ["--secret=id=npm,src=../../secret", "names a file outside the workspace"],
  ["--ssh=default=/root/.ssh/id_rsa", "names a file outside the workspace"],
  ["--secret=hunter2", "cannot be read"],
  ["--ssh==x", "cannot be read"],
])(
  "%s is refused, for a commit must not read the runner's files, and its text is not repeated",
  async (option, words) => {
    const error = await refusalOf(() => options(option));
    expect(error).toMatchObject({ code: "E_CONFIG", message: expect.stringContaining(words), at: { file: FILE } });
    expect(`${error.message} ${error.fix}`).not.toMatch(/hunter2|shadow|id_rsa/);
  },
);

test("a context that cannot be told is part of the sources, and nothing is built without it", async () => {
  const { counted, contexts, isIncomplete, doubt } = await options("--build-context=base=https://example.test/x.git");
  expect(counted).toMatchObject([{ name: "build-context", value: "base=https://example.test/x.git" }]);
  expect([contexts.size, isIncomplete, doubt?.kind]).toEqual([0, true, "plan"]);
});
