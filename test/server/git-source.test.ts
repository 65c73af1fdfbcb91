import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gitea, openGitea } from "./gitea.ts";
import { playOn, saidBy } from "./play.ts";

// Sources on a real Gitea: which commit it tells, for whom, and how it refuses.

let gitea: Gitea;
let files: Readonly<Record<string, string>>;
let ids: { readonly main: string; readonly topic: string };
let tokens: { readonly reading: string; readonly elsewhere: string };

beforeAll(async () => {
  gitea = await openGitea();
  files = {
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile": "FROM scratch\nCOPY Dockerfile /\n",
  };
  await gitea.user("me");
  await gitea.user("other");
  await gitea.api("POST", "/user/repos", {
    as: "me",
    body: { name: "hidden", private: true, default_branch: "trunk" },
  });
  const main = gitea.push("me/hidden", files, "trunk");
  const topic = gitea.push("me/hidden", { ...files, of: "topic" }, "team/topic");
  await gitea.api("POST", "/repos/me/hidden/tags", {
    as: "me",
    body: { tag_name: "v1", message: "one", target: main },
  });
  await gitea.api("POST", "/user/repos", { as: "me", body: { name: "open" } });
  gitea.push("me/open", files);
  await gitea.api("POST", "/user/repos", { as: "me", body: { name: "before", private: true } });
  gitea.push("me/before", files);
  await gitea.api("PATCH", "/repos/me/before", { as: "me", body: { name: "moved" } });
  await gitea.api("POST", "/user/repos", { as: "me", body: { name: "empty" } });
  ids = { main, topic };
  tokens = { reading: await gitea.token("me", "read:repository"), elsewhere: await gitea.token("me", "read:issue") };
});
afterAll(() => gitea.close());

const look = (inputs: Readonly<Record<string, string>>) =>
  playOn(gitea, {
    workspace: mkdtempSync(join(tmpdir(), "empty-")),
    repository: "me/cache",
    inputs: { "on-miss": "continue", ...inputs },
    git: true,
  });

test.each<[string, () => { readonly ref: string; readonly is: string; readonly api: boolean }]>([
  ["the default branch", () => ({ ref: "", is: ids.main, api: false })],
  ["a branch", () => ({ ref: "team/topic", is: ids.topic, api: true })],
  ["a branch by its whole name", () => ({ ref: "refs/heads/team/topic", is: ids.topic, api: true })],
  ["a tag with a message", () => ({ ref: "v1", is: ids.main, api: true })],
  ["a tag by its whole name", () => ({ ref: "refs/tags/v1", is: ids.main, api: false })],
  ["a commit", () => ({ ref: ids.main, is: ids.main, api: false })],
])("a private repository with a personal token: %s", async (_, pick) => {
  const { ref, is, api } = pick();
  const told = await look({ "git-url": `${gitea.url}/me/hidden`, "git-ref": ref, "git-password": tokens.reading });
  expect(told.outputs.result, told.log).toBe("miss");
  expect(told.log).toContain(`Commit ${is}`);
  expect(saidBy(told)).not.toContain(tokens.reading);
  expect(told.requests.join("\n")).not.toContain(tokens.reading);
  expect(told.requests.some((line) => line.includes("/branches/"))).toBe(api);
});

test.each<[string, () => Readonly<Record<string, string>>, string]>([
  ["a private one without a login", () => ({ "git-url": `${gitea.url}/me/hidden`, "git-ref": "trunk" }), "E_GIT_AUTH"],
  ["none, without a login", () => ({ "git-url": `${gitea.url}/me/none`, "git-ref": "main" }), "E_GIT_AUTH"],
  [
    "none, with a login",
    () => ({ "git-url": `${gitea.url}/me/none`, "git-ref": "main", "git-password": tokens.reading }),
    "E_GIT_ABSENT",
  ],
  [
    "a token that is none",
    () => ({ "git-url": `${gitea.url}/me/hidden`, "git-ref": "trunk", "git-password": "f".repeat(40) }),
    "E_GIT_AUTH",
  ],
  [
    "a token without the scope",
    () => ({ "git-url": `${gitea.url}/me/hidden`, "git-ref": "trunk", "git-password": tokens.elsewhere }),
    "E_GIT_AUTH",
  ],
  [
    "a token without the scope, the default branch",
    () => ({ "git-url": `${gitea.url}/me/hidden`, "git-password": tokens.elsewhere }),
    "E_GIT_AUTH",
  ],
  [
    "a branch that is not there",
    () => ({ "git-url": `${gitea.url}/me/hidden`, "git-ref": "none", "git-password": tokens.reading }),
    "E_GIT_ABSENT",
  ],
  ["one without a commit", () => ({ "git-url": `${gitea.url}/me/empty`, "git-ref": "main" }), "E_GIT_ABSENT"],
])("%s is told apart", async (_, pick, code) => {
  const told = await look(pick());
  expect(told.code, told.log).toBe(1);
  expect(told.log).toContain(`[${code}]`);
});

test("one that was renamed is found where it is now", async () => {
  const told = await look({ "git-url": `${gitea.url}/me/before`, "git-ref": "main", "git-password": tokens.reading });
  expect(told.outputs.result, told.log).toBe("miss");
});
