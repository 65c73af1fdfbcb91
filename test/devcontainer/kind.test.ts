// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of devcontainer.json
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BuildKind, buildKind } from "../../src/devcontainer/kind.ts";
import { metadataLabel } from "../../src/devcontainer/label.ts";
import { configured, FILE, WORKSPACE } from "./configured.ts";
import { refusalOf } from "./refusal.ts";

const kindOf = (text: string, env = {}, file = FILE): BuildKind =>
  buildKind(configured(text, env), `${WORKSPACE}/${file}`, WORKSPACE);

/** Where paths stand that are named the old way. */
const OLD = { dockerfile: ["dockerFile"], context: ["context"] };

const dockerfile = (parts: Partial<Extract<BuildKind, { kind: "dockerfile" }>>) => ({
  kind: "dockerfile",
  dockerfile: "/home/dev/app/.devcontainer/Dockerfile",
  context: "/home/dev/app/.devcontainer",
  args: new Map(),
  cacheFrom: [],
  options: [],
  written: { dockerfile: ["build", "dockerfile"], context: ["build", "context"] },
  ...parts,
});

type Row = { name: string; config: object; builds: unknown; file?: string };

describe("a configuration builds", () => {
  const build = { dockerfile: "Dockerfile" };
  const rows: readonly Row[] = [
    { name: "an image", config: { image: "debian:12" }, builds: { kind: "image", image: "debian:12" } },
    {
      name: "an image after substitution",
      config: { image: "${localEnv:NO:debian:12}" },
      builds: { kind: "image", image: "debian" },
    },
    {
      name: "an image, what build says without a Dockerfile is ignored",
      config: { image: "a", build: { target: 7, options: ["x"] } },
      builds: { kind: "image", image: "a" },
    },
    { name: "an image, no features", config: { image: "a", features: {} }, builds: { kind: "image", image: "a" } },
    { name: "a Dockerfile", config: { build }, builds: dockerfile({}) },
    { name: "a Dockerfile rather than an image", config: { image: "a", build }, builds: dockerfile({}) },
    { name: "a Dockerfile rather than compose", config: { dockerComposeFile: "c.yml", build }, builds: dockerfile({}) },
    {
      name: "a Dockerfile named the old way",
      config: { dockerFile: "Dockerfile" },
      builds: dockerfile({ written: OLD }),
    },
    {
      name: "a Dockerfile named the old way rather than the new one",
      config: { dockerFile: "Old", build: { dockerfile: "New", target: "t" } },
      builds: dockerfile({ dockerfile: "/home/dev/app/.devcontainer/Old", target: "t", written: OLD }),
    },
    {
      name: "a Dockerfile elsewhere, with the context beside it",
      config: { build: { dockerfile: "../docker/Dockerfile" } },
      builds: dockerfile({ dockerfile: "/home/dev/app/docker/Dockerfile", context: "/home/dev/app/docker" }),
    },
    {
      name: "a Dockerfile by an absolute path",
      config: { build: { dockerfile: "${localWorkspaceFolder}/Dockerfile" } },
      builds: dockerfile({ dockerfile: "/home/dev/app/Dockerfile", context: "/home/dev/app" }),
    },
    {
      name: "beside a configuration in the root",
      config: { build },
      file: ".devcontainer.json",
      builds: dockerfile({ dockerfile: "/home/dev/app/Dockerfile", context: "/home/dev/app" }),
    },
    {
      name: "in a context",
      config: { build: { ...build, context: ".." } },
      builds: dockerfile({ context: "/home/dev/app" }),
    },
    {
      name: "in a context, the old way",
      config: { dockerFile: "Dockerfile", context: "../x" },
      builds: dockerfile({ context: "/home/dev/app/x", written: OLD }),
    },
    { name: "the context of the other way is ignored", config: { build, context: ".." }, builds: dockerfile({}) },
    {
      name: "the context of the new way is ignored",
      config: { dockerFile: "Dockerfile", build: { context: ".." } },
      builds: dockerfile({ written: OLD }),
    },
    { name: "an empty context is none", config: { build: { ...build, context: "" } }, builds: dockerfile({}) },
    { name: "a target", config: { build: { ...build, target: "dev" } }, builds: dockerfile({ target: "dev" }) },
    { name: "an empty target is none", config: { build: { ...build, target: "" } }, builds: dockerfile({}) },
    {
      name: "with args, as text",
      config: { build: { ...build, args: { B: "x", A: 3, T: true, N: null, E: "" } } },
      builds: dockerfile({
        args: new Map(
          Object.entries({ B: "x", A: "3", T: "true", N: "null", E: "" }).map(([name, value]) => [
            name,
            { value, path: ["build", "args", name] },
          ]),
        ),
      }),
    },
    {
      name: "with one source of cache",
      config: { build: { ...build, cacheFrom: "a" } },
      builds: dockerfile({ cacheFrom: ["a"] }),
    },
    {
      name: "with several",
      config: { build: { ...build, cacheFrom: ["a", "b"] } },
      builds: dockerfile({ cacheFrom: ["a", "b"] }),
    },
    {
      name: "with options",
      config: { build: { ...build, options: ["--network=host", "--no-cache"] } },
      builds: dockerfile({
        options: [
          { text: "--network=host", path: ["build", "options", 0] },
          { text: "--no-cache", path: ["build", "options", 1] },
        ],
      }),
    },
    {
      name: "a service of compose",
      config: { dockerComposeFile: "c.yml", service: "app" },
      builds: { kind: "compose" },
    },
    { name: "with no options", config: { build: { ...build, options: [] } }, builds: dockerfile({}) },
    {
      name: "with null where nothing is meant",
      config: { features: null, build: { ...build, args: null, target: null, cacheFrom: null } },
      builds: dockerfile({}),
    },
  ];
  it.each(rows)("$name", ({ config, builds, file }) => {
    expect(kindOf(JSON.stringify(config), {}, file)).toEqual(builds);
  });
});

type Refused = { name: string; text: string; code?: string; what: string; fix?: string; line?: number };

describe("a configuration is refused", () => {
  const correct = `Correct it in ${FILE}.`;
  const rows: readonly Refused[] = [
    {
      name: "an option that is no text",
      text: '{"build": {"dockerfile": "D",\n"options": [1]}}',
      what: "build.options[0] is 1, which is not a text.",
      line: 2,
    },
    {
      name: "nothing to build",
      text: '{"name": "a"}',
      what: `${FILE} names no image and no Dockerfile.`,
      fix: 'Add "image": "…" or "build": { "dockerfile": "…" }. What it holds: name; upper and lower case count.',
    },
    {
      name: "build without a Dockerfile",
      text: '{"build": {}}',
      what: `${FILE} names no image and no Dockerfile.`,
      line: 1,
    },
    { name: "an empty image", text: '{\n"image": ""}', what: `${FILE} names no image and no Dockerfile.`, line: 2 },
    {
      name: "a Dockerfile at the wrong place",
      text: '{\n"dockerfile": "Dockerfile"}',
      what: `${FILE} names no image and no Dockerfile.`,
      fix: 'Write "build": { "dockerfile": … } instead of a "dockerfile" at the top.',
      line: 2,
    },
    {
      name: "an image that its variable empties",
      text: '{\n"image": "${localEnv:BASE}"}',
      what: 'image is "${localEnv:BASE}", which is empty once its variables are replaced.',
      fix: "Set the variable for this step, or give a default: ${localEnv:NAME:default}.",
      line: 2,
    },
    {
      name: "an image that is no text",
      text: '{"image": {"a": 1}}',
      what: 'image is {"a":1}, which is not a text.',
      fix: correct,
      line: 1,
    },
    { name: "an empty Dockerfile", text: '{\n"dockerFile": "", "image": "a"}', what: "dockerFile is empty.", line: 2 },
    {
      name: "a Dockerfile that is null",
      text: '{"build": {\n"dockerfile": null}}',
      what: "build.dockerfile is empty.",
      line: 2,
    },
    { name: "build that is no object", text: '{"build": "."}', what: 'build is ".", which is not an object.', line: 1 },
    {
      name: "a target that is a number",
      text: '{"build": {"dockerfile": "D",\n"target": 1}}',
      what: "build.target is 1, which is not a text.",
      line: 2,
    },
    {
      name: "args that are a list",
      text: '{"build": {"dockerfile": "D",\n"args": ["A=1"]}}',
      what: 'build.args is ["A=1"], which is not an object.',
      line: 2,
    },
    {
      name: "an arg that is an object",
      text: '{"build": {"dockerfile": "D", "args": {\n"A": {}}}}',
      what: "build.args.A is {}, which is not a text.",
      line: 2,
    },
    {
      name: "a source of cache that is no text",
      text: '{"build": {"dockerfile": "D", "cacheFrom": ["a",\n1]}}',
      what: "build.cacheFrom[1] is 1, which is not a text.",
      line: 2,
    },
    {
      name: "a Dockerfile outside",
      text: '{"build": {\n"dockerfile": "../../Dockerfile"}}',
      what: 'build.dockerfile is "../../Dockerfile", which leaves the checkout.',
      fix: "Keep what the image is built from inside the repository: nothing else is in the commit.",
      line: 2,
    },
    {
      name: "a context outside",
      text: '{"build": {"dockerfile": "D",\n"context": "/work"}}',
      what: 'build.context is "/work", which leaves the checkout.',
      line: 2,
    },
    {
      name: "an old context outside",
      text: '{"dockerFile": "D",\n"context": "../../x"}',
      what: 'context is "../../x", which leaves the checkout.',
      line: 2,
    },
  ];
  it.each(rows)("$name", async ({ text, code = "E_CONFIG", what, fix, line }) => {
    const error = await refusalOf(() => kindOf(text));
    expect({ code: error.code, what: error.message, at: error.at }).toEqual({
      code,
      what,
      at: line === undefined ? { file: FILE } : { file: FILE, line },
    });
    expect(error.fix).toBeTruthy();
    if (fix !== undefined) expect(error.fix).toBe(fix);
  });

  it("a long value is cut", async () => {
    const error = await refusalOf(() => kindOf(JSON.stringify({ image: ["x".repeat(100)] })));
    expect(error.message).toBe(`image is ["${"x".repeat(77)}…, which is not a text.`);
  });
});

it("whatever stands in it, a configuration is taken or refused", async () => {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom("${localEnv:A}", "${localEnv}", "../..", ""),
  );
  const build = fc.record(
    {
      dockerfile: anything,
      context: anything,
      target: anything,
      args: anything,
      cacheFrom: anything,
      options: anything,
    },
    { requiredKeys: [] },
  );
  const config = fc.record(
    {
      image: anything,
      dockerFile: anything,
      context: anything,
      build: fc.oneof(build, anything),
      features: anything,
      dockerComposeFile: anything,
      workspaceFolder: anything,
      customizations: anything,
      extensions: anything,
      settings: anything,
      remoteUser: anything,
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(config, async (object) => {
      try {
        const substituted = configured(JSON.stringify(object), { A: "x" });
        metadataLabel({ base: undefined, raw: substituted.raw });
        buildKind(substituted, `${WORKSPACE}/${FILE}`, WORKSPACE);
      } catch (thrown) {
        const error = await refusalOf(() => {
          throw thrown;
        });
        expect(error.code).toMatch(/^E_(CONFIG|NOT_YET)$/);
      }
    }),
    { numRuns: 2000 },
  );
});
