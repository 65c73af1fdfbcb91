import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Content, makeCheckout, put } from "../checkout.ts";
import { type Ended, makeBase, REGISTRY, runAction, runImage, served, tags, unique } from "./harness.ts";

// What was hashed is what is built: each of these is a way in which another tool's image is not the one that its key names.

const JSON_FILE = ".devcontainer/devcontainer.json";
const DOCKERFILE = ".devcontainer/Dockerfile";

/** A checkout whose whole folder is the context. */
function checkout(dockerfile: string, files: Readonly<Record<string, Content>> = {}): string {
  return makeCheckout({
    [JSON_FILE]: '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
    [DOCKERFILE]: dockerfile,
    ...files,
  });
}

async function build(
  workspace: string,
  more: {
    readonly platforms?: string;
    /** The folder of a Docker configuration. */
    readonly docker?: string;
    readonly repository?: string;
    readonly registry?: string;
  } = {},
): Promise<Ended> {
  const repository = more.repository ?? unique("e2e/bound");
  return runAction({
    workspace,
    inputs: { "cache-repo": `${more.registry ?? REGISTRY}/${repository}`, platforms: more.platforms ?? "linux/amd64" },
    env: more.docker === undefined ? {} : { DOCKER_CONFIG: more.docker },
  });
}

/** A Docker configuration whose buildx runs a command right before the real one builds. */
function dockerThatFirst(command: string): string {
  const folder = mkdtempSync(join(tmpdir(), "docker-"));
  const find = '{{range .ClientInfo.Plugins}}{{if eq .Name "buildx"}}{{.Path}}{{end}}{{end}}';
  const plugin = execFileSync("docker", ["info", "--format", find], { encoding: "utf8" }).trim();
  const script = `#!/bin/sh\ncase $1 in build) ${command}; touch ${folder}/done ;; esac\nexec ${plugin} "$@"\n`;
  put(folder, "cli-plugins/docker-buildx", { script });
  return folder;
}

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** The registry, before which something is done when it is asked whether it would take a push: the probe is over then. */
async function registryThatFirst(change: () => void): Promise<string> {
  const server = createServer((asked, answer) => {
    if (asked.method === "POST") change();
    const { method, url, headers } = asked;
    const passedOn = request(`http://${REGISTRY}${url}`, { method, headers }, (real) => {
      answer.writeHead(real.statusCode ?? 500, real.headers);
      real.pipe(answer);
    });
    asked.pipe(passedOn);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a stage that is named like its base is the stage, on the base that was probed", async () => {
  const name = unique("base/node");
  const { image } = await makeBase({ repository: name, version: "7" });
  const workspace = checkout(
    `FROM ${image} AS node\nRUN echo stage > /from-stage\nFROM node\nRUN cat /from-stage > /seen\n`,
  );
  const { outputs, log } = await build(workspace);
  expect(outputs.result, log).toBe("built");
  expect(await runImage(outputs.image ?? "", "linux/amd64", "sh", "-c", "cat /seen /etc/base-version")).toBe(
    "stage\n7",
  );
});

test("a $BUILDPLATFORM stage of an arm64 build runs on the builder's own machine", async () => {
  const { image } = await makeBase({ repository: unique("base/os") });
  const workspace = checkout(
    `FROM --platform=$BUILDPLATFORM ${image} AS tools\nRUN uname -m > /machine\nFROM ${image}\nCOPY --from=tools /machine /machine\nRUN uname -m > /own\n`,
  );
  const { outputs, log } = await build(workspace, { platforms: "linux/arm64" });
  expect(outputs.result, log).toBe("built");
  const native = execFileSync("uname", ["-m"], { encoding: "utf8" }).trim();
  expect(await runImage(outputs.image ?? "", "linux/arm64", "sh", "-c", "cat /machine /own")).toBe(
    `${native}\naarch64`,
  );
});

test.each([
  ["FROM", (image: string) => `FROM ${image}\nRUN cp /etc/base-version /seen\n`],
  [
    "COPY --from",
    (image: string) => `FROM ${image.replace(/:1$/, ":still")}\nCOPY --from=${image} /etc/base-version /seen\n`,
  ],
  [
    "RUN --mount from",
    (image: string) =>
      `FROM ${image.replace(/:1$/, ":still")}\nRUN --mount=type=bind,from=${image},target=/m cp /m/etc/base-version /seen\n`,
  ],
])("a tag that moves between probe and build: %s gets what was probed", async (_, dockerfile) => {
  const repository = unique("base/os");
  const { image } = await makeBase({ repository, version: "old" });
  await makeBase({ repository, tag: "still", version: "still" });
  const move = `node scripts/base-image.mjs '${JSON.stringify({ repository, version: "new" })}' >/dev/null`;
  const docker = dockerThatFirst(
    `(cd ${process.cwd()} && TEST_REGISTRY=${REGISTRY} TEST_BUSYBOX=${process.env.TEST_BUSYBOX} ${move})`,
  );
  const cache = unique("e2e/bound");
  const { outputs, log } = await build(checkout(dockerfile(image)), { docker, repository: cache });
  expect(outputs.result, log).toBe("built");
  expect(existsSync(join(docker, "done"))).toBe(true);
  expect((await served(repository, "1"))?.digest).toBe((await makeBase({ repository, version: "new" })).digest);
  expect(await runImage(outputs.image ?? "", "linux/amd64", "cat", "/seen")).toBe("old");
  rmSync(docker, { recursive: true });
});

test("a file that changes between probe and build fails, and nothing is pushed", async () => {
  const { image } = await makeBase({ repository: unique("base/os") });
  const workspace = checkout(`FROM ${image}\nCOPY file /file\n`, { file: "one\n" });
  const host = await registryThatFirst(() => put(workspace, "file", "two\n"));
  const repository = unique("e2e/bound");
  const { code, outputs, log } = await build(workspace, { registry: host, repository });
  expect({ code, result: outputs.result, pushed: outputs.pushed }).toEqual({
    code: 1,
    result: "failed",
    pushed: "false",
  });
  expect(log).toMatch(/file changed between the probe and the build.*\[E_CHANGED\]/);
  expect(await tags(repository)).toEqual([]);
});

test("umask 002 and 022 are one key, and one mode in the image", async () => {
  const { image } = await makeBase({ repository: unique("base/os") });
  const dockerfile = `FROM ${image}\nCOPY folder /folder\n`;
  const [wide, narrow] = [0o775, 0o755].map((mode) => {
    const workspace = checkout(dockerfile, { "folder/file": "x\n", "folder/run": { script: "#!/bin/sh\n" } });
    chmodSync(join(workspace, "folder"), mode);
    chmodSync(join(workspace, "folder/run"), mode);
    chmodSync(join(workspace, "folder/file"), mode & 0o666 & ~0o100);
    return workspace;
  });
  const repository = unique("e2e/bound");
  const built = await build(wide ?? "", { repository });
  expect(built.outputs.result, built.log).toBe("built");
  expect(await build(narrow ?? "", { repository })).toMatchObject({
    outputs: { result: "hit", image: built.outputs.image },
  });
  expect(
    await runImage(built.outputs.image ?? "", "linux/amd64", "stat", "-c", "%a %u %Y", "/folder/file", "/folder/run"),
  ).toBe("644 0 315532800\n755 0 315532800");
});

test("links: a copied link is its content, a link inside a copied folder stays a link", async () => {
  const { image } = await makeBase({ repository: unique("base/os") });
  const workspace = checkout(`FROM ${image}\nCOPY link /plain\nCOPY through/file /behind\nCOPY folder /folder\n`, {
    real: "real\n",
    link: { link: "real" },
    "other/file": "behind\n",
    through: { link: "other" },
    "folder/inner": { link: "nowhere" },
  });
  const { outputs, log } = await build(workspace);
  expect(outputs.result, log).toBe("built");
  expect(
    await runImage(outputs.image ?? "", "linux/amd64", "sh", "-c", "cat /plain /behind; readlink /folder/inner"),
  ).toBe("real\nbehind\nnowhere");
});

test("a Dockerfile outside the context, or ignored, is not copied by COPY . .", async () => {
  const { image } = await makeBase({ repository: unique("base/os") });
  const workspace = makeCheckout({
    [JSON_FILE]: '{ "build": { "dockerfile": "Dockerfile", "context": "../app" } }',
    [DOCKERFILE]: `FROM ${image}\nCOPY . /app\n`,
    "app/file": "x\n",
    "app/.dockerignore": "ignored\n",
    "app/ignored": "x\n",
  });
  const { outputs, log } = await build(workspace);
  expect(outputs.result, log).toBe("built");
  expect(await runImage(outputs.image ?? "", "linux/amd64", "ls", "-A", "/app")).toBe(".dockerignore\nfile");
});

test("<Dockerfile>.dockerignore counts instead of .dockerignore", async () => {
  const { image } = await makeBase({ repository: unique("base/os") });
  const workspace = checkout(`FROM ${image}\nCOPY app /app\n`, {
    "app/one": "",
    "app/two": "",
    ".dockerignore": "app/one\n",
  });
  put(workspace, `${DOCKERFILE}.dockerignore`, "app/two\n");
  const { outputs, log } = await build(workspace);
  expect(outputs.result, log).toBe("built");
  expect(await runImage(outputs.image ?? "", "linux/amd64", "ls", "/app")).toBe("one");
});
