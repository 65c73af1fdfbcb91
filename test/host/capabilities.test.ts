import { expect, test } from "vitest";
import { defaultCacheRepository, nameHost, nodePlatform, readEvent } from "../../src/host/capabilities.ts";

test.each([
  ["github", { GITHUB_ACTIONS: "true" }],
  ["act", { GITHUB_ACTIONS: "true", ACT: "true" }],
  ["gitea", { GITHUB_ACTIONS: "true", ACT: "true", GITEA_ACTIONS: "true" }],
  ["forgejo", { GITHUB_ACTIONS: "true", GITEA_ACTIONS: "true", FORGEJO_ACTIONS: "true" }],
  ["terminal", {}],
])("host %s", (name, env) => {
  expect(nameHost(env)).toBe(name);
});

const GITHUB = { GITHUB_ACTIONS: "true", GITHUB_REPOSITORY: "Team/App", GITHUB_SERVER_URL: "https://github.com" };

test.each([
  ["github.com", GITHUB, "ghcr.io/team/app/devcontainer"],
  [
    "Gitea, with the slash that some versions add",
    { ...GITHUB, GITEA_ACTIONS: "true", GITHUB_SERVER_URL: "https://git.test:3000/" },
    "git.test:3000/team/app/devcontainer",
  ],
  [
    "Forgejo",
    { ...GITHUB, FORGEJO_ACTIONS: "true", GITHUB_SERVER_URL: "https://code.test" },
    "code.test/team/app/devcontainer",
  ],
  [
    "GitHub Enterprise, whose registry nothing tells",
    { ...GITHUB, GITHUB_SERVER_URL: "https://github.corp.test" },
    undefined,
  ],
  ["act", { ...GITHUB, ACT: "true" }, undefined],
  ["a terminal", {}, undefined],
])("default cache repository on %s", (_, env, expected) => {
  expect(defaultCacheRepository(env)).toBe(expected);
});

const repository = { full_name: "team/app", default_branch: "main" };
const request = (head: unknown) => ({
  repository,
  pull_request: { head: { ref: "topic", repo: head }, base: { ref: "main", repo: { full_name: "team/app" } } },
});

test.each([
  [
    "a push",
    { GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/feature/x" },
    { repository },
    { branch: "feature/x", isPullRequest: false, isFork: false },
  ],
  ["a tag", { GITHUB_REF: "refs/tags/v1" }, { repository }, { branch: undefined, isFork: false }],
  [
    "an own pull request",
    {},
    request({ full_name: "team/app" }),
    { branch: "topic", baseBranch: "main", isPullRequest: true, isFork: false },
  ],
  ["a fork's pull request", {}, request({ full_name: "else/app" }), { isPullRequest: true, isFork: true }],
  ["a pull request of a deleted fork", {}, request(null), { isPullRequest: true, isFork: true }],
  [
    "a fork's pull request inside a called workflow on Gitea",
    { GITHUB_EVENT_NAME: "workflow_call" },
    request({ full_name: "else/app" }),
    { isFork: true },
  ],
  [
    "a fork's pull_request_target",
    { GITHUB_EVENT_NAME: "pull_request_target" },
    request({ full_name: "else/app" }),
    { isFork: true },
  ],
  [
    "workflow_run of a fork",
    {},
    { repository, workflow_run: { head_repository: { full_name: "else/app" } } },
    { isFork: true },
  ],
  [
    "workflow_run of our own",
    {},
    { repository, workflow_run: { head_repository: { full_name: "team/app" } } },
    { isFork: false },
  ],
  [
    "workflow_run of our own, after a pull request: its branch, and a pull request's rights over tags",
    { GITHUB_REF: "refs/heads/main" },
    {
      repository,
      workflow_run: { event: "pull_request", head_branch: "topic", head_repository: { full_name: "team/app" } },
    },
    { isFork: false, isPullRequest: true, branch: "topic" },
  ],
  [
    "workflow_run of our own, after a push",
    { GITHUB_REF: "refs/heads/main" },
    { repository, workflow_run: { event: "push", head_branch: "topic", head_repository: { full_name: "team/app" } } },
    { isFork: false, isPullRequest: false, branch: "topic" },
  ],
  [
    "a merge queue",
    { GITHUB_REF: "refs/heads/gh-readonly-queue/main/pr-1-abc" },
    { repository },
    { branch: undefined },
  ],
  ["a comment on a pull request", {}, { repository, issue: { pull_request: {} } }, { isFork: true }],
  ["a comment on an issue", {}, { repository, issue: {} }, { isFork: false }],
  ["no payload", {}, undefined, { isPullRequest: false, isFork: false, defaultBranch: undefined }],
])("event: %s", (_, env, payload, expected) => {
  expect(readEvent(env, payload)).toMatchObject(expected);
});

test.each([
  ["linux", "x64", "linux/amd64"],
  ["linux", "arm64", "linux/arm64"],
  ["darwin", "arm64", "linux/arm64"],
])("%s %s runs %s", (os, architecture, expected) => {
  expect(nodePlatform(os, architecture)).toBe(expected);
});
