import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { parseJson } from "../../src/oci/json.ts";
import { type Descriptor, readManifest } from "../../src/oci/manifest.ts";
import { formatReference, formatRepository, type Reference, type Repository } from "../../src/oci/reference.ts";
import type { Answer, Registry, RegistryError } from "../../src/world.ts";

/** A registry of all names in memory. `asked` grows by a line for each question, and `trouble` answers chosen ones otherwise. */
export type MemoryRegistry = {
  readonly port: Pick<
    Registry,
    "manifest" | "blob" | "hasBlob" | "readThrough" | "putBlob" | "putManifest" | "mountBlob" | "connect"
  >;
  readonly asked: string[];
  readonly seedManifest: (name: string, text: string, mediaType: string) => void;
  /** `digest` in the place of the content's own, where nobody has that content. */
  readonly seedBlob: (repository: string, content: Uint8Array | string, digest?: Digest) => Descriptor;
  /** `undefined` for the right answer again. */
  readonly trouble: (line: string, error: RegistryError["kind"] | undefined) => void;
};

export function openMemoryRegistry(): MemoryRegistry {
  const manifests = new Map<string, { readonly bytes: Uint8Array; readonly mediaType: string }>();
  const blobs = new Map<string, Uint8Array>();
  const troubles = new Map<string, RegistryError["kind"] | undefined>();
  const asked: string[] = [];
  const no = (kind: RegistryError["kind"], request: string): RegistryError => ({
    kind,
    request,
    words: `said ${kind}`,
  });

  const answer = async <T>(line: string, value: () => T | undefined): Promise<Answer<T>> => {
    asked.push(line);
    const kind = troubles.get(line);
    if (kind !== undefined) return no(kind, line);
    const found = value();
    return found === undefined ? no("absent", line) : { kind: "found", value: found };
  };
  const nameOf = ({ tag, ...name }: Reference): string =>
    name.digest === undefined
      ? formatReference({ ...name, ...(tag === undefined ? {} : { tag }) })
      : formatReference(name);
  const blobAt = (name: Repository, digest: string): string => `${formatRepository(name)} ${digest}`;
  const encode = (content: Uint8Array | string): Uint8Array =>
    typeof content === "string" ? new TextEncoder().encode(content) : content;
  const putManifest = (name: string, bytes: Uint8Array, mediaType: string): void => {
    const repository = name.replace(/[:@][^/]*$/, "");
    for (const one of [name, `${repository}@${digestOf(bytes)}`]) manifests.set(one, { bytes, mediaType });
  };

  return {
    asked,
    trouble: (line, kind) => void troubles.set(line, kind),
    seedManifest: (name, text, mediaType) => putManifest(name, encode(text), mediaType),
    seedBlob: (repository, content, digest = digestOf(encode(content))) => {
      const bytes = encode(content);
      blobs.set(`${repository} ${digest}`, bytes);
      return { mediaType: "application/octet-stream", digest, size: bytes.length };
    },
    port: {
      connect: () => undefined,
      manifest: (reference) =>
        answer(`manifest ${nameOf(reference)}`, () => {
          const found = manifests.get(nameOf(reference));
          const body = found && readManifest(parseJson(found.bytes), found.mediaType);
          if (!found || !body || "wrong" in body) return undefined;
          const { bytes, mediaType } = found;
          return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes, body };
        }),
      blob: (name, { digest }) => answer(`blob ${blobAt(name, digest)}`, () => blobs.get(blobAt(name, digest))),
      hasBlob: (name, { digest }) =>
        answer(`has ${blobAt(name, digest)}`, () => (blobs.has(blobAt(name, digest)) ? true : undefined)),
      readThrough: async (name, { digest }, open) => {
        const read = await answer(`read ${blobAt(name, digest)}`, () => blobs.get(blobAt(name, digest)));
        if (read.kind !== "found") return read;
        await open()(read.value);
        return { kind: "found", value: true };
      },
      putBlob: async (name, content, mediaType) => {
        const bytes = await content;
        return answer(`put ${blobAt(name, digestOf(bytes))}`, () => {
          blobs.set(blobAt(name, digestOf(bytes)), bytes);
          return { mediaType, digest: digestOf(bytes), size: bytes.length };
        });
      },
      putManifest: (name, bytes, mediaType, tag) =>
        answer(`put ${formatRepository(name)}@${digestOf(bytes)}`, () => {
          putManifest(
            `${formatRepository(name)}${tag === undefined ? `@${digestOf(bytes)}` : `:${tag}`}`,
            bytes,
            mediaType,
          );
          return { mediaType, digest: digestOf(bytes), size: bytes.length };
        }),
      mountBlob: (name, from, blob) =>
        answer(`mount ${blobAt(name, blob.digest)} from ${formatRepository(from)}`, () => {
          const bytes = blobs.get(blobAt(from, blob.digest));
          if (bytes) blobs.set(blobAt(name, blob.digest), bytes);
          return bytes ? blob : undefined;
        }),
    },
  };
}
