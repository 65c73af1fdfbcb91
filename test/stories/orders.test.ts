import { execFileSync } from "node:child_process";
import { beforeEach, expect, test } from "vitest";
import { OUTPUTS } from "../../src/handover/outputs.ts";
import { output, vertex } from "../buildx/progress-room.ts";
import { type Content, put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { commandsIn, RUNNERS } from "../runners.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

/** A name that gives every kind of order, on a line of its own for whoever ends lines where. No slash: files can be called so. */
const ORDERS = [
  "evil",
  "\n::set-env name=BASH_ENV::evil.sh",
  "\r\t::stop-commands::evil",
  "\v\f\u0085\u2028\u00a0::add-path::evil",
  "\u001b[2K\u202e##[set-output name=image]evil",
  "\n##[save-state name=x]evil\n::add-mask::evil",
  "\n\n# [evil](x) <img src=x> `evil` **evil** | www.evil.test\n",
].join("");

/** The same where a text has to be one line and hold no blank. */
const WORD = "evil::add-path::evil\u2028::add-path::evil\u202e##[add-path]evil";

const JSON_FILE = ".devcontainer/devcontainer.json";
const DOCKERFILE = ".devcontainer/Dockerfile";
const json = (content: object): Readonly<Record<string, Content>> => ({ [JSON_FILE]: JSON.stringify(content) });
const docker = (text: string): Readonly<Record<string, Content>> => ({ [DOCKERFILE]: text });
const compose = (text: string): Readonly<Record<string, Content>> => ({
  ...json({ dockerComposeFile: "compose.yml", service: "app" }),
  ".devcontainer/compose.yml": text,
});

const MEANT = new Set(["group", "endgroup", "warning", "error", "notice", "debug"]);

/** Nobody gives orders but us, in nothing that is printed or shown, and what was to give them can be read in both. */
function expectNoOrders({ log, summary, outputs }: Told): void {
  expect(Object.keys(outputs)).toEqual([...OUTPUTS]);
  expect(log).toMatch(/evil/i);
  for (const runner of RUNNERS) {
    const commands = commandsIn(log, runner).map(({ name }) => name);
    expect(
      commands.filter((name) => !MEANT.has(name)),
      runner.name,
    ).toEqual([]);
    expect(commands.filter((name) => name === "group")).toHaveLength(log.match(/^::group::/gm)?.length ?? 0);
    expect(commandsIn(summary, runner)).toEqual([]);
  }
  expect(log.match(/^::group::/gm)?.length).toBe(log.match(/^::endgroup::/gm)?.length);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  for (const text of [log, summary]) expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/);
  for (const line of proseOf(summary)) {
    expect(line).not.toMatch(/^\s*(?:#(?!## \S+ Dev container: )|>|\d+[.)] |={3}|`{3})/);
    expect(line.replace(/^- /, "").replace(/^\*\*(.*)\*\*/, "$1")).not.toMatch(/[*_[\]<~]|(?:https?|ftp):\/\/|www\./);
  }
}

/** The lines of a summary without what is code, escaped, or of our own making. */
function proseOf(summary: string): readonly string[] {
  return summary
    .replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, "")
    .replace(/\\[!-/:-@[-`{-~]/g, "")
    .replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, "")
    .replace(/<\/?(?:details|summary)>|<!-- -->/g, "")
    .split("\n");
}

type Row = {
  readonly name: string;
  readonly files?: Readonly<Record<string, Content>>;
  readonly play?: Partial<Play>;
};

const ROWS: readonly Row[] = [
  { name: "an input", play: { inputs: { "on-miss": ORDERS } } },
  { name: "an input that is a reference", play: { inputs: { "cache-repo": ORDERS } } },
  { name: "an input that names a folder", play: { inputs: { "devcontainer-dir": ORDERS } } },
  { name: "an input that names a file", play: { inputs: { "devcontainer-json-path": `.devcontainer/${ORDERS}` } } },
  { name: "features of an input", play: { inputs: { "additional-features": JSON.stringify({ [ORDERS]: {} }) } } },
  { name: "builders of an input", play: { inputs: { builders: WORD } } },
  {
    name: "the folder and the name of the configuration",
    files: { [`.devcontainer/${ORDERS}/devcontainer.json`]: '{ "image": "evil' },
    play: { inputs: { "devcontainer-json-path": `.devcontainer/${ORDERS}/devcontainer.json` } },
  },
  { name: "a Dockerfile that is not there", files: json({ build: { dockerfile: ORDERS } }) },
  {
    name: "a Dockerfile by that name",
    files: { ...json({ build: { dockerfile: ORDERS } }), [`.devcontainer/${ORDERS}`]: "FROM" },
  },
  { name: "a context", files: json({ build: { dockerfile: "Dockerfile", context: ORDERS } }) },
  { name: "a target", files: json({ build: { dockerfile: "Dockerfile", target: ORDERS } }) },
  { name: "an image", files: json({ image: ORDERS }) },
  { name: "a feature", files: json({ image: "debian:12", features: { [ORDERS]: {} } }) },
  { name: "a feature of a registry", files: json({ image: "debian:12", features: { [`ghcr.io/a/b:${ORDERS}`]: {} } }) },
  { name: "a local feature", files: json({ image: "debian:12", features: { [`./${ORDERS}`]: {} } }) },
  { name: "options of the build", files: json({ build: { dockerfile: "Dockerfile", options: [`--${ORDERS}`] } }) },
  {
    name: "a build arg",
    files: json({ build: { dockerfile: "Dockerfile", args: { [ORDERS]: "1", GREETING: ORDERS } } }),
  },
  { name: "a compose file", files: json({ dockerComposeFile: ORDERS, service: "app" }) },
  {
    name: "a service",
    files: { ...compose("services: { app: {} }"), ...json({ dockerComposeFile: "compose.yml", service: ORDERS }) },
  },
  { name: "services of a compose file", files: compose(`services: { ${JSON.stringify(ORDERS)}: { image: a } }`) },
  {
    name: "a compose file's build",
    files: compose(`services: { app: { build: { context: ., dockerfile: ${JSON.stringify(ORDERS)} } } }`),
  },
  {
    name: "what a local feature is called and is told",
    files: {
      ...json({ image: "debian:12", features: { "./evil": { [ORDERS]: ORDERS } }, containerEnv: { [ORDERS]: ORDERS } }),
      ".devcontainer/evil/devcontainer-feature.json": JSON.stringify({
        id: ORDERS,
        version: ORDERS,
        dependsOn: { [ORDERS]: {} },
      }),
      ".devcontainer/evil/install.sh": "",
    },
  },
  {
    name: "a compose file's variable",
    files: compose(`services: { app: { image: ${JSON.stringify(`\${EVIL:?${WORD}}`)} } }`),
  },
  { name: "an instruction that there is none of", files: docker("FROM scratch\nevil\u2028::add-path::evil x\n") },
  { name: "what COPY takes", files: docker('FROM scratch\nCOPY ["evil\u2028\u202e", "/x"]\n') },
  { name: "a base", files: docker(`FROM ${WORD}\n`) },
  { name: "a stage", files: docker(`FROM scratch AS ${WORD}\nCOPY --from=${WORD}x /a /a\n`) },
  { name: "a syntax directive", files: docker(`# syntax=${WORD}\nFROM scratch\n`) },
  { name: "a tag that is pushed", play: { inputs: { tags: WORD } } },
  { name: "BuildKit's words", play: { docker: { fails: "buildx build", says: `ERROR: ${ORDERS}` } } },
  { name: "buildx's own", play: { docker: { fails: "buildx inspect", says: ORDERS } } },
  {
    name: "BuildKit's steps and what they print",
    play: {
      env: { RUNNER_DEBUG: "1" },
      docker: {
        fails: "buildx build",
        says: [
          vertex("a", `[1/2] RUN ${ORDERS}`, { from: 0 }),
          output("a", `${ORDERS}\n${ORDERS}\n`),
          vertex("a", `[1/2] RUN ${ORDERS}`, { from: 0, to: 1, error: ORDERS }),
          JSON.stringify({ warnings: [{ short: Buffer.from(ORDERS).toString("base64"), url: ORDERS }] }),
          ORDERS,
          `ERROR: failed to solve: ${ORDERS}`,
        ].join("\n"),
      },
    },
  },
];

test.each(ROWS)("$name", async ({ files = {}, play: more = {} }) => {
  for (const [path, content] of Object.entries(files)) put(workspace, path, content);
  expectNoOrders(await play({ workspace, registry, ...more }));
});

test.each([
  ["the words of an error", { errors: [{ code: ORDERS, message: ORDERS }] }, "application/json"],
  ["the words of a proxy", ORDERS, "text/plain"],
])("a registry: %s", async (_, body, type) => {
  const reply = { headers: { "content-type": type }, body: typeof body === "string" ? body : JSON.stringify(body) };
  for (const [path, status] of [
    ["/base/os/", 403],
    ["/base/os/", 503],
    ["/team/app/", 401],
    ["/team/app/", 429],
  ] as const) {
    registry.override((line) => line.includes(path), { status, ...reply });
    expectNoOrders(await play({ workspace, registry }));
    registry.override(() => false, { status: 200 });
  }
});

test("the plan of an earlier image, and files of the checkout", async () => {
  put(workspace, `.devcontainer/${ORDERS}`, "1");
  put(
    workspace,
    JSON_FILE,
    JSON.stringify({ build: { dockerfile: "Dockerfile", args: { [ORDERS.replaceAll("=", "")]: "1" } } }),
  );
  put(workspace, DOCKERFILE, `FROM ${registry.host}/base/os:1\nCOPY . /\nRUN ${WORD}\n`);
  const first = await play({ workspace, registry });
  expect(first.outputs.result, first.log).toBe("built");
  expectNoOrders(first);
  put(workspace, `.devcontainer/${ORDERS}`, "2");
  expectNoOrders(await play({ workspace, registry, inputs: { "on-miss": "fail" } }));
});

/** Puts another plan in the place of the one that the set of a branch carries, as whoever may push can. */
function replacePlan(tag: string, change: (plan: string) => string): void {
  const repository = "team/app";
  const index = JSON.parse(registry.manifest(repository, tag)?.toString() ?? "");
  const seed = (value: string, type: string): object => {
    const bytes = Buffer.from(value);
    const digest = type.includes("manifest")
      ? registry.seedManifest(repository, tag, bytes, type)
      : registry.seedBlob(repository, bytes);
    return { digest, size: bytes.length };
  };
  const manifests = index.manifests.map((entry: { readonly digest: string; readonly mediaType: string }) => {
    const manifest = JSON.parse(registry.manifest(repository, entry.digest)?.toString() ?? "");
    const layers = manifest.layers?.map((layer: { readonly digest: string }) => {
      const text = registry.blob(repository, layer.digest)?.toString() ?? "";
      return text.includes('"trees"') ? { ...layer, ...seed(change(text), "blob") } : layer;
    });
    return { ...entry, ...seed(JSON.stringify({ ...manifest, ...(layers ? { layers } : {}) }), entry.mediaType) };
  });
  registry.seedManifest(repository, tag, Buffer.from(JSON.stringify({ ...index, manifests })), index.mediaType);
}

test("the plan of an earlier image that says of itself what it likes", async () => {
  const first = await play({ workspace, registry });
  expect(first.outputs.result, first.log).toBe("built");
  const orders = JSON.stringify(ORDERS).slice(1, -1);
  replacePlan("branch-main-7e268f37", (plan) =>
    plan
      .replaceAll("GREETING", orders)
      .replaceAll("setup.sh", orders)
      .replaceAll(`"written":"${registry.host}/base/os:1"`, `"written":"${orders}"`)
      .replaceAll(/("target"|"version"):"[^"]*"/g, `$1:"${orders}"`),
  );
  put(workspace, ".devcontainer/setup.sh", "other");
  const told = await play({ workspace, registry, inputs: { "on-miss": "fail" } });
  expect(told.log.match(/evil/g)?.length, told.log).toBeGreaterThan(10);
  expectNoOrders(told);
});

test("git's tags", async () => {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", workspace, "-c", "user.name=a", "-c", "user.email=a@b.test", ...args], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: workspace },
    });
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "--message=first");
  git("tag", "evil\u2028\u202e##]");
  expectNoOrders(await play({ workspace, registry, git: true, inputs: { release: "auto" } }));
  const ref = { GITHUB_REF: `refs/tags/${WORD}` };
  expectNoOrders(await play({ workspace, registry, git: true, inputs: { release: "auto" }, env: ref }));
});

test("what fails when all is over, and nothing catches", async () => {
  const told = await play({ workspace, registry, env: { GITHUB_OUTPUT: `/nowhere/${ORDERS}` } });
  expect(told.code).toBe(1);
  expect(told.left.filter((name) => !/-(?:env|plan)-/.test(name))).toEqual([]);
  expect(told.log).toMatch(/::error::The outputs cannot be written: .*evil.*\[E_SYSTEM\]/);
  expectNoOrders({ ...told, outputs: Object.fromEntries(OUTPUTS.map((name) => [name, ""])) });
});

test("what a run has ended with is told although its outputs cannot be written", async () => {
  const told = await play({ workspace, registry, env: { GITHUB_OUTPUT: "/nowhere/out" }, inputs: { "on-miss": "no" } });
  expect(told.code).toBe(1);
  expect(told.log).toMatch(/::error::The input on-miss is "no", [\s\S]*::error::The outputs cannot be written: /);
  expect(told.summary).toContain("on-miss");
});

test("packages", async () => {
  seedBase(registry, "tools/scanner", "1", "scanner");
  const inputs = { sbom: `${registry.host}/tools/scanner:1`, require: "sbom" };
  await play({ workspace, registry, inputs });
  put(workspace, ".devcontainer/setup.sh", "other");
  const told = await play({
    workspace,
    registry,
    inputs,
    env: { FAKE_DOCKER_SBOM: `${ORDERS.replaceAll(/[,=]/g, "-")}=1` },
  });
  expect(told.summary).toContain("evil");
  expectNoOrders({ ...told, log: `${told.log}evil` });
});
