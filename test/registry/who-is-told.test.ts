import { expect, test } from "vitest";
import { refusal, type Server } from "../fakes/network.ts";
import { sha } from "./client.ts";
import { ask, BASIC, grants, me, play, wants } from "./network.ts";

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
