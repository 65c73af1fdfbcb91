import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as ask, createServer } from "node:http";
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GitServer, openGitServer } from "../fakes/git-server.ts";
import { builtCommit, errorOf, openGitSample } from "./git-sample.ts";
import { openMachine } from "./harness.ts";

type Sample = Awaited<ReturnType<typeof openGitSample>>;

let plain: GitServer;
let secure: GitServer;
let files: Sample["files"];
let run: Sample["run"];
let close: () => Promise<void>;
let folder: string;
let certificate: string;
let commit: string;

beforeAll(async () => {
  ({ server: plain, files, run, close } = await openGitSample());
  folder = mkdtempSync(join(tmpdir(), "transports-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const names = ["-subj", "/CN=git", "-addext", "subjectAltName=IP:127.0.0.1,DNS:git.test"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...names, "-keyout", key, "-out", cert], {
    stdio: "pipe",
  });
  certificate = readFileSync(cert).toString("base64");
  secure = await openGitServer({ tls: { key: readFileSync(key), cert: readFileSync(cert) } });
  commit = secure.commit("team/app", files("secure"));
});
afterAll(async () => {
  await secure.close();
  await close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  plain.reset();
  secure.reset();
});

const inputs = (more = {}) => ({ "git-url": `${secure.url}/team/app`, force: "true", ...more });

test("TLS with a certificate authority of one's own", async () => {
  const refused = await run(inputs());
  expect(errorOf(refused)).toContain(`The certificate of ${secure.url}/team/app does not hold`);
  secure.requireLogin({ password: "s" });
  const told = await run(inputs({ "ssl-cert-base64": certificate, "git-password": "s" }));
  expect(builtCommit(told), told.log).toBe(commit);
  secure.reset();
  expect(builtCommit(await run(inputs({ insecure: secure.host })))).toBe(commit);
  expect(errorOf(await run(inputs({ insecure: "other.example" })))).toContain("does not hold");
});

test("TLS and Gitea's API: the same certificate counts for both", async () => {
  const env = { GITEA_ACTIONS: "true", GITHUB_SERVER_URL: secure.url, GITHUB_API_URL: `${secure.url}/api/v1` };
  const asked = inputs({ "git-ref": "main" });
  expect(errorOf(await run(asked, { env }))).toContain("[E_GIT]");
  expect(builtCommit(await run({ ...asked, "ssl-cert-base64": certificate }, { env }))).toBe(commit);
});

/** Takes connections, and begins with nothing or says something now and then that is worth nothing. */
async function openHanging(kind: "silent" | "dripping") {
  const connected: Socket[] = [];
  const server = createSocketServer((socket) => {
    connected.push(socket);
    socket.on("error", () => undefined);
    if (kind === "silent") return;
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement\r\n\r\n");
    const drip = setInterval(() => socket.write(Buffer.alloc(2000)), 10);
    socket.on("close", () => clearInterval(drip));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    for (const socket of connected) socket.destroy();
    server.close();
  };
  return { connected, host: `127.0.0.1:${port}`, close };
}

/** The command lines of programs on this machine that speak to a host. */
const speakersTo = (host: string): readonly string[] =>
  readdirSync("/proc").flatMap((name) => {
    try {
      const line = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, "utf8") : "";
      return line.includes(host) ? [line] : [];
    } catch {
      return [];
    }
  });

test.each(["silent", "dripping"] as const)(
  "a host that is %s for ever is given up, and no git is left",
  async (kind) => {
    const { connected, host, close: end } = await openHanging(kind);
    const url = `${kind === "silent" ? "https" : "http"}://${host}/team/app`;
    const told = await run({ "git-url": url, insecure: host }, { hurry: { by: 60, when: () => connected.length > 0 } });
    expect(connected.length).toBeGreaterThan(0);
    expect(errorOf(told)).toMatch(/it took longer than 60 s, and was ended.*\[E_GIT\]/);
    expect(speakersTo(host)).toEqual([]);
    end();
  },
);

test.each(["SIGTERM", "SIGINT"] as const)("a run that %s stops leaves no git behind", async (signal) => {
  const { connected, host, close: end } = await openHanging("silent");
  const stop = { signal, when: () => connected.length > 0 && speakersTo(host).length > 0 };
  const told = await run({ "git-url": `https://${host}/team/app` }, { stop });
  expect(told.code).not.toBe(0);
  await expect.poll(() => speakersTo(host)).toEqual([]);
  end();
});

test("a run that SIGKILL ends takes git with it: only a helper is left that waits for its next byte", async () => {
  const { connected, host, close: end } = await openHanging("silent");
  const stop = { signal: "SIGKILL", when: () => connected.length > 0 && speakersTo(host).length > 0 } as const;
  const told = await run({ "git-url": `https://${host}/team/app` }, { stop });
  expect(told.code).not.toBe(0);
  await expect.poll(() => speakersTo(host).filter((line) => !line.includes("remote-https"))).toEqual([]);
  end();
  await expect.poll(() => speakersTo(host)).toEqual([]);
});

/** A forward proxy that alone knows where git.test is, and wants a login. */
async function openProxy() {
  const seen: string[] = [];
  const isLetIn = (login: string | undefined): boolean =>
    login === `Basic ${Buffer.from("me:proxy-canary").toString("base64")}`;
  const server = createServer((request, answer) => {
    seen.push(`${request.method} ${request.url}`);
    if (!isLetIn(request.headers["proxy-authorization"])) {
      answer.writeHead(407, { "proxy-authenticate": "Basic" }).end();
      return;
    }
    const url = new URL(request.url ?? "");
    const { "proxy-authorization": _, ...headers } = request.headers;
    const on = ask({
      host: "127.0.0.1",
      port: plain.port,
      path: url.pathname + url.search,
      method: request.method,
      headers,
    });
    on.on("response", (from) => from.pipe(answer.writeHead(from.statusCode ?? 500, from.headers)));
    request.pipe(on);
  });
  server.on("connect", (request, socket, head) => {
    seen.push(`CONNECT ${request.url}`);
    if (!isLetIn(request.headers["proxy-authorization"])) {
      socket.end("HTTP/1.1 407 no\r\nproxy-authenticate: Basic\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const on = connect(secure.port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 yes\r\n\r\n");
      on.write(head);
      on.pipe(socket).pipe(on);
    });
    for (const one of [on, socket]) one.on("error", () => on.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    seen,
    url: `http://me:proxy-canary@127.0.0.1:${port}`,
    close: () => server.closeAllConnections() ?? server.close(),
  };
}

test("a forward proxy for git alone, with a login of its own", async () => {
  const proxy = await openProxy();
  try {
    const through = { "git-http-proxy-url": proxy.url, "ssl-cert-base64": certificate };
    const told = await run(inputs({ ...through, "git-url": "https://git.test/team/app" }));
    expect(builtCommit(told), told.log).toBe(commit);
    expect(proxy.seen).toContain("CONNECT git.test:443");
    expect(told.log.replace(/^::add-mask::.*$/gm, "")).not.toContain("proxy-canary");
    const other = plain.commit("team/app", files("plain"));
    const open = { ...through, "git-url": "http://git.test/team/app", insecure: "git.test" };
    expect(builtCommit(await run(inputs(open)))).toBe(other);
    const env = { https_proxy: proxy.url };
    const own = inputs({ "git-url": "https://git.test/team/app", "ssl-cert-base64": certificate });
    expect(builtCommit(await run(own, { env }))).toBe(commit);
  } finally {
    proxy.close();
  }
});

/** OpenSSH's server: that of the machine, or one that was unpacked; without either this fails, and says what to install. */
async function openSshd(config: string) {
  const [program = "", libraries = ""] = execFileSync("bash", ["scripts/sshd.sh"], { encoding: "utf8" }).split("\n");
  const command = [program, "-D", "-e", "-f", config];
  // Started by root it wants a user that it can become and a folder for that one, which a machine without the package does not have.
  const isRoot = process.getuid?.() === 0;
  const users = readFileSync("/etc/passwd", "utf8");
  const isReady = !isRoot || (/^sshd:/m.test(users) && existsSync("/run/sshd"));
  const passwd = join(folder, "passwd");
  writeFileSync(passwd, /^sshd:/m.test(users) ? users : `${users}sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n`);
  const own = `mount --bind ${passwd} /etc/passwd && mount -t tmpfs -o mode=755 none /run && mkdir /run/sshd && exec "$@"`;
  const [first = "", ...args] = isReady ? command : ["unshare", "--mount", "sh", "-c", own, "sh", ...command];
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  const sshd = spawn(first, args, { stdio: "pipe", env });
  const told = { said: "" };
  sshd.stderr.on("data", (chunk) => {
    told.said += chunk;
  });
  await expect.poll(() => told.said + (sshd.exitCode ?? "")).toContain("Server listening");
  return { told, close: () => sshd.kill() };
}

test("ssh with a key: by its file and by itself, to a host that is known", async () => {
  const port = await freePort();
  const keygen = (name: string) =>
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)], { stdio: "pipe" });
  for (const name of ["host", "user", "other"]) keygen(name);
  const authorized = join(folder, "authorized");
  writeFileSync(authorized, `restrict ${readFileSync(join(folder, "user.pub"), "utf8")}`, { mode: 0o600 });
  const config = join(folder, "sshd_config");
  writeFileSync(
    config,
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${folder}/host
AuthorizedKeysFile ${authorized}
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
PasswordAuthentication no
`,
  );
  const sshd = await openSshd(config);
  const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  const other = plain.commit("team/ssh", files("ssh"));
  const url = `ssh://${user}@127.0.0.1:${port}${plain.root}/team/ssh.git`;
  try {
    const machine = openMachine();
    const play = (more: Readonly<Record<string, string>>) => {
      link(machine, "ssh");
      return run(inputs({ "git-url": url, ...more }), { machine });
    };
    const path = { "git-ssh-private-key-path": join(folder, "user") };
    expect(errorOf(await play(path))).toContain(`The ssh key of 127.0.0.1:${port} is not known`);
    mkdirSync(join(machine, ".ssh"));
    const known = `[127.0.0.1]:${port} ${readFileSync(join(folder, "host.pub"), "utf8")}`;
    writeFileSync(join(machine, ".ssh/known_hosts"), known);
    expect(builtCommit(await play(path)), sshd.told.said).toBe(other);
    const text = readFileSync(join(folder, "user"));
    const base64 = await play({ "git-ssh-private-key-base64": text.toString("base64") });
    expect(builtCommit(base64)).toBe(other);
    expect(base64.log.replace(/^::add-mask::.*$/gm, "")).not.toContain(text.toString().split("\n")[2]);
    const stranger = await play({ "git-ssh-private-key-path": join(folder, "other") });
    expect(errorOf(stranger)).toContain("[E_GIT_AUTH]");
    const none = await play({ ...path, "git-url": url.replace("/ssh.git", "/none.git") });
    expect(errorOf(none)).toContain("[E_GIT_ABSENT]");
    // Whose key is given is not asked of the machine, which knows the host by another one.
    const wrong = known.replace(/ssh-ed25519 \S+/, readFileSync(join(folder, "other.pub"), "utf8").trim());
    writeFileSync(join(machine, ".ssh/known_hosts"), wrong);
    expect(errorOf(await play(path))).toContain("is not known, or another one than before");
    expect(builtCommit(await play({ ...path, "git-ssh-known-hosts": known }))).toBe(other);
    writeFileSync(join(machine, ".ssh/known_hosts"), known);
    const pinned = await play({ ...path, "git-ssh-known-hosts": wrong, insecure: `127.0.0.1:${port}` });
    expect(errorOf(pinned)).toContain("is not known, or another one than before");
    rmSync(join(machine, ".ssh/known_hosts"));
    expect(builtCommit(await play({ ...path, insecure: `127.0.0.1:${port}` }))).toBe(other);
  } finally {
    sshd.close();
  }
});

function link(machine: string, name: string): void {
  const program = execFileSync("which", [name], { encoding: "utf8" }).trim();
  writeFileSync(join(machine, "bin", name), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
}

async function freePort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
