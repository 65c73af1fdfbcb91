import { afterEach, beforeEach, expect, test } from "vitest";
import type { Repository } from "../../src/oci/reference.ts";
import type { Answer, Registry, StoredLogin } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry, type Reply } from "../fakes/registry.ts";
import { image, MANIFEST, openClient, sha } from "./client.ts";

// What the registries that people use answer where they go their own way, a row each.

const blob = { mediaType: "x", digest: sha("{}"), size: 2 };

let fake: FakeRegistry;
let storage: FakeRegistry;
let name: Repository;

beforeEach(async () => {
  fake = await openFakeRegistry();
  storage = await openFakeRegistry();
  name = { registry: fake.host, repository: "team/app" };
});
afterEach(() => Promise.all([fake.close(), storage.close()]));

const me: StoredLogin = { username: "me", password: "pass" };
const error = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }),
});
const bearer = (more = "") => ({ "www-authenticate": `Bearer realm="http://${fake.host}/token"${more}` });
const token: Reply = { status: 200, body: '{"token":"t"}' };
type Asked = { readonly headers: { readonly authorization?: string | undefined } };
const withToken =
  (served: Reply, more?: string) =>
  (asked: Asked): Reply =>
    asked.headers.authorization === "Bearer t" ? served : error(401, "UNAUTHORIZED", bearer(more));
const served: Reply = {
  status: 200,
  headers: { "content-type": MANIFEST, "docker-content-digest": sha(image) },
  body: image,
};

const isManifest = (line: string): boolean => line.includes("/manifests/");
const isBlob = (line: string): boolean => line.includes("/blobs/");
const isToken = (line: string): boolean => line.endsWith(" /token");

type Row = {
  readonly name: string;
  readonly login?: StoredLogin;
  readonly says: () => void;
  readonly ask?: (registry: Registry) => Promise<Answer<unknown>>;
  readonly kind: Answer<unknown>["kind"];
  /** What the answer's advice holds. */
  readonly fix?: string;
};

const manifest = (one: Registry): Promise<Answer<unknown>> => one.manifest({ ...name, tag: "one" });
const describeTag = (one: Registry): Promise<Answer<unknown>> => one.describe({ ...name, tag: "one" });
const has = (one: Registry): Promise<Answer<unknown>> => one.hasBlob(name, blob);

const ROWS: readonly Row[] = [
  {
    name: "GHCR: the token server refuses a package that is private or not there",
    says: () => {
      fake.override(isManifest, error(401, "UNAUTHORIZED", bearer()));
      fake.override(isToken, error(403, "DENIED"));
    },
    kind: "denied",
  },
  {
    name: "GHCR: a token that has no right to the package",
    login: me,
    says: () => {
      fake.override(isManifest, withToken(error(403, "DENIED")));
      fake.override(isToken, token);
    },
    kind: "denied",
  },
  {
    name: "GHCR: a missing tag, with a token",
    login: me,
    says: () => {
      fake.override(isManifest, withToken(error(404, "MANIFEST_UNKNOWN")));
      fake.override(isToken, token);
    },
    kind: "absent",
  },
  {
    name: "Docker Hub: a token without the right, 401 for what is missing or private",
    says: () => {
      fake.override(isManifest, error(401, "UNAUTHORIZED", bearer(',service="registry.docker.io"')));
      fake.override(isToken, token);
    },
    kind: "denied",
  },
  {
    name: "Docker Hub: over the limit",
    says: () =>
      fake.override(
        isManifest,
        error(429, "TOOMANYREQUESTS", { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0" }),
      ),
    kind: "limited",
  },
  {
    name: "ECR: Basic, no token",
    login: me,
    says: () => fake.requireBasic({ user: "me", password: "pass" }),
    kind: "absent",
  },
  {
    name: "ECR: no digest on HEAD",
    says: () => {
      fake.override(isManifest, served);
      fake.override((line) => line.startsWith("HEAD"), { status: 200, headers: { "content-type": MANIFEST } });
    },
    ask: describeTag,
    kind: "found",
  },
  {
    name: "ECR Public: 401 on HEAD of a blob although GET redirects to it",
    says: () => {
      storage.override(() => true, { status: 206, headers: { "content-range": "bytes 0-0/2" }, body: "{" });
      fake.override(isToken, token);
      fake.override(isBlob, (asked) =>
        asked.method === "HEAD"
          ? error(401, "DENIED", bearer(',scope="aws"'))
          : { status: 307, headers: { location: `http://${storage.host}/x` } },
      );
    },
    ask: has,
    kind: "found",
  },
  {
    name: "ACR: 404 with other words for what is missing",
    says: () => fake.override(isManifest, error(404, "MANIFEST_UNKNOWN")),
    kind: "absent",
  },
  {
    name: "Artifact Registry: 403 without a challenge for a missing project",
    says: () => fake.override(isManifest, error(403, "DENIED")),
    kind: "denied",
  },
  {
    name: "Quay: 401 for private and missing alike",
    says: () => {
      fake.override(isManifest, error(401, "UNAUTHORIZED", bearer(',service="quay.io"')));
      fake.override(isToken, token);
    },
    kind: "denied",
  },
  {
    name: "Harbor: NOT_FOUND instead of MANIFEST_UNKNOWN",
    says: () => fake.override(isManifest, error(404, "NOT_FOUND")),
    kind: "absent",
  },
  {
    name: "Harbor's proxy cache: HEAD of a blob says 404 although GET fetches it",
    says: () =>
      fake.override(isBlob, ({ method }) =>
        method === "HEAD" ? { status: 404 } : { status: 206, headers: { "content-range": "bytes 0-0/2" }, body: "{" },
      ),
    ask: has,
    kind: "found",
  },
  {
    name: "Harbor: a blob that neither HEAD nor GET knows",
    says: () => fake.override(isBlob, error(404, "BLOB_UNKNOWN")),
    ask: has,
    kind: "absent",
  },
  {
    name: "Harbor: a session cookie, which nobody keeps",
    says: () => {
      fake.override(isManifest, ({ headers }) =>
        headers.cookie === undefined
          ? { ...served, headers: { ...served.headers, "set-cookie": "sid=1; Path=/" } }
          : error(403, "DENIED"),
      );
    },
    ask: async (one) => {
      await manifest(one);
      return manifest(one);
    },
    kind: "found",
  },
  {
    name: "Artifactory: a realm with the repository in its path, and a query of its own",
    login: me,
    says: () => {
      const realm = `http://${fake.host}/artifactory/api/docker/team/v2/token?tenant=a%20b`;
      const wants = { "www-authenticate": `Bearer realm="${realm}",service="s"` };
      fake.override(isManifest, ({ headers }) =>
        headers.authorization === "Bearer t" ? served : error(401, "UNAUTHORIZED", wants),
      );
      fake.override(
        (line) => line.includes("/artifactory/"),
        ({ url }) =>
          url.searchParams.get("tenant") === "a b" && url.searchParams.has("scope") ? token : { status: 400 },
      );
    },
    kind: "found",
  },
  {
    name: "GHCR: a stale login on a public package",
    login: me,
    says: () => {
      fake.override(isManifest, withToken(served));
      fake.override(isToken, ({ headers }) => (headers.authorization === undefined ? token : error(403, "DENIED")));
    },
    kind: "found",
  },
  {
    name: "ECR: a repository that is not there, which no push makes",
    login: me,
    says: () => fake.override((line) => line.startsWith("POST"), error(404, "NAME_UNKNOWN")),
    ask: (one) => one.acceptsPush(name),
    kind: "absent",
  },
  {
    name: "ECR: a tag that is immutable",
    login: me,
    says: () => {
      const message =
        "The image tag 'one' already exists in the 'team/app' repository and cannot be overwritten because the repository is immutable.";
      const body = JSON.stringify({ errors: [{ code: "TAG_INVALID", message }] });
      fake.override((line) => line.startsWith("PUT"), { status: 400, body });
    },
    ask: (one) => one.putManifest(name, Buffer.from(image), MANIFEST, "one"),
    kind: "denied",
  },
  {
    name: "ACR: a manifest of a type that was not asked for",
    says: () => {
      const message = "OCI manifest found, but accept header does not support OCI manifests";
      const body = JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message }] });
      fake.override(isManifest, { status: 404, body });
    },
    kind: "malformed",
  },
  {
    name: "Docker Hub: over the limit, told in words alone by a proxy",
    says: () =>
      fake.override(isManifest, { status: 429, body: "toomanyrequests: You have reached your pull rate limit." }),
    kind: "limited",
  },
  {
    name: "distribution: an unknown repository is an unknown manifest",
    says: () => undefined,
    ask: (one) => one.manifest({ ...name, repository: "team/none", tag: "one" }),
    kind: "absent",
  },
  {
    name: "distribution 2: tags are not deleted",
    says: () => undefined,
    ask: (one) => one.deleteManifest({ ...name, tag: "one" }),
    kind: "denied",
  },
  {
    name: "Artifactory: 403 for a tag that is not there, when one repository behind it is forbidden",
    login: me,
    says: () => fake.override(isManifest, error(403, "FORBIDDEN")),
    kind: "denied",
  },
  {
    name: "GitLab: the exchange is refused",
    login: me,
    says: () => {
      fake.override(
        isManifest,
        error(401, "UNAUTHORIZED", bearer(',service="container_registry",scope="repository:team/app:pull"')),
      );
      fake.override(isToken, error(403, "DENIED"));
    },
    kind: "denied",
  },
  {
    name: "Gitea: a scope of *, and a second challenge",
    login: me,
    says: () => {
      fake.override(isManifest, withToken(served, ',service="container_registry",scope="*", Basic realm="x"'));
      fake.override(isToken, token);
    },
    kind: "found",
  },
  {
    name: "old Gitea: no service",
    login: me,
    says: () => {
      fake.override(isManifest, withToken(served));
      fake.override(isToken, token);
    },
    kind: "found",
  },
  {
    name: "Gitea 1.27: a name with two dashes",
    says: () => fake.override(isManifest, error(400, "NAME_INVALID")),
    kind: "malformed",
    fix: "the input cache-repo",
  },
  {
    name: "Gitea 1.27: an owner that is not there",
    says: () =>
      fake.override(isManifest, {
        status: 404,
        headers: { "content-type": "text/plain;charset=utf-8" },
        body: "Not found.\n",
      }),
    kind: "malformed",
  },
  {
    name: "Gitea 1.27: a push with a token that may only read",
    login: me,
    says: () => {
      const headers = {
        "content-type": "text/plain; charset=utf-8",
        "www-authenticate": 'Basic realm="Gitea Package API"',
      };
      fake.override((line) => line.startsWith("POST"), { status: 401, headers, body: "reqPackageAccess\n" });
    },
    ask: (one) => one.acceptsPush(name),
    kind: "denied",
    fix: "The login that is known for",
  },
  {
    name: "Gitea: a job's token that may not read packages",
    login: me,
    says: () => {
      fake.override(isManifest, error(401, "UNAUTHORIZED", bearer(',scope="*"')));
      fake.override(isToken, error(401, "UNAUTHORIZED"));
    },
    kind: "denied",
  },
  {
    name: "distribution: 401 with insufficient_scope on a push",
    login: me,
    says: () => {
      fake.override(
        (line) => line.startsWith("POST"),
        error(
          401,
          "UNAUTHORIZED",
          bearer(',service="s",scope="repository:team/app:pull,push",error="insufficient_scope"'),
        ),
      );
      fake.override(isToken, token);
    },
    ask: (one) => one.acceptsPush(name),
    kind: "denied",
  },
  {
    name: "a proxy with a log-in page",
    says: () => {
      storage.override(() => true, {
        status: 200,
        headers: { "content-type": "text/html" },
        body: "<html>Sign in</html>",
      });
      fake.override(isManifest, { status: 302, headers: { location: `http://${storage.host}/login` } });
    },
    kind: "malformed",
  },
  {
    name: "a captive proxy that answers 404 with a page",
    says: () =>
      fake.override(isManifest, {
        status: 404,
        headers: { "content-type": "text/html; charset=utf-8" },
        body: "<html></html>",
      }),
    kind: "malformed",
  },
  {
    name: "a body that is cut off",
    says: () =>
      fake.override(isManifest, {
        ...served,
        headers: { ...served.headers, "content-length": String(image.length) },
        cut: 20,
      }),
    kind: "unavailable",
  },
  {
    name: "a digest in the header that is another one's: the server contradicts itself",
    says: () =>
      fake.override(isManifest, {
        ...served,
        headers: { "content-type": MANIFEST, "docker-content-digest": sha("other") },
      }),
    kind: "malformed",
  },
  {
    name: "a digest in the header by another algorithm: nothing to compare with",
    says: () =>
      fake.override(isManifest, {
        ...served,
        headers: { "content-type": MANIFEST, "docker-content-digest": `sha512:${"0".repeat(128)}` },
      }),
    kind: "found",
  },
  {
    name: "a manifest that is too long to be one",
    says: () => fake.override(isManifest, { ...served, body: " ".repeat(9 * 1024 * 1024) }),
    kind: "malformed",
  },
];

test.each(ROWS)("$name: $kind", async ({ login, says, ask = manifest, kind, fix }) => {
  says();
  const answer = await ask(openClient({ login }));
  expect(answer.kind).toBe(kind);
  if (fix !== undefined) expect(answer).toMatchObject({ fix: expect.stringContaining(fix) });
  expect(storage.asked.map(({ headers }) => headers.authorization).filter((value) => value !== undefined)).toEqual([]);
});
