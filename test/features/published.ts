import { gzipSync } from "node:zlib";
import { digestOf } from "../../src/oci/digest.ts";
import { type Packed, writeTar } from "./tar-writer.ts";

/** A feature as its author publishes it. `R` in ids stands for the registry, `T` for the server of tarballs. */
export type Publication = {
  /** Path in the registry; that of a feature on ghcr.io starts with `devcontainers/features/`. */
  readonly path: string;
  readonly tags?: readonly string[];
  readonly metadata: object | string;
  /** What the manifest shows; the metadata where left out, nothing for `null`. */
  readonly annotation?: object | string | null;
  readonly files?: Readonly<Record<string, string>>;
  /** What else is in the archive, by full names. */
  readonly members?: readonly Packed[];
  /** How names begin in the archive. */
  readonly prefix?: string;
  readonly packed?: "gzip";
  readonly configType?: string;
};

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** The archive of a feature. */
export function packFeature({ metadata, files = {}, members: more = [], prefix = "./", packed }: Publication): Buffer {
  const text = typeof metadata === "string" ? metadata : JSON.stringify(metadata);
  const all = { "install.sh": "true\n", "devcontainer-feature.json": text, ...files };
  const members = Object.entries(all).map(([name, content]) => ({ name: `${prefix}${name}`, text: content }));
  const tar = writeTar([...(prefix === "" ? [] : [{ name: "./" }]), ...members, ...more]);
  return packed ? gzipSync(tar) : tar;
}

/** Manifest and blobs of a feature, as `devcontainer features publish` pushes them. */
export function publish(publication: Publication): {
  readonly manifest: Buffer;
  readonly type: string;
  readonly blobs: readonly Buffer[];
} {
  const { metadata, annotation, configType = "application/vnd.devcontainers" } = publication;
  const shown = annotation === undefined ? metadata : annotation;
  const [config, layer] = [Buffer.from("{}"), packFeature(publication)];
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: configType, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: "application/vnd.devcontainers.layer.v1+tar", digest: digestOf(layer), size: layer.length }],
    annotations:
      shown === null ? {} : { "dev.containers.metadata": typeof shown === "string" ? shown : JSON.stringify(shown) },
  };
  return { manifest: Buffer.from(JSON.stringify(manifest)), type: MANIFEST_TYPE, blobs: [config, layer] };
}
