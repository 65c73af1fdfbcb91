import { parseJson } from "./json.ts";
import { type Descriptor, isRecord, readPlatform } from "./manifest.ts";
import { formatPlatform, type Platform, samePlatform } from "./platform.ts";

type Wrong = { readonly wrong: string };

/** A label, and the image in whose config it is set, as far as that is known. */
export type NewLabel = {
  readonly name: string;
  readonly value: string;
  readonly platform: Platform;
  /** How many layers the image's manifest lists. */
  readonly layers: number;
};

/**
 * An image's config with one label set anew, and all else as it was, `created` and history too.
 * @returns the bytes, or a sentence that says why this config is not written out again.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export function relabelConfig(bytes: Uint8Array, { name, value, platform, layers }: NewLabel): Uint8Array | Wrong {
  const json = readExactly(bytes);
  if (!isRecord(json)) return { wrong: "its config is none that can be written out again" };
  const stated = readPlatform(json);
  if (!stated || !samePlatform(stated, platform))
    return { wrong: `its config does not state that it is for ${formatPlatform(platform)}` };
  const [config, rootfs] = [json.config ?? {}, json.rootfs ?? {}];
  const labels = isRecord(config) ? (config.Labels ?? {}) : undefined;
  const ids = isRecord(rootfs) ? (rootfs.diff_ids ?? []) : undefined;
  if (!isRecord(config) || !isRecord(labels)) return { wrong: "its config has no labels that can be read" };
  if (!Array.isArray(ids) || ids.length !== layers) return { wrong: "its config does not speak of its layers" };
  return writeOut({ ...json, config: { ...config, Labels: { ...labels, [name]: value } } });
}

/**
 * An image's manifest with another config, and all else as it was.
 * @returns the bytes, or a sentence that says why this manifest is not written out again.
 */
export function withConfig(bytes: Uint8Array, { digest, size }: Descriptor): Uint8Array | Wrong {
  const json = readExactly(bytes);
  if (!isRecord(json) || !isRecord(json.config)) return { wrong: "its manifest is none that can be written out again" };
  // What some put into the descriptor beside it is the old config itself.
  const { data: _, ...config } = json.config;
  return writeOut({ ...json, config: { ...config, digest, size } });
}

/** JSON that comes out as it went in: a number that JavaScript would round is none that is passed on. */
function readExactly(bytes: Uint8Array): unknown {
  const json = parseJson(bytes);
  return holdsOnlyExact(json) ? json : undefined;
}

function holdsOnlyExact(value: unknown): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  return typeof value !== "object" || value === null || Object.values(value).every(holdsOnlyExact);
}

function writeOut(json: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json));
}
