import { chmodSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Served } from "../../src/oci/manifest.ts";
import { type Content, put } from "../checkout.ts";
import { indexOf } from "../plan-of.ts";
import { type Before, type Mutation, movedBy, toldOfAll } from "./around.ts";

const OPTIONS: readonly string[] = [
  "--build-arg=WORD=one",
  "--build-arg",
  "FROM_ENV",
  "--build-context=library=shared",
  "--build-context=tools=docker-image://registry.test/tools:1",
  "--build-context=docker.io/library/node:latest=docker-image://registry.test/node:20",
  "--network=none",
];

const configuration = (options: readonly string[], build: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ build: { dockerfile: "Dockerfile", context: "../app", options, ...build } });

const FILES: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": configuration(OPTIONS),
  ".devcontainer/Dockerfile": `FROM node AS first
FROM first
ARG WORD FROM_ENV
COPY --from=library . /library
RUN --mount=type=bind,from=tools,target=/tools /tools/run
COPY . /app
`,
  "app/file.txt": "app\n",
  "shared/lib/index.js": "exports.a = 1;\n",
  "shared/run.sh": { script: "echo run\n" },
  "shared/current": { link: "lib/index.js" },
  "shared/.dockerignore": "*.log\n",
  "shared/noise.log": "one\n",
  "other/lib/index.js": "exports.b = 1;\n",
};

const IMAGES: Readonly<Record<string, Served>> = {
  "registry.test/node:20": indexOf({ "linux/amd64": "node amd64" }),
  "registry.test/node:22": indexOf({ "linux/amd64": "newer node amd64" }),
  "registry.test/tools:1": indexOf({ "linux/amd64": "tools amd64" }),
  "registry.test/unused:1": indexOf({ "linux/amd64": "unused amd64" }),
  "docker.io/library/node:latest": indexOf({ "linux/amd64": "the hub's node" }),
};

const BEFORE: Before = { files: FILES, images: IMAGES, env: { FROM_ENV: "one" } };

const configure =
  (options: readonly string[], build?: Readonly<Record<string, unknown>>) =>
  (root: string): void =>
    put(root, ".devcontainer/devcontainer.json", configuration(options, build));
const more = (...options: readonly string[]) => configure([...OPTIONS, ...options]);
const instead = (from: string, to: string) => {
  if (!OPTIONS.includes(from)) throw new Error(`there is no ${from}`);
  return configure(OPTIONS.map((option) => (option === from ? to : option)));
};
const moved = (name: string) => ({ ...IMAGES, [name]: indexOf({ "linux/amd64": "moved" }) });

const UPSTREAM: readonly Mutation[] = [
  { name: "the digest of a named context's image that a mount names", images: moved("registry.test/tools:1") },
  { name: "the digest of the image that stands in the place of a base", images: moved("registry.test/node:20") },
];

const YOURS: readonly Mutation[] = [
  {
    name: "the image that stands in the place of a base",
    edit: instead(
      "--build-context=docker.io/library/node:latest=docker-image://registry.test/node:20",
      "--build-context=docker.io/library/node:latest=docker-image://registry.test/node:22",
    ),
  },
  { name: "a file in a named folder", edit: (root) => put(root, "shared/lib/index.js", "exports.a = 2;\n") },
  {
    name: "rename of a file in a named folder",
    edit: (root) => renameSync(join(root, "shared/run.sh"), join(root, "shared/start.sh")),
  },
  { name: "chmod -x of a file in a named folder", edit: (root) => chmodSync(join(root, "shared/run.sh"), 0o644) },
  { name: "target of a link in a named folder", edit: (root) => put(root, "shared/current", { link: "run.sh" }) },
  { name: "a new file in a named folder", edit: (root) => put(root, "shared/new.txt", "") },
  { name: "the ignore file of a named folder", edit: (root) => put(root, "shared/.dockerignore", "") },
  { name: "another named folder", edit: instead("--build-context=library=shared", "--build-context=library=other") },
  {
    name: "an image in the place of a named folder",
    edit: instead("--build-context=library=shared", "--build-context=library=docker-image://registry.test/tools:1"),
  },
  { name: "one more named folder", edit: more("--build-context=more=other") },
  { name: "a declared build arg among the options", edit: instead("--build-arg=WORD=one", "--build-arg=WORD=two") },
  { name: "a declared build arg that the environment holds", env: { FROM_ENV: "two" } },
  {
    name: "a declared build arg that wins over build.args",
    edit: configure(OPTIONS.slice(1), { args: { WORD: "two" } }),
  },
  { name: "--target", edit: more("--target=first") },
  ...[
    "--add-host=a:10.0.0.1",
    "--allow=network.host",
    "--annotation=a=b",
    "--cgroup-parent=x",
    "--isolation=default",
    "--label=a=b",
    "--security-opt=x",
    "--shm-size=1g",
    "--ulimit=nofile=1",
    "--never-heard-of",
    "--never-heard-of=x",
  ].map((option): Mutation => ({ name: option, edit: more(option) })),
  ...["title", "description", "licenses", "vendor"].map((name): Mutation => {
    return { name: `the label ${name}`, inputs: { labels: `org.opencontainers.image.${name}=b` } };
  }),
  { name: "a label that ignore-labels does not name", inputs: { labels: "teams=1", "ignore-labels": "team" } },
  { name: "the id of a secret", edit: more("--secret=id=a,src=shared/run.sh") },
  { name: "the id of a key", edit: more("--ssh=a=shared/run.sh") },
  { name: "--network", edit: instead("--network=none", "--network=host") },
  { name: "what stands behind an unknown option", edit: more("--never-heard-of", "x") },
];

const NOTHING: readonly Mutation[] = [
  {
    name: "a file that a named folder's ignore file leaves out",
    edit: (root) => put(root, "shared/noise.log", "two\n"),
  },
  { name: "a folder that no option names", edit: (root) => put(root, "other/lib/index.js", "exports.b = 2;\n") },
  { name: "an undeclared build arg", edit: more("--build-arg=UNDECLARED=1") },
  {
    name: "an undeclared build arg that the environment holds",
    edit: more("--build-arg", "HOME"),
    env: { HOME: "/x" },
  },
  ...["created", "revision", "version", "ref.name", "source", "url"].flatMap((name): Mutation[] => [
    { name: `the label ${name}`, edit: more(`--label=org.opencontainers.image.${name}=b`) },
    { name: `the label ${name} by the input`, inputs: { labels: `org.opencontainers.image.${name}=b` } },
  ]),
  {
    name: "the label created that the environment holds",
    from: {
      ...FILES,
      ".devcontainer/devcontainer.json": configuration([
        ...OPTIONS,
        `--label=org.opencontainers.image.created=\${localEnv:NOW}`,
      ]),
    },
    env: { NOW: "now" },
  },
  {
    name: "the annotation revision, of index and manifest",
    edit: more("--annotation=index,manifest[linux/amd64]:org.opencontainers.image.revision=b"),
  },
  {
    name: "labels that ignore-labels names",
    edit: more("--label=team.run=1"),
    inputs: { labels: "other.label=1", "ignore-labels": "team.*\nother.label" },
  },
  {
    name: "where a secret is",
    from: {
      ...FILES,
      ".devcontainer/devcontainer.json": configuration([...OPTIONS, "--secret=id=a,src=app/file.txt"]),
    },
    edit: more("--secret=id=a,src=shared/run.sh"),
  },
  { name: "a proxy", edit: more("--build-arg=HTTP_PROXY=http://proxy.test") },
  { name: "what a replaced base's own name serves", images: moved("docker.io/library/node:latest") },
  ...[
    "--no-cache",
    "--no-cache-filter=x",
    "--pull",
    "--rm",
    "--force-rm",
    "--compress",
    "--memory=1g",
    "-m=1g",
    "--memory-swap=1g",
    "--cpu-period=1",
    "--cpu-quota=1",
    "-c=1",
    "--cpuset-cpus=0",
    "--cpuset-mems=0",
    "--cache-from=registry.test/cache",
    "--cache-to=type=inline",
    "--builder=x",
    "--tag=x",
    "--push",
    "--load",
    "--progress=plain",
    "--provenance=true",
    "--sbom=true",
    "--platform=linux/arm64",
  ].map((option): Mutation => ({ name: option, edit: more(option) })),
  { name: "an option and its value as two texts", edit: configure([...OPTIONS.slice(0, -1), "--network", "none"]) },
  { name: "build.cacheFrom", edit: configure(OPTIONS, { cacheFrom: "registry.test/cache" }) },
];

test.each(UPSTREAM)("must move the key alone: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "unlabelled"]);
});

test.each(YOURS)("must move all keys: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own", "source", "unlabelled"]);
});

test.each(NOTHING)("must move no key: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual([]);
});

test("each change is told, and once", async () => {
  expect(await toldOfAll([...UPSTREAM, ...YOURS], BEFORE)).toMatchInlineSnapshot(`
    {
      "--add-host=a:10.0.0.1": [
        "build option --add-host is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--allow=network.host": [
        "build option --allow is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--annotation=a=b": [
        "build option --annotation is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--cgroup-parent=x": [
        "build option --cgroup-parent is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--isolation=default": [
        "build option --isolation is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--label=a=b": [
        "label a is new (.devcontainer/devcontainer.json:1; ignore-labels takes it out of the key) @ .devcontainer/devcontainer.json:1",
      ],
      "--network": [
        "build option --network changed (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--never-heard-of": [
        "build option --never-heard-of is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--never-heard-of=x": [
        "build option --never-heard-of is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--security-opt=x": [
        "build option --security-opt is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--shm-size=1g": [
        "build option --shm-size is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "--target": [
        "build target (not set) → first @ .devcontainer/devcontainer.json:1",
        "shared/.dockerignore is no longer part of the build",
        "shared/current is no longer part of the build",
        "shared/lib/index.js is no longer part of the build",
        "shared/run.sh is no longer part of the build",
      ],
      "--ulimit=nofile=1": [
        "build option --ulimit is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "a declared build arg among the options": [
        "build arg WORD changed (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "a declared build arg that the environment holds": [
        "build arg FROM_ENV changed (.devcontainer/devcontainer.json:1; a variable is in it) @ .devcontainer/devcontainer.json:1",
      ],
      "a declared build arg that wins over build.args": [
        "build arg WORD changed (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "a file in a named folder": [
        "shared/lib/index.js changed @ shared/lib/index.js",
      ],
      "a label that ignore-labels does not name": [
        "label teams is new (the input labels; ignore-labels takes it out of the key)",
      ],
      "a new file in a named folder": [
        "shared/new.txt is part of the build now @ shared/new.txt",
      ],
      "an image in the place of a named folder": [
        "build context library changed @ .devcontainer/devcontainer.json:1",
      ],
      "another named folder": [
        "build context library is other now, before shared @ .devcontainer/devcontainer.json:1",
      ],
      "chmod -x of a file in a named folder": [
        "shared/run.sh has mode 0644 now, before 0755 @ shared/run.sh",
      ],
      "one more named folder": [
        "build context more is new @ .devcontainer/devcontainer.json:1",
      ],
      "rename of a file in a named folder": [
        "shared/start.sh was shared/run.sh before @ shared/start.sh",
      ],
      "target of a link in a named folder": [
        "shared/current points to run.sh now @ shared/current",
      ],
      "the digest of a named context's image that a mount names": [
        "base tools sha256:357c4de03167… → sha256:5edd1832df25… @ .devcontainer/Dockerfile:5",
      ],
      "the digest of the image that stands in the place of a base": [
        "base node sha256:e88ca947c541… → sha256:5edd1832df25… @ .devcontainer/Dockerfile:1",
      ],
      "the id of a key": [
        "build ssh key a is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "the id of a secret": [
        "build secret a is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "the ignore file of a named folder": [
        "shared/.dockerignore changed @ shared/.dockerignore",
        "shared/noise.log is part of the build now @ shared/noise.log",
      ],
      "the image that stands in the place of a base": [
        "build context docker.io/library/node:latest changed @ .devcontainer/devcontainer.json:1",
      ],
      "the label description": [
        "label org.opencontainers.image.description is new (the input labels; ignore-labels takes it out of the key)",
      ],
      "the label licenses": [
        "label org.opencontainers.image.licenses is new (the input labels; ignore-labels takes it out of the key)",
      ],
      "the label title": [
        "label org.opencontainers.image.title is new (the input labels; ignore-labels takes it out of the key)",
      ],
      "the label vendor": [
        "label org.opencontainers.image.vendor is new (the input labels; ignore-labels takes it out of the key)",
      ],
      "what stands behind an unknown option": [
        "build option --never-heard-of is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
    }
  `);
});
