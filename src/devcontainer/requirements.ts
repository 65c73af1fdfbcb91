import { isJsonObject, type Json, type JsonObject } from "./json.ts";

/**
 * What a machine has to have, the greatest of each over all entries: bytes as a text, cores as a number.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/imageMetadata.ts (mergeHostRequirements)
 */
export function mergeRequirements(entries: readonly JsonObject[]): JsonObject {
  const all = entries.flatMap(({ hostRequirements }) => (isJsonObject(hostRequirements) ? [hostRequirements] : []));
  const cpus = Math.max(0, ...all.map((one) => numberOf(one.cpus)));
  const [memory, storage] = [greatest(all, "memory"), greatest(all, "storage")];
  const gpu = all.map((one) => one.gpu).reduce(mergeGpus, undefined);
  if (cpus === 0 && memory === 0 && storage === 0 && !gpu) return {};
  return { cpus, ...size("memory", memory), ...size("storage", storage), ...(gpu === undefined ? {} : { gpu }) };
}

function mergeGpus(one: Json | undefined, other: Json | undefined): Json | undefined {
  if (one === undefined || one === false) return other;
  if (other === undefined || other === false) return one;
  if (one === "optional" && other === "optional") return "optional";
  const both = [one, other].filter(isJsonObject);
  const cores = Math.max(0, ...both.map((gpu) => numberOf(gpu.cores)));
  return { ...(cores === 0 ? {} : { cores }), ...size("memory", greatest(both, "memory")) };
}

function greatest(all: readonly JsonObject[], name: string): number {
  return Math.max(0, ...all.map((one) => bytesOf(one[name])));
}

const EXPONENTS: Readonly<Record<string, number>> = { kb: 10, mb: 20, gb: 30, tb: 40 };

/** Bytes of `8gb`; what is written otherwise asks for nothing. */
function bytesOf(value: Json | undefined): number {
  const [, digits, unit] = /^(\d+)([tgmk]b)?$/.exec(typeof value === "string" ? value : "") ?? [];
  return digits === undefined ? 0 : Number(digits) * 2 ** (unit === undefined ? 0 : (EXPONENTS[unit] ?? 0));
}

function numberOf(value: Json | undefined): number {
  return typeof value === "number" ? value : 0;
}

function size(name: string, bytes: number): JsonObject {
  return bytes === 0 ? {} : { [name]: `${bytes}` };
}
