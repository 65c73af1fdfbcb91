import { chmodSync, cpSync, mkdirSync, mkdtempSync, renameSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Served } from "../../src/oci/manifest.ts";
import { type Content, makeCheckout, put } from "../checkout.ts";
import { indexOf, planOf } from "../plan-of.ts";
import { type Before, keysOf, type Mutation, movedBy, toldOfAll } from "./around.ts";

/** One devcontainer that has one of everything that a row below edits. */
const FIXTURE: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": `{
  // the dev container
  "build": { "dockerfile": "Dockerfile", "context": "../app", "target": "dev", "args": { "VARIANT": "12", "UNDECLARED": "1" } },
  "containerEnv": { "EDITOR": "vi" },
  "remoteUser": "dev",
  "customizations": { "vscode": { "extensions": ["a.b"] } },
  "postCreateCommand": "make setup",
  "forwardPorts": [3000]
}
`,
  ".devcontainer/Dockerfile": `# a comment
ARG VARIANT=11
FROM registry.test/base:\${VARIANT} AS dev
ARG VARIANT
COPY --from=registry.test/tools:1 /bin/tool /bin/tool
COPY src/ /src/
COPY scripts/*.sh link.txt /scripts/
COPY through/inner.txt ignored* /
RUN <<EOF
echo one
EOF
RUN echo a && \\
    echo b
FROM dev AS unused
RUN echo unused
`,
  "app/.dockerignore": "ignored/*\n!ignored/kept.txt\n",
  "app/src/main.c": "int main;\n",
  "app/src/sub/deep.txt": "deep\n",
  "app/scripts/setup.sh": { script: "echo setup\n" },
  "app/link.txt": { link: "src/sub/deep.txt" },
  "app/through": { link: "behind" },
  "app/behind/inner.txt": "inner\n",
  "app/ignored/gone.txt": "gone\n",
  "app/ignored/kept.txt": "kept\n",
  "app/other/readme.md": "other\n",
};

const IMAGES: Readonly<Record<string, Served>> = {
  "registry.test/base:12": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "base arm64" }),
  "registry.test/base:13": indexOf({ "linux/amd64": "base 13 amd64", "linux/arm64": "base 13 arm64" }),
  "registry.test/tools:1": indexOf({ "linux/amd64": "tools amd64", "linux/arm64": "tools arm64" }),
  "docker.io/docker/dockerfile:1": indexOf({ "linux/amd64": "frontend amd64" }),
  "docker.io/docker/dockerfile:1.7": indexOf({ "linux/amd64": "frontend 1.7 amd64" }),
};

const frontend = (syntax: string): string => `# syntax=${syntax}\n${String(FIXTURE[".devcontainer/Dockerfile"])}`;
const ON_ONE_LINE = {
  ...FIXTURE,
  ".devcontainer/Dockerfile": String(FIXTURE[".devcontainer/Dockerfile"]).replace(/ \\\n +/, " "),
};
const WITH_FRONTEND = { ...FIXTURE, ".devcontainer/Dockerfile": frontend("docker/dockerfile:1") };

const COPIES_GIT: Readonly<Record<string, Content>> = {
  ".devcontainer/Dockerfile": "FROM registry.test/base:12 AS dev\nCOPY . .\n",
  "app/.git/HEAD": "ref: refs/heads/main\n",
};

const replace =
  (path: string, from: string, to: string) =>
  (root: string): void => {
    const text = FIXTURE[path];
    if (typeof text !== "string" || !text.includes(from)) throw new Error(`${path} does not hold ${from}`);
    put(root, path, text.replace(from, to));
  };
const json = (from: string, to: string) => replace(".devcontainer/devcontainer.json", from, to);
const docker = (from: string, to: string) => replace(".devcontainer/Dockerfile", from, to);

const BEFORE: Before = { files: FIXTURE, images: IMAGES };

/** What others publish. */
const UPSTREAM: readonly Mutation[] = [
  {
    name: "base digest of this platform",
    images: { ...IMAGES, "registry.test/base:12": indexOf({ "linux/amd64": "moved", "linux/arm64": "base arm64" }) },
  },
  {
    name: "digest of an image that COPY --from names",
    images: { ...IMAGES, "registry.test/tools:1": indexOf({ "linux/amd64": "moved" }) },
  },
  {
    name: "frontend digest",
    from: WITH_FRONTEND,
    images: { ...IMAGES, "docker.io/docker/dockerfile:1": indexOf({ "linux/amd64": "moved" }) },
  },
];

/** What the commit and the inputs say, the label left out. */
const YOURS: readonly Mutation[] = [
  {
    name: "an option of the frontend",
    from: WITH_FRONTEND,
    edit: (root) => put(root, ".devcontainer/Dockerfile", frontend("docker/dockerfile:1 --x=y")),
  },
  { name: "content of a copied file", edit: (root) => put(root, "app/src/main.c", "int other;\n") },
  {
    name: "rename of a copied file",
    edit: (root) => renameSync(join(root, "app/src/main.c"), join(root, "app/src/start.c")),
  },
  { name: "chmod +x of a copied file", edit: (root) => chmodSync(join(root, "app/src/main.c"), 0o755) },
  { name: "target of a copied link", edit: (root) => put(root, "app/link.txt", { link: "src/main.c" }) },
  { name: "content behind a copied link", edit: (root) => put(root, "app/src/sub/deep.txt", "deeper\n") },
  {
    name: "content behind a link in the middle of a source path",
    edit: (root) => put(root, "app/behind/inner.txt", "other\n"),
  },
  { name: "a new file under a copied folder", edit: (root) => put(root, "app/src/new.c", "") },
  { name: "a new file under a glob", edit: (root) => put(root, "app/scripts/new.sh", "") },
  { name: "a file brought back by ! in the ignore file", edit: (root) => put(root, "app/ignored/kept.txt", "other\n") },
  { name: "a heredoc body", edit: docker("echo one", "echo two") },
  { name: "an ARG default", edit: docker("ARG VARIANT=11", "ARG VARIANT=10") },
  { name: "a build arg's value", edit: json('"VARIANT": "12"', '"VARIANT": "13"') },
  {
    name: "an undeclared BUILDKIT_SYNTAX",
    edit: json('"UNDECLARED": "1"', '"BUILDKIT_SYNTAX": "docker/dockerfile:1"'),
  },
  { name: "an undeclared SOURCE_DATE_EPOCH", edit: json('"UNDECLARED": "1"', '"SOURCE_DATE_EPOCH": "1"') },
  { name: "target", edit: json('"target": "dev"', '"target": "unused"') },
  { name: "a reachable stage", edit: docker("echo a &&", "echo c &&") },
  { name: "containerEnv", edit: json('"EDITOR": "vi"', '"EDITOR": "ed"') },
  { name: "remoteUser", edit: json('"remoteUser": "dev"', '"remoteUser": "root"') },
  { name: "cache-version", inputs: { "cache-version": "2" } },
  { name: "another platform", inputs: { platforms: "linux/arm64" } },
  {
    name: "<Dockerfile>.dockerignore instead of .dockerignore",
    edit: (root) => put(root, ".devcontainer/Dockerfile.dockerignore", "other\n"),
  },
  {
    name: "the commit, where COPY . . reads .git",
    from: { ...FIXTURE, ...COPIES_GIT },
    edit: (root) => put(root, "app/.git/HEAD", "ref: refs/heads/other\n"),
  },
  {
    name: "an escape directive",
    from: ON_ONE_LINE,
    edit: (root) =>
      put(
        root,
        ".devcontainer/Dockerfile",
        ON_ONE_LINE[".devcontainer/Dockerfile"].replace("# a comment", "# escape=`"),
      ),
  },
  {
    name: "another frontend",
    from: WITH_FRONTEND,
    edit: (root) => put(root, ".devcontainer/Dockerfile", frontend("docker/dockerfile:1.7")),
  },
  {
    name: "no frontend any more",
    from: WITH_FRONTEND,
    edit: (root) => put(root, ".devcontainer/Dockerfile", String(FIXTURE[".devcontainer/Dockerfile"])),
  },
];

const LABEL: readonly Mutation[] = [
  { name: "a lifecycle hook in the label", edit: json("make setup", "make other") },
  { name: "customizations in the label", edit: json('["a.b"]', '["a.c"]') },
  { name: "a forwarded port in the label", edit: json("[3000]", "[3001]") },
];

const MUST_NOT_CHANGE: readonly Mutation[] = [
  { name: "an ignored file", edit: (root) => put(root, "app/ignored/gone.txt", "other\n") },
  { name: "mtime", edit: (root) => utimesSync(join(root, "app/src/main.c"), 1, 1) },
  {
    name: "umask",
    edit: (root) => {
      chmodSync(join(root, "app/src/main.c"), 0o600);
      chmodSync(join(root, "app/src"), 0o700);
    },
  },
  {
    name: "JSON key order",
    edit: json(
      '"containerEnv": { "EDITOR": "vi" },\n  "remoteUser": "dev",',
      '"remoteUser": "dev",\n  "containerEnv": { "EDITOR": "vi" },',
    ),
  },
  { name: "comments in devcontainer.json", edit: json("// the dev container", "// another comment") },
  { name: "a comment in the Dockerfile", edit: docker("# a comment", "# another comment") },
  { name: "an unreachable stage", edit: docker("echo unused", "echo more") },
  { name: "a file that no instruction reads", edit: (root) => put(root, "app/other/readme.md", "another\n") },
  { name: "a new folder that no instruction reads", edit: (root) => put(root, "app/new/readme.md", "new\n") },
  { name: "an undeclared ordinary build arg", edit: json('"UNDECLARED": "1"', '"UNDECLARED": "2"') },
  {
    name: "another platform's digest",
    images: { ...IMAGES, "registry.test/base:12": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "moved" }) },
  },
  { name: "locale and time zone", env: { LANG: "et_EE.UTF-8", TZ: "Asia/Tokyo" } },
  {
    name: "the commit, where no instruction reads .git",
    from: { ...FIXTURE, "app/.git/HEAD": "ref: refs/heads/main\n" },
    edit: (root) => put(root, "app/.git/HEAD", "ref: refs/heads/other\n"),
  },
  { name: "host name and runner", env: { HOSTNAME: "other", RUNNER_NAME: "other", GITHUB_SHA: "1".repeat(40) } },
  { name: "on-miss and push", inputs: { "on-miss": "fail", push: "auto" } },
];

/** Comments of the Dockerfile count only where the Dockerfile itself is in the context: here the context is another folder. */
const OUTSIDE: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "context": "../context" } }',
  ".devcontainer/Dockerfile": "# a comment\nFROM registry.test/base:12\nRUN echo a && \\\n    echo b\n",
  "context/file": "",
};

const NOT_SEEN_BY_BUILDKIT: readonly Mutation[] = [
  {
    name: "a comment",
    from: OUTSIDE,
    edit: (root) =>
      put(root, ".devcontainer/Dockerfile", "# other\nFROM registry.test/base:12\nRUN echo a && \\\n    echo b\n"),
  },
  {
    name: "blank lines",
    from: OUTSIDE,
    edit: (root) =>
      put(root, ".devcontainer/Dockerfile", "\n\nFROM registry.test/base:12\n\nRUN echo a && \\\n    echo b\n"),
  },
  {
    name: "line breaks in an instruction",
    from: OUTSIDE,
    edit: (root) => put(root, ".devcontainer/Dockerfile", "FROM registry.test/base:12\nRUN echo a &&     echo b\n"),
  },
  { name: "a file outside the context", from: OUTSIDE, edit: (root) => put(root, "elsewhere", "") },
];

test.each(UPSTREAM)("must move the key alone: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key"]);
});

test.each(YOURS)("must move all keys: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own", "source"]);
});

test.each(LABEL)("must move all but the source key: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own"]);
});

test.each([...MUST_NOT_CHANGE, ...NOT_SEEN_BY_BUILDKIT])("must move no key: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual([]);
});

test("the same commit in two checkouts at different paths has one key", async () => {
  const workspace = makeCheckout({ ...FIXTURE, "app/.git/HEAD": "ref: refs/heads/main\n" });
  const other = join(mkdtempSync(join(tmpdir(), "elsewhere-")), "deeper", "clone");
  mkdirSync(other, { recursive: true });
  cpSync(workspace, other, { recursive: true, verbatimSymlinks: true });
  expect(await keysOf({ workspace: other, images: IMAGES })).toEqual(await keysOf({ workspace, images: IMAGES }));
});

test.each(LABEL)("must change nothing but the label part: $name", async ({ edit }) => {
  const workspace = makeCheckout(FIXTURE);
  const before = await planOf({ workspace, images: IMAGES });
  edit?.(workspace);
  const after = await planOf({ workspace, images: IMAGES });
  const [was, is] = [before, after].map(({ probed }) => probed.plan?.platforms[0]?.plan);
  expect(is?.yours.arguments).toEqual(was?.yours.arguments);
  expect(is?.upstream).toEqual(was?.upstream);
  expect(is?.yours.configuration).toEqual(was?.yours.configuration);
  expect(is?.label).not.toEqual(was?.label);
});

test("each change is told, and once", async () => {
  expect(await toldOfAll([...UPSTREAM, ...YOURS, ...LABEL], BEFORE)).toMatchInlineSnapshot(`
    {
      "<Dockerfile>.dockerignore instead of .dockerignore": [
        "app/ignored/gone.txt is part of the build now @ app/ignored/gone.txt",
      ],
      "a build arg's value": [
        "build arg VARIANT changed (.devcontainer/devcontainer.json:3) @ .devcontainer/devcontainer.json:3",
      ],
      "a file brought back by ! in the ignore file": [
        "app/ignored/kept.txt changed @ app/ignored/kept.txt",
      ],
      "a forwarded port in the label": [
        "forwardPorts changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:8",
      ],
      "a heredoc body": [
        ".devcontainer/Dockerfile:9 RUN changed @ .devcontainer/Dockerfile:9",
      ],
      "a lifecycle hook in the label": [
        "postCreateCommand changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:7",
      ],
      "a new file under a copied folder": [
        "app/src/new.c is part of the build now @ app/src/new.c",
      ],
      "a new file under a glob": [
        "app/scripts/new.sh is part of the build now @ app/scripts/new.sh",
      ],
      "a reachable stage": [
        ".devcontainer/Dockerfile:12 RUN changed @ .devcontainer/Dockerfile:12",
      ],
      "an ARG default": [
        ".devcontainer/Dockerfile:2 ARG changed @ .devcontainer/Dockerfile:2",
      ],
      "an escape directive": [
        ".devcontainer/Dockerfile: the escape character changed @ .devcontainer/Dockerfile",
      ],
      "an option of the frontend": [
        ".devcontainer/Dockerfile:1 # syntax=docker/dockerfile:1 → # syntax=docker/dockerfile:1 --x=y @ .devcontainer/Dockerfile:1",
      ],
      "an undeclared BUILDKIT_SYNTAX": [
        "build arg BUILDKIT_SYNTAX is new (.devcontainer/devcontainer.json:3) @ .devcontainer/devcontainer.json:3",
      ],
      "an undeclared SOURCE_DATE_EPOCH": [
        "build arg SOURCE_DATE_EPOCH is new (.devcontainer/devcontainer.json:3) @ .devcontainer/devcontainer.json:3",
      ],
      "another frontend": [
        ".devcontainer/Dockerfile:1 # syntax=docker/dockerfile:1 → # syntax=docker/dockerfile:1.7 @ .devcontainer/Dockerfile:1",
      ],
      "another platform": [
        "platform linux/arm64 was not in the previous set",
        "platform linux/amd64 is no longer asked for",
      ],
      "base digest of this platform": [
        "base registry.test/base:12 sha256:22fae9bad476… → sha256:5edd1832df25… @ .devcontainer/Dockerfile:3",
      ],
      "cache-version": [
        "cache-version (not set) → 2",
      ],
      "chmod +x of a copied file": [
        "app/src/main.c has mode 0755 now, before 0644 @ app/src/main.c",
      ],
      "containerEnv": [
        "containerEnv.EDITOR changed @ .devcontainer/devcontainer.json:4",
      ],
      "content behind a copied link": [
        "app/src/sub/deep.txt changed @ app/src/sub/deep.txt",
      ],
      "content behind a link in the middle of a source path": [
        "app/behind/inner.txt changed @ app/behind/inner.txt",
      ],
      "content of a copied file": [
        "app/src/main.c changed @ app/src/main.c",
      ],
      "customizations in the label": [
        "customizations changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:6",
      ],
      "digest of an image that COPY --from names": [
        "base registry.test/tools:1 sha256:357c4de03167… → sha256:5edd1832df25… @ .devcontainer/Dockerfile:5",
      ],
      "frontend digest": [
        "frontend docker/dockerfile:1 sha256:7adcfdcc196b… → sha256:a744a83c79e4… @ .devcontainer/Dockerfile:1",
      ],
      "no frontend any more": [
        ".devcontainer/Dockerfile: # syntax=docker/dockerfile:1 is gone @ .devcontainer/Dockerfile",
      ],
      "remoteUser": [
        "remoteUser changed @ .devcontainer/devcontainer.json:5",
      ],
      "rename of a copied file": [
        "app/src/start.c was app/src/main.c before @ app/src/start.c",
      ],
      "target": [
        "build target dev → unused @ .devcontainer/devcontainer.json:3",
      ],
      "target of a copied link": [
        "app/link.txt points to src/main.c now @ app/link.txt",
      ],
      "the commit, where COPY . . reads .git": [
        "app/.git/HEAD changed (COPY at .devcontainer/Dockerfile:2 takes it with everything else; if the image needs none of it, a line .git in app/.dockerignore leaves it out) @ app/.git/HEAD",
      ],
    }
  `);
});
