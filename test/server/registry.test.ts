import { afterAll, beforeAll, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { Told } from "../stories/harness.ts";
import { openSample } from "../stories/sample.ts";
import { type Gitea, openGitea } from "./gitea.ts";
import { playOn, saidBy } from "./play.ts";

// The registry of a real Gitea: who may look and push there, in how many waves, and how it refuses.

let gitea: Gitea;
let workspace: string;
let close: () => Promise<void>;
let tokens: { readonly writing: string; readonly reading: string; readonly code: string };

beforeAll(async () => {
  gitea = await openGitea();
  ({ workspace, close } = await openSample());
  await gitea.user("me");
  const [writing = "", reading = "", code = ""] = await Promise.all(
    ["write:package", "read:package", "write:repository"].map((scope) => gitea.token("me", scope)),
  );
  tokens = { writing, reading, code };
});
afterAll(async () => {
  await close();
  await gitea.close();
});

const run = (password: string | undefined, inputs: Readonly<Record<string, string>> = {}): Promise<Told> =>
  playOn(gitea, {
    workspace,
    repository: "me/App",
    inputs: {
      platforms: "linux/amd64,linux/arm64",
      ...(password === undefined ? {} : { "registry-username": "me", "registry-password": password }),
      ...inputs,
    },
  });
const SCOPE = "has to be a personal access token with the scope write:package";

test("a token without a scope for packages, and one that is none, are errors of the first look", async () => {
  for (const password of [tokens.code, "f".repeat(40)]) {
    const told = await run(password, { "on-miss": "continue" });
    expect(told, told.log).toMatchObject({ code: 1, outputs: { result: "unknown" } });
    expect(told.log).toMatch(/\[E_AUTH\]/);
    expect(told.log).toContain(SCOPE);
    expect(saidBy(told)).not.toContain(password);
  }
});

test("a token that may only read is refused before anything is built, and so is somebody else's owner", async () => {
  const told = await run(tokens.reading, { push: "true" });
  expect(told, told.log).toMatchObject({ code: 1, builds: [] });
  expect(told.log).toMatch(/\[E_PUSH\]/);
  expect(told.log).toContain(SCOPE);
  const other = await run(tokens.writing, { push: "true", "cache-repo": `${gitea.host}/boss/app/devcontainer` });
  expect(other, other.log).toMatchObject({ code: 1, builds: [] });
  expect(other.log).toContain("of somebody who may write packages of the owner");
});

test("miss, build and push to the repository's own place; a hit for whoever may read, in a token and three waves", async () => {
  const built = await run(tokens.writing);
  expect(built.outputs, built.log).toMatchObject({ result: "built", pushed: "true" });
  expect(built.outputs.image).toMatch(new RegExp(`^${gitea.host}/me/app/devcontainer@sha256:`));
  expect(saidBy(built)).not.toContain(tokens.writing);
  for (const password of [tokens.writing, tokens.reading, undefined]) {
    const hit = await run(password);
    expect(hit.outputs, hit.log).toMatchObject({ result: "hit", digest: built.outputs.digest });
    if (password !== undefined)
      expect(hit.requests.filter((line) => !line.includes("/v2/me/app/devcontainer/"))).toEqual([
        expect.stringMatching(/ GET \/v2\/token\?\S+ 200$/),
      ]);
    expect(hit.requests.filter((line) => !/ 20[06]$/.test(line))).toEqual([]);
  }
});

test("metadata alone is relabelled without a build, a tag is moved, and nothing in between stays", async () => {
  const configuration = { build: { dockerfile: "Dockerfile", args: { GREETING: "hello" } }, remoteUser: "dev" };
  const configure = (extensions: readonly string[]): void =>
    put(
      workspace,
      ".devcontainer/devcontainer.json",
      JSON.stringify({ ...configuration, customizations: { vscode: { extensions } } }),
    );
  configure(["one"]);
  const built = await run(tokens.writing);
  expect(built.outputs, built.log).toMatchObject({ result: "built" });
  configure(["one", "two"]);
  const told = await run(tokens.writing, { tags: "latest" });
  expect(told, told.log).toMatchObject({ builds: [], outputs: { result: "built", pushed: "true" } });
  expect(told.outputs.metadata).toContain('"two"');
  expect(told.outputs.digest).not.toBe(built.outputs.digest);
  const hit = await run(tokens.reading);
  expect(hit.outputs, hit.log).toMatchObject({ result: "hit", digest: told.outputs.digest });
  const list = await gitea.ask("GET", "/v2/me/app/devcontainer/tags/list", { basic: `me:${tokens.reading}` });
  expect(list.text).toContain('"latest"');
  expect(list.text).not.toContain("tmp-");
});

test("what it has no place for is unknown, and told with what to do", async () => {
  const name = await run(tokens.writing, { "cache-repo": `${gitea.host}/me/my--app/devcontainer` });
  expect(name, name.log).toMatchObject({ code: 1, outputs: { result: "unknown" } });
  expect(name.log).toContain("Choose another one, for the cache repository in the input cache-repo");
  const owner = await run(tokens.writing, { "cache-repo": `${gitea.host}/nobody/app/devcontainer` });
  expect(owner, owner.log).toMatchObject({ code: 1, outputs: { result: "unknown" } });
  expect(owner.log).toContain("that the user or organization that the name begins with is there");
});
