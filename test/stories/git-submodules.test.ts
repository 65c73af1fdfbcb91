import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GitServer, git, openGitServer } from "../fakes/git-server.ts";
import { builtCommit, errorOf, leftOf, openGitSample } from "./git-sample.ts";
import { openMachine, type Told } from "./harness.ts";

type Sample = Awaited<ReturnType<typeof openGitSample>>;

const SECRET = "canary-5e1d/%2b'$(x)";

let server: GitServer;
let other: GitServer;
let files: Sample["files"];
let run: Sample["run"];
let close: () => Promise<void>;
/** What all of the submodules here are. */
let part: string;
let far: string;

beforeAll(async () => {
  ({ server, files, run, close } = await openGitSample());
  other = await openGitServer();
  part = server.commit("team/part", { "part.txt": "part\n" });
  far = other.commit("else/far", { "far.txt": "far\n" });
});
afterAll(async () => {
  await other.close();
  await close();
});
beforeEach(() => {
  server.reset();
  other.reset();
});

/** An image of all that is in the repository. */
const everything = (label: string) => ({
  ...files(label),
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
  ".devcontainer/Dockerfile": (files(label)[".devcontainer/Dockerfile"] as string).replace(/COPY.*/, "COPY . /all/"),
});

type Module = { readonly path: string; readonly url: string; readonly commit?: string; readonly name?: string };

const plumb = (repository: string, input: string, ...args: readonly string[]): string =>
  execFileSync("git", ["-C", repository, ...args], { input, encoding: "utf8" }).trim();

/** Commits submodules as no `git submodule add` would: what is written is not looked at. @returns the commit. */
function addModules(path: string, modules: readonly Module[], more = ""): string {
  const repository = join(server.root, `${path}.git`);
  const text = modules.map(({ path: at, url, name = at }) => `[submodule "${name}"]\n\tpath = ${at}\n\turl = ${url}\n`);
  const blob = plumb(repository, text.join("") + more, "hash-object", "-w", "--stdin");
  git(repository, "read-tree", "main");
  git(repository, "update-index", "--add", "--cacheinfo", `100644,${blob},.gitmodules`);
  for (const { path: at, commit = part } of modules)
    git(repository, "update-index", "--add", "--cacheinfo", `160000,${commit},${at}`);
  const commit = git(repository, "commit-tree", "-p", "main", "-m", "modules", git(repository, "write-tree"));
  git(repository, "update-ref", "refs/heads/main", commit);
  return commit;
}

let count = 0;

/** A new repository of that kind. */
function repositoryWith(
  modules: readonly Module[],
  more = "",
): { readonly "git-url": string; readonly commit: string } {
  count += 1;
  const path = `team/app${count}`;
  server.commit(path, everything(`app${count}`));
  return { "git-url": `${server.url}/${path}`, commit: addModules(path, modules, more) };
}

const contextOf = ({ builds, log }: Told): readonly string[] => {
  expect(builds, log).toHaveLength(1);
  return builds[0]?.context.filter((path) => !path.startsWith(".devcontainer") && path !== ".gitmodules") ?? [];
};

test("submodules are left out where nobody asks for them, and with true they are there", async () => {
  const { commit, ...inputs } = repositoryWith([{ path: "libs/part", url: "../part" }]);
  const without = await run(inputs);
  expect(without.log).toMatch(
    /^::warning::The repository has submodules.*\(libs\/part\)\. git-submodules fetches them/m,
  );
  expect(contextOf(without)).not.toContain("libs/part/part.txt");
  for (const none of ["", "false"])
    expect((await run({ ...inputs, "git-submodules": none })).outputs.result).toBe("hit");
  const told = await run({ ...inputs, "git-submodules": "true" });
  expect(contextOf(told)).toContain("libs/part/part.txt");
  expect(contextOf(told).filter((path) => path.includes(".git"))).toEqual([]);
  expect(builtCommit(told)).toBe(commit);
  expect(told.log).not.toContain("::warning::");
  expect(leftOf(told)).toEqual([]);
  // It is remembered of this commit for these inputs, and for no others.
  server.reset();
  const known = await run({ ...inputs, "git-submodules": "true" });
  expect(known.log).toMatch(/^Hit: .*; nothing is cloned\.$/m);
  expect(known.outputs).toMatchObject({ result: "hit", digest: told.outputs.digest });
});

test("those of submodules: told with true, fetched with recursive", async () => {
  const middle = server.commit("team/middle", { "middle.txt": "middle\n" });
  const inner = addModules("team/middle", [{ path: "inner", url: "../part.git" }]);
  expect(inner).not.toBe(middle);
  const { commit, ...inputs } = repositoryWith([{ path: "middle", url: `${server.url}/team/middle`, commit: inner }]);
  const first = await run({ ...inputs, "git-submodules": "true" });
  expect(contextOf(first)).toContain("middle/middle.txt");
  expect(contextOf(first)).not.toContain("middle/inner/part.txt");
  expect(first.log).toMatch(
    /^::warning::Submodules have submodules themselves.*\(middle\)\. git-submodules: recursive/m,
  );
  const all = await run({ ...inputs, "git-submodules": "recursive" });
  expect(contextOf(all)).toEqual(expect.arrayContaining(["middle/middle.txt", "middle/inner/part.txt"]));
  expect(builtCommit(all)).toBe(commit);
});

test("what .gitmodules has git leave out is left out, and what it does not name is an error", async () => {
  const away = repositoryWith([{ path: "away", url: "../gone" }], '[submodule "away"]\n\tupdate = none\n');
  const told = await run({ "git-url": away["git-url"], "git-submodules": "true" });
  expect(told.log).toContain("The submodule away is left out");
  expect(told.outputs.result).toBe("built");
  const { "git-url": url } = repositoryWith([{ path: "away", url: "../gone" }]);
  const gone = await run({ "git-url": url, "git-submodules": "true" });
  expect(errorOf(gone)).toMatch(/The submodule away: There is no repository at .*\/team\/gone.*\[E_GIT_ABSENT\]/);
  expect(gone.builds).toEqual([]);
  expect(leftOf(gone)).toEqual([]);
  const unnamed = repositoryWith([{ path: "part", url: "../part" }]);
  const path = new URL(unnamed["git-url"]).pathname.slice(1);
  server.commit(path, { ".gitmodules": "" });
  const nameless = await run({ "git-url": unnamed["git-url"], "git-submodules": "true" });
  expect(errorOf(nameless)).toMatch(/The submodule part: .*\.gitmodules says nothing of it.*\[E_GIT\]/);
});

test("the login of git-url goes to its own host, and to no other", async () => {
  const { commit, ...inputs } = repositoryWith([
    { path: "near", url: "../part" },
    { path: "far", url: `${other.url}/else/far`, commit: far },
  ]);
  server.requireLogin({ password: SECRET });
  const asked = { ...inputs, "git-password": SECRET, "git-submodules": "true", insecure: other.host };
  const told = await run(asked);
  expect(contextOf(told), told.log).toEqual(expect.arrayContaining(["near/part.txt", "far/far.txt"]));
  expect(builtCommit(told)).toBe(commit);
  expect(server.requests.some((line) => line.includes("/team/part") && line.includes(" as "))).toBe(true);
  expect(other.requests.length).toBeGreaterThan(0);
  expect(other.requests.filter((line) => line.includes(" as "))).toEqual([]);
  for (const text of [told.log.replace(/^::add-mask::.*$/gm, ""), JSON.stringify(told.outputs), ...server.spied])
    for (const secret of [SECRET, Buffer.from(`x-access-token:${SECRET}`).toString("base64")])
      expect(text).not.toContain(secret);
  other.requireLogin({ password: SECRET });
  const refused = await run({ ...asked, force: "true" });
  expect(errorOf(refused)).toContain(`The submodule far: ${other.url}/else/far asks for a login`);
  expect(errorOf(refused)).toContain(`the login of git-url goes to ${server.host} alone`);
  expect(errorOf(refused)).toContain("[E_GIT_AUTH]");
  expect(other.requests.filter((line) => line.includes(" as "))).toEqual([]);
});

test("a fork's code names submodules, and gets none by the login of git-url", async () => {
  server.requireLogin({ password: SECRET });
  const { commit: _, ...inputs } = repositoryWith([{ path: "part", url: "../part" }]);
  const repo = (full_name: string) => ({ repo: { full_name }, ref: "topic" });
  const told = await run(
    { ...inputs, "git-password": SECRET, "git-submodules": "true" },
    {
      event: {
        repository: { full_name: "team/app" },
        pull_request: { head: repo("else/app"), base: repo("team/app") },
      },
      env: { GITHUB_EVENT_NAME: "pull_request" },
    },
  );
  expect(errorOf(told)).toMatch(
    /The submodule part: .*asks for a login.*a fork's code names what it likes.*\[E_GIT_AUTH\]/,
  );
  expect(server.requests.filter((line) => line.includes("/team/part") && line.includes(" as "))).toEqual([]);
  expect(told.builds).toEqual([]);
});

test("an address for people with a key is asked as git-url is, on the same host", async () => {
  server.requireLogin({ password: SECRET });
  const { commit, ...inputs } = repositoryWith([{ path: "part", url: "git@127.0.0.1:team/part.git" }]);
  const told = await run({ ...inputs, "git-password": SECRET, "git-submodules": "true" });
  expect(contextOf(told)).toContain("part/part.txt");
  expect(builtCommit(told)).toBe(commit);
});

/** More of them in test/git/submodules.test.ts. */
const REFUSED: readonly (readonly [what: string, module: Partial<Module>, words: RegExp])[] = [
  ["a file", { url: "file:///etc" }, /file:\/\/ is not spoken.*\[E_GIT\]/],
  ["a program of git's", { url: "ext::touch" }, /names a program of git's.*\[E_GIT\]/],
  ["an option", { url: "--upload-pack=touch" }, /begins with a dash.*\[E_GIT\]/],
  ["a login in it", { url: "http://me:word-canary@127.0.0.1/a/b" }, /it holds a login.*\[E_GIT\]/],
  [
    "another host by ssh",
    { url: "git@elsewhere.test:a/b" },
    /by ssh, which wants a key, and the login of git-url goes to .*\[E_GIT\]/,
  ],
  ["a service of the machine", { url: "http://127.0.0.1:9/a/b" }, /is plain http.*\[E_GIT\]/],
  ["a name that leads elsewhere", { name: "../../hooks", url: "../part" }, /its name in \.gitmodules.*\[E_GIT\]/],
];

test.each(REFUSED)("a submodule with %s is refused before anybody is asked", async (_, module, words) => {
  const { commit: __, ...inputs } = repositoryWith([{ path: "part", url: "../part", ...module }]);
  const told = await run({ ...inputs, "git-submodules": "recursive" });
  expect(errorOf(told)).toMatch(/The submodule part: /);
  expect(errorOf(told)).toMatch(words);
  expect(told.log).not.toContain("word-canary");
  expect(told.builds).toEqual([]);
  expect(server.requests.filter((line) => line.includes("/team/part"))).toEqual([]);
  expect(leftOf(told)).toEqual([]);
});

test("allowed-sources counts for each of them, and so does a commit that nobody has", async () => {
  const { commit: _, ...inputs } = repositoryWith([{ path: "part", url: "../part" }]);
  const bound = { ...inputs, "git-submodules": "true", "allowed-sources": inputs["git-url"] };
  const told = await run(bound);
  expect(errorOf(told)).toMatch(/The submodule part: .*\/team\/part is not among allowed-sources.*\[E_INPUT\]/);
  expect(server.requests.filter((line) => line.includes("/team/part"))).toEqual([]);
  const allowed = await run({ ...bound, "allowed-sources": `${server.url}/team/*` });
  expect(contextOf(allowed)).toContain("part/part.txt");
  const absent = repositoryWith([{ path: "part", url: "../part", commit: "1".repeat(40) }]);
  const nobody = await run({ "git-url": absent["git-url"], "git-submodules": "true" });
  expect(errorOf(nobody)).toMatch(/The submodule part: .* has no commit 1{40}.*\[E_GIT_ABSENT\]/);
});

/** What no git would put into a tree, with the link that it leads out by. */
type Evil = (ids: { readonly link: string; readonly blob: string; readonly repository: string }) => readonly string[];
const named = (repository: string, path: string): string =>
  plumb(repository, `[submodule "a"]\n\tpath = ${path}\n\turl = ../part\n`, "hash-object", "-w", "--stdin");
const treeOf = (repository: string, entry: string): string => plumb(repository, `${entry}\n`, "mktree", "--missing");

test.each<[string, RegExp, Evil]>([
  [
    // Git has the folder take the link's place.
    "a link where a submodule's folder lies",
    /^Submodule a\/b: /m,
    ({ link, repository }) => [
      `100644 blob ${named(repository, "a/b")}\t.gitmodules`,
      `120000 blob ${link}\ta`,
      `040000 tree ${treeOf(repository, `160000 commit ${part}\tb`)}\ta`,
    ],
  ],
  [
    "files where a submodule is",
    /^::error::The submodule a: its place in the repository is no empty folder.*\[E_GIT\]/m,
    ({ blob, repository }) => [
      `100644 blob ${named(repository, "a")}\t.gitmodules`,
      `160000 commit ${part}\ta`,
      `040000 tree ${treeOf(repository, `100644 blob ${blob}\tf`)}\ta`,
    ],
  ],
  [
    "a link in the place of .gitmodules",
    /^::error::.* cannot be laid out.* invalid path '\.gitmodules' \[E_GIT\]/m,
    ({ link }) => [`120000 blob ${link}\t.gitmodules`, `160000 commit ${part}\ta`],
  ],
])("a tree with %s: nothing is written through it", async (_, said, evil) => {
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  const { "git-url": url } = repositoryWith([{ path: "part", url: "../part" }]);
  const repository = join(server.root, `${new URL(url).pathname.slice(1)}.git`);
  const link = plumb(repository, outside, "hash-object", "-w", "--stdin");
  const entries = [
    `040000 tree ${git(repository, "rev-parse", "main:.devcontainer")}\t.devcontainer`,
    ...evil({ link, blob: link, repository }),
  ];
  const tree = plumb(repository, entries.map((line) => `${line}\n`).join(""), "mktree", "--missing");
  git(repository, "update-ref", "refs/heads/main", git(repository, "commit-tree", "-m", "evil", tree));
  const told = await run({ "git-url": url, "git-submodules": "true" });
  expect(told.log.replaceAll("%0A", " ")).toMatch(said);
  expect(readdirSync(outside)).toEqual([]);
  rmSync(outside, { recursive: true });
});

test("submodules are bounded in number", async () => {
  const many = Array.from({ length: 101 }, (_, at) => ({ path: `p${at}`, url: "../part" }));
  const { commit: _, ...inputs } = repositoryWith(many);
  const told = await run({ ...inputs, "git-submodules": "true" });
  expect(errorOf(told)).toMatch(/has more submodules than are fetched: 100 in all.*\[E_LIMIT\]/);
  expect(server.requests.filter((line) => line.includes("/team/part"))).toEqual([]);
});

test("each is kept for later runs, and what SIGKILL leaves in the middle of one harms nobody", async () => {
  const kept = mkdtempSync(join(tmpdir(), "kept-"));
  const machine = openMachine();
  const older = part;
  part = server.commit("team/part", { "part.txt": "newer\n" });
  const { commit, ...inputs } = repositoryWith([
    { path: "one", url: "../part", commit: older },
    { path: "two", url: "../part" },
  ]);
  const asked = { ...inputs, "git-submodules": "true", "source-cache-dir": kept, force: "true" };
  const fetching = (): boolean => server.requests.some((line) => line.startsWith("POST /team/part"));
  server.override((line) => (line.startsWith("POST /team/part") ? "hang" : undefined));
  const killed = await run(asked, { machine, stop: { signal: "SIGKILL", when: fetching } });
  expect(killed.builds).toEqual([]);
  server.reset();
  const next = await run(asked, { machine });
  expect(builtCommit(next), next.log).toBe(commit);
  expect(contextOf(next)).toEqual(expect.arrayContaining(["one/part.txt", "two/part.txt"]));
  expect(leftOf(next)).toEqual([]);
  expect(readdirSync(kept).filter((name) => name.endsWith(".pack"))).toHaveLength(3);
  server.reset();
  const again = await run(asked, { machine });
  expect(contextOf(again)).toEqual(contextOf(next));
  expect(server.requests.filter((line) => line.includes("/team/part"))).toEqual([]);
  rmSync(kept, { recursive: true });
});

test("without git-url they are the checkout's to fetch", async () => {
  expect(errorOf(await run({ "git-submodules": "true" }))).toMatch(
    /git-submodules is set and git-url is not.*\[E_INPUT\]/,
  );
  expect(errorOf(await run({ "git-lfs": "true" }))).toMatch(/git-lfs is set and git-url is not.*\[E_INPUT\]/);
  const wrong = await run({ "git-url": `${server.url}/team/part`, "git-submodules": "all" });
  expect(errorOf(wrong)).toContain("Allowed: false, true, recursive.");
});

test("what is known of a commit is known for the sources that were allowed", async () => {
  const { commit, ...inputs } = repositoryWith([{ path: "far", url: `${other.url}/else/far`, commit: far }]);
  const all = { ...inputs, "git-submodules": "true", "git-ref": commit, insecure: `${server.host}\n${other.host}` };
  expect((await run(all)).outputs.result).toBe("built");
  const bound = await run({ ...all, "allowed-sources": `${server.url}/**` });
  expect(errorOf(bound)).toMatch(/The submodule far: .*\/else\/far is not among allowed-sources.*\[E_INPUT\]/);
});

test("of two that have one path the later counts, as for git; a commit that nobody pushed is told with what to do", async () => {
  const { commit, ...inputs } = repositoryWith(
    [{ path: "part", url: "../gone" }],
    '[submodule "b"]\n\tpath = part\n\turl = ../part\n',
  );
  const told = await run({ ...inputs, "git-submodules": "true" });
  expect(contextOf(told)).toContain("part/part.txt");
  expect(builtCommit(told)).toBe(commit);
  const { commit: _, ...lost } = repositoryWith([{ path: "part", url: "../part", commit: "1".repeat(40) }]);
  expect(errorOf(await run({ ...lost, "git-submodules": "true" }))).toMatch(
    /The submodule part: .*\/team\/part has no commit 1{40}.*\[E_GIT_ABSENT\] Push that commit there/,
  );
});

test("pointers of Git LFS in a submodule are warned of like those of the repository", async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 3\n`;
  const kept = server.commit("team/kept", { "a.bin": pointer, ".gitattributes": "*.bin filter=lfs\n" });
  const { commit: _, ...inputs } = repositoryWith([{ path: "kept", url: "../kept", commit: kept }]);
  expect((await run({ ...inputs, "git-submodules": "true" })).log).toMatch(
    /^::warning::The build takes pointers of Git LFS in the place of files: kept\/a\.bin\./m,
  );
});
