import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openRegistry, type RegistryOptions } from "../../src/registry/client.ts";
import type { Registry, StoredLogin } from "../../src/world.ts";
import { openFakeNetwork, refusal, type Server, type Told } from "../fakes/network.ts";

// What goes where, on a network in which registries have their real names. A token server that grants everything gives `t-<n>`.

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const sha = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}` as const;
const image = JSON.stringify({
  schemaVersion: 2,
  mediaType: MANIFEST,
  config: { mediaType: "x", digest: sha("{}"), size: 2 },
  layers: [],
});
const served: Told = { status: 200, headers: { "content-type": MANIFEST }, body: image };
const me: StoredLogin = { username: "me", password: "pass" };
const BASIC = `Basic ${Buffer.from("me:pass").toString("base64")}`;
const grants: Server = () => ({ status: 200, body: '{"token":"t"}' });

/** A registry that wants a token from a realm, and then serves. */
const wants =
  (realm: string, more = "", then: Told = served): Server =>
  ({ headers }) =>
    headers.authorization === "Bearer t"
      ? then
      : refusal(401, "UNAUTHORIZED", { "www-authenticate": `Bearer realm="${realm}"${more}` });

type Play = {
  readonly servers: Readonly<Record<string, Server>>;
  readonly login?: StoredLogin | undefined;
  readonly options?: Partial<RegistryOptions>;
};

function play({ servers, login, options }: Play) {
  const network = openFakeNetwork(servers);
  const registry = openRegistry(network.http, {
    clock: () => 1_000_000,
    mask: () => undefined,
    credentials: async () => login,
    pushes: () => false,
    insecure: () => false,
    ...options,
  });
  return { ...network, registry };
}

const ask = (registry: Registry, name: string, tag = "one") => {
  const slash = name.indexOf("/");
  return registry.manifest({ registry: name.slice(0, slash), repository: name.slice(slash + 1), tag });
};

describe("a token without having been refused first", () => {
  test.each<[string, string, string, string, Server?]>([
    [
      "Docker Hub",
      "docker.io/library/debian",
      "https://registry-1.docker.io",
      "https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Alibrary%2Fdebian%3Apull",
    ],
    ["GHCR", "ghcr.io/t/a", "https://ghcr.io", "https://ghcr.io/token?service=ghcr.io&scope=repository%3At%2Fa%3Apull"],
    [
      "Quay",
      "quay.io/t/a",
      "https://quay.io",
      "https://quay.io/v2/auth?service=quay.io&scope=repository%3At%2Fa%3Apull",
    ],
    [
      "GitLab",
      "registry.gitlab.com/t/a",
      "https://registry.gitlab.com",
      "https://gitlab.com/jwt/auth?service=container_registry&scope=repository%3At%2Fa%3Apull",
    ],
    [
      "Amazon's public registry, with its own scope first",
      "public.ecr.aws/t/a",
      "https://public.ecr.aws",
      "https://public.ecr.aws/token/?service=public.ecr.aws&scope=aws&scope=repository%3At%2Fa%3Apull",
    ],
    [
      "Azure's",
      "team.azurecr.io/t/a",
      "https://team.azurecr.io",
      "https://team.azurecr.io/oauth2/token?service=team.azurecr.io&scope=repository%3At%2Fa%3Apull",
    ],
    [
      "Google's",
      "europe-docker.pkg.dev/t/a",
      "https://europe-docker.pkg.dev",
      "https://europe-docker.pkg.dev/v2/token?service=europe-docker.pkg.dev&scope=repository%3At%2Fa%3Apull",
    ],
  ])("%s", async (_, name, origin, realm) => {
    const serve: Server = (request) =>
      request.url.pathname.startsWith("/v2/") && request.url.pathname.includes("/manifests/")
        ? wants("https://never.test/")(request)
        : grants(request);
    const { registry, seen, lines } = play({ servers: { [origin]: serve, [new URL(realm).origin]: serve }, login: me });
    expect((await ask(registry, name)).kind).toBe("found");
    const path = name.slice(name.indexOf("/") + 1);
    expect(lines()).toEqual([`GET ${realm}`, `GET ${origin}/v2/${path}/manifests/one`]);
    expect(seen.map(({ authorization }) => authorization)).toEqual([BASIC, "Bearer t"]);
  });

  test("a private registry of Amazon's gets the login itself, at once", async () => {
    const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    const { registry, seen } = play({ servers: { [`https://${host}`]: () => served }, login: me });
    expect((await ask(registry, `${host}/t/a`)).kind).toBe("found");
    expect(seen.map(({ authorization }) => authorization)).toEqual([BASIC]);
  });

  test.each(["evil-ghcr.io/t/a", "azurecr.io.evil.test/t/a", "x.dkr.ecr.eu-west-1.amazonaws.com.evil.test/t/a"])(
    "%s is not one of them",
    async (name) => {
      const host = name.split("/")[0] ?? "";
      const { registry, seen } = play({ servers: { [`https://${host}`]: () => served }, login: me });
      await ask(registry, name);
      expect(seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    },
  );

  test("one that has changed its mind: its own challenge counts, and is remembered", async () => {
    const { registry, lines } = play({
      servers: { "https://ghcr.io": wants("https://new.test/token"), "https://new.test": grants },
      login: me,
    });
    expect((await ask(registry, "ghcr.io/t/a")).kind).toBe("found");
    expect((await ask(registry, "ghcr.io/t/b")).kind).toBe("found");
    expect(lines().map((line) => line.split("?")[0])).toEqual([
      "GET https://ghcr.io/token",
      "GET https://ghcr.io/v2/t/a/manifests/one",
      "GET https://new.test/token",
      "GET https://ghcr.io/v2/t/a/manifests/one",
      "GET https://new.test/token",
      "GET https://ghcr.io/v2/t/b/manifests/one",
    ]);
  });

  test("a burst of look-ups is one exchange and one wave, foreseen or not", async () => {
    for (const [host, exchanges] of [
      ["ghcr.io", 1],
      ["registry.test", 1],
    ] as const) {
      const serve: Server = (request) =>
        request.url.pathname === "/token" ? grants(request) : wants(`https://${host}/token`)(request);
      const { registry, lines } = play({ servers: { [`https://${host}`]: serve } });
      const tags = Array.from({ length: 20 }, (_, index) => `tag-${index}`);
      const answers = await Promise.all(tags.map((tag) => ask(registry, `${host}/t/a`, tag)));
      expect(answers.every(({ kind }) => kind === "found")).toBe(true);
      expect(lines().filter((line) => line.includes("/token"))).toHaveLength(exchanges);
      expect(lines()).toHaveLength(host === "ghcr.io" ? 21 : 41);
    }
  });

  test("a burst that is refused is refused by one exchange", async () => {
    const serve: Server = (request) =>
      request.url.pathname === "/token" ? refusal(403, "DENIED") : wants("https://registry.test/token")(request);
    const { registry, lines } = play({ servers: { "https://registry.test": serve } });
    const tags = Array.from({ length: 20 }, (_, index) => `tag-${index}`);
    const answers = await Promise.all(tags.map((tag) => ask(registry, "registry.test/t/a", tag)));
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["denied"]));
    expect(lines().filter((line) => line.includes("/token"))).toHaveLength(1);
  });
});

describe("who is told a login", () => {
  test.each<[string, string, string, boolean]>([
    ["the registry's own origin", "registry.test", "https://registry.test/token", true],
    ["a realm without a host", "registry.test", "/token", true],
    ["another https host that the registry names", "registry.test", "https://auth.test/token", true],
    ["plain http elsewhere", "registry.test", "http://auth.test/token", false],
    ["plain http at home", "registry.test", "http://registry.test/token", false],
    ["this machine", "registry.test", "https://127.0.0.1/token", false],
    ["the cloud's metadata", "registry.test", "https://169.254.169.254/token", false],
    ["another machine of the inner network", "10.0.0.5:5000", "https://10.0.0.6/token", false],
    ["a realm that carries a login itself", "registry.test", "https://u:p@auth.test/token", false],
    ["what is no address", "registry.test", "https://", false],
    ["nothing", "registry.test", "", false],
    ["another protocol", "registry.test", "ftp://auth.test/token", false],
  ])("%s: %s names %s: %s", async (_, host, realm, told) => {
    const origin = `https://${host}`;
    const realmOrigin = URL.canParse(realm, origin) ? new URL(realm, origin).origin : "https://none.test";
    const serve: Server = (request) => (request.url.pathname === "/token" ? grants(request) : wants(realm)(request));
    const { registry, seen } = play({ servers: { [realmOrigin]: serve, [origin]: serve }, login: me });
    const answer = await ask(registry, `${host}/t/a`);
    expect(answer.kind).toBe(told ? "found" : "malformed");
    expect(seen.filter(({ line }) => line === `GET ${origin}/`)).toEqual([]);
    const heard = seen.filter(({ authorization }) => authorization === BASIC).map(({ line }) => line.split("?")[0]);
    expect(heard).toEqual(told ? [`GET ${realmOrigin}/token`] : []);
    expect(seen.filter(({ origin: to }) => to !== origin && !told)).toEqual([]);
  });

  test.each<[string, string, Readonly<Record<string, Server>>]>([
    [
      "a redirect of a blob to storage",
      "https://registry.test/token",
      { "https://storage.test": () => ({ status: 200, body: "{}" }) },
    ],
    [
      "storage that wants a login of its own",
      "https://registry.test/token",
      {
        "https://storage.test": wants("https://storage.test/token"),
      },
    ],
    [
      "storage that sends back to the registry",
      "https://registry.test/token",
      { "https://storage.test": () => ({ status: 307, headers: { location: "https://registry.test/v2/other" } }) },
    ],
  ])("%s: nothing but the registry sees one", async (_, realm, others) => {
    const serve: Server = (request) => {
      if (request.url.pathname === "/token") return grants(request);
      const moved = { status: 307, headers: { location: "https://storage.test/x?signature=s" } };
      return wants(realm, "", moved)(request);
    };
    const { registry, seen } = play({ servers: { "https://registry.test": serve, ...others }, login: me });
    const name = { registry: "registry.test", repository: "t/a" };
    await registry.blob(name, { mediaType: "x", digest: sha("{}"), size: 2 });
    const away = seen.findIndex(({ origin }) => origin === "https://storage.test");
    expect(away).toBeGreaterThan(0);
    expect(seen[away]?.authorization).toBeUndefined();
    // Once it has left, it never gets it back in the same chain.
    const back = seen.slice(away + 1).filter(({ line }) => line.includes("/v2/other"));
    expect(back.map(({ authorization }) => authorization)).toEqual(back.map(() => undefined));
    expect(seen.filter(({ origin, authorization }) => origin !== "https://registry.test" && authorization)).toEqual([]);
  });

  test("a token server that redirects: the login stays behind", async () => {
    const serve: Server = (request) =>
      request.url.pathname === "/token"
        ? { status: 302, headers: { location: "https://elsewhere.test/token" } }
        : wants("https://registry.test/token")(request);
    const { registry, seen } = play({
      servers: { "https://registry.test": serve, "https://elsewhere.test": grants },
      login: me,
    });
    await ask(registry, "registry.test/t/a");
    expect(seen.find(({ origin }) => origin === "https://elsewhere.test")?.authorization).toBeUndefined();
  });

  test("an identity token is in no address and follows no redirect", async () => {
    const serve: Server = (request) =>
      request.url.pathname === "/token"
        ? { status: 307, headers: { location: "https://elsewhere.test/token" } }
        : wants("https://registry.test/token")(request);
    const { registry, seen } = play({
      servers: { "https://registry.test": serve, "https://elsewhere.test": grants },
      login: { identityToken: "secret" },
    });
    await ask(registry, "registry.test/t/a");
    expect(seen.filter(({ line }) => line.includes("secret"))).toEqual([]);
    expect(seen.filter(({ origin, request }) => origin !== "https://registry.test" && request.body)).toEqual([]);
  });

  test.each([
    ["from TLS to plain http", "http://registry.test/v2/x"],
    ["to another protocol", "ftp://registry.test/x"],
  ])("a redirect %s is not followed", async (_, location) => {
    const { registry, seen } = play({
      servers: { "https://registry.test": () => ({ status: 307, headers: { location } }) },
    });
    expect(await ask(registry, "registry.test/t/a")).toMatchObject({ kind: "malformed", status: 307 });
    expect(seen).toHaveLength(1);
  });

  test("an upload that goes on at another host is sent there without a token; one without TLS is not sent", async () => {
    const serve =
      (location: string): Server =>
      (request) => {
        if (request.url.pathname === "/token") return grants(request);
        if (request.method === "HEAD") return refusal(404, "BLOB_UNKNOWN");
        return wants("https://registry.test/token", "", { status: 202, headers: { location } })(request);
      };
    const upload: Server = ({ method }) => ({ status: method === "PUT" ? 201 : 400 });
    const name = { registry: "registry.test", repository: "t/a" };
    const away = play({
      servers: {
        "https://registry.test": serve("https://upload.test/u?_state=a%2Fb+c&sig=~"),
        "https://upload.test": upload,
      },
      login: me,
    });
    expect((await away.registry.putBlob(name, Buffer.from("{}"), "x")).kind).toBe("found");
    // The state is the registry's own: not a letter of it may change.
    const query = `_state=a%2Fb+c&sig=~&digest=${encodeURIComponent(sha("{}"))}`;
    expect(away.seen.at(-1)).toMatchObject({ line: `PUT https://upload.test/u?${query}`, authorization: undefined });
    const plain = play({ servers: { "https://registry.test": serve("http://upload.test/u") }, login: me });
    expect(await plain.registry.putBlob(name, Buffer.from("{}"), "x")).toMatchObject({ kind: "malformed" });
    expect(plain.seen.filter(({ origin }) => origin === "http://upload.test")).toEqual([]);
  });
});

describe("a login that does not help", () => {
  const stale =
    (whatEveryoneGets: Told): Server =>
    ({ url, headers }) => {
      if (url.pathname === "/token")
        return { status: 200, body: JSON.stringify({ token: headers.authorization === BASIC ? "mine" : "everyone" }) };
      if (headers.authorization === "Bearer everyone") return whatEveryoneGets;
      return headers.authorization === "Bearer mine"
        ? refusal(403, "DENIED")
        : refusal(401, "UNAUTHORIZED", { "www-authenticate": 'Bearer realm="https://registry.test/token"' });
    };

  test("does not hide what everyone may read, which is asked for once", async () => {
    const { registry, lines } = play({ servers: { "https://registry.test": stale(served) }, login: me });
    expect((await ask(registry, "registry.test/t/a")).kind).toBe("found");
    expect((await ask(registry, "registry.test/t/a", "two")).kind).toBe("found");
    expect(lines().filter((line) => line.includes("/token"))).toHaveLength(2);
  });

  test("and that everyone is told 'not found' proves nothing", async () => {
    const { registry } = play({
      servers: { "https://registry.test": stale(refusal(404, "MANIFEST_UNKNOWN")) },
      login: me,
    });
    expect(await ask(registry, "registry.test/t/a")).toMatchObject({ kind: "denied", status: 403 });
  });

  test.each<[string, StoredLogin]>([
    ["a login that the token server refuses", me],
    ["an identity token that it does not know how to take", { identityToken: "pass" }],
  ])("%s: what everyone may read is found, and what everyone is told is not there proves nothing", async (_, login) => {
    const serve =
      (whatEveryoneGets: Told): Server =>
      ({ url, method, headers }) => {
        if (url.pathname !== "/token")
          return wants("https://registry.test/token", "", whatEveryoneGets)({ url, method, headers, limit: 0 });
        if (method === "POST") return { status: 404 };
        return headers.authorization === undefined
          ? { status: 200, body: '{"token":"t"}' }
          : refusal(401, "UNAUTHORIZED");
      };
    const open = (told: Told) => play({ servers: { "https://registry.test": serve(told) }, login }).registry;
    expect((await ask(open(served), "registry.test/t/a")).kind).toBe("found");
    expect((await ask(open(refusal(404, "MANIFEST_UNKNOWN")), "registry.test/t/a")).kind).toBe("denied");
  });

  test("is never left out of a push", async () => {
    const { registry, lines } = play({
      servers: { "https://registry.test": stale({ status: 202 }) },
      login: me,
      options: { pushes: () => true },
    });
    expect(await registry.acceptsPush({ registry: "registry.test", repository: "t/a" })).toMatchObject({
      kind: "denied",
    });
    expect(lines().filter((line) => line.includes("/token"))).toHaveLength(1);
  });

  test("a token server that refuses the wider scope is asked for the narrower one", async () => {
    const serve: Server = (request) => {
      if (request.url.pathname !== "/token") return wants("https://registry.test/token")(request);
      const isNarrow = !request.url.search.includes("push") && request.headers.authorization === BASIC;
      return isNarrow ? grants(request) : refusal(401, "UNAUTHORIZED");
    };
    const { registry } = play({
      servers: { "https://registry.test": serve },
      login: me,
      options: { pushes: () => true },
    });
    expect((await ask(registry, "registry.test/t/a")).kind).toBe("found");
  });

  test.each<[string, StoredLogin | undefined, RegExp]>([
    ["no login at all", undefined, /No login is known for registry\.test/],
    ["a login", me, /The login that is known for registry\.test/],
  ])("the advice tells %s from the other", async (_, login, advice) => {
    const { registry } = play({ servers: { "https://registry.test": () => refusal(403, "DENIED") }, login });
    expect(await ask(registry, "registry.test/t/a")).toMatchObject({
      kind: "denied",
      words: "DENIED: denied said the registry",
      fix: expect.stringMatching(advice),
    });
  });
});

describe("the scheme", () => {
  const plain = (request: { readonly url: URL }) =>
    request.url.protocol === "http:"
      ? served
      : ({ kind: "failure", words: "wrong version number", why: "no-tls" } as const);
  const tls: Server = ({ url }) =>
    url.protocol === "https:" ? served : { status: 400, body: "Client sent an HTTP request to an HTTPS server.\n" };

  test.each<[string, string, boolean, Server, readonly string[]]>([
    ["TLS, whatever the server would say", "registry.test", false, plain, ["https"]],
    ["TLS alone for the inner network", "10.0.0.5:5000", false, plain, ["https"]],
    ["on loopback plain http", "localhost:5000", false, plain, ["http", "http"]],
    ["on loopback TLS, where the server says so", "127.0.0.1:5000", false, tls, ["http", "https", "https"]],
    ["named insecure: TLS first", "registry.test", true, tls, ["https", "https"]],
    ["named insecure: plain http after it", "registry.test", true, plain, ["https", "http", "http"]],
  ])("%s", async (_, host, insecure, server, schemes) => {
    const servers = { [`http://${host}`]: server, [`https://${host}`]: server };
    const { registry, seen } = play({ servers, options: { insecure: () => insecure } });
    await ask(registry, `${host}/t/a`);
    if (schemes.length > 1) await ask(registry, `${host}/t/a`, "two");
    // Found out once, and the second question goes straight to it.
    expect(seen.map(({ line }) => /GET (\w+):/.exec(line)?.[1])).toEqual(schemes);
  });

  test("a certificate that does not hold is said, also where plain http was tried first", async () => {
    const server: Server = ({ url }) =>
      url.protocol === "https:"
        ? { kind: "failure", words: "self-signed certificate", why: "certificate" }
        : { status: 400, body: "Client sent an HTTP request to an HTTPS server.\n" };
    const { registry, seen } = play({ servers: { "http://localhost:5000": server, "https://localhost:5000": server } });
    expect(await ask(registry, "localhost:5000/t/a")).toMatchObject({
      kind: "unavailable",
      words: "self-signed certificate",
      fix: expect.stringContaining("ssl-cert-base64"),
    });
    expect(seen).toHaveLength(2);
  });
});

describe("the scheme, where it is hard to tell", () => {
  const host = "localhost:5000";
  const name = { registry: host, repository: "t/a" };
  const on = (server: Server) => play({ servers: { [`http://${host}`]: server, [`https://${host}`]: server } });

  test("a HEAD to a TLS server is answered with 400 and no word", async () => {
    const { registry, lines } = on(({ url, method }) => {
      if (url.protocol === "http:") return { status: 400, body: "Client sent an HTTP request to an HTTPS server.\n" };
      return method === "HEAD" ? { ...served, headers: { ...served.headers, "content-length": "2" } } : served;
    });
    expect(await registry.hasBlob(name, { mediaType: "x", digest: sha("{}"), size: 2 })).toMatchObject({
      kind: "found",
    });
    expect(lines().map((line) => line.split("/")[0])).toEqual(["HEAD http:", "HEAD https:"]);
  });

  test("a server that hangs up on plain http, and whose certificate does not hold", async () => {
    const { registry } = on(({ url }) =>
      url.protocol === "http:"
        ? { kind: "failure", words: "other side closed", why: "hung-up" }
        : { kind: "failure", words: "self-signed certificate", why: "certificate" },
    );
    expect(await ask(registry, `${host}/t/a`)).toMatchObject({ words: "self-signed certificate" });
  });

  test("one that just hangs up is asked again as it was, and that it hung up is told", async () => {
    const { registry, lines } = on(({ url }) =>
      url.protocol === "http:"
        ? { kind: "failure", words: "other side closed", why: "hung-up" }
        : { kind: "failure", words: "wrong version number", why: "no-tls" },
    );
    expect(await ask(registry, `${host}/t/a`)).toMatchObject({ words: "other side closed" });
    expect(lines().filter((line) => line.includes("https:"))).toHaveLength(1);
  });

  test("once it has answered, the question is not asked again", async () => {
    let answers = 0;
    const { registry, lines } = on(() =>
      answers++ === 0 ? served : { kind: "failure", words: "other side closed", why: "hung-up" },
    );
    await ask(registry, `${host}/t/a`);
    await ask(registry, `${host}/t/a`, "two");
    expect(lines().filter((line) => line.includes("https:"))).toEqual([]);
  });
});

describe("answers that are not what they seem", () => {
  const name = { registry: "registry.test", repository: "t/a", tag: "one" };
  const digest = sha(image);

  test.each<[string, Told]>([
    [
      "a web page",
      {
        status: 200,
        headers: { "content-type": "text/html", "docker-content-digest": sha("x"), "content-length": "9" },
      },
    ],
    ["no length", { status: 200, headers: { "content-type": MANIFEST, "docker-content-digest": sha("x") } }],
    ["no digest", { status: 200, headers: { "content-type": MANIFEST, "content-length": "9" } }],
    [
      "a digest that is none",
      {
        status: 200,
        headers: { "content-type": MANIFEST, "docker-content-digest": "sha256:x", "content-length": "9" },
      },
    ],
    ["404", { status: 404 }],
    ["405", { status: 405 }],
    ["400", { status: 400 }],
  ])("where pulls are counted, and HEAD says %s: GET decides", async (_, told) => {
    const serve: Server = (request) =>
      request.url.pathname === "/token" ? grants(request) : request.method === "HEAD" ? told : served;
    const { registry, lines } = play({
      servers: { "https://auth.docker.io": serve, "https://registry-1.docker.io": serve },
    });
    expect(await registry.describe({ ...name, registry: "docker.io" })).toMatchObject({
      kind: "found",
      value: { digest, size: image.length },
    });
    expect(lines().map((line) => line.split(" ")[0])).toEqual(["GET", "HEAD", "GET"]);
  });

  test.each<[string, string, readonly string[]]>([
    ["Docker Hub, which counts pulls", "docker.io", ["HEAD"]],
    ["where nobody counts", "registry.test", ["GET"]],
  ])("a tag is looked at on %s by one request", async (_, registry, methods) => {
    const headers = { ...served.headers, "docker-content-digest": digest, "content-length": String(image.length) };
    const network = play({
      servers: {
        "https://auth.docker.io": grants,
        "https://registry-1.docker.io": () => ({ ...served, headers }),
        "https://registry.test": () => served,
      },
    });
    expect(await network.registry.describe({ ...name, registry })).toEqual({
      kind: "found",
      value: { mediaType: MANIFEST, digest, size: image.length },
    });
    expect(network.seen.filter(({ origin }) => !origin.includes("auth")).map(({ request }) => request.method)).toEqual(
      methods,
    );
  });

  test("a tag that is looked at while it is read is asked for once", async () => {
    const { registry, seen } = play({ servers: { "https://registry.test": () => served } });
    await Promise.all([registry.manifest(name), registry.describe(name)]);
    expect(seen).toHaveLength(1);
  });

  test.each<[string, Told, "found" | "malformed"]>([
    ["one byte of the right length", { status: 206, headers: { "content-range": "bytes 0-0/2" }, body: "{" }, "found"],
    ["all of it", { status: 200, headers: { "content-length": "2" }, body: "{}" }, "found"],
    ["one byte of another blob", { status: 206, headers: { "content-range": "bytes 0-0/7" }, body: "{" }, "malformed"],
    ["a page", { status: 404, headers: { "content-type": "text/html" }, body: "<html>" }, "malformed"],
  ])("HEAD of a blob says 404, and GET gives %s", async (_, told, kind) => {
    const { registry } = play({
      servers: { "https://registry.test": ({ method }) => (method === "HEAD" ? { status: 404 } : told) },
    });
    expect((await registry.hasBlob(name, { mediaType: "x", digest: sha("{}"), size: 2 })).kind).toBe(kind);
  });

  test("a push that is answered with 303 is not taken for one that worked", async () => {
    const page: Server = ({ url }) =>
      url.pathname === "/login" ? { status: 200 } : { status: 303, headers: { location: "/login" } };
    const { registry } = play({ servers: { "https://registry.test": page } });
    expect(await registry.putManifest(name, Buffer.from(image), MANIFEST, "one")).toMatchObject({
      kind: "malformed",
      status: 303,
    });
  });

  test("a manifest of Azure's that is there and was not asked for in its type is not absent", async () => {
    const body =
      '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"OCI index found, but accept header does not support OCI indexes"}]}';
    const { registry } = play({ servers: { "https://registry.test": () => ({ status: 404, body }) } });
    expect((await registry.manifest(name)).kind).toBe("malformed");
  });
});

describe("trying again", () => {
  test.each<[string, Server, number, string]>([
    ["500", () => ({ status: 500 }), 4, "unavailable"],
    ["502", () => ({ status: 502 }), 4, "unavailable"],
    ["503", () => ({ status: 503 }), 4, "unavailable"],
    ["408", () => ({ status: 408 }), 4, "unavailable"],
    ["429", () => ({ status: 429 }), 4, "limited"],
    ["400", () => ({ status: 400 }), 1, "malformed"],
    ["403", () => refusal(403, "DENIED"), 1, "denied"],
    ["404", () => refusal(404, "MANIFEST_UNKNOWN"), 1, "absent"],
    ["501", () => ({ status: 501 }), 1, "unavailable"],
    [
      "a connection that is cut",
      () => ({ kind: "failure", words: "other side closed", why: "hung-up" }),
      4,
      "unavailable",
    ],
    ["nobody listens", () => ({ kind: "failure", words: "ECONNREFUSED", why: "passing" }), 4, "unavailable"],
    ["a bad certificate", () => ({ kind: "failure", words: "expired", why: "certificate" }), 1, "unavailable"],
    ["no such host", () => ({ kind: "failure", words: "ENOTFOUND", why: "no-host" }), 1, "unavailable"],
    ["no answer in a minute", () => ({ kind: "failure", words: "time", why: "time" }), 1, "unavailable"],
  ])("%s", async (_, server, attempts, kind) => {
    const { registry, seen } = play({ servers: { "https://registry.test": server } });
    expect((await ask(registry, "registry.test/t/a")).kind).toBe(kind);
    expect(seen).toHaveLength(attempts);
  });

  test.each<[string, string, readonly number[]]>([
    ["not told: longer each time", "", [300, 900, 2700]],
    ["in seconds", "7", [7000, 7000, 7000]],
    ["by a date", new Date(1_000_000 + 9000).toUTCString(), [9000, 9000, 9000]],
    ["by a date that is gone", new Date(0).toUTCString(), [0, 0, 0]],
    ["longer than anyone waits", "61", []],
    ["nonsense", "soon", [300, 900, 2700]],
  ])("when to, %s", async (_, after, pauses) => {
    const headers: Record<string, string> = after === "" ? {} : { "retry-after": after };
    const network = play({ servers: { "https://registry.test": () => ({ status: 503, headers }) } });
    await ask(network.registry, "registry.test/t/a");
    expect(network.pauses).toEqual(pauses);
  });

  test("nobody sleeps past the end of the time, and the last answer is told", async () => {
    const network = play({ servers: { "https://registry.test": () => refusal(503, "UNAVAILABLE") } });
    network.registry.limitTime(1000);
    expect(await ask(network.registry, "registry.test/t/a")).toMatchObject({ words: /^UNAVAILABLE/ });
    expect(network.pauses).toEqual([300, 900]);
  });

  test("the time that is left goes along with every request, a token's too", async () => {
    const serve: Server = (request) =>
      request.url.pathname === "/token" ? grants(request) : wants("https://registry.test/token")(request);
    const network = play({ servers: { "https://registry.test": serve } });
    network.registry.limitTime(5000);
    await ask(network.registry, "registry.test/t/a");
    expect(network.seen.map(({ request }) => request.timeout)).toEqual([5000, 5000, 5000]);
  });

  test("an upload that breaks off starts anew as a whole", async () => {
    let puts = 0;
    const serve: Server = ({ method, url }) => {
      if (method === "HEAD") return refusal(404, "BLOB_UNKNOWN");
      if (method === "POST") return { status: 202, headers: { location: `${url.pathname}${puts}` } };
      puts++;
      return puts < 3 ? ([{ status: 502 }, refusal(404, "BLOB_UPLOAD_UNKNOWN")][puts - 1] ?? served) : { status: 201 };
    };
    const { registry, lines } = play({ servers: { "https://registry.test": serve } });
    const name = { registry: "registry.test", repository: "t/a" };
    expect((await registry.putBlob(name, Buffer.from("{}"), "x")).kind).toBe("found");
    expect(lines().map((line) => line.replace(/\?.*/, "").replace("https://registry.test/v2/t/a/blobs/", ""))).toEqual([
      `HEAD ${sha("{}")}`,
      "POST uploads/",
      "PUT uploads/0",
      "POST uploads/",
      "PUT uploads/1",
      "POST uploads/",
      "PUT uploads/2",
    ]);
  });

  test("an upload that never ends well is unavailable and never absent", async () => {
    const serve: Server = ({ method }) =>
      method === "POST" ? { status: 202, headers: { location: "u" } } : refusal(404, "BLOB_UPLOAD_UNKNOWN");
    const { registry, lines } = play({ servers: { "https://registry.test": serve } });
    const name = { registry: "registry.test", repository: "t/a" };
    expect(await registry.putBlob(name, Buffer.from("{}"), "x")).toMatchObject({ kind: "unavailable" });
    expect(lines().filter((line) => line.startsWith("PUT"))).toHaveLength(3);
  });
});

describe("pushes", () => {
  const name = { registry: "registry.test", repository: "t/a" };

  test("a mount asks for the right to read its source, the target first", async () => {
    const serve: Server = (request) =>
      request.url.pathname === "/token"
        ? grants(request)
        : wants("https://registry.test/token", ',service="s"', { status: 201 })(request);
    const { registry, lines } = play({ servers: { "https://registry.test": serve }, login: me });
    const blob = { mediaType: "x", digest: sha("{}"), size: 2 };
    expect((await registry.mountBlob(name, { ...name, repository: "t/from" }, blob)).kind).toBe("found");
    expect(lines()[1]).toBe(
      "GET https://registry.test/token?service=s&scope=repository%3At%2Fa%3Apull%2Cpush&scope=repository%3At%2Ffrom%3Apull",
    );
  });

  test("from another registry nothing is mounted: it is fetched there and sent here", async () => {
    const here: Server = ({ method }) =>
      method === "HEAD"
        ? refusal(404, "BLOB_UNKNOWN")
        : method === "POST"
          ? { status: 202, headers: { location: "u" } }
          : { status: 201 };
    const there: Server = () => ({ status: 200, body: "{}" });
    const { registry, lines } = play({ servers: { "https://registry.test": here, "https://other.test": there } });
    const blob = { mediaType: "x", digest: sha("{}"), size: 2 };
    expect((await registry.mountBlob(name, { registry: "other.test", repository: "t/x" }, blob)).kind).toBe("found");
    expect(lines().filter((line) => line.includes("mount="))).toEqual([]);
  });

  test.each<[string, Told, string, RegExp]>([
    [
      "a tag that is immutable",
      refusal(
        400,
        "TAG_INVALID: The image tag 'x' already exists and cannot be overwritten because the tag is immutable",
      ),
      "denied",
      /immutable/,
    ],
    [
      "a manifest that names a blob that is not there",
      refusal(400, "MANIFEST_BLOB_UNKNOWN"),
      "malformed",
      /BLOB_UNKNOWN/,
    ],
    ["one that is too large", refusal(413, "MANIFEST_INVALID"), "malformed", /MANIFEST_INVALID/],
    [
      "another content than was sent",
      { status: 201, headers: { "docker-content-digest": sha("x") } },
      "malformed",
      /another/,
    ],
  ])("%s", async (_, told, kind, words) => {
    const { registry } = play({ servers: { "https://registry.test": () => told } });
    const answer = await registry.putManifest(name, Buffer.from(image), MANIFEST, "one");
    expect(answer).toMatchObject({ kind, words: expect.stringMatching(words) });
  });

  test("a manifest that no registry takes is not sent", async () => {
    const { registry, seen } = play({ servers: {} });
    const answer = await registry.putManifest(name, new Uint8Array(4 * 1024 * 1024 + 1), MANIFEST, "one");
    expect(answer.kind).toBe("malformed");
    expect(seen).toEqual([]);
  });

  test("a repository that has to be made first is said", async () => {
    const { registry } = play({ servers: { "https://registry.test": () => refusal(404, "NAME_UNKNOWN") } });
    expect(await registry.acceptsPush(name)).toMatchObject({
      kind: "absent",
      fix: expect.stringContaining("Create registry.test/t/a first"),
    });
  });
});
