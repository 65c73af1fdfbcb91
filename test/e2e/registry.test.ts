import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Registry } from "../../src/world.ts";
import { folder, LOGIN, makeCertificate, makePasswordFile, openClient, run, startRegistry } from "./registries.ts";

// Debian's own docker-registry, in the ways in which people run it: plain, behind TLS with a certificate of their own and a password file,
// and behind a token server.

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

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
  const large = await registry.putBlob(name, Buffer.alloc(5 * 1024 * 1024, "x"), "application/octet-stream");
  if (large.kind !== "found") throw new Error(large.words);
  expect(await registry.hasBlob(name, large.value)).toEqual({ kind: "found", value: true });
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

test("without a login and without TLS: pushed and read back", async () => {
  await walk(openClient(), await startRegistry("plain"));
});

describe("TLS with a certificate of one's own, and a password file", () => {
  let host: string;
  let certificate: string;

  beforeAll(async () => {
    const made = makeCertificate("IP:127.0.0.1,DNS:localhost");
    certificate = made.pem;
    const tls = `, tls: { certificate: ${made.certificate}, key: ${made.key} } }`;
    host = await startRegistry("tls", `${tls}\nauth: { htpasswd: { realm: test, path: ${makePasswordFile()} } }`);
  });

  test("with certificate and password: pushed and read back", () =>
    walk(openClient({ login: LOGIN, certificate }), host));

  test("named insecure it is believed without a certificate", () =>
    walk(openClient({ login: LOGIN, insecure: [host] }), host));

  test("without the certificate it is unavailable, and says why", async () => {
    const answer = await openClient({ login: LOGIN }).manifest({ registry: host, repository: "team/app", tag: "one" });
    expect(answer).toMatchObject({ kind: "unavailable", words: expect.stringMatching(/certificate/i) });
  });

  test.each([
    ["no password", {}],
    ["a wrong password", { login: { username: "me", password: "wrong" } }],
  ])("%s is denied", async (_, login) => {
    const answer = await openClient({ ...login, certificate }).manifest({
      registry: host,
      repository: "team/app",
      tag: "one",
    });
    expect(answer).toMatchObject({ kind: "denied" });
  });
});

test("a registry that wants to see a certificate is shown the one of the engine's folder", async () => {
  const made = makeCertificate("IP:127.0.0.1");
  const tls = `certificate: ${made.certificate}, key: ${made.key}, clientcas: [${made.authority}]`;
  const host = await startRegistry("mutual", `, tls: { ${tls} } }`);
  const client = { certificate: readFileSync(made.certificate, "utf8"), key: readFileSync(made.key, "utf8") };
  await walk(openClient({ certificate: made.pem, client }), host);
  const name = { registry: host, repository: "team/app", tag: "one" };
  const stranger = openClient({ certificate: made.pem });
  stranger.limitTime(500);
  expect(await stranger.manifest(name)).toMatchObject({ kind: "unavailable" });
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
      ` }\nauth: { token: { realm: "${realm}", service: registry, issuer: test, rootcertbundle: ${join(folder, "token.crt")} } }`,
    );
  });
  afterAll(() => void server.close());

  test("with a login: pushed and read back, one exchange a repository", async () => {
    scopes.length = 0;
    await walk(openClient({ login: LOGIN }), host);
    // What a walk needs is asked for at once; only mounting and deleting ask for more, when it comes to that.
    expect(scopes[0]).toMatch(/^repository:team\/[0-9a-f]{8}:pull,push$/);
    expect(scopes.filter((scope) => scope === scopes[0])).toHaveLength(1);
  });

  test("anonymously it is denied and never absent", async () => {
    expect(await openClient().manifest({ registry: host, repository: "team/app", tag: "one" })).toMatchObject({
      kind: "denied",
    });
    expect(await openClient().acceptsPush({ registry: host, repository: "team/app" })).toMatchObject({
      kind: "denied",
    });
  });
});
