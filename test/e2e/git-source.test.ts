import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GitServer, git, openGitServer } from "../fakes/git-server.ts";
import { copySample, docker, type Ended, makeBase, REGISTRY, runAction, unique } from "./harness.ts";

const SECRET = "canary-of-git-7c1e";

let server: GitServer;
let workspace: string;
let base: string;
let commit: string;
let name: string;

beforeAll(async () => {
  server = await openGitServer();
  server.requireLogin({ password: SECRET });
  base = (await makeBase({ repository: unique("base/os") })).image;
  workspace = copySample();
  name = basename(workspace);
  const work = mkdtempSync(join(tmpdir(), "work-"));
  cpSync(workspace, work, { recursive: true, verbatimSymlinks: true });
  server.commit(`team/${name}`, {});
  git(work, "init", "-q");
  git(work, "add", "-A", "--force");
  git(work, "commit", "-q", "-m", "sample");
  git(work, "push", "-q", "--force", join(server.root, `team/${name}.git`), "HEAD:refs/heads/main");
  commit = git(work, "rev-parse", "HEAD");
  rmSync(work, { recursive: true });
});
afterAll(() => server.close());

const run = (inputs: Readonly<Record<string, string>>, at = mkdtempSync(join(tmpdir(), "empty-"))): Promise<Ended> =>
  runAction({ workspace: at, inputs, env: { SAMPLE_BASE: base } });

test("a private repository is built, pushed and run; a checkout of the same files is a hit; the login is nowhere in the image", async () => {
  const image = `${REGISTRY}/${unique("e2e/git")}`;
  const inputs = { "cache-repo": image, "git-url": `${server.url}/team/${name}`, "git-password": SECRET };
  const built = await run({ ...inputs, provenance: "max" });
  expect(built, built.log).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
  const pulled = built.outputs.image ?? "";
  await docker("pull", "--quiet", "--platform", "linux/amd64", pulled);
  const labels = await docker("image", "inspect", "--format", "{{json .Config.Labels}}", pulled);
  expect(JSON.parse(labels)).toMatchObject({
    "org.opencontainers.image.revision": commit,
    "org.opencontainers.image.source": `${server.url}/team/${name}`,
  });
  const raw = await docker("buildx", "imagetools", "inspect", "--format", "{{json .}}", pulled);
  for (const text of [raw, labels, readFileSync(built.outputs.plan ?? "", "utf8"), JSON.stringify(built.outputs)])
    expect(text).not.toContain(SECRET);
  expect(built.log.replace(/^::add-mask::.*$/gm, "")).not.toContain(SECRET);

  const checkout = await run({ "cache-repo": image }, workspace);
  expect(checkout.outputs, checkout.log).toMatchObject({ result: "hit", digest: built.outputs.digest });
  const again = await run(inputs);
  expect(again.outputs, again.log).toMatchObject({ result: "hit", digest: built.outputs.digest });
});
