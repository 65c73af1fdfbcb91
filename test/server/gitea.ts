import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runScript } from "../e2e/script.ts";
import { git } from "../fakes/git-server.ts";

// A real Gitea on this machine, with all its data in one temporary folder.

export type Answer = { readonly status: number; readonly text: string; readonly json: unknown };

export type Gitea = Awaited<ReturnType<typeof openGitea>>;

/** Whose password is the user's own name, doubled until it is long enough. */
const passwordOf = (user: string): string => `${user}-${user}-password`;

const settings = (folder: string, data: string, port: number): string => `RUN_MODE = prod
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
RUN_USER = ${process.env.USER ?? "root"}
WORK_PATH = ${data}
[database]
DB_TYPE = sqlite3
[server]
STATIC_ROOT_PATH = ${folder}
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = http://127.0.0.1:${port}/
DISABLE_SSH = true
OFFLINE_MODE = true
[security]
INSTALL_LOCK = true
SECRET_KEY = of-a-test
PASSWORD_COMPLEXITY = off
[service]
DEFAULT_KEEP_EMAIL_PRIVATE = true
[repository]
ENABLE_PUSH_CREATE_USER = true
ENABLE_PUSH_CREATE_ORG = true
DEFAULT_PRIVATE = public
DEFAULT_PUSH_CREATE_PRIVATE = false
[actions]
ENABLED = true
DEFAULT_ACTIONS_URL = self
[indexer]
ISSUE_INDEXER_TYPE = db
[log]
MODE = file
ROOT_PATH = ${join(data, "log")}
LEVEL = Info
ACCESS_LOG_TEMPLATE = {{.Identity}} {{.Ctx.Req.Method}} {{.Ctx.Req.URL.RequestURI}} {{.ResponseWriter.Status}}
logger.access.MODE = access
[log.access]
MODE = file
FLAGS = none
FILE_NAME = access.log
`;

/** Starts the server, with the administrator `boss`. `close` ends it, and all that it knew is gone. */
export async function openGitea() {
  const [folder = ""] = await runScript("scripts/gitea.sh");
  const data = mkdtempSync(join(tmpdir(), "gitea-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(data, "app.ini");
  writeFileSync(config, settings(folder, data, port));
  const env = { PATH: process.env.PATH, HOME: data, USER: process.env.USER ?? "root", GITEA_WORK_DIR: data };
  const server = spawn(join(folder, "gitea"), ["web", "--config", config], { env, stdio: "ignore" });
  const command = (...args: readonly string[]): string =>
    execFileSync(join(folder, "gitea"), ["--config", config, ...args], { env, encoding: "utf8" });

  /** Asks for a path, as nobody, as a user by the password, or by another login. */
  const ask = async (method: string, path: string, asked: Asked = {}): Promise<Answer> => {
    const { as, basic = as && `${as}:${passwordOf(as)}`, body } = asked;
    const answer = await fetch(`${url}${path}`, {
      method,
      redirect: "manual",
      headers: { ...(basic ? { authorization: `Basic ${btoa(basic)}` } : {}), "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, json: parse(text) };
  };
  /** The same of the API, which has to succeed. */
  const api = async (method: string, path: string, asked: Asked = { as: "boss" }): Promise<unknown> => {
    const { status, text, json } = await ask(method, `/api/v1${path}`, asked);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return json;
  };
  await poll(async () => (await fetch(`${url}/api/healthz`)).ok);
  command(
    ...["admin", "user", "create", "--admin", "--username", "boss", "--password", passwordOf("boss")],
    ...["--email", "boss@example.test", "--must-change-password=false"],
  );

  /** Where a user may push, password and all. */
  const remoteOf = (repository: string, user: string): string =>
    `http://${user}:${passwordOf(user)}@127.0.0.1:${port}/${repository}.git`;

  return {
    url,
    remote: remoteOf,
    host: `127.0.0.1:${port}`,
    data,
    ask,
    api,
    command,
    user: (name: string) =>
      api("POST", "/admin/users", {
        as: "boss",
        body: {
          username: name,
          email: `${name}@example.test`,
          password: passwordOf(name),
          must_change_password: false,
        },
      }),
    /** A personal access token of a user's. */
    token: async (user: string, ...scopes: readonly string[]): Promise<string> => {
      const made = await api("POST", `/users/${user}/tokens`, {
        as: user,
        body: { name: `t${Date.now()}${Math.random()}`, scopes },
      });
      return String((made as { readonly sha1: string }).sha1);
    },
    /** Pushes files as the newest commit of a branch of `owner/name`, a new one on main. @returns its id. */
    push: (repository: string, files: Readonly<Record<string, string>>, branch = "main"): string => {
      const [owner = ""] = repository.split("/");
      const work = mkdtempSync(join(tmpdir(), "pushed-"));
      const remote = remoteOf(repository, owner);
      git(work, "init", "-q");
      const heads = git(work, "ls-remote", "--heads", remote);
      const from = [branch, "main"].find((name) => heads.includes(`refs/heads/${name}`));
      if (from !== undefined) {
        git(work, "fetch", "-q", remote, from);
        git(work, "reset", "-q", "--hard", "FETCH_HEAD");
      }
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        writeFileSync(join(work, path), text);
      }
      git(work, "add", "-A", "--force");
      git(work, "commit", "-q", "--allow-empty", "-m", "A change");
      git(work, "push", "-q", remote, `HEAD:refs/heads/${branch}`);
      const id = git(work, "rev-parse", "HEAD");
      rmSync(work, { recursive: true });
      return id;
    },
    /** Lets a fork's run begin, for which there is a page and no API. */
    approve: async (repository: string, run: number): Promise<void> => {
      const [owner = ""] = repository.split("/");
      const form = new URLSearchParams({ user_name: owner, password: passwordOf(owner) });
      const entered = await fetch(`${url}/user/login`, { method: "POST", body: form, redirect: "manual" });
      // The session is another one after the login, under the same name.
      const cookies = new Map(entered.headers.getSetCookie().map((one) => one.split(/[=;]/, 2) as [string, string]));
      const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
      const at = `${url}/${repository}/actions/runs/${run}/approve`;
      const answer = await fetch(at, {
        method: "POST",
        headers: { cookie, origin: url, "sec-fetch-site": "same-origin" },
      });
      if (!answer.ok) throw new Error(`${at}: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
    },
    /** Waits until a fork can be pushed to. */
    forked: (repository: string): Promise<void> =>
      poll(async () => !((await api("GET", `/repos/${repository}`)) as { readonly empty: boolean }).empty),
    /** A line for each request, as the server saw it. */
    requests: (): readonly string[] =>
      readFileSync(join(data, "log", "access.log"), "utf8")
        .split("\n")
        .slice(0, -1),
    close: async (): Promise<void> => {
      const ended = new Promise((done) => server.on("close", done));
      server.kill();
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

type Asked = {
  readonly as?: string;
  /** Another login, like `user:token`. */
  readonly basic?: string;
  readonly body?: unknown;
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

export async function poll(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 500_000;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > end) throw new Error(`It has not become so in time: ${isSo}`);
    await new Promise((done) => setTimeout(done, 200));
  }
}
