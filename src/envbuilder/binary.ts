import type { Digest } from "../oci/digest.ts";
import type { Descriptor, ImageManifest } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import type { BlobReader, Memory, Registry, RegistryError, World } from "../world.ts";
import { BINARY_PREFIX } from "./context.ts";
import { openMd5 } from "./hashes.ts";
import { isFile, openTarReader } from "./tar-reader.ts";
import { unpackerOf } from "./unpacker.ts";

/** Where a builder image has its program. */
const BINARY = ".envbuilder/bin/envbuilder";

/** Far more than any builder image has, in bytes as they are sent, and unpacked. */
const LARGEST_LAYER = 2 ** 30;
const LARGEST_UNPACKED = 2 ** 32;

/** The hash by which kaniko knows the builder's own program; `absent` where the image has none, `unreadable` with the end of a sentence that says why. */
export type BinaryHash =
  | { readonly kind: "hash"; readonly md5: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable"; readonly why: string }
  | { readonly kind: "registry"; readonly error: RegistryError };

type Ports = Pick<World, "openGunzip" | "openUnzstd"> & {
  readonly registry: Pick<Registry, "readThrough">;
  readonly memory: Memory;
};

/**
 * Finds the program in a builder image and hashes it as kaniko hashes a file of the context. The last layer that has it counts; its download
 * is stopped where the program ends, and the result is kept by the image's digest.
 * @see https://github.com/coder/terraform-provider-envbuilder/blob/446bafa/internal/imgutil/imgutil.go (ExtractEnvbuilderFromImage)
 */
export async function hashBinary(
  {
    repository,
    digest,
    manifest,
  }: {
    readonly repository: Repository;
    readonly digest: Digest;
    readonly manifest: ImageManifest;
  },
  { memory, ...ports }: Ports,
): Promise<BinaryHash> {
  const name = `envbuilder-${digest.slice("sha256:".length)}`;
  const known = await memory.recall(name);
  if (known !== undefined && /^[0-9a-f]{32}$/.test(known)) return { kind: "hash", md5: known };
  for (const layer of [...manifest.layers].reverse()) {
    const found = await searchLayer(repository, layer, ports);
    if (found.kind === "absent") continue;
    if (found.kind === "hash") await memory.remember(name, found.md5);
    return found;
  }
  return { kind: "absent" };
}

async function searchLayer(
  repository: Repository,
  layer: Descriptor,
  { registry, ...ports }: Omit<Ports, "memory">,
): Promise<BinaryHash> {
  const { mediaType, size, digest } = layer;
  const openUnpack = unpackerOf(mediaType, ports);
  if (typeof openUnpack === "string")
    return { kind: "unreadable", why: `its layer ${digest} is of type ${mediaType}${openUnpack}` };
  if (size > LARGEST_LAYER) return { kind: "unreadable", why: `its layer ${digest} is ${size} bytes long` };
  let result: BinaryHash = { kind: "absent" };
  const open = (): BlobReader => {
    result = { kind: "absent" };
    const unpack = openUnpack();
    const search = openSearch();
    return async (bytes) => {
      const unpacked = await unpack(bytes);
      const told = "wrong" in unpacked ? unpacked : search(unpacked);
      if (told === "more") return "more";
      result = "wrong" in told ? { kind: "unreadable", why: `its layer ${digest} is damaged: ${told.wrong}` } : told;
      return "enough";
    };
  };
  const answer = await registry.readThrough(repository, layer, open);
  return answer.kind === "found" ? result : { kind: "registry", error: answer };
}

/** Hashes the program where it comes by. */
function openSearch(): (pieces: readonly Uint8Array[]) => "more" | BinaryHash | { readonly wrong: string } {
  const hash = openMd5();
  hash.add(BINARY_PREFIX);
  const search = openTarReader(({ path, type }) =>
    path === BINARY && isFile(type) ? { take: hash.add, isLast: true } : {},
  );
  let length = 0;
  let isOver = false;
  return (pieces) => {
    for (const piece of pieces) {
      // That it is not there counts once the layer has shown to be the one that was asked for.
      if (isOver) break;
      length += piece.length;
      if (length > LARGEST_UNPACKED) return { wrong: `it unpacks to more than ${LARGEST_UNPACKED} bytes` };
      const told = search(piece);
      if (told === "enough") return { kind: "hash", md5: hash.digest() };
      if (told === "ended") isOver = true;
      else if (told !== "more") return told;
    }
    return "more";
  };
}
