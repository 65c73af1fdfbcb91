import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GitServer, openGitServer } from "../fakes/git-server.ts";
import { openAct } from "./act.ts";
import { docker, makeBase, REGISTRY, served, tags, unique } from "./harness.ts";
import { makeCertificate } from "./registries.ts";
import type { Runner } from "./runs.ts";
import { runScript } from "./script.ts";
import { EXAMPLES, example, examplesLike, GIT_TOKEN, LEG, openScene, PUSH, SAID, type Scene } from "./starters.ts";

// The README's examples, run as they stand. Their later jobs really run in the image.

const folder = mkdtempSync(join(tmpdir(), "readme-"));
let act: Runner;
let base: string;
let git: GitServer;
let authority: string;
beforeAll(async () => {
  act = await openAct();
  base = (await makeBase({ repository: unique("base/readme"), version: "1" })).image;
  const { pem, certificate, key } = makeCertificate("IP:127.0.0.1");
  authority = Buffer.from(pem).toString("base64");
  git = await openGitServer({ tls: { cert: readFileSync(certificate), key: readFileSync(key) } });
});
afterAll(async () => {
  await git.close();
  rmSync(folder, { recursive: true });
});

const open = (text: string): Scene => openScene(act, base, text);

test("each example is run here, and each way to tell one fits one", () => {
  const found = Object.values(EXAMPLES).map(examplesLike);
  expect(found.map(({ length }) => length)).toEqual(found.map(() => 1));
  expect(found.flat().sort()).toEqual([...examplesLike(/^/)].sort());
});

test("the README's first example", async () => {
  const { repository } = open(example("first"));
  const ended = await repository.run(PUSH);
  expect(ended.jobs, ended.log).toEqual(["container: success", "test: success"]);
  expect(ended.log).toContain(SAID);
});

test("the README's example of the reusable workflow", async () => {
  const { repository } = open(example("reusable"));
  const ended = await repository.run(PUSH);
  expect(ended.jobs, ended.log).toEqual([LEG, "join: success", "probe: success", "test: success"]);
});

test("the README's example of an image that was found before", async () => {
  const { repository } = open(example("previousImage"));
  const ended = await repository.run(PUSH);
  expect(ended.jobs, ended.log).toEqual([LEG, "join: success", "later: success", "probe: success"]);
  expect(ended.log).toMatch(/^result: hit /m);
});

test("the README's example of build args and secrets", async () => {
  const [checkout = ""] = /^ +- uses: actions\/checkout@.*\n/m.exec(example("first")) ?? [];
  const text = example("buildArguments").replace(/^ +steps:\n/m, (steps) => steps + checkout);
  const { repository } = open(text);
  repository.write("ci/args.conf", "# what is built\nVARIANT=other\n");
  for (const result of ["built", "hit"]) {
    const ended = await repository.run(PUSH);
    expect(ended.jobs, ended.log).toEqual(["container: success"]);
    expect(ended.log).toContain(`result: ${result} `);
  }
});

/** The repository of the examples, private on a server of its own, and what a workflow says to meet it here. */
function openOther(files: Readonly<Record<string, string>>) {
  git.reset();
  const name = unique("team/app");
  const commit = git.commit(name, files);
  const instead = { "https://git.example/team/app": `${git.url}/${name}`, "https://git.example": git.url };
  return { commit, address: `${git.url}/${name}`, elsewhere: { instead, inputs: { "ssl-cert-base64": authority } } };
}

const TEMPLATE = "FROM scratch\nCOPY not-there /\n";

test("the README's example of another repository: built and pushed with its commit; then a hit that clones nothing", async () => {
  const { commit, address, elsewhere } = openOther({
    ".devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile" } }),
    ".devcontainer/Dockerfile": `FROM ${base}\nRUN echo other > /word\n`,
  });
  git.requireLogin({ password: GIT_TOKEN });
  const { cache, repository } = openScene(act, base, example("otherRepository"), [], elsewhere);
  // The job's own checkout, which plays no part.
  repository.write(".devcontainer/Dockerfile", TEMPLATE);
  const first = await repository.run(PUSH);
  expect(first.jobs, first.log).toEqual(["container: success"]);
  expect(first.log).toMatch(/^result: built /m);
  const [tag = ""] = (await tags(cache)).filter((one) => /^k1-[0-9a-f]{64}$/.test(one));
  const image = `${REGISTRY}/${cache}@${(await served(cache, tag))?.digest}`;
  await docker("pull", "--quiet", image);
  expect(JSON.parse(await docker("image", "inspect", "--format", "{{json .Config.Labels}}", image))).toMatchObject({
    "org.opencontainers.image.revision": commit,
    "org.opencontainers.image.source": address,
  });
  git.requests.splice(0);
  const second = await repository.run(PUSH);
  expect(second.log).toMatch(/^result: hit /m);
  // Git asks for a branch's commit by one, and for files by another.
  expect(git.requests.filter((line) => line.startsWith("POST"))).toHaveLength(1);
});

/** `terraform` as the job's steps run it: keeps what it is given. */
const TERRAFORM = `#!/bin/sh
[ "$*" = "init -input=false" ] && exit 0
[ "$*" = "apply -auto-approve" ] || exit 2
printf '%s' "$TF_VAR_image" > "$SEEN/image"
cp "$TF_VAR_env_file" "$SEEN/env"
`;

test("the README's example of envbuilder: the real builder builds, and terraform gets its image and environment; then a hit", async () => {
  const builder = `${REGISTRY}/${unique("builder")}:v1.3.0`;
  await runScript("scripts/envbuilder.sh", builder);
  const { address, elsewhere } = openOther({
    ".devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile" } }),
    ".devcontainer/Dockerfile": `FROM ${base}\nRUN echo built by envbuilder > /word\n`,
  });
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "terraform"), TERRAFORM);
  chmodSync(join(bin, "terraform"), 0o755);
  const runner = { ...act, env: { PATH: `${bin}:${process.env.PATH}` } };
  const instead = { ...elsewhere.instead, "ghcr.io/coder/envbuilder:1.3.0": builder };
  const { cache, repository } = openScene(runner, base, example("envbuilder"), [], { ...elsewhere, instead });
  const first = await repository.run(PUSH);
  expect(first.jobs, first.log).toEqual(["template: success"]);
  expect(first.log).toMatch(/^result: built /m);
  const image = first.seen("image") ?? "";
  expect(image).toBe(`${REGISTRY}/${cache}@${(await served(cache, "latest"))?.digest}`);
  expect(await docker("run", "--rm", "--entrypoint", "/bin/cat", image, "/word")).toBe("built by envbuilder\n");
  expect(JSON.parse(first.seen("env") ?? "")).toMatchObject({
    ENVBUILDER_GIT_URL: address,
    ENVBUILDER_CACHE_REPO: `${REGISTRY}/${cache}`,
    ENVBUILDER_SSL_CERT_BASE64: authority,
  });
  const second = await repository.run(PUSH);
  expect(second.log).toMatch(/^result: hit /m);
  expect(second.seen("image")).toBe(image);
});
