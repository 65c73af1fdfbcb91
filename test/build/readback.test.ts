import { beforeEach, expect, test } from "vitest";
import { openEarlyReadings, type PushedTask, readBack } from "../../src/build/readback.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { ATTESTATION, type Descriptor, REFERENCE_DIGEST, REFERENCE_TYPE, type Served } from "../../src/oci/manifest.ts";
import { IN_TOTO, OCI_INDEX, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import type { Answer, Registry, RegistryError } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf, registryOf, sha } from "../plan-of.ts";

const CACHE = "cache.test/team/app";
const BASE = indexOf({ "linux/amd64": "base" });
const platform = { os: "linux", architecture: "amd64" };
const SBOM = "https://spdx.dev/Document";
const PROVENANCE = "https://slsa.dev/provenance/v1";

let task: PushedTask;
const pause = async (): Promise<void> => undefined;
const told: Digest[] = [];

beforeEach(async () => {
  told.length = 0;
  const workspace = makeCheckout({ ".devcontainer/devcontainer.json": '{ "image": "registry.test/base:1" }' });
  const { sources, probed } = await planOf({ workspace, images: { "registry.test/base:1": BASE } });
  const [wanted] = sources.wanted.platforms;
  if (!probed.plan || !wanted) throw new Error("no plan");
  const { plan } = probed;
  task = {
    platform: wanted.platform,
    sources,
    bindings: plan.bindings,
    generator: undefined,
    builder: "b",
    onServed: (manifest) => told.push(manifest),
  };
});

function manifestOf(name: string, layers: readonly Descriptor[]): Served {
  const config = { mediaType: "config", digest: sha("{}"), size: 2 };
  return {
    bytes: new Uint8Array(),
    descriptor: { mediaType: OCI_MANIFEST, digest: sha(name), size: 5 },
    body: { kind: "manifest", mediaType: OCI_MANIFEST, config, layers, annotations: {} },
  };
}

const refused = (kind: RegistryError["kind"]): Answer<never> => ({ kind, request: "GET x", words: "no luck" });

function pushedIndex(): Served {
  const image = { mediaType: OCI_MANIFEST, digest: sha("image"), size: 5, platform };
  const annotations = { [REFERENCE_TYPE]: ATTESTATION, [REFERENCE_DIGEST]: sha("image") };
  const attestations = { mediaType: OCI_MANIFEST, digest: sha("attestations"), size: 5, annotations };
  return {
    bytes: new Uint8Array(),
    descriptor: { mediaType: OCI_INDEX, digest: sha("index"), size: 5 },
    body: { kind: "index", mediaType: OCI_INDEX, manifests: [image, attestations], annotations: {} },
  };
}

const CONFIG: Answer<Uint8Array> = { kind: "found", value: new TextEncoder().encode("{}") };

type Pushed = {
  readonly statements?: readonly string[];
  readonly used?: Digest;
  /** What the registry says of the manifest that lists them. */
  readonly attestations?: RegistryError["kind"];
  readonly more?: Partial<Registry>;
};

/** Reads back an image with these statements, and tells which tags the registry was given. */
async function readBackOf(
  pushed: Pushed,
  what = task,
  read: typeof readBack = readBack,
): Promise<{ found: unknown; put: readonly unknown[] }> {
  const { statements = [PROVENANCE], used = BASE.descriptor.digest, attestations, more = {} } = pushed;
  const layers = statements.map((type) => {
    const annotations = { "in-toto.io/predicate-type": type };
    return { mediaType: IN_TOTO, digest: sha(type), size: 5, annotations };
  });
  const all = [pushedIndex(), manifestOf("image", []), manifestOf("attestations", layers)];
  const images = registryOf(Object.fromEntries(all.map((one) => [`${CACHE}@${one.descriptor.digest}`, one])));
  const materials = [{ uri: "pkg:docker/base@1", digest: { sha256: used.slice("sha256:".length) } }];
  const put: unknown[] = [];
  const registry: Registry = {
    ...images,
    manifest: async (reference) =>
      attestations && reference.digest === sha("attestations") ? refused(attestations) : images.manifest(reference),
    blob: async (_, { digest }) => ({
      kind: "found",
      value: new TextEncoder().encode(digest === sha(PROVENANCE) ? JSON.stringify({ predicate: { materials } }) : "{}"),
    }),
    putManifest: async (_, __, ___, tag) => {
      put.push(tag);
      return { kind: "found", value: pushedIndex().descriptor };
    },
    ...more,
  };
  const metadata = JSON.stringify({ "containerimage.digest": sha("index") });
  const found = await read(what, metadata, { registry, pause }).catch((error: unknown) => error);
  return { found, put };
}

test("an image whose provenance names what was bound", async () => {
  const { found, put } = await readBackOf({});
  expect(found).toMatchObject({ platform, manifest: sha("image"), index: { descriptor: { digest: sha("index") } } });
  expect(put).toEqual([]);
});

test("whoever stores the plan hears of the image before its parts are asked for", async () => {
  const heard: Digest[][] = [];
  const blob: Registry["blob"] = async () => {
    heard.push([...told]);
    return CONFIG;
  };
  await readBackOf({ more: { blob } });
  expect(heard.length).toBeGreaterThan(0);
  for (const one of heard) expect(one).toEqual([sha("image")]);
});

const WRITTEN = sha("index");
test.each<[string, { said: Digest; generator?: string; fails?: boolean }, number]>([
  ["is what buildx has written down", { said: WRITTEN }, 1],
  ["is another one", { said: sha("other") }, 1],
  ["was to have an SBOM that it was built without in the end", { said: WRITTEN, generator: "tools.test/s:1" }, 2],
  ["could not be read yet", { said: WRITTEN, fails: true }, 2],
])("what BuildKit says it has pushed is read at once; it %s", async (_, { said, generator, fails = false }, count) => {
  let looks = 0;
  const { found } = await readBackOf({}, task, async (what, metadata, site) => {
    const manifest: Registry["manifest"] = async (reference) => {
      if (reference.digest !== WRITTEN) return site.registry.manifest(reference);
      looks++;
      return fails && looks === 1 ? refused("unavailable") : site.registry.manifest(reference);
    };
    const readings = openEarlyReadings({ pause, registry: { ...site.registry, manifest } });
    // Each message of BuildKit's may come more than once.
    for (const _again of [1, 2]) readings.begin({ ...what, generator }, said);
    await new Promise((done) => setImmediate(done));
    expect(looks).toBe(said === WRITTEN ? 1 : 0);
    return readings.end(what, metadata);
  });
  expect(found).toMatchObject({ manifest: sha("image"), index: { descriptor: { digest: WRITTEN } } });
  expect(looks).toBe(count);
});

test("however many images BuildKit is made to tell of, few are asked for, and the one that was pushed is read", async () => {
  const asked = new Set<string>();
  const { found } = await readBackOf({}, task, async (what, metadata, site) => {
    const manifest: Registry["manifest"] = async (reference) => {
      asked.add(reference.digest ?? "");
      return site.registry.manifest(reference);
    };
    const readings = openEarlyReadings({ pause, registry: { ...site.registry, manifest } });
    for (let number = 0; number < 1000; number++) readings.begin(what, sha(`forged ${number}`));
    await new Promise((done) => setImmediate(done));
    expect(asked.size).toBeLessThan(10);
    return readings.end(what, metadata);
  });
  expect(found).toMatchObject({ manifest: sha("image") });
});

test("an image with the SBOM that it was to have", async () => {
  const { found } = await readBackOf(
    { statements: [SBOM, PROVENANCE] },
    { ...task, generator: "tools.test/scanner:1" },
  );
  expect(found).toMatchObject({ manifest: sha("image") });
});

test.each<[string, Pushed, string, RegExp]>([
  ["another image than the bound one was used", { used: sha("other") }, "E_DOCKER", /used sha256:\w+ for linux\/amd64/],
  ["there is no provenance", { statements: [] }, "E_DOCKER", /did not record which images it used/],
  [
    "provenance cannot be read",
    { more: { blob: async (_, { digest }) => (digest === sha(PROVENANCE) ? refused("unavailable") : CONFIG) } },
    "E_PUSH",
    /its provenance cannot be read back: no luck \(GET x\)/,
  ],
  [
    "attestations are not served for now",
    { attestations: "unavailable" },
    "E_PUSH",
    /its provenance cannot be read back: no luck/,
  ],
  ["attestations are gone", { attestations: "absent" }, "E_DOCKER", /did not record/],
  ["the generator wrote nothing", {}, "E_BUILD", /the SBOM generator tools\.test\/scanner:1 wrote nothing/],
])("refused, and nothing is put anywhere: %s", async (_, pushed, code, words) => {
  const { found, put } = await readBackOf(pushed, { ...task, generator: "tools.test/scanner:1" });
  expect(found).toMatchObject({ code, message: expect.stringMatching(words), fix: expect.stringMatching(/\w/) });
  expect(put).toEqual([]);
});

test.each<[string, RegistryError["kind"]]>([
  ["is gone", "absent"],
  ["cannot be asked about", "unavailable"],
])("refused: a statement that is listed %s", async (_, kind) => {
  const hasBlob: Registry["hasBlob"] = async (__, { digest }) =>
    digest === sha(SBOM) ? refused(kind) : { kind: "found", value: true };
  const { found } = await readBackOf({ statements: [SBOM, PROVENANCE], more: { hasBlob } });
  expect(found).toMatchObject({
    code: "E_PUSH",
    message: expect.stringMatching(/its SBOM cannot be read back: no luck/),
  });
});

test("what buildx did not tell, and what the registry does not serve", async () => {
  const registry = registryOf({});
  await expect(readBack(task, "{}", { registry, pause })).rejects.toMatchObject({ code: "E_PUSH" });
  const metadata = JSON.stringify({ "containerimage.digest": sha("index") });
  await expect(readBack(task, metadata, { registry, pause })).rejects.toMatchObject({
    code: "E_PUSH",
    message: expect.stringContaining("the registry does not serve it: manifest unknown"),
  });
});
