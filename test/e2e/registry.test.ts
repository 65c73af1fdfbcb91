import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { openRegistry } from "../../src/registry/client.ts";
import { openHttp } from "../../src/registry/http.ts";
import { openTrust } from "../../src/registry/trust.ts";
import type { Registry, StoredLogin } from "../../src/world.ts";

// Debian's own docker-registry, in the ways in which people run it: behind TLS with a certificate of their own and a password file, and
// behind a token server.

const LOGIN = { username: "me", password: "pass" };
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

const folder = mkdtempSync(join(tmpdir(), "registries-"));
const started: ChildProcess[] = [];
const opened: Registry[] = [];
const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

afterAll(async () => {
  await Promise.all(opened.map((registry) => registry.close()));
  for (const child of started) child.kill();
  rmSync(folder, { recursive: true, force: true });
});

function registryProgram(): string {
  if (process.env.TEST_REGISTRY_PROGRAM) return process.env.TEST_REGISTRY_PROGRAM;
  throw new Error("TEST_REGISTRY_PROGRAM is not set: run these tests through scripts/test.sh");
}

async function freePort(): Promise<number> {
  const server = createSocket();
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

async function startRegistry(name: string, config: string): Promise<string> {
  const port = await freePort();
  const file = join(folder, `${name}.yml`);
  const storage = join(folder, name);
  mkdirSync(storage);
  writeFileSync(
    file,
    `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${storage} }, delete: { enabled: true } }\nhttp: { addr: "127.0.0.1:${port}"${config}`,
  );
  const child = spawn(registryProgram(), ["serve", file], { stdio: "ignore" });
  started.push(child);
  for (let tried = 0; tried < 100; tried++) {
    if (await listens(port)) return `127.0.0.1:${port}`;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${name} did not start`);
}

function open(login: StoredLogin | undefined, certificate?: string): Registry {
  const trust = openTrust({ files: openFiles(folder).files, env: {}, certificate, insecure: { kind: "none" } });
  const registry = openRegistry(openHttp({ env: {}, userAgent: "test", trust }), {
    clock: Date.now,
    mask: () => undefined,
    credentials: async () => login,
    pushes: () => true,
    insecure: () => true,
  });
  opened.push(registry);
  return registry;
}

/** Pushes an image and an index on it, and reads everything back. */
async function walk(registry: Registry, host: string): Promise<void> {
  const name = { registry: host, repository: `team/${randomUUID().slice(0, 8)}` };
  expect(await registry.manifest({ ...name, tag: "none" })).toMatchObject({ kind: "absent" });
  expect(await registry.acceptsPush(name)).toEqual({ kind: "found", value: true });
  const bytes = Buffer.from(
    JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } }),
  );
  const config = await registry.putBlob(name, bytes, "application/vnd.oci.image.config.v1+json");
  if (config.kind !== "found") throw new Error(config.words);
  const image = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: config.value, layers: [] }),
  );
  const pushed = await registry.putManifest(name, image, MANIFEST, undefined);
  if (pushed.kind !== "found") throw new Error(pushed.words);
  const entry = { ...pushed.value, platform: { os: "linux", architecture: "amd64" } };
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] }));
  expect(await registry.putManifest(name, index, INDEX, "one")).toMatchObject({ kind: "found" });
  const digest = `sha256:${createHash("sha256").update(index).digest("hex")}`;
  expect(await registry.describe({ ...name, tag: "one" })).toMatchObject({
    kind: "found",
    value: { digest, mediaType: INDEX },
  });
  expect(await registry.manifest({ ...name, tag: "one" })).toMatchObject({
    kind: "found",
    value: { descriptor: { digest } },
  });
  expect(await registry.blob(name, config.value)).toMatchObject({ kind: "found", value: bytes });
  expect(await registry.tags(name)).toEqual({ kind: "found", value: ["one"] });
  const other = { ...name, repository: `${name.repository}-other` };
  expect(await registry.mountBlob(other, name, config.value)).toMatchObject({ kind: "found" });
  expect(await registry.hasBlob(other, config.value)).toEqual({ kind: "found", value: true });
  expect(await registry.deleteManifest({ ...name, digest: pushed.value.digest })).toEqual({
    kind: "found",
    value: true,
  });
  expect(await registry.manifest({ ...name, digest: pushed.value.digest })).toMatchObject({ kind: "absent" });
}

describe("TLS with a certificate of one's own, and a password file", () => {
  let host: string;
  let certificate: string;

  beforeAll(async () => {
    run(
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "1",
      "-subj",
      "/CN=test CA",
      "-keyout",
      "ca.key",
      "-out",
      "ca.crt",
    );
    run(
      "openssl",
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=127.0.0.1",
      "-keyout",
      "tls.key",
      "-out",
      "tls.csr",
    );
    writeFileSync(join(folder, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    run(
      "openssl",
      "x509",
      "-req",
      "-in",
      "tls.csr",
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "1",
      "-extfile",
      "names",
      "-out",
      "tls.crt",
    );
    // The bcrypt form of "pass", which is the only form that this registry takes.
    writeFileSync(join(folder, "htpasswd"), "me:$2b$05$ZVYa6mCXFExwRMHyjyAoKOEX5S.CyqUznTHdv./0W1pUid3pe27bK\n");
    certificate = readFileSync(join(folder, "ca.crt"), "utf8");
    const tls = `, tls: { certificate: ${join(folder, "tls.crt")}, key: ${join(folder, "tls.key")} } }`;
    host = await startRegistry(
      "tls",
      `${tls}\nauth: { htpasswd: { realm: test, path: ${join(folder, "htpasswd")} } }\n`,
    );
  });

  test("with certificate and password: pushed and read back", () => walk(open(LOGIN, certificate), host));

  test("without the certificate it is unavailable, and says why", async () => {
    const answer = await open(LOGIN).manifest({ registry: host, repository: "team/app", tag: "one" });
    expect(answer).toMatchObject({ kind: "unavailable", words: expect.stringMatching(/certificate/i) });
  });

  test.each([
    ["no password", undefined],
    ["a wrong password", { ...LOGIN, password: "wrong" }],
  ])("%s is denied", async (_, login) => {
    const answer = await open(login, certificate).manifest({ registry: host, repository: "team/app", tag: "one" });
    expect(answer).toMatchObject({ kind: "denied" });
  });
});

describe("a token server", () => {
  let host: string;
  const scopes: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    const asked = url.searchParams.getAll("scope");
    scopes.push(...asked);
    const known = request.headers.authorization === `Basic ${Buffer.from("me:pass").toString("base64")}`;
    const access = asked.map((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      return { type, name, actions: known ? actions.split(",") : [] };
    });
    response.end(JSON.stringify({ token: sign(access) }));
  });
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });

  function sign(access: unknown): string {
    const seconds = Math.floor(Date.now() / 1000);
    const chain = readFileSync(join(folder, "token.crt"), "utf8").replace(/-----[A-Z ]+-----|\s/g, "");
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${part({ alg: "RS256", typ: "JWT", x5c: [chain] })}.${part({ iss: "test", aud: "registry", sub: "", iat: seconds, nbf: seconds - 10, exp: seconds + 300, jti: randomUUID(), access })}`;
    return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey).toString("base64url")}`;
  }

  beforeAll(async () => {
    writeFileSync(join(folder, "token.key"), privateKey);
    run("openssl", "req", "-x509", "-key", "token.key", "-days", "1", "-subj", "/CN=token", "-out", "token.crt");
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    const realm = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/token`;
    host = await startRegistry(
      "token",
      ` }\nauth: { token: { realm: "${realm}", service: registry, issuer: test, rootcertbundle: ${join(folder, "token.crt")} } }\n`,
    );
  });
  afterAll(() => void server.close());

  test("with a login: pushed and read back, one exchange a repository", async () => {
    scopes.length = 0;
    await walk(open(LOGIN), host);
    // What a walk needs is asked for at once; only mounting and deleting ask for more, when it comes to that.
    expect(scopes[0]).toMatch(/^repository:team\/[0-9a-f]{8}:pull,push$/);
    expect(scopes.filter((scope) => scope === scopes[0])).toHaveLength(1);
  });

  test("anonymously it is denied and never absent", async () => {
    expect(await open(undefined).manifest({ registry: host, repository: "team/app", tag: "one" })).toMatchObject({
      kind: "denied",
    });
    expect(await open(undefined).acceptsPush({ registry: host, repository: "team/app" })).toMatchObject({
      kind: "denied",
    });
  });
});
