import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GitServer, git, openGitServer } from "../fakes/git-server.ts";
import { argsOf, builtCommit, errorOf, leftOf, openGitSample } from "./git-sample.ts";
import type { Told } from "./harness.ts";

type Sample = Awaited<ReturnType<typeof openGitSample>>;

let server: GitServer;
let files: Sample["files"];
let run: Sample["run"];
let close: () => Promise<void>;

beforeAll(async () => {
  ({ server, files, run, close } = await openGitSample());
});
afterAll(() => close());
beforeEach(() => server.reset());

test("a repository is built in the place of the workspace: its files, its commit, its name", async () => {
  const commit = server.commit("team/one", files("one"));
  const told = await run({ "git-url": `${server.url}/team/one` });
  expect(told.outputs, told.log).toMatchObject({ result: "built", pushed: "true" });
  expect(told.builds[0]?.dockerfile).toContain("LABEL of=one");
  expect(argsOf(told)).toContain(`REVISION=${commit}`);
  expect(argsOf(told)).toContain(`org.opencontainers.image.revision=${commit}`);
  expect(argsOf(told)).toContain(`org.opencontainers.image.source=${server.url}/team/one`);
  expect(told.log).toContain(`Commit ${commit}, refs/heads/main`);
  expect(leftOf(told)).toEqual([]);
  const again = await run({ "git-url": `${server.url}/team/one.git#main` });
  expect(again.outputs, again.log).toMatchObject({ result: "hit", digest: told.outputs.digest });
});

test("the summary names the clone's commit, whatever the job's own is", async () => {
  const commit = server.commit("team/one", files("told"));
  const job = "f".repeat(40);
  const told = await run({ "git-url": `${server.url}/team/one` }, { env: { GITHUB_SHA: job } });
  expect(told.summary, told.log).toContain(commit.slice(0, 7));
  expect(told.summary).not.toContain(job.slice(0, 7));
});

test("workspace-folder is a folder of the repository", async () => {
  server.commit(
    "team/sub",
    Object.fromEntries(Object.entries(files("sub")).map(([path, what]) => [`sub/${path}`, what])),
  );
  const inputs = { "git-url": `${server.url}/team/sub` };
  expect((await run({ ...inputs, "workspace-folder": "sub" })).builds[0]?.dockerfile).toContain("LABEL of=sub");
  const none = await run({ ...inputs, "workspace-folder": "none" });
  expect(errorOf(none)).toContain("Name a folder of the repository that git-url names");
});

test.each<[string, (ids: Ids) => { readonly ref: string; readonly is: string }]>([
  ["the default branch", ({ main }) => ({ ref: "", is: main })],
  ["a branch", ({ topic }) => ({ ref: "team/topic", is: topic })],
  ["a branch by its whole name", ({ topic }) => ({ ref: "refs/heads/team/topic", is: topic })],
  ["a tag", ({ old }) => ({ ref: "light", is: old })],
  ["a tag with a message, which is no commit itself", ({ old }) => ({ ref: "v1", is: old })],
  ["a branch over a tag of the same name", ({ topic }) => ({ ref: "both", is: topic })],
  ["that tag by its whole name", ({ old }) => ({ ref: "refs/tags/both", is: old })],
  ["a commit that is no branch's newest", ({ old }) => ({ ref: old, is: old })],
  ["a pull request's commit", ({ topic }) => ({ ref: "refs/pull/7/head", is: topic })],
])("git-ref: %s", async (_, pick) => {
  const { ref, is } = pick(ids);
  const told = await run({ "git-url": `${server.url}/team/refs`, "git-ref": ref, force: "true" });
  expect(builtCommit(told), told.log).toBe(is);
  if (ref === "") return;
  const behind = await run({ "git-url": `${server.url}/team/refs#${ref}`, force: "true" });
  expect(builtCommit(behind), behind.log).toBe(is);
});

type Ids = { readonly old: string; readonly main: string; readonly topic: string };
let ids: Ids;
beforeAll(() => {
  const old = server.commit("team/refs", files("old"));
  const main = server.commit("team/refs", files("main"));
  const topic = server.commit("team/refs", files("topic"), "team/topic");
  const repository = join(server.root, "team/refs.git");
  git(repository, "tag", "light", old);
  git(repository, "tag", "-a", "-m", "one", "v1", old);
  git(repository, "tag", "both", old);
  git(repository, "branch", "both", topic);
  git(repository, "update-ref", "refs/pull/7/head", topic);
  ids = { old, main, topic };
});

test.each([
  ["no such branch or tag", "nothing", "E_GIT_ABSENT", "has no branch or tag nothing"],
  ["part of a commit's id", "abc123f", "E_GIT_ABSENT", "its whole id"],
  ["a commit that is not there", "1".repeat(40), "E_GIT_ABSENT", `has no commit ${"1".repeat(40)}`],
  ["an option", "--upload-pack=/bin/true", "E_INPUT", "begins with a dash"],
  ["a pattern", "refs/heads/*", "E_INPUT", "holds a blank or one of"],
])("git-ref: %s is an error, and nothing else is built", async (_, ref, code, words) => {
  const told = await run({ "git-url": `${server.url}/team/refs`, "git-ref": ref });
  expect(told.code).toBe(1);
  expect(errorOf(told)).toContain(`[${code}]`);
  expect(errorOf(told)).toContain(words);
  // A commit by its id may be known without its host.
  expect(told.requests.filter((line) => !line.includes("/manifests/c1-"))).toEqual([]);
});

test("pull requests stand beside branches: what they name never pushes", async () => {
  const told = await run({
    "git-url": `${server.url}/team/refs`,
    "git-ref": "refs/pull/7/head",
    "cache-version": "pr",
  });
  expect(told.outputs, told.log).toMatchObject({ result: "built", pushed: "false" });
  const asked = { "git-url": `${server.url}/team/refs`, "git-ref": "refs/pull/7/head", push: "true" };
  expect(errorOf(await run(asked))).toContain("refs/pull/7/head is neither a branch nor a tag of");
});

test("a fork's event is a fork's, whatever repository it names", async () => {
  const repo = (full_name: string) => ({ repo: { full_name }, ref: "topic" });
  const told = await run(
    { "git-url": `${server.url}/team/refs`, "cache-version": "fork" },
    {
      event: {
        repository: { full_name: "team/app" },
        pull_request: { head: repo("else/app"), base: repo("team/app") },
      },
      env: { GITHUB_EVENT_NAME: "pull_request" },
    },
  );
  expect(told.outputs, told.log).toMatchObject({ result: "built", pushed: "false" });
});

test("the branch's alias is of the repository and branch that were cloned, and not of the job's", async () => {
  const aliases = ({ requests }: Told) =>
    requests.filter((line) => line.startsWith("PUT") && line.includes("/branch-"));
  const asked = { "git-url": `${server.url}/team/refs`, force: "true" };
  const [main, topic] = [await run(asked), await run({ ...asked, "git-ref": "team/topic" })];
  expect(aliases(main).join(), main.log).toMatch(/\/branch-main-[0-9a-f]{8}$/);
  expect(aliases(topic).join(), topic.log).toMatch(/\/branch-team-topic-[0-9a-f]{8}$/);
  const own = { GITHUB_SERVER_URL: server.url, GITHUB_REPOSITORY: "team/refs" };
  const [itself, checkout] = [await run(asked, { env: own }), await run({ force: "true" }, { env: own })];
  expect(aliases(itself)).toEqual(aliases(checkout));
  expect(aliases(itself)).not.toEqual(aliases(main));
  expect(aliases(await run({ ...asked, "git-ref": ids.old }))).toEqual([]);
});

const PAGE = { "content-type": "text/html" };
const always =
  (status: number, headers = {}, body = "") =>
  () => ({ status, headers, body });

test.each<[string, () => void, string, readonly string[]]>([
  ["404", () => server.override(always(404)), "E_GIT_ABSENT", ["There is no repository at"]],
  ["401", () => server.requireLogin({ password: "s" }), "E_GIT_AUTH", ["asks for a login", "Set git-username"]],
  ["403", () => server.override(always(403)), "E_GIT_AUTH", ["asks for a login"]],
  ["500", () => server.override(always(500)), "E_GIT", ["could not be read", "500"]],
  [
    "a page",
    () => server.override(always(200, PAGE, "<html>::error::x</html>")),
    "E_GIT",
    ["no repository, but text/html"],
  ],
  [
    "a redirect in a circle",
    () => server.override(always(301, { location: "/team/refs/info/refs" })),
    "E_GIT",
    ["301"],
  ],
])("a host that answers %s is an error that names it", async (_, arrange, code, words) => {
  arrange();
  const told = await run({ "git-url": `${server.url}/team/refs` });
  expect(told.code).toBe(1);
  expect(errorOf(told)).toContain(`[${code}]`);
  for (const word of [`${server.url}/team/refs`, "no other host, branch or older clone stands in", ...words])
    expect(errorOf(told)).toContain(word);
  expect(told.requests).toEqual([]);
  expect(leftOf(told)).toEqual([]);
});

test("a host that cannot be reached is an error, and so is a machine without git", async () => {
  const nobody = await run({ "git-url": "http://127.0.0.1:9/team/refs" });
  expect(errorOf(nobody)).toContain("[E_GIT]");
  const bare = await run({ "git-url": `${server.url}/team/refs` }, { git: false });
  expect(errorOf(bare)).toContain("there is no git on this machine");
});

test("a server's redirect is followed on itself alone, and no login goes to another origin", async () => {
  server.requireLogin({ password: "s3cret-of-git" });
  const other = await openGitServer();
  const inputs = { "git-url": `${server.url}/old/name`, "git-password": "s3cret-of-git", force: "true" };
  const to = (where: string) =>
    server.override((line) => {
      const [, path] = /^GET \/old\/name(\/info\/refs.*)$/.exec(line) ?? [];
      return path === undefined ? undefined : { status: 301, headers: { location: `${where}${path}` } };
    });
  try {
    to(`${other.url}/team/refs`);
    const away = await run(inputs);
    expect(errorOf(away)).toContain(`sends everybody on to ${other.url}/team/refs/info/refs`);
    expect(other.requests).toEqual([]);
    to(`${server.url}/team/refs`);
    expect(builtCommit(await run(inputs))).toBe(ids.main);
    const byId = await run({ ...inputs, "git-ref": ids.old });
    expect(builtCommit(byId), byId.log).toBe(ids.old);
    const bound = await run({ ...inputs, "allowed-sources": `${server.url}/old/*` });
    expect(errorOf(bound)).toContain("is not among allowed-sources");
  } finally {
    await other.close();
  }
});

test("a server of git's first protocol: a branch that moves while it is cloned is an error, and so is a commit that no ref names", async () => {
  server.speakOld();
  const inputs = { "git-url": `${server.url}/team/old`, force: "true" };
  const first = server.commit("team/old", files("first"));
  expect(builtCommit(await run(inputs))).toBe(first);
  let isMoved = false;
  server.override(() => {
    if (!isMoved && server.requests.filter((one) => one.includes("/info/refs")).length === 4) {
      isMoved = true;
      server.commit("team/old", files("second"));
    }
    return undefined;
  });
  const moved = await run(inputs);
  expect(errorOf(moved), moved.log).toContain(`has moved on from ${first}`);
  expect(errorOf(await run({ ...inputs, "git-ref": first }))).toContain(`has no commit ${first}`);
});

test("allowed-sources refuses everything else before any request", async () => {
  const inputs = {
    "git-url": `${server.url}/team/refs`,
    "allowed-sources": `${server.url}/else/*\n${server.url}/team`,
  };
  const told = await run(inputs);
  expect(errorOf(told)).toContain(`The input git-url is ${server.url}/team/refs, which is not among allowed-sources`);
  expect([...server.requests, ...told.requests]).toEqual([]);
  expect((await run({ ...inputs, "allowed-sources": `${server.url}/team/*` })).code).toBe(0);
});

test("a commit with a path that would be git's own is not laid out, and it is told what it is", async () => {
  server.commit("team/evil", files("evil"));
  const repository = join(server.root, "team/evil.git");
  const put = (text: string, ...args: readonly string[]): string =>
    execFileSync("git", ["-C", repository, ...args], { input: text, encoding: "utf8" }).trim();
  const blob = put("[core]\n\tfsmonitor = touch /tmp/ran\n", "hash-object", "-w", "--stdin");
  const tree = put(`100644 blob ${blob}\tconfig\n`, "mktree");
  const root = put(`040000 tree ${tree}\t.git\n`, "mktree");
  git(repository, "update-ref", "refs/heads/main", git(repository, "commit-tree", "-m", "evil", root));
  const told = await run({ "git-url": `${server.url}/team/evil` });
  expect(errorOf(told)).toMatch(
    /cannot be laid out.*invalid path '\.git.*take that path out.*\[E_GIT\]|cannot be laid out.*\[E_GIT\].*take that path out/,
  );
});
