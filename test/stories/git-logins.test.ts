import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GitServer, git } from "../fakes/git-server.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { builtCommit, errorOf, leftOf, openGitSample } from "./git-sample.ts";
import { openMachine, type Told } from "./harness.ts";

type Sample = Awaited<ReturnType<typeof openGitSample>>;

const SECRET = "canary-3f9a/%2b'$(x)\"é";

let server: GitServer;
let registry: FakeRegistry;
let run: Sample["run"];
let close: () => Promise<void>;
let commit: string;
let topic: string;

beforeAll(async () => {
  const sample = await openGitSample();
  ({ server, registry, run, close } = sample);
  commit = server.commit("team/app", sample.files("private"));
  topic = server.commit("team/app", sample.files("topic"), "team/topic");
});
afterAll(() => close());
beforeEach(() => server.reset());

const gitea = () => ({
  GITEA_ACTIONS: "true",
  GITHUB_SERVER_URL: server.url,
  GITHUB_API_URL: `${server.url}/api/v1`,
  GITHUB_REPOSITORY: "team/flow",
});
/** What was asked for, without what says how. */
const asked = (): readonly string[] => server.requests.map((line) => line.replace(/\?\S*/, ""));

test("on Gitea one call of the API tells a branch's commit, and only then something is fetched", async () => {
  server.requireLogin({ password: SECRET });
  const inputs = {
    "git-url": `${server.url}/team/app`,
    "git-ref": "team/topic",
    "git-password": SECRET,
    force: "true",
  };
  const told = await run(inputs, { env: gitea() });
  expect(builtCommit(told), told.log).toBe(topic);
  expect(asked()[0]).toBe(`GET /api/v1/repos/team/app/branches/team/topic as x-access-token:${SECRET}`);
  expect(asked().filter((line) => line.includes("/api/"))).toHaveLength(1);
});

test("what Gitea knows no branch of may be a tag, which git itself is asked for", async () => {
  const inputs = { "git-url": `${server.url}/team/app`, "git-ref": "none", force: "true" };
  expect(errorOf(await run(inputs, { env: gitea() }))).toContain("has no branch or tag none");
});

const api = (status: number, body: string) => () => {
  server.override((line) =>
    line.includes("/api/v1/") ? { status, headers: { "content-type": "application/json" }, body } : undefined,
  );
};
const branch = (more: object): string => JSON.stringify({ name: "main", commit: { id: "1".repeat(40) }, ...more });

test.each<[string, () => void, string, string]>([
  ["refuses the login", api(401, "{}"), "E_GIT_AUTH", "asks for a login"],
  ["forbids it", api(403, "{}"), "E_GIT_AUTH", "asks for a login"],
  ["is in trouble", api(503, "no"), "E_GIT", ": 503"],
  ["has too many requests", api(429, "no"), "E_GIT", ": 429"],
  ["answers a page", api(200, "<html>"), "E_GIT", "tells no commit"],
  ["tells another branch", api(200, branch({ name: "other" })), "E_GIT", "tells no commit"],
  ["tells no id", api(200, branch({ commit: { id: "main" } })), "E_GIT", "tells no commit"],
  ["tells half an id", api(200, branch({ commit: { id: "abc123" } })), "E_GIT", "tells no commit"],
  ["never ends", api(200, branch({ more: " ".repeat(300 * 1024) })), "E_GIT", "tells no commit"],
])("an API that %s is an error: git is not asked in its place", async (_, arrange, code, words) => {
  arrange();
  const told = await run({ "git-url": `${server.url}/team/app`, "git-ref": "main" }, { env: gitea() });
  expect(errorOf(told)).toContain(`[${code}]`);
  expect(errorOf(told)).toContain(words);
  expect(asked()).toEqual(["GET /api/v1/repos/team/app/branches/main"]);
});

test("on GitHub its API is asked the same way, where there is a token to ask with", async () => {
  const env = { GITHUB_SERVER_URL: server.url, GITHUB_API_URL: `${server.url}/api/v3`, GITHUB_REPOSITORY: "team/flow" };
  const inputs = { "git-url": `${server.url}/team/app`, "git-ref": "team/topic", force: "true" };
  const told = await run({ ...inputs, "git-password": "ghp_canary" }, { env });
  expect(builtCommit(told), told.log).toBe(topic);
  expect(asked()[0]).toBe("GET /api/v3/repos/team/app/branches/team%2Ftopic as token ghp_canary");
  expect(asked().filter((line) => line.includes("/api/"))).toHaveLength(1);
  expect(told.log.replace(/^::add-mask::.*$/gm, "")).not.toContain("ghp_canary");
  server.reset();
  expect(builtCommit(await run(inputs, { env }))).toBe(topic);
  expect(asked().filter((line) => line.includes("/api/"))).toEqual([]);
  for (const [status, code] of [
    [401, "E_GIT_AUTH"],
    [403, "E_GIT_AUTH"],
    [500, "E_GIT"],
    [200, "E_GIT"],
  ] as const) {
    server.reset();
    server.override((line) => (line.includes("/api/v3/") ? { status, body: "{}" } : undefined));
    expect(errorOf(await run({ ...inputs, "git-password": "s" }, { env }))).toContain(`[${code}]`);
    expect(server.requests).toHaveLength(1);
  }
});

/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
test.each([{ "x-ratelimit-remaining": "0" }, { "retry-after": "60" }])(
  "GitHub's limit of calls is no fault of the login: %o",
  async (headers) => {
    const env = {
      GITHUB_SERVER_URL: server.url,
      GITHUB_API_URL: `${server.url}/api/v3`,
      GITHUB_REPOSITORY: "team/flow",
    };
    server.override((line) => (line.includes("/api/v3/") ? { status: 403, headers, body: "{}" } : undefined));
    const inputs = { "git-url": `${server.url}/team/app`, "git-ref": "main", "git-password": SECRET };
    const told = errorOf(await run(inputs, { env }));
    expect(told).toContain("[E_GIT]");
    expect(told).toContain(": 403, too many calls");
  },
);

/** A machine on which git notes how it is called, and which files and variables its children have. */
function openRecordingMachine(): { readonly machine: string; readonly record: string } {
  const machine = openMachine();
  const record = join(machine, "git.record");
  const real = execFileSync("which", ["git"], { encoding: "utf8" }).trim();
  const script = `#!/bin/sh\n{ printf '%s\\n' "$@"; } >> ${record}\nexec ${real} "$@"\n`;
  writeFileSync(join(machine, "bin/git"), script, { mode: 0o755 });
  return { machine, record };
}

/** Every file under a folder that holds a text. */
function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    try {
      return readFileSync(join(folder, name)).includes(text);
    } catch {
      return false;
    }
  });
}

/** Masks are the one line that has to say it. */
const withoutMasks = ({ log }: Told): string => log.replace(/^::add-mask::.*$/gm, "");

test.each([
  ["a user and a password", "dev", 0],
  ["a token alone", "", 0],
  ["a password that is wrong", "other", 1],
])("%s: the login stands in no argument, file, log, output, plan or image", async (_, username, code) => {
  server.requireLogin({ password: SECRET, ...(username === "dev" ? { username } : {}) });
  const kept = mkdtempSync(join(tmpdir(), "kept-"));
  const { machine, record } = openRecordingMachine();
  let seen: readonly string[] = [];
  server.override((line) => {
    // While git waits for this answer, what it has written lies there.
    if (line.includes("git-upload-pack")) seen = [...seen, ...filesWith(machine, SECRET), ...filesWith(kept, SECRET)];
    return undefined;
  });
  const password = code === 0 ? SECRET : `${SECRET}-wrong`;
  const told = await run(
    {
      "git-url": `${server.url}/team/app`,
      "git-password": password,
      ...(username === "" ? {} : { "git-username": username }),
      "source-cache-dir": kept,
      "local-env": "GREETING",
      provenance: "max",
      force: "true",
    },
    { machine },
  );
  expect(told.code, told.log).toBe(code);
  if (code === 0) expect(builtCommit(told)).toBe(commit);
  expect(server.requests.some((line) => line.includes(` as ${username || "x-access-token"}:${password}`))).toBe(true);
  const basic = Buffer.from(`${username || "x-access-token"}:${password}`).toString("base64");
  for (const secret of [SECRET, encodeURIComponent(SECRET), basic]) {
    expect(withoutMasks(told)).not.toContain(secret);
    expect(JSON.stringify([told.outputs, told.summary, told.docker, told.builds])).not.toContain(secret);
    expect(readFileSync(record, "utf8")).not.toContain(secret);
    expect([...server.spied].filter((command) => command.includes(secret))).toEqual([]);
    expect([...filesWith(machine, secret), ...filesWith(kept, secret)]).toEqual([]);
    expect(registry.asked.filter(({ body }) => body.includes(secret))).toEqual([]);
  }
  expect(seen).toEqual([]);
  expect([...server.spied].some((command) => command.includes("git-remote-http"))).toBe(true);
  expect(told.log).toContain(`::add-mask::`);
  expect(leftOf(told)).toEqual([]);
  rmSync(kept, { recursive: true });
});

test("git that is told to trace what it does tells nothing of a login", async () => {
  server.requireLogin({ password: SECRET });
  const machine = openMachine();
  const traced = join(machine, "traced");
  const names = [
    "GIT_TRACE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE_SETUP",
  ];
  const env = {
    ...Object.fromEntries(names.map((name) => [name, traced])),
    ...{ GIT_CURL_VERBOSE: "1", GIT_TRACE_REDACT: "0", GIT_TRACE_CURL_NO_DATA: "0", ACTIONS_STEP_DEBUG: "true" },
    ...{ RUNNER_DEBUG: "1", GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "trace2.envVars", GIT_CONFIG_VALUE_0: "*" },
  };
  const told = await run(
    { "git-url": `${server.url}/team/app`, "git-password": SECRET, force: "true" },
    { machine, env },
  );
  expect(builtCommit(told), told.log).toBe(commit);
  const basic = Buffer.from(`x-access-token:${SECRET}`).toString("base64");
  for (const secret of [SECRET, basic]) {
    expect(withoutMasks(told)).not.toContain(secret);
    expect(filesWith(machine, secret)).toEqual([]);
  }
});

test("an address that holds a login is refused, and the login is not repeated", async () => {
  const told = await run({ "git-url": server.url.replace("://", "://dev:canary@") });
  expect(errorOf(told)).toContain("it holds a login");
  expect(told.log).not.toContain("canary");
  expect(server.requests).toEqual([]);
});

test("the user's and the machine's own configuration of git sends nothing elsewhere, and runs nothing", async () => {
  const machine = openMachine();
  const ran = join(machine, "ran");
  const hook = join(machine, "hooks/post-checkout");
  writeFileSync(
    join(machine, ".gitconfig"),
    `[url "http://127.0.0.1:9/"]
	insteadOf = ${server.url}/
[core]
	hooksPath = ${machine}/hooks
	sshCommand = touch ${ran}
[credential]
	helper = "!touch ${ran}; :"
[filter "x"]
	smudge = touch ${ran}
`,
  );
  execFileSync("mkdir", ["-p", join(machine, "hooks")]);
  writeFileSync(hook, `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
  const told = await run(
    { "git-url": `${server.url}/team/app`, force: "true" },
    { machine, env: { GIT_SSH_COMMAND: `touch ${ran}`, GIT_ASKPASS: hook, GIT_DIR: "/nonexistent" } },
  );
  expect(builtCommit(told), told.log).toBe(commit);
  expect(existsSync(ran)).toBe(false);
});

test.each(["the checkout that the step runs in", "a repository that the runner's folders lie in"])(
  "%s sends nothing elsewhere, and its login goes nowhere",
  async (where) => {
    const machine = openMachine();
    const checkout = where.startsWith("the checkout") ? mkdtempSync(join(tmpdir(), "checkout-")) : machine;
    git(checkout, "init", "-q");
    git(checkout, "config", "url.http://127.0.0.1:9/.insteadOf", `${server.url}/`);
    // As actions/checkout leaves it there.
    git(checkout, "config", `http.${server.url}/.extraheader`, "AUTHORIZATION: basic am9iOmNhbmFyeQ==");
    const told = await run({ "git-url": `${server.url}/team/app`, force: "true" }, { machine, cwd: checkout });
    expect(builtCommit(told), told.log).toBe(commit);
    git(checkout, "config", "--unset", "url.http://127.0.0.1:9/.insteadOf");
    await run({ "git-url": `${server.url}/team/app`, force: "true" }, { machine, cwd: checkout });
    expect(server.requests.filter((line) => line.includes(" as "))).toEqual([]);
    rmSync(checkout, { recursive: true });
  },
);

test("a key for ssh is no login over http, and what is said is what is missing", async () => {
  server.requireLogin({ password: SECRET });
  const told = await run({ "git-url": `${server.url}/team/app`, "git-ssh-private-key-path": "key" });
  expect(errorOf(told)).toContain("asks for a login, or does not exist");
  expect(errorOf(told)).toContain("Set git-username and git-password");
});
