import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { openRegistry } from "../../src/registry/client.ts";
import { openHttp } from "../../src/registry/http.ts";
import { openTrust, type Trust } from "../../src/registry/trust.ts";
import type { Registry, StoredLogin } from "../../src/world.ts";

/** Real registries, and what real clients and proxies there are to hold against ours. Everything ends with the file of tests. */
export const folder = mkdtempSync(join(tmpdir(), "registries-"));
const started: ChildProcess[] = [];
const opened: Registry[] = [];
afterAll(async () => {
  await Promise.all(opened.map((registry) => registry.close()));
  for (const child of started) child.kill();
  rmSync(folder, { recursive: true, force: true });
});

export const LOGIN: StoredLogin = { username: "me", password: "pass" };

export type Client = {
  readonly login?: StoredLogin;
  /** PEM. */
  readonly certificate?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What the engine's folder for a registry holds to be shown to it, in PEM. */
  readonly client?: Trust["client"];
  /** Hosts that are named insecure. */
  readonly insecure?: readonly string[];
};

/** Our client, put together as the action does it; closed with the file of tests. */
export function openClient({ login, certificate, client, env = {}, insecure = [] }: Client = {}): Registry {
  const { files } = openFiles(folder);
  const found = openTrust({
    files,
    env,
    certificate,
    insecure: { kind: "hosts", hosts: insecure },
    warn: () => undefined,
  });
  const trust = async (host: string): Promise<Trust> => ({ ...(await found(host)), ...(client ? { client } : {}) });
  const registry = openRegistry(openHttp({ env, userAgent: "test", trust }), {
    clock: Date.now,
    mask: () => undefined,
    credentials: async () => login,
    pushes: () => true,
    insecure: (host) => insecure.includes(host),
  });
  opened.push(registry);
  return registry;
}

/** Runs a program in the folder and gives what it printed. @throws with its words when it fails. */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Starts a program that listens on a port of its own choice, and waits until it does. */
export async function start(
  program: string,
  argsFor: (port: number) => readonly string[],
): Promise<{ readonly port: number; readonly host: string }> {
  const port = await freePort();
  started.push(spawn(program, argsFor(port), { cwd: folder, stdio: "ignore" }));
  for (let tried = 0; tried < 1200; tried++) {
    if (await listens(port)) return { port, host: `127.0.0.1:${port}` };
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${program} did not start`);
}

/**
 * Starts Debian's docker-registry.
 * @param config what follows the address in `http`, its closing brace included, and then whatever else: YAML in flow style.
 */
export async function startRegistry(name: string, config = "}"): Promise<string> {
  const program = process.env.TEST_REGISTRY_PROGRAM;
  if (!program) throw new Error("TEST_REGISTRY_PROGRAM is not set: run these tests through scripts/test.sh");
  const [file, storage] = [join(folder, `${name}.yml`), join(folder, name)];
  mkdirSync(storage);
  const { host } = await start(program, (port) => {
    writeFileSync(
      file,
      `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${storage} }, delete: { enabled: true } }\nhttp: { addr: "127.0.0.1:${port}" ${config}\n`,
    );
    return ["serve", file];
  });
  return host;
}

/** A certificate authority of our own, and a certificate by it for some names; all paths. `pem` is the authority's certificate. */
export function makeCertificate(names: string): {
  readonly authority: string;
  readonly pem: string;
  readonly certificate: string;
  readonly key: string;
} {
  const path = (name: string): string => join(folder, name);
  const fresh = ["-newkey", "rsa:2048", "-nodes"];
  run("openssl", "req", "-x509", ...fresh, "-days", "1", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.crt");
  run("openssl", "req", ...fresh, "-subj", "/CN=server", "-keyout", "tls.key", "-out", "tls.csr");
  writeFileSync(path("names"), `subjectAltName=${names}\n`);
  const by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
  run("openssl", "x509", "-req", "-in", "tls.csr", ...by, "-days", "1", "-extfile", "names", "-out", "tls.crt");
  const pem = readFileSync(path("ca.crt"), "utf8");
  return { authority: path("ca.crt"), pem, certificate: path("tls.crt"), key: path("tls.key") };
}

/** A password file for `me` and `pass`: the bcrypt form, which is the only one that docker-registry takes. */
export function makePasswordFile(): string {
  const file = join(folder, "htpasswd");
  writeFileSync(file, "me:$2b$05$ZVYa6mCXFExwRMHyjyAoKOEX5S.CyqUznTHdv./0W1pUid3pe27bK\n");
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address ? address.port : 0;
}

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    const tell = (answer: boolean) => (): void => {
      socket.destroy();
      done(answer);
    };
    socket.once("connect", tell(true)).once("error", tell(false));
  });
}
