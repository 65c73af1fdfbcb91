import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openUnzstd } from "../../src/host/unpack.ts";
import { type Content, makeCheckout, put } from "../checkout.ts";
import { type GitServer, openGitServer } from "../fakes/git-server.ts";
import { writeTar } from "../features/tar-writer.ts";
import { type Base, docker, type Ended, makeBase, REGISTRY, runAction, served, unique } from "./harness.ts";
import { runScript } from "./script.ts";

// The real envbuilder builds and pushes; then the action, which runs no container, names the very digest.

const BUILDER = `${REGISTRY}/${unique("builder")}:v1.3.0`;
const NIL = "00000000-0000-0000-0000-000000000000";
const BASE = { oci: "", docker: "", triggers: "" };

beforeAll(async () => {
  await runScript("scripts/envbuilder.sh", BUILDER);
  const make = async (name: string, base: Base) =>
    (await makeBase({ repository: unique(`base/${name}`), ...base })).image;
  BASE.oci = await make("oci", { config: { Cmd: ["sh"], Labels: { "a<b": "c" }, WorkingDir: "/tmp" } });
  BASE.docker = await make("docker", { media: "docker" });
  BASE.triggers = await make("triggers", { config: { OnBuild: ["ENV FROM_BASE=1", "RUN echo base > /from-base"] } });
});

const folder = (name: string): string => `/workspaces/${name}`;

/** Runs the builder on a checkout as a workspace would, and gives the digest of what it pushed, or what its own probe says is there. */
async function build(checkout: string, repository: string, options: Readonly<Record<string, string>>): Promise<string> {
  const variables = {
    ENVBUILDER_CACHE_REPO: `${REGISTRY}/${repository}`,
    ENVBUILDER_WORKSPACE_FOLDER: folder("app"),
    ENVBUILDER_INIT_COMMAND: "/.envbuilder/bin/envbuilder",
    ENVBUILDER_INIT_ARGS: "--help",
    ENVBUILDER_EXIT_ON_BUILD_FAILURE: "true",
    ENVBUILDER_EXIT_ON_PUSH_FAILURE: "true",
    ...options,
  };
  const settings = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const log = await docker(
    "run",
    "--rm",
    "--network",
    "host",
    "--volume",
    `${checkout}:${folder("app")}`,
    ...settings,
    BUILDER,
    // Behind the push it looks for the image's user, whom there need not be.
  ).catch(String);
  const own = /ENVBUILDER_CACHED_IMAGE=\S+@(sha256:\S+)/.exec(log)?.[1];
  return own ?? (await served(repository, "latest"))?.digest ?? log;
}

const PUSH = { ENVBUILDER_PUSH_IMAGE: "true" };
const ASK = { ENVBUILDER_GET_CACHED_IMAGE: "true" };

type Repository = {
  readonly name: string;
  readonly files: () => Readonly<Record<string, Content>>;
  readonly inputs?: Readonly<Record<string, string>>;
  /** Whether envbuilder's own probe cannot name the image: it fails, or names one that nobody has pushed. */
  readonly isOursAlone?: true;
  /** Whether neither keys nor config tell names that an image of the same keys may have otherwise: only its own tag finds it. */
  readonly isNamedAlone?: true;
  /** Whether layers are read, which the builder packs with zstd: Node has that from 22.15 on. */
  readonly readsLayers?: true;
  /** The same for the builder. */
  readonly options?: Readonly<Record<string, string>>;
};

/** With one file of this content. */
const ARCHIVE = Buffer.from(writeTar([{ name: "inside", text: "inside\n" }])).toString("latin1");

const definition = (json: object): string => JSON.stringify(json);
const dockerfile = (...lines: readonly string[]) => ({
  ".devcontainer/devcontainer.json": definition({ build: { dockerfile: "Dockerfile", context: ".." } }),
  ".devcontainer/Dockerfile": `${lines.join("\n")}\n`,
});

const REPOSITORIES: readonly Repository[] = [
  {
    name: "an image",
    files: () => ({ ".devcontainer/devcontainer.json": `// one\n${definition({ image: BASE.oci })}` }),
  },
  {
    name: "a Dockerfile with arguments, quotes and a line that goes on",
    files: () => ({
      ...dockerfile(
        `ARG BASE=${BASE.oci}`,
        "FROM $BASE",
        'ARG V="1 2"',
        `ENV A="$V" B='$V' C=\${V:-x}`,
        "RUN echo $A > /a && \\",
        "    # not this",
        "    echo $B >> /a",
        'LABEL x="y z" w=<&>',
      ),
    }),
  },
  {
    name: "files, folders, links and what an ignore file leaves out",
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci}`,
        "COPY a.txt dir /dst/",
        "COPY --chmod=0700 dir/run.sh /run.sh",
        "COPY sub*/b /b/",
      ),
      ".dockerignore": "# c\ndir/secret\n*.log\n!keep.log\n",
      "a.txt": "a\n",
      "dir/run.sh": { script: "#!/bin/sh\n" },
      "dir/secret": "s",
      "dir/link": { link: "run.sh" },
      "dir/x.log": "l",
      "sub1/b": "1",
      "sub2/c": "2",
    }),
  },
  {
    name: "users, a shell, an entry point and what else stands in a config",
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci}`,
        "RUN echo dev:x:1000:1000::/tmp:/bin/sh >> /etc/passwd",
        "USER dev",
        "EXPOSE 80 53/udp",
        'SHELL ["/bin/sh", "-e", "-c"]',
        "HEALTHCHECK --interval=5s CMD true",
        "STOPSIGNAL TERM",
        "CMD echo hi",
        "ONBUILD RUN true",
      ),
    }),
  },
  {
    name: "several stages, of which the last counts",
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci} AS one`,
        "ARG X=1",
        "RUN echo one > /one",
        `FROM ${BASE.oci}`,
        "RUN echo $X > /two",
      ),
    }),
  },
  {
    name: "files of an earlier stage and of another image",
    readsLayers: true,
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci} AS tools`,
        "RUN mkdir -p /out/d && echo 1 > /out/d/one && echo 2 > /out/two && ln -s two /out/link",
        "RUN echo 3 > /out/d/three && chmod 755 /out/d/three && chown 1000:1000 /out/two",
        `FROM ${BASE.oci}`,
        "COPY --from=tools /out /o",
        "COPY --from=0 /out/d/one /out/two /some/",
        `COPY --from=${BASE.oci} /etc/passwd /passwd`,
        "RUN cat /o/d/one",
      ),
    }),
  },
  {
    name: "a stage that stands on another one, and one on that",
    isOursAlone: true,
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci} AS base`,
        "ENV A=1",
        "RUN echo base > /base",
        "LABEL x=y",
        "FROM base AS tools",
        "ARG B=2",
        "RUN cat /base && echo $A $B > /tools",
        "FROM TOOLS",
        "COPY a.txt /a.txt",
        "RUN cat /tools /a.txt",
        "FROM scratch AS not",
        "COPY a.txt /",
        "FROM tools",
        "RUN cat /tools",
      ),
      "a.txt": "a\n",
    }),
  },
  {
    name: "patterns, links and what a stage deletes, of which envbuilder's own probe cannot be told",
    isOursAlone: true,
    readsLayers: true,
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci} AS tools`,
        "RUN mkdir -p /out/d /out/gone && echo 1 > /out/d/one && echo 2 > /out/d/two && ln /out/d/one /out/d/same",
        "RUN ln -s one /out/d/l && chown -h 1000:1000 /out/d/l && echo x > /out/gone/x",
        "RUN rm -r /out/gone /out/d/two && chown 1000:1000 /out/d",
        `FROM ${BASE.oci}`,
        "COPY --from=tools /out /o",
        "COPY --from=tools /out/d/l /l",
        "COPY --from=tools /out/d/o* /out/d/l /p/",
        "COPY --from=tools /out/d/sam? /same",
        `COPY --from=${BASE.oci} /etc/pass* /p/`,
        "RUN ls /o",
      ),
    }),
  },
  {
    name: "a stage that stands on one on a base of Docker's types",
    isOursAlone: true,
    files: () => ({
      ...dockerfile(`FROM ${BASE.docker} AS base`, "RUN echo base > /base", "ENV A=1", "FROM base", "RUN cat /base"),
    }),
  },
  {
    name: "files of a stage that stands on another one",
    isOursAlone: true,
    readsLayers: true,
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci} AS base`,
        "RUN mkdir /out && echo base > /out/base",
        "FROM base AS tools",
        "RUN echo tools > /out/tools",
        `FROM ${BASE.oci}`,
        "COPY --from=tools /out/base /out/tools /o/",
      ),
    }),
  },
  {
    name: "files, folders and archives that are added",
    isOursAlone: true,
    isNamedAlone: true,
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci}`,
        "RUN echo first > /first",
        "ADD a.txt d* /dst/",
        "RUN cat /dst/a.txt /first > /copy",
        "ADD --chown=1:1 --chmod=0600 archive.tar /unpacked/",
        'ADD ["a.txt", "/a b"]',
        "ENV A=1",
      ),
      "a.txt": "a\n",
      "dir/x": "x",
      "archive.tar": ARCHIVE,
    }),
  },
  {
    name: "volumes, and a stage behind them",
    isOursAlone: true,
    files: () => ({
      ...dockerfile(
        `FROM ${BASE.oci} AS one`,
        "ARG V=/data",
        "ENV A=1",
        "VOLUME $V /var/lib/x",
        "RUN echo one > /one",
        `FROM ${BASE.oci}`,
        "ENV B=2",
        "RUN echo two > /two",
        "VOLUME /again",
        "USER root",
      ),
    }),
  },
  {
    name: "folders that WORKDIR makes",
    isOursAlone: true,
    files: () => ({ ...dockerfile(`FROM ${BASE.oci}`, "WORKDIR /app/src", "RUN pwd > where", "WORKDIR ../lib") }),
  },
  {
    name: "a here-document, which the builder never runs",
    files: () => ({ ...dockerfile(`FROM ${BASE.oci}`, "RUN <<EOT", "echo never > /never", "EOT", "RUN ls /") }),
  },
  {
    name: "a local feature with options",
    files: () => ({
      ".devcontainer/devcontainer.json": definition({
        image: BASE.oci,
        remoteUser: "root",
        features: { "./local": { greeting: "hi there", loud: true } },
      }),
      ".devcontainer/local/devcontainer-feature.json": definition({
        id: "local",
        version: "1.0.0",
        name: "Local",
        description: "of ours",
        options: {
          greeting: { type: "string", default: "x" },
          loud: { type: "boolean", default: false },
          n: { default: "1" },
        },
        containerEnv: { GREETED: "1" },
      }),
      ".devcontainer/local/install.sh": { script: "#!/bin/sh\necho $GREETING > /greeting\n" },
    }),
  },
  {
    name: "build args with variables of the workspace",
    files: () => ({
      ".devcontainer/devcontainer.json": definition({
        build: {
          dockerfile: "../Dockerfile",
          context: "..",
          args: { W: "${containerWorkspaceFolder}", N: "${localEnv:NAME:none}" },
        },
        containerUser: "dev",
      }),
      Dockerfile: `FROM ${BASE.oci}\nARG W\nARG N\nRUN echo dev:x:1000:1000::$W:$N >> /etc/passwd\n`,
    }),
  },
  {
    name: "triggers of a base image",
    files: () => ({ ...dockerfile(`FROM ${BASE.triggers}`, "RUN echo own > /own") }),
  },
  {
    name: "a Dockerfile without a configuration",
    files: () => ({ "docker/Dockerfile": `FROM ${BASE.oci}\nCOPY x /x\n`, "docker/x": "x\n" }),
    inputs: { "dockerfile-path": "docker/Dockerfile", "build-context-path": "docker" },
    options: { ENVBUILDER_DOCKERFILE_PATH: "docker/Dockerfile", ENVBUILDER_BUILD_CONTEXT_PATH: "docker" },
  },
  {
    name: "a configuration elsewhere",
    files: () => ({ "conf/other.json": definition({ image: BASE.oci, containerUser: "root" }) }),
    inputs: { "devcontainer-dir": "conf", "devcontainer-json-path": "other.json" },
    options: { ENVBUILDER_DEVCONTAINER_DIR: "conf", ENVBUILDER_DEVCONTAINER_JSON_PATH: "other.json" },
  },
  {
    name: "words of the config alone",
    files: () => ({ ...dockerfile(`FROM ${BASE.oci}`, "ENV A=1", "LABEL b=c") }),
  },
  {
    name: "a base image of Docker's types",
    files: () => ({ ...dockerfile(`FROM ${BASE.docker}`, "RUN echo docker > /d") }),
  },
];

const probe = (
  workspace: string,
  repository: string,
  inputs: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> =>
  runAction({
    workspace,
    env,
    inputs: {
      dialect: "envbuilder",
      "builder-image": BUILDER,
      "cache-repo": `${REGISTRY}/${repository}`,
      "workspace-folder": folder("app"),
      "on-miss": "fail",
      ...inputs,
    },
  });

describe.each(REPOSITORIES)("$name", ({ files, readsLayers, isOursAlone, isNamedAlone, inputs = {}, options = {} }) => {
  const repository = unique("cache");

  test("is found under the digest that the builder pushed", async () => {
    const checkout = makeCheckout(files());
    const before = await probe(checkout, repository, inputs);
    expect([before.outputs.result, before.log]).toEqual(["miss", expect.stringContaining("E_MISS")]);
    let digest = await build(checkout, repository, { ...options, ...PUSH });
    if (isNamedAlone) {
      expect((await probe(checkout, repository, inputs)).outputs.result).toBe("miss");
      const built = await probe(checkout, repository, { ...inputs, "on-miss": "build" });
      expect(built.outputs.result).toBe("built");
      digest = built.outputs.digest ?? "";
    }
    const own = isOursAlone ? digest : await build(checkout, repository, { ...options, ...ASK });
    const { code, outputs, log } = await probe(checkout, repository, inputs);
    if (readsLayers && !openUnzstd)
      return expect([outputs.result, log]).toEqual(["unknown", expect.stringContaining("from 22.15 on")]);
    expect({ code, log, digest: outputs.digest, own }).toEqual({ code: 0, log, digest, own: digest });
    expect(outputs).toMatchObject({
      result: "hit",
      exists: "true",
      id: digest,
      image: `${REGISTRY}/${repository}@${digest}`,
    });
  });
});

describe("what is missing", () => {
  const repository = unique("cache");
  const files = () => ({
    ...dockerfile(`FROM ${BASE.oci}`, "COPY a.txt /a.txt", "RUN cat /a.txt > /b.txt"),
    ".devcontainer/devcontainer.json": definition({
      build: { dockerfile: "Dockerfile", context: ".." },
      onCreateCommand: "echo a command of the workspace's own",
    }),
    "a.txt": "one\n",
  });
  const inputs = { "on-miss": "build", "extra-env": "ENVBUILDER_INIT_SCRIPT=touch /started\nGREETING=hi" };

  test("is built by the real builder, and then found", async () => {
    const checkout = makeCheckout({ ...files(), "run.sh": { script: "#!/bin/sh\n" }, link: { link: "a.txt" } });
    const first = await probe(checkout, repository, inputs);
    expect(first).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true", exists: "true" } });
    expect(first.outputs.digest).toBe((await served(repository, "latest"))?.digest);
    expect(first.log).not.toMatch(/onCreateCommand|Running init/);
    expect(await docker("ps", "--all", "--quiet")).toBe("");
    const again = await probe(checkout, repository, { "on-miss": "fail" });
    expect(again).toMatchObject({ code: 0, outputs: { result: "hit", digest: first.outputs.digest } });

    put(checkout, "a.txt", "two\n");
    const changed = await probe(checkout, repository, { "on-miss": "fail" });
    expect(changed).toMatchObject({ code: 1, outputs: { result: "miss", exists: "false" } });
    expect(changed.log).toMatch(
      /::error file=\.devcontainer\/Dockerfile,line=2::.*the layer of COPY a\.txt \/a\.txt is not there/,
    );
    expect(changed.log).toContain(
      openUnzstd ? "pushed last: a.txt has changed." : "a file that it copies has changed.",
    );
    const continued = await probe(checkout, repository, { "on-miss": "continue" });
    expect(continued).toMatchObject({ code: 0, outputs: { result: "miss", image: BUILDER, id: NIL } });
    const second = await probe(checkout, repository, inputs);
    expect(second).toMatchObject({ code: 0, outputs: { result: "built" } });
    expect(second.outputs.digest).not.toBe(first.outputs.digest);
  });

  test("is put together where only the image itself is gone, and can be pulled", async () => {
    const checkout = makeCheckout(files());
    const { digest = "" } = (await probe(checkout, repository, inputs)).outputs;
    await fetch(`http://${REGISTRY}/v2/${repository}/manifests/${digest}`, { method: "DELETE" });
    expect(await served(repository, digest)).toBeUndefined();
    const mended = await probe(checkout, repository, { "on-miss": "fail" });
    expect(mended).toMatchObject({ code: 0, outputs: { result: "hit", pushed: "true", digest } });
    const image = `${REGISTRY}/${repository}@${digest}`;
    await docker("pull", "--quiet", image);
    expect(await docker("run", "--rm", "--entrypoint", "/bin/cat", image, "/b.txt")).toBe("one\n");
  });
});

describe("an image whose digest nobody can compute", () => {
  test("is found under its own name once another branch's was pushed", async () => {
    const repository = unique("cache");
    const branch = (text: string) =>
      makeCheckout({ ...dockerfile(`FROM ${BASE.oci}`, "ADD a.txt /a.txt", "WORKDIR /new"), "a.txt": text });
    const [one, other] = [branch("one\n"), branch("other\n")];
    // A workspace has pushed the first.
    const pushed = await build(one, repository, PUSH);
    const built = await probe(one, repository, { "on-miss": "build" });
    expect(built).toMatchObject({ code: 0, outputs: { result: "hit", digest: pushed } });
    const moved = await probe(other, repository, { "on-miss": "build" });
    expect(moved).toMatchObject({ code: 0, outputs: { result: "built" } });
    expect(moved.outputs.digest).not.toBe(built.outputs.digest);
    for (const [checkout, { outputs }] of [[one, built] as const, [other, moved] as const])
      expect(await probe(checkout, repository)).toMatchObject({
        code: 0,
        outputs: { result: "hit", digest: outputs.digest },
      });
  });
});

test("names that no key tells: the digest that the real builder tells binds each image to its commit", async () => {
  const repository = unique("cache");
  const of = (name: string) => makeCheckout({ ...dockerfile(`FROM ${BASE.oci}`, "ADD d /d/"), [`d/${name}`]: "x\n" });
  const [one, other] = [of("a.txt"), of("b.txt")];
  const built = await probe(one, repository, { "on-miss": "build" });
  expect(built, built.log).toMatchObject({ code: 0, outputs: { result: "built" } });
  const renamed = await probe(other, repository, { "on-miss": "build" });
  expect(renamed, renamed.log).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(renamed.outputs.digest).not.toBe(built.outputs.digest);
  for (const [checkout, { outputs }] of [[one, built] as const, [other, renamed] as const])
    expect(await probe(checkout, repository)).toMatchObject({
      code: 0,
      outputs: { result: "hit", digest: outputs.digest },
    });
});

test("the builder is the image that was looked into, whatever its tag names on this machine", async () => {
  const checkout = makeCheckout({ "devcontainer.json": definition({ image: BASE.oci }) });
  await docker("pull", "--quiet", BASE.oci);
  await docker("tag", BASE.oci, BUILDER);
  try {
    const { code, outputs, log } = await probe(checkout, unique("cache"), { "on-miss": "build" });
    expect([code, outputs.result]).toEqual([0, "built"]);
    expect(log).toMatch(/Building with .*\n.*builder-\w+@sha256:[0-9a-f]{64}/);
  } finally {
    await docker("pull", "--quiet", BUILDER);
  }
});

async function diffIds(repository: string, digest: string): Promise<readonly string[]> {
  const accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
  const ask = async (path: string) =>
    JSON.parse(await (await fetch(`http://${REGISTRY}/v2/${repository}/${path}`, { headers: { accept } })).text());
  const { config } = await ask(`manifests/${digest}`);
  return (await ask(`blobs/${config.digest}`)).rootfs.diff_ids;
}

describe("git-url", () => {
  let server: GitServer;
  beforeAll(async () => {
    server = await openGitServer();
  });
  afterAll(() => server.close());

  test("the builder's own clone makes the image of ours, with the environment that was computed", async () => {
    const repository = unique("cache");
    const files = {
      ...dockerfile(`FROM ${BASE.oci} AS base`, "COPY dir run.sh /d/", "FROM base", "RUN cat /d/x", "ADD dir /added/"),
      "dir/x": "x\n",
      "dir/link": { link: "x" },
      "run.sh": { script: "#!/bin/sh\n" },
    };
    server.commit("team/app", files);
    server.requireLogin({ username: "robot", password: "s3cret-of-git" });
    const inputs = {
      "git-url": `${server.url}/team/app.git#refs/heads/main`,
      "git-username": "robot",
      "git-password": "s3cret-of-git",
      insecure: "true",
      "workspace-folder": "",
    };
    const workspace = makeCheckout({});
    const missed = await probe(workspace, repository, inputs);
    expect(missed).toMatchObject({ code: 1, outputs: { result: "miss", exists: "false" } });
    const built = await probe(workspace, repository, { ...inputs, "on-miss": "build" });
    expect(built).toMatchObject({ code: 0, outputs: { result: "built" } });
    expect(built.log.replace(/^::add-mask::.*$/gm, "")).not.toContain("s3cret-of-git");
    const again = await probe(workspace, repository, inputs);
    expect(again).toMatchObject({ code: 0, outputs: { result: "hit", digest: built.outputs.digest } });

    // A workspace of its own: all that it has is the environment.
    const variables = Object.entries({
      ...JSON.parse(readFileSync(again.outputs["env-map-file"] ?? "", "utf8")),
      ENVBUILDER_PUSH_IMAGE: "true",
      ENVBUILDER_EXIT_ON_BUILD_FAILURE: "true",
      ENVBUILDER_INIT_COMMAND: "/.envbuilder/bin/envbuilder",
      ENVBUILDER_INIT_ARGS: "--help",
    }).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    await docker("run", "--rm", "--network", "host", ...variables, BUILDER);
    const workspaces = (await served(repository, "latest"))?.digest ?? "";
    const [ours, theirs] = [
      await diffIds(repository, built.outputs.digest ?? ""),
      await diffIds(repository, workspaces),
    ];
    // The layer of ADD is another one in each build, and no other: nothing was built again.
    expect(theirs.filter((diffId, index) => diffId !== ours[index])).toHaveLength(1);
    const own = await probe(workspace, repository, inputs);
    expect(own).toMatchObject({ code: 0, outputs: { result: "hit", digest: built.outputs.digest } });

    server.commit("team/app", { "dir/x": "y\n" });
    const changed = await probe(workspace, repository, inputs);
    expect(changed).toMatchObject({ code: 1, outputs: { result: "miss" } });
  });
});

test("the builder's program is read once on a machine that keeps its tool cache", async () => {
  const checkout = makeCheckout({ "devcontainer.json": definition({ image: BASE.oci }) });
  const env = { RUNNER_TOOL_CACHE: makeCheckout({}) };
  const bytes = async (): Promise<number> => {
    const { outputs } = await probe(checkout, unique("cache"), {}, env);
    return JSON.parse(outputs.timings ?? "").bytes;
  };
  const first = await bytes();
  expect(first).toBeGreaterThan(10_000_000);
  expect(await bytes()).toBeLessThan(100_000);
});

test("what cannot be told is told with its line, before anything is asked", async () => {
  const checkout = makeCheckout({ ...dockerfile(`FROM ${BASE.oci}`, "ADD https://x.test/x /x") });
  const { code, outputs, log } = await probe(checkout, unique("cache"));
  expect([code, outputs.result]).toEqual([1, "unknown"]);
  expect(log).toMatch(/::error file=\.devcontainer\/Dockerfile,line=2::.*ADD/);
});
