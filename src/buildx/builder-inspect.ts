import { formatPlatform, type Platform, parsePlatform } from "../oci/platform.ts";
import { readVersion, type Version } from "./buildx.ts";

/** One daemon of a builder, as `buildx inspect` tells it. */
export type BuilderNode = {
  readonly name: string;
  /** Normalised; the node's own platform first, as BuildKit lists them. Empty where the node starts on demand and has not told yet. */
  readonly platforms: readonly string[];
  readonly buildkit: Version | undefined;
  /** Why the node does not answer. */
  readonly error: string | undefined;
};

export type Inspection = {
  readonly name: string;
  /** `docker`, `docker-container`, `remote`, `kubernetes`, `cloud`, or another one that buildx knows. */
  readonly driver: string;
  readonly nodes: readonly BuilderNode[];
};

/**
 * Reads what `docker buildx inspect` prints: `Name: value` lines, a part for the builder and one for each node. There is no JSON form.
 * @see https://docs.docker.com/reference/cli/docker/buildx/inspect/
 */
export function readInspection(stdout: string): Inspection {
  const [head = "", ...rest] = stdout.split(/^Nodes:\s*$/m);
  const nodes = rest
    .join("\n")
    .split(/^(?=Name:)/m)
    .filter((part) => part.trim() !== "");
  return {
    name: fieldOf(head, "Name") ?? "default",
    driver: fieldOf(head, "Driver") ?? "",
    nodes: nodes.map(readNode),
  };
}

function readNode(text: string): BuilderNode {
  return {
    name: fieldOf(text, "Name") ?? "",
    platforms: (fieldOf(text, "Platforms") ?? "").split(",").flatMap(normalise),
    // Older ones wrote `Buildkit:`.
    buildkit: readVersion(fieldOf(text, "BuildKit version") ?? fieldOf(text, "Buildkit") ?? ""),
    error: fieldOf(text, "Error"),
  };
}

function fieldOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(\\S.*?)\\s*$`, "m").exec(text)?.[1];
}

/** The star marks what was set by hand. What we cannot name, we do not build for. */
function normalise(item: string): readonly string[] {
  const platform = parsePlatform(item.trim().replace(/\*$/, ""));
  return "wrong" in platform ? [] : [formatPlatform(platform)];
}

/** How a builder would run a platform's steps. `unknown`: it lists nothing, so it is not judged. */
export type Means = "native" | "emulated" | "missing" | "unknown";

/** What a builder's nodes say about a platform: native counts on any node, for buildx chooses that one. */
export function meansFor({ nodes }: Inspection, platform: Platform): Means {
  const wanted = formatPlatform(platform);
  if (nodes.every(({ platforms }) => platforms.length === 0)) return "unknown";
  const able = nodes.filter(({ platforms }) => platforms.includes(wanted));
  if (able.length === 0) return "missing";
  return able.some(({ platforms: [own = ""] }) => isKin(own, platform)) ? "native" : "emulated";
}

/** A processor runs the variants of its own architecture, and 64 bits mostly run 32: what BuildKit lists without emulation. */
function isKin(own: string, { os, architecture }: Platform): boolean {
  const [ownOs = "", ownArchitecture = ""] = own.split("/");
  const small: Readonly<Record<string, string>> = { amd64: "386", arm64: "arm" };
  return ownOs === os && (ownArchitecture === architecture || small[ownArchitecture] === architecture);
}
