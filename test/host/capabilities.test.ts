import { expect, test } from "vitest";
import { defaultCacheRepository, nameHost, nodePlatform } from "../../src/host/capabilities.ts";

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

test.each([
  ["linux", "x64", "linux/amd64"],
  ["linux", "arm64", "linux/arm64"],
  ["darwin", "arm64", "linux/arm64"],
])("%s %s runs %s", (os, architecture, expected) => {
  expect(nodePlatform(os, architecture)).toBe(expected);
});
