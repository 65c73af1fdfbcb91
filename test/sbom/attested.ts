import { readFileSync } from "node:fs";
import { afterEach, beforeEach } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { type Descriptor, readDescriptor, readManifest, type Served } from "../../src/oci/manifest.ts";
import { openRegistry } from "../../src/registry/client.ts";
import { openHttp } from "../../src/registry/http.ts";
import type { ImageInIndex } from "../../src/sbom/attestations.ts";
import type { Registry } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";

export const SPDX = "https://spdx.dev/Document";
export const SLSA = "https://slsa.dev/provenance/v1";
export const PLATFORM = { os: "linux", architecture: "amd64" };
/** Of the image that every statement of these tests is about, unless it says otherwise. */
export const IMAGE = digestOf("image");

const NAME = "team/app";
const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

export const fixture = (name: string): string => readFileSync(`test/fixtures/sbom/${name}`, "utf8");

let fake: FakeRegistry;
let registry: Registry;

beforeEach(async () => {
  fake = await openFakeRegistry();
  const trust = async () => ({ certificates: [], insecure: false });
  const http = openHttp({ env: {}, userAgent: "test", timeout: 30_000, trust });
  // Waiting between attempts is not what these tests are about.
  registry = openRegistry(
    { ...http, pause: async () => undefined },
    {
      clock: Date.now,
      mask: () => undefined,
      credentials: async () => undefined,
      pushes: () => false,
      insecure: () => true,
    },
  );
});
afterEach(async () => {
  await registry.close();
  await fake.close();
});

/** A registry in memory with our client on it, new for each test of the file. */
export function world() {
  return { fake, registry, repository: { registry: fake.host, repository: NAME } };
}

export type Layer = {
  readonly type: string;
  readonly content: string;
  readonly mediaType?: string;
  /** What the descriptor says, where that is another number than the content's. */
  readonly size?: number;
  /** Not in the registry. */
  readonly gone?: boolean;
};

const plain = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });

function seed(text: string, mediaType: string): Descriptor {
  const digest = fake.seedManifest(NAME, digestOf(text), Buffer.from(text), mediaType);
  return readDescriptor({ mediaType, digest, size: Buffer.byteLength(text) }) ?? fail(text);
}

function fail(text: string): never {
  throw new Error(`not what it should be: ${text}`);
}

/** Puts an attestation manifest with these statements into the registry. */
export function seedAttestations(layers: readonly Layer[]): Descriptor {
  const document = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf("{}"), size: 2 },
    layers: layers.map(({ type, content, size, mediaType = "application/vnd.in-toto+json", gone = false }) => {
      if (!gone) fake.seedBlob(NAME, Buffer.from(content));
      return {
        mediaType,
        digest: digestOf(content),
        size: size ?? Buffer.byteLength(content),
        annotations: { "in-toto.io/predicate-type": type },
      };
    }),
  };
  return seed(JSON.stringify(document), MANIFEST);
}

/** An index of the one image with these attestation manifests; nobody asks the registry for it. */
export function imageWith(...attestations: readonly Descriptor[]): ImageInIndex {
  return imageIn(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        { mediaType: MANIFEST, digest: IMAGE, size: 5, platform: PLATFORM },
        ...attestations.map((entry) => ({
          ...plain(entry),
          annotations: {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": IMAGE,
          },
          platform: { os: "unknown", architecture: "unknown" },
        })),
      ],
    }),
  );
}

/** The image for linux/amd64 of an index, which is given as its text. */
export function imageIn(text: string): ImageInIndex {
  const body = readManifest(JSON.parse(text), INDEX);
  if ("wrong" in body || body.kind !== "index") return fail(text);
  const index: Served = {
    descriptor: { mediaType: INDEX, digest: digestOf(text), size: text.length },
    bytes: Buffer.from(text),
    body,
  };
  const manifest = body.manifests.find(({ platform }) => platform?.architecture === "amd64")?.digest;
  return { platform: PLATFORM, manifest: manifest ?? fail(text), index };
}

/** Puts a real attestation manifest and the statement it lists into the registry. */
export function seedReal(manifest: string, ...statements: readonly string[]): void {
  seed(fixture(manifest), MANIFEST);
  for (const text of statements) fake.seedBlob(NAME, Buffer.from(text));
}

export const spdx = (more: object = {}): object => ({
  spdxVersion: "SPDX-2.3",
  SPDXID: "SPDXRef-DOCUMENT",
  name: "sbom",
  creationInfo: { creators: ["Tool: test"] },
  packages: [{ SPDXID: "SPDXRef-1", name: "libc6", versionInfo: "2.36" }],
  ...more,
});

export const statement = (predicate: object, more: object = {}): string =>
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "x", digest: { sha256: IMAGE.slice("sha256:".length) } }],
    predicateType: SPDX,
    predicate,
    ...more,
  });
