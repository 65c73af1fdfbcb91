import { expect, test } from "vitest";
import type { StoredLogin } from "../../src/world.ts";
import { refusal, type Server, type Told } from "../fakes/network.ts";
import { ask, BASIC, me, play, served } from "./network.ts";

// Registries that show everyone what is public and say "not found" of all else, without asking who is there: only /v2/ asks.

const gone = refusal(404, "MANIFEST_UNKNOWN");
const bearer = { "www-authenticate": 'Bearer realm="https://registry.test/token",service="s"' };

type Hiding = {
  /** What /v2/ says to nobody in particular. */
  readonly door: Told;
  /** What is there for who has shown a login. */
  readonly inside: Told;
  readonly token?: Told;
};

const hides =
  ({ door, inside, token = { status: 200, body: '{"token":"t"}' } }: Hiding): Server =>
  ({ url, headers }) => {
    if (url.pathname === "/v2/") return headers.authorization === undefined ? door : { status: 200 };
    if (url.pathname === "/token") return headers.authorization === BASIC ? token : refusal(401, "UNAUTHORIZED");
    return headers.authorization === undefined ? gone : inside;
  };

const asks = refusal(401, "UNAUTHORIZED", bearer);

test.each<[string, StoredLogin | undefined, Hiding, string]>([
  ["without a login, what everyone is told counts", undefined, { door: asks, inside: served }, "absent"],
  ["with one, it is shown", me, { door: asks, inside: served }, "found"],
  ["and what is not there for it either is absent", me, { door: asks, inside: gone }, "absent"],
  [
    "with a password",
    me,
    { door: refusal(401, "UNAUTHORIZED", { "www-authenticate": "Basic realm=x" }), inside: served },
    "found",
  ],
  [
    "a login that is refused proves nothing",
    me,
    { door: asks, inside: served, token: refusal(403, "DENIED") },
    "denied",
  ],
  ["a registry that asks nobody", me, { door: { status: 200 }, inside: served }, "absent"],
  ["one that has no such door", me, { door: { status: 404 }, inside: served }, "absent"],
  [
    "one whose door sends elsewhere",
    me,
    { door: { status: 302, headers: { location: "https://evil.test/" } }, inside: served },
    "absent",
  ],
  ["one that asks in a way that nobody here speaks", me, { door: { status: 401 }, inside: served }, "denied"],
  ["one that refuses at the door", me, { door: refusal(403, "DENIED"), inside: served }, "denied"],
  ["one that cannot be asked", me, { door: { status: 503 }, inside: served }, "unavailable"],
])("%s", async (_, login, hiding, kind) => {
  const { registry, seen } = play({
    servers: { "https://registry.test": hides(hiding), "https://evil.test": () => asks },
    login,
  });
  expect((await ask(registry, "registry.test/t/a")).kind).toBe(kind);
  expect(seen.filter(({ origin, authorization }) => origin === "https://evil.test" && authorization)).toEqual([]);
});

test("a door that could not be asked is asked again by who comes later", async () => {
  const hiding = { door: asks, inside: served };
  const doors = [{ status: 503 }, { status: 503 }, { status: 503 }, { status: 503 }, asks];
  const serve: Server = (request) =>
    hides({ ...hiding, door: request.url.pathname === "/v2/" ? (doors.shift() ?? asks) : asks })(request);
  const { registry } = play({ servers: { "https://registry.test": serve }, login: me });
  expect((await ask(registry, "registry.test/t/a")).kind).toBe("unavailable");
  expect((await ask(registry, "registry.test/t/a")).kind).toBe("found");
});

test("what a host behind a redirect does not have for everyone is asked for with the login, which that host never sees", async () => {
  const serve: Server = (request) => {
    const moved = { status: 307, headers: { location: `https://storage.test${request.url.pathname}` } };
    const isManifest = request.url.pathname.includes("/manifests/");
    return isManifest && request.headers.authorization === undefined
      ? moved
      : hides({ door: asks, inside: served })(request);
  };
  const { registry, seen } = play({
    servers: { "https://registry.test": serve, "https://storage.test": () => gone },
    login: me,
  });
  expect((await ask(registry, "registry.test/t/a")).kind).toBe("found");
  expect(seen.filter(({ origin, authorization }) => origin === "https://storage.test" && authorization)).toEqual([]);
});

test("the door is asked once, and what it said is foreseen from then on", async () => {
  const { registry, lines } = play({
    servers: { "https://registry.test": hides({ door: asks, inside: gone }) },
    login: me,
  });
  const tags = Array.from({ length: 20 }, (_, index) => `tag-${index}`);
  const answers = await Promise.all(tags.map((tag) => ask(registry, "registry.test/t/a", tag)));
  expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["absent"]));
  expect(lines().filter((line) => line.endsWith("/v2/") || line.includes("/token"))).toHaveLength(2);
  const before = lines().length;
  await ask(registry, "registry.test/t/a", "more");
  expect(lines().slice(before)).toHaveLength(1);
});
