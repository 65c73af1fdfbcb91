import { Buffer } from "node:buffer";
import type { Asked, FakeRegistry, Reply } from "../fakes/registry.ts";

// Pushing faults as data: what goes wrong at which request of a push, and what is expected then, written by hand.

/** A request of a push, told from the others by what it asks and by what the registry holds by then. */
export type Request = (asked: Asked, registry: FakeRegistry) => boolean;

const CACHE = "/v2/team/app/";
const isOurs = ({ headers }: Asked): boolean => String(headers["user-agent"]).startsWith("dev-container-cache");
const target = ({ url }: Asked, kind: "manifests" | "blobs"): string | undefined =>
  url.pathname.startsWith(`${CACHE}${kind}/`) ? url.pathname.slice(`${CACHE}${kind}/`.length) : undefined;

/** Whether BuildKit has pushed its index: what is asked before belongs to the probe. */
const isBuilt = (registry: FakeRegistry): boolean =>
  registry.asked.some(
    (one) => one.method === "PUT" && !isOurs(one) && one.body.includes('"vnd.docker.reference.type"'),
  );
const hasPut = (registry: FakeRegistry, name: RegExp): boolean =>
  registry.asked.some((one) => one.method === "PUT" && name.test(target(one, "manifests") ?? ""));

const SET = /^k1-[0-9a-f]{64}$/;
const PLATFORM = /^k1-[0-9a-f]{64}-linux-amd64$/;

type Manifest = {
  readonly manifests?: readonly unknown[];
  readonly layers?: readonly { readonly mediaType: string }[];
};
type Kind = "index" | "set" | "image" | "attestations" | "plan";

/** What a manifest is, told by its own text. */
function kindOf(text: string | undefined): Kind | undefined {
  if (text === undefined) return undefined;
  const { manifests, layers = [] }: Manifest = JSON.parse(text);
  if (manifests) return text.includes("dev-container-cache.own") ? "set" : "index";
  if (text.includes("urn:dev-container-cache:plan")) return "plan";
  return layers.some(({ mediaType }) => mediaType.includes("in-toto")) ? "attestations" : "image";
}

const readsManifest =
  (kind: Kind): Request =>
  (asked, registry) => {
    const name = target(asked, "manifests");
    if (asked.method !== "GET" || !isOurs(asked) || !name?.startsWith("sha256:") || !isBuilt(registry)) return false;
    return kindOf(registry.manifest("team/app", name)?.toString()) === kind;
  };
const readsBlob =
  (part: string): Request =>
  (asked, registry) => {
    const name = target(asked, "blobs");
    if (asked.method === "PUT" || !isOurs(asked) || !name?.startsWith("sha256:") || !isBuilt(registry)) return false;
    return registry.blob("team/app", name)?.includes(part) === true;
  };
const puts =
  (name: RegExp): Request =>
  (asked) =>
    asked.method === "PUT" && isOurs(asked) && name.test(target(asked, "manifests") ?? "");
const reads =
  (name: RegExp, when: (registry: FakeRegistry) => boolean): Request =>
  (asked, registry) =>
    asked.method === "GET" && isOurs(asked) && name.test(target(asked, "manifests") ?? "") && when(registry);
const buildkitPuts =
  (kind: Kind): Request =>
  (asked) =>
    asked.method === "PUT" &&
    !isOurs(asked) &&
    target(asked, "manifests") !== undefined &&
    kindOf(asked.body.toString()) === kind;
const uploads =
  (who: "ours" | "BuildKit's", when: (registry: FakeRegistry) => boolean, method = /^(?:POST|PUT)$/): Request =>
  (asked, registry) =>
    method.test(asked.method) &&
    isOurs(asked) === (who === "ours") &&
    target(asked, "blobs")?.startsWith("uploads/") === true &&
    when(registry);

export const REQUESTS = {
  "the trial upload": uploads("ours", (registry) => !isBuilt(registry)),
  "BuildKit's blobs": uploads("BuildKit's", () => true),
  "BuildKit's manifest of the image": buildkitPuts("image"),
  "BuildKit's attestations": buildkitPuts("attestations"),
  "BuildKit's index": buildkitPuts("index"),
  "the index is read": readsManifest("index"),
  "the image's manifest is read": readsManifest("image"),
  "the attestations are read": readsManifest("attestations"),
  "the config is read": readsBlob('{"os":"linux"'),
  "the layer is looked for": readsBlob('"dockerfile"'),
  "the provenance is read": readsBlob('"materials"'),
  "the plan's blobs": uploads("ours", isBuilt),
  "the plan's manifest": (asked) =>
    asked.method === "PUT" && isOurs(asked) && kindOf(target(asked, "manifests") && asked.body.toString()) === "plan",
  "the platform's tag is looked at": reads(PLATFORM, isBuilt),
  "the set's tag is looked at": reads(SET, (registry) => isBuilt(registry) && !hasPut(registry, SET)),
  "the platform's tag": puts(PLATFORM),
  "the set's tag": puts(SET),
  "the set is read by its digest": readsManifest("set"),
  "the set's tag is looked at again": reads(SET, (registry) => hasPut(registry, SET)),
  "the tag of the sources": puts(/^y1-/),
  "the branch's tag": puts(/^branch-/),
  "the tag latest is looked at": reads(/^latest$/, isBuilt),
  "the tag latest": puts(/^latest$/),
  "the name of the push is deleted": (asked) =>
    asked.method === "DELETE" && target(asked, "manifests")?.startsWith("tmp-") === true,
} satisfies Readonly<Record<string, Request>>;

const json = (status: number, code: string, message = code.toLowerCase()): Reply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ errors: [{ code, message }] }),
});
const page = (status: number): Reply => ({
  status,
  headers: { "content-type": "text/html" },
  body: "<html>Sign in</html>",
});
const GONE = { "retry-after": "99" };

/** `times`: how often, where it passes; `stores`: the registry does what was asked, and says something else. */
export type Fault = { readonly reply: Reply; readonly times?: number; readonly stores?: true };

export const FAULTS = {
  "500": { reply: { status: 500, headers: GONE } },
  "503 for a moment": { reply: { status: 503, headers: { "retry-after": "0" } }, times: 1 },
  "429": { reply: { ...json(429, "TOOMANYREQUESTS"), headers: GONE } },
  "401": { reply: json(401, "UNAUTHORIZED") },
  "403": { reply: json(403, "DENIED") },
  "not found": { reply: json(404, "MANIFEST_UNKNOWN") },
  "not found at first": { reply: json(404, "MANIFEST_UNKNOWN"), times: 2 },
  "404 in HTML": { reply: page(404) },
  "200 in HTML": { reply: page(200) },
  "another content": {
    reply: {
      status: 200,
      headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
      body: '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
    },
  },
  immutable: {
    reply: json(
      400,
      "TAG_INVALID",
      "The image tag already exists and cannot be overwritten because the repository is immutable.",
    ),
  },
  "hung up": { reply: { status: 0 } },
  "hung up once": { reply: { status: 0 }, times: 1 },
  "stored, and answered with 500": { reply: { status: 500, headers: GONE }, stores: true },
  "answered with 201, and not stored": { reply: { status: 201 } },
} satisfies Readonly<Record<string, Fault>>;

type Tag = "platform" | "set" | "source" | "branch" | "latest";
export type Expected = {
  readonly code: 0 | 1;
  /** The error's code. */
  readonly error?: string;
  /** Which of our tags are there afterwards. */
  readonly tags: readonly Tag[];
  readonly warning?: RegExp;
};

const ALL: readonly Tag[] = ["platform", "set", "source", "branch", "latest"];
const WELL: Expected = { code: 0, tags: ALL };
const REFUSED: Expected = { code: 1, error: "E_PUSH", tags: [] };
const without = (...tags: readonly Tag[]): readonly Tag[] => ALL.filter((one) => !tags.includes(one));

export type Row = readonly [request: keyof typeof REQUESTS, fault: keyof typeof FAULTS, expected: Expected];

/** With a builder that pushes by digest. */
export const ROWS: readonly Row[] = [
  ["the trial upload", "500", REFUSED],
  ["the trial upload", "403", REFUSED],
  ["the trial upload", "503 for a moment", WELL],
  ["the trial upload", "hung up once", WELL],
  ["BuildKit's blobs", "500", { code: 1, error: "E_BUILD", tags: [] }],
  ["BuildKit's manifest of the image", "500", { code: 1, error: "E_BUILD", tags: [] }],
  ["BuildKit's attestations", "403", { code: 1, error: "E_BUILD", tags: [] }],
  ["BuildKit's index", "500", { code: 1, error: "E_BUILD", tags: [] }],
  ["BuildKit's index", "stored, and answered with 500", { code: 1, error: "E_BUILD", tags: [] }],
  ["BuildKit's index", "answered with 201, and not stored", REFUSED],
  ["BuildKit's attestations", "answered with 201, and not stored", { code: 1, error: "E_DOCKER", tags: [] }],
  ["BuildKit's manifest of the image", "answered with 201, and not stored", REFUSED],
  ["the index is read", "503 for a moment", WELL],
  ["the index is read", "500", REFUSED],
  ["the index is read", "403", REFUSED],
  ["the index is read", "not found", REFUSED],
  ["the index is read", "not found at first", WELL],
  ["the index is read", "404 in HTML", REFUSED],
  ["the index is read", "200 in HTML", REFUSED],
  ["the index is read", "another content", REFUSED],
  ["the index is read", "hung up once", WELL],
  ["the index is read", "hung up", REFUSED],
  ["the image's manifest is read", "503 for a moment", WELL],
  ["the image's manifest is read", "500", REFUSED],
  ["the image's manifest is read", "429", REFUSED],
  ["the image's manifest is read", "not found", REFUSED],
  ["the image's manifest is read", "another content", REFUSED],
  ["the attestations are read", "500", REFUSED],
  ["the attestations are read", "401", REFUSED],
  ["the attestations are read", "not found", { code: 1, error: "E_DOCKER", tags: [] }],
  ["the attestations are read", "200 in HTML", REFUSED],
  ["the config is read", "500", REFUSED],
  ["the config is read", "not found", REFUSED],
  ["the config is read", "200 in HTML", REFUSED],
  ["the layer is looked for", "500", REFUSED],
  ["the layer is looked for", "not found", REFUSED],
  ["the layer is looked for", "404 in HTML", REFUSED],
  ["the layer is looked for", "hung up once", WELL],
  ["the provenance is read", "500", REFUSED],
  ["the provenance is read", "200 in HTML", REFUSED],
  ["the provenance is read", "503 for a moment", WELL],
  ["the plan's blobs", "500", { code: 1, error: "E_PUSH", tags: ["platform"] }],
  ["the plan's blobs", "503 for a moment", WELL],
  ["the plan's manifest", "403", { code: 1, error: "E_PUSH", tags: ["platform"] }],
  ["the plan's manifest", "500", { code: 1, error: "E_PUSH", tags: ["platform"] }],
  ["the platform's tag is looked at", "500", WELL],
  ["the platform's tag is looked at", "403", WELL],
  ["the platform's tag is looked at", "200 in HTML", WELL],
  ["the set's tag is looked at", "500", WELL],
  ["the set's tag is looked at", "another content", WELL],
  ["the platform's tag", "500", { code: 1, error: "E_PUSH", tags: ["set", "source", "branch"] }],
  ["the platform's tag", "503 for a moment", WELL],
  ["the platform's tag", "stored, and answered with 500", WELL],
  ["the platform's tag", "403", { code: 1, error: "E_PUSH", tags: ["set", "source", "branch"] }],
  ["the set's tag", "500", { code: 1, error: "E_PUSH", tags: ["platform"] }],
  ["the set's tag", "403", { code: 1, error: "E_PUSH", tags: ["platform"] }],
  ["the set's tag", "immutable", { code: 1, error: "E_PUSH", tags: ["platform"] }],
  ["the set's tag", "503 for a moment", WELL],
  ["the set's tag", "hung up once", WELL],
  ["the set's tag", "stored, and answered with 500", WELL],
  ["the set's tag", "answered with 201, and not stored", { code: 1, error: "E_PUSH", tags: ["platform"] }],
  ["the set is read by its digest", "500", { code: 1, error: "E_PUSH", tags: ["platform", "set"] }],
  ["the set is read by its digest", "not found at first", WELL],
  ["the set is read by its digest", "another content", { code: 1, error: "E_PUSH", tags: ["platform", "set"] }],
  ["the set's tag is looked at again", "not found", { ...WELL, warning: /does not name it yet: .*manifest_unknown/ }],
  ["the set's tag is looked at again", "not found at first", WELL],
  [
    "the set's tag is looked at again",
    "another content",
    { ...WELL, warning: /does not name it yet: it serves sha256:/ },
  ],
  ["the set's tag is looked at again", "500", { ...WELL, warning: /does not name it yet/ }],
  ["the tag of the sources", "500", { code: 0, tags: without("source"), warning: /y1-\S+ could not be moved/ }],
  [
    "the tag of the sources",
    "immutable",
    { code: 0, tags: without("source"), warning: /y1-\*, branch-\*, c1-\* .* move/ },
  ],
  ["the tag of the sources", "503 for a moment", WELL],
  ["the branch's tag", "403", { code: 0, tags: without("branch"), warning: /branch-\S+ could not be moved/ }],
  ["the branch's tag", "immutable", { code: 0, tags: without("branch"), warning: /y1-\*, branch-\*, c1-\* .* move/ }],
  ["the branch's tag", "hung up", { code: 0, tags: without("branch"), warning: /branch-\S+ could not be moved/ }],
  ["the tag latest is looked at", "500", WELL],
  ["the tag latest", "500", { code: 0, tags: without("latest"), warning: /the tag latest could not be pushed/ }],
  ["the tag latest", "immutable", { code: 0, tags: without("latest"), warning: /the tag latest could not be pushed/ }],
  ["the tag latest", "503 for a moment", WELL],
];

/** With the engine's own builder, which pushes under a name of the run. */
export const ENGINE_ROWS: readonly Row[] = [
  ["BuildKit's index", "500", { code: 1, error: "E_BUILD", tags: [] }],
  ["BuildKit's index", "stored, and answered with 500", { code: 1, error: "E_BUILD", tags: [] }],
  ["BuildKit's index", "immutable", { code: 1, error: "E_BUILD", tags: [] }],
  ["the index is read", "500", REFUSED],
  ["the attestations are read", "500", REFUSED],
  ["the provenance is read", "500", REFUSED],
  ["the name of the push is deleted", "500", WELL],
  ["the name of the push is deleted", "hung up", WELL],
];

/** Answers the requests of a row with its fault; tells how often. */
export function inject(registry: FakeRegistry, [request, fault]: Row): { readonly hits: () => number } {
  const matches: Request = REQUESTS[request];
  const { reply, times = Number.POSITIVE_INFINITY, stores }: Fault = FAULTS[fault];
  let hits = 0;
  registry.override(
    (_, asked) => hits < times && matches(asked, registry),
    (asked) => {
      hits += 1;
      const [, repository = "", name = ""] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(asked.url.pathname) ?? [];
      if (stores)
        registry.seedManifest(repository, name, Buffer.from(asked.body), String(asked.headers["content-type"]));
      return reply;
    },
  );
  return { hits: () => hits };
}
