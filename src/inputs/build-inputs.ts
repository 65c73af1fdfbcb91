import type { NamePattern } from "../arguments/argument.ts";
import { parseNamePattern } from "../arguments/merge.ts";
import {
  type BuildContext,
  type ExtraHost,
  type Label,
  NETWORKS,
  parseBuildContext,
  parseExtraHost,
  parseLabel,
  parseTarget,
} from "../arguments/options.ts";
import type { ParsedArguments } from "../arguments/parse.ts";
import { parseArgumentInput } from "../arguments/parse.ts";
import { parseSecrets, type Secret } from "../arguments/secrets.ts";
import { parseSsh, type Ssh } from "../arguments/ssh.ts";
import { parseLabelPattern } from "../arguments/volatile-labels.ts";
import { isBuilderName, parsePlatformBuilder } from "../buildx/builder-name.ts";
import { parseBuildxVersion } from "../buildx/buildx-release.ts";
import { type CacheEntry, parseCacheEntry } from "../buildx/cache.ts";
import { withoutSecrets } from "../buildx/cache-attributes.ts";
import { ActionError } from "../errors.ts";
import { image } from "./image-input.ts";
import { boolean, choice, items, list, type ReadInput, text, wrong } from "./read-input.ts";
import { isSwitch } from "./slips.ts";

/** What the user asked for about builds: what is built, with what, and by whom. */
export type BuildInputs = {
  readonly target: string | undefined;
  readonly args: ParsedArguments;
  /** Paths and patterns, as written. */
  readonly argumentFiles: readonly string[];
  readonly ignoredArguments: readonly NamePattern[];
  readonly secrets: readonly Secret[];
  readonly ssh: readonly Ssh[];
  readonly contexts: readonly BuildContext[];
  readonly labels: readonly Label[];
  readonly ignoredLabels: readonly NamePattern[];
  readonly network: (typeof NETWORKS)[number] | undefined;
  readonly hosts: readonly ExtraHost[];
  readonly noCache: boolean;
  readonly builder: string | undefined;
  /** A builder's name by platform. */
  readonly builders: ReadonlyMap<string, string>;
  readonly builderRestart: boolean;
  readonly buildkitImage: string | undefined;
  readonly buildxVersion: string | undefined;
  /** `undefined` for the cache beside the image, an empty list for none. */
  readonly cacheFrom: readonly CacheEntry[] | undefined;
  readonly cacheTo: readonly CacheEntry[] | undefined;
};

/**
 * Reads the inputs about builds.
 * @throws ActionError E_INPUT naming the input, the value and what is allowed.
 */
export function readBuildInputs(read: ReadInput): BuildInputs {
  return {
    target: readTarget(read),
    args: parseArgumentInput(read("build-args")),
    argumentFiles: items(read, "build-arg-files"),
    ignoredArguments: list(read, "ignore-args", parseNamePattern),
    secrets: parseSecrets(read("build-secrets")),
    ssh: list(read, "ssh", parseSsh),
    contexts: list(read, "build-contexts", parseBuildContext),
    labels: list(read, "labels", parseLabel),
    ignoredLabels: list(read, "ignore-labels", parseLabelPattern),
    network: text(read, "network") === undefined ? undefined : choice(read, "network", NETWORKS),
    hosts: list(read, "add-hosts", parseExtraHost),
    noCache: boolean(read, "no-cache", false),
    builder: readBuilder(read),
    builders: readBuilders(read),
    builderRestart: boolean(read, "builder-restart", false),
    buildkitImage: image(read, "buildkit-image"),
    buildxVersion: readBuildxVersion(read),
    cacheFrom: readCache(read, "cache-from"),
    cacheTo: readCache(read, "cache-to"),
  };
}

function readTarget(read: ReadInput): string | undefined {
  const value = text(read, "target");
  if (value === undefined) return undefined;
  const target = parseTarget(value);
  if ("wrong" in target) throw wrong("target", value, "Name a stage of the Dockerfile.", target.wrong);
  return target.stage;
}

function readBuilder(read: ReadInput): string | undefined {
  const value = text(read, "builder");
  if (value === undefined || isBuilderName(value)) return value;
  throw wrong("builder", value, "Name one that docker buildx ls shows.");
}

function readBuilders(read: ReadInput): ReadonlyMap<string, string> {
  const all = list(read, "builders", parsePlatformBuilder);
  const byPlatform = new Map(all.map(({ platform, name }) => [platform, name]));
  if (byPlatform.size === all.length) return byPlatform;
  throw new ActionError("E_INPUT", {
    what: "The input builders names a platform twice.",
    fix: "Write one line for each platform, like linux/arm64=name.",
  });
}

function readBuildxVersion(read: ReadInput): string | undefined {
  const value = text(read, "buildx-version");
  const version = value === undefined ? undefined : parseBuildxVersion(value);
  if (version === undefined || typeof version === "string") return version;
  throw wrong("buildx-version", value ?? "", "Write a version like 0.29.1.", version.wrong);
}

/** `false` is for no cache at all. */
function readCache(read: ReadInput, name: string): readonly CacheEntry[] | undefined {
  const value = text(read, name);
  if (value === undefined) return undefined;
  if (/^(false|False|FALSE)$/.test(value)) return [];
  if (isSwitch(value))
    throw wrong(
      name,
      value,
      "Allowed: false for none, or one entry a line, like type=registry,ref=ghcr.io/team/app:cache. Without it layers are cached beside the image.",
    );
  return list(read, name, (line) => parseCacheEntry(line, name === "cache-to" ? "dest" : "src"), withoutSecrets);
}
