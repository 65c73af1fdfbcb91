import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GitServer, git, openGitServer } from "../fakes/git-server.ts";
import { builtCommit, errorOf, leftOf, openGitSample } from "./git-sample.ts";
import { openMachine, type Told } from "./harness.ts";

type Sample = Awaited<ReturnType<typeof openGitSample>>;

const SECRET = "canary-91c2/%2b'$(x)";
const CONTENT = `large ${"x".repeat(2000)}\n`;
const OID = createHash("sha256").update(CONTENT).digest("hex");
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize ${CONTENT.length}\n`;
const ATTRIBUTES = "*.bin filter=lfs diff=lfs merge=lfs -text\n";

let server: GitServer;
/** Where objects are handed out, as forges let others do. */
let store: GitServer;
let files: Sample["files"];
let run: Sample["run"];
let close: () => Promise<void>;

beforeAll(async () => {
  ({ server, files, run, close } = await openGitSample());
  store = await openGitServer();
});
afterAll(async () => {
  await store.close();
  await close();
});
beforeEach(() => {
  server.reset();
  store.reset();
});

/** The machine has git-lfs too: its own, or one that was unpacked. */
function openLfsMachine(): string {
  const machine = openMachine();
  const program = execFileSync("bash", ["scripts/git-lfs.sh"], { encoding: "utf8" }).trim();
  symlinkSync(program, join(machine, "bin/git-lfs"));
  // git starts what it is told to filter with by a shell.
  symlinkSync("/bin/sh", join(machine, "bin/sh"));
  return machine;
}

/** https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
function serveObjects(content = CONTENT, { status = 200, oid = OID } = {}): void {
  const headers = { "content-type": "application/vnd.git-lfs+json" };
  const actions = { download: { href: `${store.url}/objects/${oid}` } };
  const body = { transfer: "basic", objects: [{ oid, size: content.length, authenticated: true, actions }] };
  server.override((line, asked) => {
    if (!line.startsWith("POST /team/") || !line.endsWith("/info/lfs/objects/batch")) return undefined;
    if (asked.headers.authorization === undefined)
      return { status: 401, headers: { "lfs-authenticate": 'Basic realm="Gitea"' }, body: "{}" };
    return { status, headers, body: JSON.stringify(body) };
  });
  store.override((line) => (line.startsWith("GET /objects/") ? { status: 200, body: content } : undefined));
}

const everything = (label: string, more: Readonly<Record<string, string>>) => ({
  ...files(label),
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
  ".devcontainer/Dockerfile": (files(label)[".devcontainer/Dockerfile"] as string).replace(/COPY.*/, "COPY a.bin /"),
  ".gitattributes": ATTRIBUTES,
  ...more,
});

const keyOf = ({ outputs, log }: Told): string => {
  expect(outputs.key, log).toMatch(/^sha256:/);
  return outputs.key ?? "";
};

test("pointers stay where nobody asks for the files, and a build that takes one is told so", async () => {
  server.commit("team/app", everything("app", { "a.bin": POINTER }));
  const told = await run({ "git-url": `${server.url}/team/app` });
  expect(told.log).toMatch(
    /^::warning::The build takes pointers of Git LFS in the place of files: a\.bin\. Set git-lfs to true/m,
  );
  expect(told.outputs.result).toBe("built");
  server.commit("team/other", everything("other", { "a.bin": "no pointer\n", "b.bin": POINTER }));
  const other = await run({ "git-url": `${server.url}/team/other` });
  expect(other.log).not.toContain("Git LFS");
  const below = { "a.bin/.gitattributes": "*.png filter=lfs\n", "a.bin/b.png": POINTER, ".gitattributes": "" };
  server.commit("team/below", everything("below", below));
  expect((await run({ "git-url": `${server.url}/team/below` })).log).toMatch(/^::warning::.*files: a\.bin\/b\.png\./m);
});

test.each([
  [".devcontainer/Dockerfile", "E_DOCKERFILE"],
  [".devcontainer/devcontainer.json", "E_CONFIG"],
])("a pointer in the place of %s is an error", async (path, code) => {
  server.commit(
    "team/read",
    everything("read", { "a.bin": "a", [path]: POINTER, ".gitattributes": `${path} filter=lfs\n` }),
  );
  const told = await run({ "git-url": `${server.url}/team/read` });
  expect(errorOf(told)).toContain(`${path} is a pointer of Git LFS`);
  expect(errorOf(told)).toContain(`[${code}]`);
  expect(errorOf(told)).toContain("Set git-lfs to true");
  server.commit("team/read", everything("read", { "a.bin": "a", ".gitattributes": "" }));
});

test("with git-lfs the files are there, by git's login, which goes to git's host alone", async () => {
  const commit = server.commit("team/private", everything("private", { "a.bin": POINTER }));
  const plain = server.commit("team/plain", everything("private", { "a.bin": CONTENT, ".gitattributes": "" }));
  server.requireLogin({ password: SECRET });
  serveObjects();
  const login = { "git-password": SECRET };
  const machine = openLfsMachine();
  const told = await run({ "git-url": `${server.url}/team/private`, "git-lfs": "true", ...login }, { machine });
  expect(builtCommit(told), told.log).toBe(commit);
  expect(told.log).not.toContain("::warning::");
  expect(leftOf(told)).toEqual([]);
  expect(server.requests).toContain(`POST /team/private.git/info/lfs/objects/batch as x-access-token:${SECRET}`);
  expect(store.requests).toEqual([`GET /objects/${OID}`]);
  for (const text of [
    told.log.replace(/^::add-mask::.*$/gm, ""),
    JSON.stringify(told.outputs),
    ...server.spied,
    ...store.spied,
  ])
    for (const secret of [SECRET, Buffer.from(`x-access-token:${SECRET}`).toString("base64")])
      expect(text).not.toContain(secret);
  // The key knows the content, and not where it was kept.
  expect(plain).not.toBe(commit);
  const same = await run({ "git-url": `${server.url}/team/plain`, ...login });
  expect(keyOf(same)).toBe(keyOf(told));
  expect(same.outputs.result).toBe("hit");
});

test.each<[string, () => void, string]>([
  ["which the server refuses", () => serveObjects(CONTENT, { status: 403 }), "cannot be laid out"],
  ["whose content is another one", () => serveObjects(CONTENT.replace("large", "LARGE")), "cannot be laid out"],
  ["which nobody has", () => {}, "cannot be laid out"],
])("a file %s is an error, and nothing is built", async (_, arrange, words) => {
  server.commit("team/broken", everything("broken", { "a.bin": POINTER }));
  arrange();
  const machine = openLfsMachine();
  const told = await run(
    { "git-url": `${server.url}/team/broken`, "git-lfs": "true", "git-password": "s" },
    { machine },
  );
  expect(errorOf(told)).toContain(words);
  expect(errorOf(told)).toContain("[E_GIT]");
  expect(told.builds).toEqual([]);
  expect(leftOf(told)).toEqual([]);
});

test("a repository's .lfsconfig sends nobody elsewhere, and leaves nothing out", async () => {
  const lfsconfig = `[lfs]\n\turl = ${store.url}/evil/lfs\n\tfetchexclude = *\n\tskipdownloaderrors = true\n\tcustomtransfer = x\n[remote "origin"]\n\tlfsurl = ${store.url}/evil/lfs\n`;
  const commit = server.commit("team/sent", everything("sent", { "a.bin": POINTER, ".lfsconfig": lfsconfig }));
  serveObjects();
  const asked = { "git-url": `${server.url}/team/sent`, "git-lfs": "true", "git-password": SECRET };
  const told = await run(asked, { machine: openLfsMachine() });
  expect(builtCommit(told), told.log).toBe(commit);
  expect(store.requests).toEqual([`GET /objects/${OID}`]);
});

test("a machine without git-lfs is an error before anybody is asked", async () => {
  const told = await run({ "git-url": `${server.url}/team/app`, "git-lfs": "true" });
  expect(errorOf(told)).toMatch(/git-lfs is true, and there is no git-lfs on this machine.*\[E_INPUT\]/);
  expect([...server.requests, ...told.requests]).toEqual([]);
});

test("SIGKILL while a file is fetched, and the run after it", async () => {
  const commit = server.commit("team/killed", everything("killed", { "a.bin": POINTER }));
  serveObjects();
  const machine = openLfsMachine();
  const asked = { "git-url": `${server.url}/team/killed`, "git-lfs": "true", "git-password": SECRET };
  store.override(() => "hang");
  const killed = await run(asked, { machine, stop: { signal: "SIGKILL", when: () => store.requests.length > 0 } });
  expect(killed.builds).toEqual([]);
  store.reset();
  serveObjects();
  const next = await run(asked, { machine });
  expect(builtCommit(next), next.log).toBe(commit);
  expect(leftOf(next)).toEqual([]);
});

test("a clone that takes more of the disk than it may is ended: received, or laid out", async () => {
  const noise = randomBytes(3 * 1024 * 1024).toString("latin1");
  server.commit("team/large", { ...files("large"), "noise.txt": noise });
  const large = await run({ "git-url": `${server.url}/team/large`, "git-clone-max-size": "1" });
  const said = `The clone of ${server.url}/team/large takes more than the 1 MiB that git-clone-max-size allows`;
  expect(errorOf(large)).toContain(said);
  expect(errorOf(large)).toContain("[E_LIMIT]");
  expect(leftOf(large)).toEqual([]);
  server.commit("team/zeros", { ...files("zeros"), "zeros.txt": "\0".repeat(3 * 1024 * 1024) });
  const zeros = { "git-url": `${server.url}/team/zeros`, "git-clone-max-size": "1" };
  expect(errorOf(await run(zeros))).toContain("takes more than the 1 MiB");
  expect((await run({ ...zeros, "git-clone-max-size": "8" })).outputs.result).toBe("built");
  expect(errorOf(await run({ ...zeros, "git-clone-max-size": "0" }))).toContain("Allowed: a number of MiB");
});

test("what LFS fetches counts as well: as it is received, and where it is laid out", async () => {
  const content = "x".repeat(3 * 1024 * 1024);
  const oid = createHash("sha256").update(content).digest("hex");
  const pointer = POINTER.replace(OID, oid).replace(/size \d+/, `size ${content.length}`);
  server.commit("team/heavy", everything("heavy", { "a.bin": pointer }));
  serveObjects(content, { oid });
  const asked = { "git-url": `${server.url}/team/heavy`, "git-lfs": "true", "git-password": SECRET };
  const machine = openLfsMachine();
  const told = await run({ ...asked, "git-clone-max-size": "5" }, { machine });
  expect(errorOf(told)).toMatch(/takes more than the 5 MiB that git-clone-max-size allows.*\[E_LIMIT\]/);
  expect(errorOf(told)).toContain("leave submodules or LFS files out");
  expect(told.builds).toEqual([]);
  expect((await run({ ...asked, "git-clone-max-size": "8" }, { machine })).outputs.result).toBe("built");
});

test("a file that many pointers name counts as often as it is laid out", async () => {
  const content = "x".repeat(1024 * 1024);
  const oid = createHash("sha256").update(content).digest("hex");
  const pointer = POINTER.replace(OID, oid).replace(/size \d+/, `size ${content.length}`);
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`${at}.bin`, pointer]));
  server.commit("team/many", everything("many", { ...many, "a.bin": pointer }));
  serveObjects(content, { oid });
  const asked = { "git-url": `${server.url}/team/many`, "git-lfs": "true", "git-password": SECRET };
  const machine = openLfsMachine();
  const told = await run({ ...asked, "git-clone-max-size": "8" }, { machine });
  expect(errorOf(told)).toMatch(/takes more than the 8 MiB that git-clone-max-size allows.*\[E_LIMIT\]/);
  expect((await run({ ...asked, "git-clone-max-size": "20" }, { machine })).outputs.result).toBe("built");
});

test("a small commit that names one folder ten times in ten, and so on, is not laid out", async () => {
  server.commit("team/bomb", files("bomb"));
  const repository = join(server.root, "team/bomb.git");
  const put = (input: string, ...args: readonly string[]): string =>
    execFileSync("git", ["-C", repository, ...args], { input, encoding: "utf8" }).trim();
  const times = (entry: string): string => Array.from({ length: 10 }, (_, at) => `${entry}\tname${at}\n`).join("");
  let tree = put(times(`100644 blob ${put("x", "hash-object", "-w", "--stdin")}`), "mktree");
  for (let deep = 0; deep < 8; deep++) tree = put(times(`040000 tree ${tree}`), "mktree");
  git(repository, "update-ref", "refs/heads/main", git(repository, "commit-tree", "-m", "bomb", tree));
  const told = await run({ "git-url": `${server.url}/team/bomb` });
  expect(errorOf(told)).toMatch(/holds more files than are laid out.*\[E_LIMIT\]/);
  expect(leftOf(told)).toEqual([]);
});
