import type { ReadLayers } from "../envbuilder/copied.ts";
import { openLayerFiles } from "../envbuilder/image-files.ts";
import type { KeyRequest } from "../envbuilder/keys.ts";
import { openTarReader, type TarMember, type Wanted } from "../envbuilder/tar-reader.ts";
import { unpackerOf } from "../envbuilder/unpacker.ts";
import { isDigest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import type { BlobReader, OpenUnpack, World } from "../world.ts";
import type { BaseImage } from "./images.ts";
import type { LookUp } from "./look-up.ts";
import { inDoubt, type Verdict } from "./verdict.ts";

/** What is downloaded for one COPY --from at most, packed, and for all of them: far more than the layers of a tool. */
const LARGEST = 512 * 1024 * 1024;
const LARGEST_TOGETHER = 4 * LARGEST;
/** And what one layer may unpack to. */
const LARGEST_UNPACKED = 2 ** 32;

type Ports = Pick<World, "registry" | "openGunzip" | "openUnzstd">;

type Layers = {
  readonly images: ReadonlyMap<string, BaseImage>;
  /** Where the layers of stages are. */
  readonly repository: Repository;
  readonly lookUp: LookUp;
};

/**
 * Opens the way to the files that COPY --from takes: of an image, or of a stage whose layers are all there; and to those layers alone.
 * @returns the way, and what has ended it: a layer that is not there, or a registry in trouble.
 */
export function openLayers(
  { images, repository, lookUp }: Layers,
  ports: Ports,
): Pick<KeyRequest, "readLayers" | "readKept"> & { readonly ended: () => Verdict | undefined } {
  let verdict: Verdict | undefined;
  let left = LARGEST_TOGETHER;
  const readKept: KeyRequest["readKept"] = async (steps) => {
    const found = await lookUp(steps);
    if ("layers" in found) return found.layers;
    verdict = found;
    return undefined;
  };
  const readLayers: ReadLayers = async ({ image, steps, isStage, paths }) => {
    const kept = await readKept(steps);
    if (!kept) return undefined;
    const base = image === undefined ? undefined : images.get(image);
    const own = [...kept.values()].map(({ descriptor }) => ({ name: repository, layer: descriptor }));
    const below = base?.image.body.layers.map((layer) => ({ name: base.reference, layer })) ?? [];
    const all = [...below, ...own];
    const size = all.reduce((total, { layer }) => total + layer.size, 0);
    if (size > LARGEST) return { unread: `its layers are ${Math.ceil(size / 2 ** 20)} MiB` };
    left -= size;
    if (left < 0)
      return { unread: `with its layers, more than ${LARGEST_TOGETHER / 2 ** 20} MiB are read for all of them` };
    const read = await Promise.all(
      all.map((placed) => readMembers(placed, () => openLayerFiles(paths, { isStage }), ports)),
    );
    for (const one of read) {
      if ("unread" in one) return one;
      if (!("kind" in one)) continue;
      verdict = one;
      return undefined;
    }
    return read.filter((one) => "entries" in one);
  };
  return { readLayers, readKept, ended: () => verdict };
}

/** A layer, and where it is. */
type Placed = {
  readonly name: Repository;
  readonly layer: Pick<Descriptor, "mediaType" | "size"> & { readonly digest: string };
};

/** What goes through the members of a layer, and what has come of it. */
type Collect<T> = { readonly visit: (member: TarMember) => Wanted; readonly files: () => T };

/**
 * Goes through a layer from its beginning to its end.
 * @param collect opens what goes through it: anew where the download begins anew.
 */
export async function readMembers<T>(
  { name, layer }: Placed,
  collect: () => Collect<T>,
  ports: Ports,
): Promise<T | { readonly unread: string } | Extract<Verdict, { kind: "unknown" }>> {
  const { digest, mediaType, size } = layer;
  const open = unpackerOf(mediaType, ports);
  if (typeof open === "string") return { unread: `its layer ${digest} is of type ${mediaType}${open}` };
  if (!isDigest(digest)) return { unread: `its layer ${digest} has no digest` };
  let collected = openCollector(collect(), open);
  const answer = await ports.registry.readThrough(name, { mediaType, size, digest }, () => {
    collected = openCollector(collect(), open);
    return collected.read;
  });
  if (answer.kind === "found") return collected.files(digest);
  return inDoubt(`the layer ${digest}`, answer);
}

function openCollector<T>({ visit, files }: Collect<T>, open: OpenUnpack) {
  const unpack = open();
  const reader = openTarReader(visit);
  let length = 0;
  let isOver = false;
  let wrong: string | undefined;
  const take = (piece: Uint8Array): void => {
    if (isOver) return;
    length += piece.length;
    const told = length > LARGEST_UNPACKED ? { wrong: "it unpacks to more than 4 GiB" } : reader(piece);
    if (typeof told === "object") wrong = told.wrong;
    isOver = told !== "more";
  };
  const read: BlobReader = async (bytes) => {
    const unpacked = isOver ? [] : await unpack(bytes);
    if ("wrong" in unpacked) wrong = unpacked.wrong;
    else for (const piece of unpacked) take(piece);
    // To its end: what is read so far counts once the layer has shown to be the one that was asked for.
    return wrong === undefined ? "more" : "enough";
  };
  return {
    read,
    files: (digest: string): T | { readonly unread: string } => {
      if (wrong !== undefined) return { unread: `its layer ${digest} is damaged: ${wrong}` };
      return isOver ? files() : { unread: `its layer ${digest} ends in the middle` };
    },
  };
}
