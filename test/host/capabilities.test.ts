import { expect, test } from "vitest";
import { defaultCacheRepository, nameHost, nodePlatform, readCapabilities } from "../../src/host/capabilities.ts";

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
  [
    "ghe.com, whose registry stands beside it",
    { ...GITHUB, GITHUB_SERVER_URL: "https://octo.ghe.com" },
    "containers.octo.ghe.com/team/app/devcontainer",
  ],
  ["a server that only ends like it", { ...GITHUB, GITHUB_SERVER_URL: "https://notghe.com" }, undefined],
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

test.each<[string, Readonly<Record<string, string>>, number | undefined, number | "anyone"]>([
  ["GitHub's own machines", { GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "github-hosted" }, 1001, 1001],
  ["a job in a container there", { GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "github-hosted" }, 0, 1001],
  ["a machine of one's own", { GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "self-hosted" }, 1234, 1234],
  ["Windows", { GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "self-hosted" }, undefined, 1001],
  ["act", { GITHUB_ACTIONS: "true", ACT: "true" }, 1000, "anyone"],
  ["Gitea", { GITHUB_ACTIONS: "true", GITEA_ACTIONS: "true" }, 1000, "anyone"],
  ["Forgejo", { GITHUB_ACTIONS: "true", FORGEJO_ACTIONS: "true" }, 1000, "anyone"],
])("whose a job's folders are: %s", (_, env, uid, expected) => {
  expect(readCapabilities(env, uid).folderOwner).toBe(expected);
});

test.each([
  ["github", {}, true],
  ["act", { ACT: "true" }, true],
  ["gitea", { GITEA_ACTIONS: "true" }, true],
  ["forgejo", { FORGEJO_ACTIONS: "true" }, false],
])("whether the runner of %s takes --user for a job's container", (_, env, expected) => {
  const { takesOptions } = readCapabilities({ GITHUB_ACTIONS: "true", ...env }, 0);
  expect(takesOptions?.includes("--user") ?? true).toBe(expected);
});

test.each([
  ["github", {}, true],
  ["act", { ACT: "true" }, true],
  ["gitea", { GITEA_ACTIONS: "true" }, false],
  ["forgejo", { FORGEJO_ACTIONS: "true" }, false],
])("whether the job's token is a login to the registry of %s", (_, env, expected) => {
  expect(readCapabilities({ GITHUB_ACTIONS: "true", ...env }, 0).jobTokenLogsIn).toBe(expected);
});

test.each([
  ["a Gitea without TLS", { GITEA_ACTIONS: "true", GITHUB_SERVER_URL: "http://git.test:3000/" }, "git.test:3000"],
  ["a Forgejo without TLS", { FORGEJO_ACTIONS: "true", GITHUB_SERVER_URL: "http://git.test" }, "git.test"],
  ["a Gitea with TLS", { GITEA_ACTIONS: "true", GITHUB_SERVER_URL: "https://git.test" }, undefined],
  ["another host, whose registry is not its server", { GITHUB_SERVER_URL: "http://github.test" }, undefined],
])("the registry that speaks plain http: %s", (_, env, expected) => {
  expect(readCapabilities({ GITHUB_ACTIONS: "true", ...env }, 0).plainRegistry).toBe(expected);
});

test.each([
  ["Gitea's", { GITEA_ACTIONS: "true", GITHUB_SERVER_URL: "https://git.test/sub/" }, "https://git.test/sub/"],
  ["Forgejo's", { FORGEJO_ACTIONS: "true", GITHUB_SERVER_URL: "http://git.test" }, "http://git.test"],
  ["no address", { GITEA_ACTIONS: "true", GITHUB_SERVER_URL: "git" }, undefined],
  ["GitHub's, whose registry is elsewhere", { GITHUB_SERVER_URL: "https://github.com" }, undefined],
])("the server that has its registry itself: %s", (_, env, expected) => {
  expect(readCapabilities({ GITHUB_ACTIONS: "true", ...env }, 0).ownRegistry).toBe(expected);
});

test.each([
  [
    "github",
    {},
    { bringsNode: true, annotates: true, showsSummary: true, drawsMermaid: true, dropsMaskedOutputs: true },
  ],
  ["act", { ACT: "true" }, { bringsNode: false, annotates: false, showsSummary: false, dropsMaskedOutputs: false }],
  [
    "a Gitea that uploads none",
    { GITEA_ACTIONS: "true", GITEA_ACTIONS_RUNNER_VERSION: "v1.0.8" },
    { showsSummary: false, drawsMermaid: false },
  ],
  [
    "a Gitea that does",
    { GITEA_ACTIONS: "true", GITEA_ACTIONS_RUNNER_VERSION: "v3.0.2" },
    { annotates: false, showsSummary: true },
  ],
  [
    "a Gitea that does not say",
    { GITEA_ACTIONS: "true" },
    { bringsNode: false, showsSummary: false, dropsMaskedOutputs: false },
  ],
  [
    "a Gitea of many versions",
    { GITEA_ACTIONS: "true", GITEA_ACTIONS_RUNNER_VERSION: "12.1" },
    { showsSummary: true, drawsMermaid: false },
  ],
  [
    "forgejo",
    { FORGEJO_ACTIONS: "true" },
    { bringsNode: false, annotates: false, showsSummary: true, drawsMermaid: false, dropsMaskedOutputs: false },
  ],
])("what the runner shows and brings on %s", (_, env, expected) => {
  expect(readCapabilities({ GITHUB_ACTIONS: "true", ...env }, 0)).toMatchObject(expected);
});
