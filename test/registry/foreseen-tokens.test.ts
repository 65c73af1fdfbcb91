import { expect, test } from "vitest";
import { giteaChallenge } from "../../src/registry/well-known.ts";
import { refusal, type Server } from "../fakes/network.ts";
import { ask, BASIC, grants, me, play, served, wants } from "./network.ts";

test.each<[string, string, string, string, Server?]>([
  [
    "Docker Hub",
    "docker.io/library/debian",
    "https://registry-1.docker.io",
    "https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Alibrary%2Fdebian%3Apull",
  ],
  ["GHCR", "ghcr.io/t/a", "https://ghcr.io", "https://ghcr.io/token?service=ghcr.io&scope=repository%3At%2Fa%3Apull"],
  ["Quay", "quay.io/t/a", "https://quay.io", "https://quay.io/v2/auth?service=quay.io&scope=repository%3At%2Fa%3Apull"],
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
])("a token is had without a refusal from %s", async (_, name, origin, realm) => {
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

/** A Gitea, which asks for a token with a scope of its own, and grants one for whatever login. */
const gitea =
  (realm: string): Server =>
  (request) =>
    request.url.pathname.endsWith("/v2/token")
      ? grants(request)
      : wants(realm, ',service="container_registry",scope="*"')(request);
const expecting = (server: string, plain = false, name: "gitea" | "forgejo" = "gitea") => {
  const { host } = new URL(server);
  return {
    insecure: (registry: string) => plain && registry === host,
    plain: (registry: string) => plain && registry === host,
    expects: (registry: string) => (registry === host ? giteaChallenge(new URL(server), name) : undefined),
  };
};
const TOKEN = "service=container_registry&scope=repository%3At%2Fa%3Apull";

test.each<[string, "gitea" | "forgejo", string, string]>([
  ["its own address", "gitea", "https://git.test:3000/", "https://git.test:3000/v2/token"],
  ["the root of its host", "gitea", "https://git.test/code", "https://git.test/v2/token"],
  ["an address with a path", "forgejo", "https://git.test/code", "https://git.test/code/v2/token"],
])("the server that the job comes from: a token is had without a refusal, by %s", async (_, name, server, realm) => {
  const { origin, host } = new URL(server);
  const { registry, lines, seen } = play({
    servers: { [origin]: gitea(realm) },
    login: me,
    options: expecting(server, false, name),
  });
  expect((await ask(registry, `${host}/t/a`)).kind).toBe("found");
  expect(lines()).toEqual([`GET ${realm}?${TOKEN}`, `GET ${origin}/v2/t/a/manifests/one`]);
  expect(seen.map(({ authorization }) => authorization)).toEqual([BASIC, "Bearer t"]);
});

test("one whose address is plain http is not asked with TLS first", async () => {
  const { registry, lines } = play({
    servers: { "http://10.0.0.5:3000": gitea("http://10.0.0.5:3000/v2/token") },
    login: me,
    options: expecting("http://10.0.0.5:3000", true),
  });
  expect((await ask(registry, "10.0.0.5:3000/t/a")).kind).toBe("found");
  expect(lines()).toEqual([
    `GET http://10.0.0.5:3000/v2/token?${TOKEN}`,
    "GET http://10.0.0.5:3000/v2/t/a/manifests/one",
  ]);
});

test("one that sends everyone from plain http to TLS: what a redirect has parted from its login does not count", async () => {
  const upgrade: Server = ({ url }) => ({
    status: 308,
    headers: { location: `https://${url.hostname}${url.pathname}${url.search}` },
  });
  const nobody: Server = () => ({ status: 200, body: '{"token":"ghost"}' });
  const secure: Server = (request) => {
    if (request.url.pathname === "/v2/token")
      return request.headers.authorization === BASIC ? grants(request) : nobody(request);
    // A private repository is none to a nobody.
    return request.headers.authorization === "Bearer ghost"
      ? refusal(404, "MANIFEST_UNKNOWN")
      : gitea("https://git.test/v2/token")(request);
  };
  const { registry, seen } = play({
    servers: { "http://git.test": upgrade, "https://git.test": secure },
    login: me,
    options: expecting("http://git.test", true),
  });
  expect((await ask(registry, "git.test/t/a")).kind).toBe("found");
  expect((await ask(registry, "git.test/t/a", "two")).kind).toBe("found");
  expect(seen.at(-1)?.line).toBe("GET https://git.test/v2/t/a/manifests/two");
});

test("one whose plain http the user forbids is asked with TLS alone", async () => {
  const { registry, seen } = play({
    servers: { "https://git.test": gitea("https://git.test/v2/token") },
    login: me,
    options: { ...expecting("http://git.test", true), insecure: () => false },
  });
  expect((await ask(registry, "git.test/t/a")).kind).toBe("found");
  expect(seen.map(({ origin }) => origin)).toEqual(["https://git.test", "https://git.test", "https://git.test"]);
});

test("a login that GHCR refuses is told with what the job's own token needs", async () => {
  const { registry } = play({ servers: { "https://ghcr.io": () => refusal(403, "DENIED") }, login: me });
  expect(await ask(registry, "ghcr.io/t/a")).toMatchObject({
    kind: "denied",
    fix: expect.stringMatching(/packages: read to look and packages: write to push, and the package's settings/),
  });
});
