import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Content, makeCheckout } from "../checkout.ts";

export type GitServer = Awaited<ReturnType<typeof openGitServer>>;

type Login = { readonly username?: string; readonly password: string };
type Answer = { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
type Override = (line: string, asked: IncomingMessage) => Answer | undefined | "hang";

/**
 * Of a branch, of Gitea (v1) and of a GitHub Enterprise server (v3).
 * @see https://docs.gitea.com/api/#tag/repository/operation/repoGetBranch
 * @see https://docs.github.com/en/rest/branches/branches#get-a-branch
 */
const API = /^\/api\/(v[13])\/repos\/([^/]+\/[^/]+)\/branches\/([^?]+)$/;

/** Runs git where no configuration of this machine counts. */
export function git(folder: string, ...args: readonly string[]): string {
  const who = ["-c", "user.name=a", "-c", "user.email=a@example", "-c", "init.defaultBranch=main"];
  const env = { PATH: process.env.PATH, HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
  return execFileSync("git", [...who, "-C", folder, ...args], { env, encoding: "utf8", stdio: "pipe" }).trim();
}

/**
 * Git's own smart HTTP server (`git http-backend`) behind a small one that asks for logins, and answers what Gitea's API does for
 * branches. `requests` holds a line for each request with the login that came along; `spied` all command lines of the machine, as they
 * were while git was being served.
 * @see https://git-scm.com/docs/git-http-backend
 */
export async function openGitServer({ tls }: { readonly tls?: { readonly key: Buffer; readonly cert: Buffer } } = {}) {
  const root = mkdtempSync(join(tmpdir(), "git-server-"));
  const requests: string[] = [];
  const spied = new Set<string>();
  const overrides: Override[] = [];
  let login: Login | undefined;
  let isOld = false;
  const serve = (request: IncomingMessage, answer: ServerResponse): void => {
    const line = `${request.method} ${request.url}`;
    const told = userOf(request);
    requests.push(told === "" ? line : `${line} as ${told}`);
    for (const command of commandLines()) spied.add(command);
    const other = overrides.map((one) => one(line, request)).find((one) => one !== undefined);
    if (other === "hang") return;
    const isRefused = login !== undefined && !isAllowed(told, login);
    const refusal = { status: 401, headers: { "www-authenticate": 'Basic realm="Gitea"' } };
    const [, kind, path = "", branch] = API.exec(request.url ?? "") ?? [];
    const said = other ?? (isRefused ? refusal : branch && tellBranch(join(root, `${path}.git`), branch, kind));
    if (said) reply(answer, said);
    else runBackend(root, request, isOld ? "" : String(request.headers["git-protocol"] ?? ""), answer);
  };
  const server: Server = tls ? createTlsServer(tls, serve) : createServer(serve);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    root,
    port,
    requests,
    spied,
    override: (one: Override): number => overrides.unshift(one),
    reset: (): void => {
      overrides.splice(0);
      requests.splice(0);
      login = undefined;
      isOld = false;
    },
    requireLogin: (wanted: Login): void => {
      login = wanted;
    },
    /** Speaks git's first protocol from now on: only commits that a ref names are given by their id. */
    speakOld: (): void => {
      isOld = true;
    },
    /** Makes a repository, or commits the files to a branch of one. @returns the commit. */
    commit: (path: string, files: Readonly<Record<string, Content>>, branch = "main"): string =>
      commitTo(join(root, `${path}.git`), files, branch),
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function commitTo(repository: string, files: Readonly<Record<string, Content>>, branch: string): string {
  mkdirSync(repository, { recursive: true });
  if (readdirSync(repository).length === 0) git(repository, "init", "-q", "--bare");
  const checkout = makeCheckout({});
  try {
    const isNew = git(repository, "for-each-ref", `refs/heads/${branch}`) === "";
    const from = git(repository, "for-each-ref") === "" ? [] : ["-b", isNew ? "main" : branch];
    git(checkout, "clone", "-q", ...from, repository, "work");
    const work = join(checkout, "work");
    const made = makeCheckout(files);
    cpSync(made, work, { recursive: true, verbatimSymlinks: true });
    rmSync(made, { recursive: true });
    git(work, "add", "-A", "--force");
    git(work, "commit", "-q", "--allow-empty", "-m", "change");
    git(work, "push", "-q", "origin", `HEAD:refs/heads/${branch}`);
    return git(work, "rev-parse", "HEAD");
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
}

/** The fields are those of Gitea 1.27, and of GitHub in 2026. */
function tellBranch(repository: string, written: string, kind = "v1"): Answer {
  const branch = decodeURIComponent(written);
  const headers = { "content-type": "application/json;charset=utf-8" };
  const absent = { message: "The target couldn't be found.", url: "http://gitea.example/api/swagger", errors: [] };
  try {
    const id = git(repository, "rev-parse", "--verify", "--quiet", `refs/heads/${branch}`);
    const gitea = { id, message: "change\n", url: "", author: null, committer: null, verification: null, added: null };
    const github = { sha: id, node_id: "C_x", commit: { message: "change", tree: { sha: id, url: "" } }, parents: [] };
    const body = { name: branch, commit: kind === "v1" ? gitea : github, protected: false };
    return { status: 200, headers, body: JSON.stringify(body) };
  } catch {
    return { status: 404, headers, body: JSON.stringify(absent) };
  }
}

function reply(answer: ServerResponse, { status, headers = {}, body = "" }: Answer): void {
  answer.writeHead(status, headers).end(body);
}

function userOf({ headers }: IncomingMessage): string {
  const [kind = "", value = ""] = (headers.authorization ?? "").split(" ");
  return kind === "Basic" ? Buffer.from(value, "base64").toString() : [kind, value].filter(Boolean).join(" ");
}

function isAllowed(told: string, { username, password }: Login): boolean {
  const [user, ...rest] = told.split(":");
  return rest.join(":") === password && (username === undefined || user === username);
}

function commandLines(): string[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return [readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ")];
    } catch {
      return [];
    }
  });
}

/** CGI/1.1: headers and a blank line come first, `Status:` among them where it is not 200. */
function runBackend(root: string, request: IncomingMessage, protocol: string, answer: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://any");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      HOME: "/nonexistent",
      PATH_INFO: pathname.replace(/^(\/[^/]+\/[^/]+?)(?:\.git)?(?=\/(?:info|git-upload-pack|HEAD|objects))/, "$1.git"),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: protocol,
    },
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => {});
  let head = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (answer.headersSent) return void answer.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const lines = head
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => line.split(/:\s*/, 2));
    const headers = Object.fromEntries(lines.map(([name = "", value = ""]) => [name.toLowerCase(), value]));
    const { status = "200", ...rest } = headers;
    answer.writeHead(Number.parseInt(status, 10), rest);
    answer.write(head.subarray(end + 4));
  });
  child.on("close", () => answer.end());
}
