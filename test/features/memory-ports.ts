import { gunzipSync } from "node:zlib";
import type { FeaturePorts } from "../../src/features/found.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { readManifest } from "../../src/oci/manifest.ts";
import { formatRepository, type Reference, type Repository } from "../../src/oci/reference.ts";
import type { RegistryError } from "../../src/world.ts";
import { type Publication, publish } from "./published.ts";

export type Shelf = {
  /** Host → what is published there. */
  readonly registries: Readonly<Record<string, readonly Publication[]>>;
  /** By address. */
  readonly tarballs?: ReadonlyMap<string, Buffer>;
};

export const absent = (request: string): RegistryError => ({
  kind: "absent",
  request,
  words: "not found",
  status: 404,
});

/**
 * The ports of the room over features in memory. `requests` grows by a line for each request; all that are made before the first of them
 * is answered are one of the `waves`.
 */
export function openMemoryPorts({ registries, tarballs = new Map() }: Shelf) {
  const requests: string[] = [];
  const waves: string[][] = [];
  const manifests = new Map<string, { readonly bytes: Buffer; readonly type: string }>();
  const blobs = new Map<string, Buffer>();
  for (const [host, publications] of Object.entries(registries))
    for (const publication of publications) {
      const name = `${host}/${publication.path}`;
      const { manifest, type, blobs: own } = publish(publication);
      for (const key of [...(publication.tags ?? ["1"]), digestOf(manifest)])
        manifests.set(`${name}@${key}`, { bytes: manifest, type });
      for (const blob of own) blobs.set(`${name}@${digestOf(blob)}`, blob);
    }
  let wave: { readonly over: Promise<void>; readonly lines: string[] } | undefined;
  const travel = async (line: string): Promise<void> => {
    requests.push(line);
    if (!wave) {
      const lines: string[] = [];
      waves.push(lines);
      const over = new Promise<void>((done) =>
        setTimeout(() => {
          wave = undefined;
          done();
        }, 1),
      );
      wave = { lines, over };
    }
    wave.lines.push(line);
    await wave.over;
  };
  const ports: Omit<FeaturePorts, "files"> = {
    registry: {
      manifest: async (reference: Reference) => {
        const line = `GET ${formatRepository(reference)}@${reference.digest ?? reference.tag}`;
        await travel(line);
        const served = manifests.get(line.slice("GET ".length));
        if (!served) return absent(line);
        const body = readManifest(JSON.parse(served.bytes.toString()), served.type);
        if ("wrong" in body) return { kind: "malformed", request: line, words: body.wrong };
        const descriptor = { mediaType: served.type, digest: digestOf(served.bytes), size: served.bytes.length };
        return { kind: "found", value: { bytes: served.bytes, body, descriptor } };
      },
      blob: async (repository: Repository, { digest }) => {
        const line = `GET ${formatRepository(repository)}@${digest}`;
        await travel(line);
        const bytes = blobs.get(line.slice("GET ".length));
        return bytes ? { kind: "found", value: bytes } : absent(line);
      },
    },
    download: async (url) => {
      await travel(`GET ${url}`);
      const [address = ""] = url.split("?");
      const bytes = tarballs.get(address);
      return bytes ? { kind: "found", value: bytes } : absent(`GET ${url}`);
    },
    gunzip: async (bytes, limit) => {
      try {
        return gunzipSync(bytes, { maxOutputLength: limit });
      } catch (thrown) {
        return { wrong: thrown instanceof Error ? thrown.message : String(thrown) };
      }
    },
  };
  return { ports, requests, waves };
}
