import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GitServer, git } from "../fakes/git-server.ts";
import { openFakeJobCache } from "../fakes/job-cache.ts";
import { argsOf, builtCommit, errorOf, leftOf, openGitSample } from "./git-sample.ts";
import { openMachine } from "./harness.ts";

type Sample = Awaited<ReturnType<typeof openGitSample>>;

let server: GitServer;
let files: Sample["files"];
let run: Sample["run"];
let close: () => Promise<void>;
let commit: string;
let kept: string;

beforeAll(async () => {
  ({ server, files, run, close } = await openGitSample());
});
afterAll(() => close());
beforeEach(() => {
  server.reset();
  commit = server.commit("team/app", files("one"));
  kept = mkdtempSync(join(tmpdir(), "kept-"));
  return () => rmSync(kept, { recursive: true });
});

const inputs = () => ({ "git-url": `${server.url}/team/app`, "source-cache-dir": kept, force: "true" });
const packs = (): readonly string[] => readdirSync(kept).filter((name) => name.endsWith(".pack"));
/** Git's second protocol asks for refs and for objects by the same request; what is asked is in its body. */
const posts = (): number => server.requests.filter((line) => line.startsWith("POST")).length;

test("what was fetched is kept, and the next run fetches nothing", async () => {
  expect(builtCommit(await run(inputs()))).toBe(commit);
  expect(packs()).toEqual([expect.stringContaining(commit)]);
  server.reset();
  const again = await run(inputs());
  expect(builtCommit(again)).toBe(commit);
  expect(again.log).toContain("It is kept from an earlier run: nothing is cloned.");
  expect(posts()).toBe(1);
});

test("a folder that is there stays open to whom it was, and one that is made is this user's alone", async () => {
  const made = join(kept, "made");
  chmodSync(kept, 0o1777);
  await run(inputs());
  await run({ ...inputs(), "source-cache-dir": made });
  expect([kept, made].map((folder) => statSync(folder).mode & 0o7777)).toEqual([0o1777, 0o700]);
  expect(packs()).toHaveLength(1);
});

test("a newer commit of the branch takes the place of the older one", async () => {
  await run(inputs());
  const newer = server.commit("team/app", files("two"));
  expect(builtCommit(await run(inputs()))).toBe(newer);
  expect(packs()).toEqual([expect.stringContaining(newer)]);
  expect(readdirSync(kept)).toHaveLength(2);
});

test("what is half there, or holds something else, is wiped and fetched again", async () => {
  await run(inputs());
  const path = join(kept, packs()[0] ?? "");
  const good = readFileSync(path);
  truncateSync(path, good.length - 30);
  expect(builtCommit(await run(inputs()))).toBe(commit);
  expect(readFileSync(path).equals(good)).toBe(true);

  // A whole pack of another repository, as somebody may have put it there.
  const other = server.commit("evil/app", files("evil", { ".devcontainer/setup.sh": "evil\n" }));
  const evil = mkdtempSync(join(tmpdir(), "evil-"));
  await run({ ...inputs(), "git-url": `${server.url}/evil/app`, "source-cache-dir": evil });
  writeFileSync(path, readFileSync(join(evil, readdirSync(evil).find((name) => name.includes(`${other}.pack`)) ?? "")));
  const told = await run(inputs());
  expect(builtCommit(told)).toBe(commit);
  expect(told.builds[0]?.dockerfile).toContain("LABEL of=one");
  expect(readFileSync(path).equals(good)).toBe(true);
  rmSync(evil, { recursive: true });
});

test("a host that does not answer is an error, whatever is kept", async () => {
  await run(inputs());
  server.override(() => ({ status: 503 }));
  expect(errorOf(await run(inputs()))).toContain("[E_GIT]");
});

test("what a killed run has left half written goes with the next one that fetches", async () => {
  const script = 'import { openOwner } from "./src/host/owner.ts"; console.log(openOwner().self)';
  const dead = execFileSync(join("node_modules/node24-x64/bin/node"), ["--input-type=module", "-e", script], {
    encoding: "utf8",
  }).trim();
  const part = join(kept, `x.pack.part-${dead}-${"0".repeat(32)}`);
  writeFileSync(part, "half");
  await run(inputs());
  expect(existsSync(part)).toBe(false);
});

test.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)(
  "%s in the middle of a clone, and the run after it",
  async (signal) => {
    const machine = openMachine();
    server.override((line) => (line.startsWith("POST") && posts() > 1 ? "hang" : undefined));
    const stop = { signal, when: () => posts() > 1 };
    const stopped = await run(inputs(), { machine, stop });
    expect(stopped.code).not.toBe(0);
    expect(stopped.builds).toEqual([]);
    expect(packs()).toEqual([]);
    if (signal !== "SIGKILL") expect(leftOf(stopped)).toEqual([]);
    server.reset();
    const next = await run(inputs(), { machine });
    expect(builtCommit(next)).toBe(commit);
    expect(leftOf(next)).toEqual([]);
    expect(packs()).toHaveLength(1);
  },
);

/** A machine with the programs that pack and unpack what a host keeps. */
function openPackingMachine(): string {
  const machine = openMachine();
  for (const name of ["tar", "gzip", "sh"])
    symlinkSync(execFileSync("which", [name], { encoding: "utf8" }).trim(), join(machine, "bin", name));
  return machine;
}

test.each(["Forgejo", "GitHub"])(
  "where %s has a cache between jobs, an open repository is fetched once",
  async (host) => {
    const cache = await openFakeJobCache();
    const own = { GITHUB_SERVER_URL: server.url, GITHUB_API_URL: `${server.url}/api/v1` };
    const env = host === "GitHub" ? cache.second : { FORGEJO_ACTIONS: "true", ...own, ...cache.env };
    const asked = { "git-url": `${server.url}/team/app`, force: "true" };
    try {
      const first = await run(asked, { env, machine: openPackingMachine() });
      expect(builtCommit(first)).toBe(commit);
      expect(
        cache.entries.map(({ isWhole }) => isWhole),
        first.log,
      ).toEqual([true]);
      // Another machine of the same runner: RUNNER_TEMP is where it was, and empty.
      const machine = openPackingMachine();
      const where = { ...env, RUNNER_TEMP: join(machine, "temp") };
      mkdirSync(where.RUNNER_TEMP);
      await run({ ...asked, "cache-version": "seed" }, { env: where, machine });
      rmSync(where.RUNNER_TEMP, { recursive: true });
      mkdirSync(where.RUNNER_TEMP);
      server.reset();
      const again = await run(asked, { env: where, machine });
      expect(builtCommit(again)).toBe(commit);
      expect(again.log).toContain("It is kept from an earlier run: nothing is cloned.");
      expect(posts()).toBe(1);
    } finally {
      await cache.close();
    }
  },
);

test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
  ["what takes a login is not kept there", { FORGEJO_ACTIONS: "true" }, { "git-password": "s" }],
  ["one that forks' pull requests write too is not read", { GITEA_ACTIONS: "true" }, {}],
  ["act's is of the same kind", { ACT: "true" }, {}],
])("the host's cache between jobs: %s", async (_, host, more) => {
  const cache = await openFakeJobCache();
  try {
    const env = { ...host, ...cache.env };
    const asked = { "git-url": `${server.url}/team/app`, force: "true", ...more };
    expect(builtCommit(await run(asked, { env, machine: openPackingMachine() }))).toBe(commit);
    expect(cache.requests).toEqual([]);
  } finally {
    await cache.close();
  }
});

test("a cache service that is out of order is no failure, and neither is none", async () => {
  const env = { FORGEJO_ACTIONS: "true", ACTIONS_CACHE_URL: "http://127.0.0.1:9/", ACTIONS_RUNTIME_TOKEN: "runtime" };
  const asked = { "git-url": `${server.url}/team/app`, force: "true" };
  expect(builtCommit(await run(asked, { env, machine: openPackingMachine() }))).toBe(commit);
  const none = await run(asked, { env: { FORGEJO_ACTIONS: "true" } });
  expect(none.log).not.toMatch(/cache service|::warning/i);
});

test("all of a repository in the context: it has no .git, and the next clone is a hit", async () => {
  server.commit("team/all", {
    ...files("all"),
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
    ".devcontainer/Dockerfile": (files("all")[".devcontainer/Dockerfile"] as string).replace(/COPY.*/, "COPY . /all/"),
  });
  const all = { "git-url": `${server.url}/team/all` };
  const built = await run(all);
  expect(built.builds[0]?.context, built.log).toContain(".devcontainer/setup.sh");
  expect(built.builds[0]?.context.filter((path) => path.includes(".git"))).toEqual([]);
  expect((await run(all)).outputs).toMatchObject({ result: "hit", digest: built.outputs.digest });
});

test("release: auto finds the tag at the commit; the whole history has the tag before it", async () => {
  const repository = join(server.root, "team/app.git");
  git(repository, "tag", "v1.2.3", commit);
  const asked = { "git-url": `${server.url}/team/app`, force: "true" };
  const released = await run({ ...asked, release: "auto" });
  expect(released.requests.filter((line) => line.startsWith("PUT")).join("\n"), released.log).toContain("/v1.2.3");
  const named = await run({ ...asked, "git-ref": "v1.2.3", release: "auto" });
  expect(named.requests.filter((line) => line.startsWith("PUT")).join("\n"), named.log).toContain("/v1.2.3");

  server.commit("team/app", files("go", { ".devcontainer/Dockerfile": goDockerfile() }));
  const shallow = await run(asked);
  expect(argsOf(shallow)).toMatch(/GOPKGVERSION=v0\.0\.0-/);
  expect(argsOf(await run({ ...asked, "git-clone-depth": "0" }))).toMatch(/GOPKGVERSION=v1\.2\.4-0\./);
  expect((await run({ ...asked, release: "auto" })).log).toContain("Nothing is released");
});

function goDockerfile(): string {
  return (files("go")[".devcontainer/Dockerfile"] as string).replace("ARG REVISION", "ARG GOPKGVERSION");
}
