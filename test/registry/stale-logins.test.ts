import { expect, test } from "vitest";
import type { StoredLogin } from "../../src/world.ts";
import { refusal, type Server, type Told } from "../fakes/network.ts";
import { ask, BASIC, grants, me, play, served, wants } from "./network.ts";

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

test("a login that does not help does not hide what everyone may read, which is asked for once", async () => {
  const { registry, lines } = play({ servers: { "https://registry.test": stale(served) }, login: me });
  expect((await ask(registry, "registry.test/t/a")).kind).toBe("found");
  expect((await ask(registry, "registry.test/t/a", "two")).kind).toBe("found");
  expect(lines().filter((line) => line.includes("/token"))).toHaveLength(2);
});

test("that everyone is told 'not found' proves nothing about who has a login", async () => {
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

test("a login is never left out of a push", async () => {
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
