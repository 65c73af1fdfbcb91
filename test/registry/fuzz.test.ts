import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatReference, parseReference, parseRepository } from "../../src/oci/reference.ts";
import { imageAllowed, parseImagePattern } from "../../src/registry/allowed.ts";
import { parseChallenges } from "../../src/registry/challenge.ts";
import { openRegistry } from "../../src/registry/client.ts";
import { parseMirror } from "../../src/registry/mirrors.ts";
import type { Answer, Registry } from "../../src/world.ts";
import { startCpuTime } from "../cpu-time.ts";
import { openFakeNetwork, type Server, type Told } from "../fakes/network.ts";

// Servers that answer anything to anything. Whatever they say: an answer, no exception, an end; a login for those alone who may hear it;
// and no absence where no registry ever said so.

const HOME = "https://registry.test";
const BASIC = `Basic ${btoa("me:pass")}`;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const digest = `sha256:${createHash("sha256").update("{}").digest("hex")}` as const;
const blob = { mediaType: "x", digest, size: 2 };
const name = { registry: "registry.test", repository: "team/app" };

/** Realms that the registry names: only the first three may hear a login. */
const OWN_REALMS = [
  "/token",
  `${HOME}/token`,
  "https://auth.test/token",
  "http://auth.test/token",
  "https://10.0.0.1/t",
  "https://",
];
const MAY_HEAR = new Set([HOME, "https://auth.test"]);
/** Realms that those name to whom a redirect leads. */
const FOREIGN_REALMS = ["https://evil.test/token", "https://storage.test/token"];
const PLACES = [
  `${HOME}/v2/team/app/blobs/x`,
  "/v2/x",
  "https://storage.test/x",
  "https://evil.test/v2/x",
  "http://plain.test/x",
  "https://",
  "uploads/u?state=1",
];
const ORIGINS = [
  HOME,
  "https://auth.test",
  "https://evil.test",
  "https://storage.test",
  "http://plain.test",
  "http://auth.test",
  "http://registry.test",
];

const realms = (own: boolean) => fc.constantFrom(...(own ? OWN_REALMS : FOREIGN_REALMS));
const challenge = (own: boolean): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: realms(own).map((realm) => `Bearer realm="${realm}",service="s"`) },
    { weight: 1, arbitrary: realms(own).map((realm) => `Basic realm="x", Bearer scope="*", realm="${realm}"`) },
    fc.constantFrom("Basic realm=x", "Negotiate", "", 'Bearer realm="', "Bearer"),
  );
const NOT_FOUND = '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone"}]}';
const body = fc.constantFrom(
  "",
  "{}",
  "<html>404</html>",
  NOT_FOUND,
  '{"token":"t"}',
  '{"access_token":"u","expires_in":1}',
  '{"tags":["a"]}',
  '{"errors":[]}',
  '{"errors":[{"code":"DENIED"}]}',
  `{"schemaVersion":2,"config":{"mediaType":"x","digest":"${digest}","size":2},"layers":[]}`,
);
const status = fc.constantFrom(
  200,
  200,
  200,
  201,
  202,
  204,
  206,
  301,
  303,
  307,
  400,
  401,
  401,
  401,
  403,
  404,
  404,
  405,
  416,
  429,
  500,
  503,
);
const told = (own: boolean): fc.Arbitrary<Told> =>
  fc.record({
    status,
    body,
    headers: fc.record({
      "www-authenticate": challenge(own),
      location: fc.constantFrom(...PLACES),
      "content-type": fc.constantFrom(MANIFEST, "text/html", "application/json"),
      "docker-content-digest": fc.constantFrom(digest, "sha256:x", ""),
      link: fc.constantFrom("", '</v2/team/app/tags/list?last=a>; rel="next"', '<https://evil.test/x>; rel="next"'),
      "retry-after": fc.constantFrom("0", "1", "100", "x"),
    }),
  });

const ASKS: readonly ((registry: Registry) => Promise<Answer<unknown>>)[] = [
  (registry) => registry.manifest({ ...name, tag: "one" }),
  (registry) => registry.manifest({ ...name, digest }),
  (registry) => registry.describe({ ...name, tag: "one" }),
  (registry) => registry.hasBlob(name, blob),
  (registry) => registry.blob(name, blob),
  (registry) => registry.tags(name),
  (registry) => registry.acceptsPush(name),
  (registry) => registry.putBlob(name, Buffer.from("{}"), "x"),
  (registry) => registry.mountBlob(name, { ...name, repository: "team/other" }, blob),
  (registry) => registry.putManifest(name, Buffer.from("{}"), MANIFEST, "one"),
  (registry) => registry.deleteManifest({ ...name, tag: "one" }),
];

/** Servers that go through a list of answers, each its own, over and over. */
function scripted(own: readonly Told[], foreign: readonly Told[]) {
  const said: Told[] = [];
  const through = (list: readonly Told[]): Server => {
    let turn = 0;
    return () => {
      const answer = list[turn++ % list.length] ?? { status: 500 };
      said.push(answer);
      return answer;
    };
  };
  const servers = Object.fromEntries(ORIGINS.map((origin) => [origin, through(origin === HOME ? own : foreign)]));
  return { servers, said };
}

test.each([
  ["a login", { username: "me", password: "pass" }],
  ["an identity token", { identityToken: "pass" }],
  ["a registry token", { registryToken: "pass" }],
  ["no login", undefined],
])("with %s: an answer, an end, and no secret where it does not belong", async (_, login) => {
  const script = fc.record({
    own: fc.array(told(true), { minLength: 1, maxLength: 8 }),
    foreign: fc.array(told(false), { minLength: 1, maxLength: 5 }),
    asks: fc.array(fc.constantFrom(...ASKS), { minLength: 1, maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(script, async ({ own, foreign, asks }) => {
      const { servers, said } = scripted(own, foreign);
      const network = openFakeNetwork(servers);
      const registry = openRegistry(network.http, {
        clock: () => 0,
        mask: () => undefined,
        credentials: async () => login,
        pushes: () => true,
        insecure: () => false,
      });
      const answers = await Promise.all(asks.map((ask) => ask(registry)));
      for (const { origin, authorization, request } of network.seen) {
        const secrets = [authorization === BASIC, `${String(request.body)}${request.url}`.includes("pass")];
        if (secrets.includes(true)) expect(MAY_HEAR).toContain(origin);
        if (authorization?.startsWith("Bearer")) expect(origin).toBe(HOME);
      }
      if (!said.some((one) => one.status === 404 && one.body === NOT_FOUND))
        expect(answers.map(({ kind }) => kind)).not.toContain("absent");
      for (const answer of answers)
        if (answer.kind !== "found") expect([answer.request, answer.words]).not.toContain("");
      expect(network.seen.length).toBeLessThan(asks.length * 300);
    }),
    { numRuns: 250 },
  );
});

/** A registry that gives `mine` for the login and other tokens for everybody else, and remembers whom it told what. */
function remembering(script: readonly Told[]) {
  const told: { readonly path: string; readonly authorization: string | undefined; readonly reply: Told }[] = [];
  let turn = 0;
  const server: Server = ({ url, headers }) => {
    const { authorization } = headers;
    const scripted = script[turn++ % script.length] ?? { status: 500 };
    const isGrant = scripted.status === 200 && scripted.body?.includes("token");
    const reply = isGrant && authorization === BASIC ? { status: 200, body: '{"token":"mine"}' } : scripted;
    told.push({ path: url.pathname, authorization, reply });
    return reply;
  };
  return { told, server };
}

test("with a login: absent is only what was not there for it, or where nobody wants to see one", async () => {
  const direct = told(true).filter((one) => one.status < 300 || one.status >= 400);
  const often = fc.record({ status: fc.constant(404), body: fc.constant(NOT_FOUND) });
  const script = fc.record({
    own: fc.array(fc.oneof({ weight: 2, arbitrary: direct }, often), { minLength: 1, maxLength: 8 }),
    asks: fc.array(fc.constantFrom(...ASKS), { minLength: 1, maxLength: 3 }),
  });
  let absent = 0;
  await fc.assert(
    fc.asyncProperty(script, async ({ own, asks }) => {
      const { told, server } = remembering(own);
      const network = openFakeNetwork({ [HOME]: server, "https://auth.test": server });
      const registry = openRegistry(network.http, {
        clock: () => 0,
        mask: () => undefined,
        credentials: async () => ({ username: "me", password: "pass" }),
        pushes: () => true,
        insecure: () => false,
      });
      const answers = await Promise.all(asks.map((ask) => ask(registry)));
      const wasShown = told.some(
        ({ authorization = "", reply }) => reply.status === 404 && [BASIC, "Bearer mine"].includes(authorization),
      );
      const isOpen = told.some(
        ({ path, reply: { status } }) => path === "/v2/" && ![401, 403, 429].includes(status) && status < 500,
      );
      if (!wasShown && !isOpen) expect(answers.map(({ kind }) => kind)).not.toContain("absent");
      absent += answers.filter(({ kind }) => kind === "absent").length;
    }),
    { numRuns: 600, examples: [[{ own: [{ status: 404, body: NOT_FOUND }], asks: ASKS.slice(0, 1) }]] },
  );
  // Else the property would say nothing: the example ends so, however chance falls.
  expect(absent).toBeGreaterThan(0);
});

test("whatever a header says, it is read in time, and what was a challenge stays one", () => {
  const part = fc.constantFrom("Bearer", "Basic", " ", ",", "=", '"', "\\", "realm", "a", "==", "\t", "é", "'", ";");
  const text = fc.oneof(
    fc.string({ maxLength: 2000 }),
    fc.array(part, { maxLength: 400 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (header) => {
      const spent = startCpuTime();
      for (const { scheme, params } of parseChallenges([header])) {
        expect(scheme).toMatch(/^[^\s,="]+$/);
        for (const value of Object.values(params)) expect(typeof value).toBe("string");
      }
      expect(spent()).toBeLessThan(1000);
      const [good] = parseChallenges(['Bearer realm="https://r/t"', header]);
      expect(good).toEqual({ scheme: "bearer", params: { realm: "https://r/t" } });
    }),
    { numRuns: 500 },
  );
});

test("whatever is written as a name, it is read in time, and reads the same again", () => {
  const part = fc.constantFrom(
    "a",
    "A",
    "b-",
    "-",
    ".",
    "/",
    ":",
    "@",
    "_",
    "__",
    "5000",
    "localhost",
    "docker.io",
    digest,
    " ",
    "[::1]",
    "é",
  );
  const text = fc.oneof(
    fc.string({ maxLength: 400 }),
    fc.array(part, { maxLength: 40 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (written) => {
      const spent = startCpuTime();
      for (const parsed of [parseReference(written), parseRepository(written), parseMirror(written)])
        if ("wrong" in parsed) expect(parsed.wrong).not.toBe("");
      const reference = parseReference(written);
      if (!("wrong" in reference)) expect(parseReference(formatReference(reference))).toEqual(reference);
      const pattern = parseImagePattern(written.replaceAll("b-", "*"));
      if (!("wrong" in pattern) && !("wrong" in reference)) imageAllowed([pattern], reference);
      expect(spent()).toBeLessThan(1000);
    }),
    { numRuns: 1000, examples: [["A/0"], ["GHCR.io/A"], ["docker.io/a"], ["localhost/a"]] },
  );
});
