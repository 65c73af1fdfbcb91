import { ActionError } from "../errors.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Finished } from "../world.ts";
import { type Inspection, meansFor, readInspection } from "./builder-inspect.ts";
import {
  type Buildx,
  formatVersion,
  isOlder,
  lastWords,
  runBuildx,
  type Surroundings,
  type Version,
} from "./buildx.ts";
import type { Engine } from "./engine.ts";

/** A builder, and what was found out about it before the build. */
export type Builder = Inspection & {
  /** Of the engine behind the driver `docker`; `undefined` for other drivers, and where the engine does not tell. */
  readonly engine: Engine | undefined;
  /** Made by us, so that it knows what our client knows. */
  readonly ours: boolean;
};

/** What a build may ask of a driver. A driver that nobody here knows is passed through and not judged. */
export type Abilities = {
  /** Push an index with attestations. */
  readonly pushIndex: boolean;
  readonly exportCache: boolean;
  /** Set the times inside layers to SOURCE_DATE_EPOCH. */
  readonly rewriteTimestamps: boolean;
};

/** The first with source policies whose rules are tried in the order that they have: https://github.com/moby/buildkit/pull/4215 */
const OLDEST_BUILDKIT: Version = [0, 12, 3];
const OLDEST_ENGINE: Version = [25, 0, 0];

/** A builder that is started answers within this many milliseconds, the pull of its image included. */
const BOOT_TIME = 5 * 60_000;

/** What the driver of a builder can do. */
export function abilitiesOf({ driver, engine }: Builder): Abilities {
  if (driver !== "docker") return { pushIndex: true, exportCache: true, rewriteTimestamps: true };
  const modern = engine?.store !== "classic";
  return { pushIndex: modern, exportCache: modern, rewriteTimestamps: false };
}

/** What was asked of a builder, the current one where `name` is undefined, and what buildx says to that. */
export type Asked = { readonly name: string | undefined; readonly answer: Promise<Finished> };

/** Starts a builder where it is not running, and has buildx tell of it. */
export function askBuilder(
  name: string | undefined,
  site: Surroundings & { readonly buildx: Buildx },
): Promise<Finished> {
  const args = ["inspect", "--bootstrap", ...(name === undefined ? [] : [name])];
  return runBuildx(site.buildx, args, site, BOOT_TIME);
}

/**
 * Starts a builder where it is not running and reads what it tells.
 * @param name the current builder where it is `undefined`.
 * @param site `engine`: what docker says of the one that it speaks to; a docker-buildx without docker cannot ask. `asked`: what has been asked
 * already.
 * @returns the builder, or buildx's words where there is none that works.
 */
export async function inspectBuilder(
  name: string | undefined,
  site: Surroundings & {
    readonly buildx: Buildx;
    readonly engine: Promise<Engine | undefined>;
    readonly asked?: Asked | undefined;
  },
): Promise<Omit<Builder, "ours"> | { readonly wrong: string }> {
  const { asked } = site;
  const inspected = await (asked && asked.name === name ? asked.answer : askBuilder(name, site));
  if (inspected.code !== 0) return { wrong: lastWords(inspected) };
  const inspection = readInspection(inspected.stdout);
  const [broken] = inspection.nodes.flatMap(({ error }) => (error === undefined ? [] : [error]));
  if (broken !== undefined && inspection.nodes.every(({ error }) => error !== undefined)) return { wrong: broken };
  return { ...inspection, engine: inspection.driver === "docker" ? await site.engine : undefined };
}

/** Why a builder will not do, for a person. `curable`: a builder of the driver docker-container on the same engine would. */
export type Shortcoming = { readonly what: string; readonly fix: string; readonly curable: boolean };

/**
 * What stands between a builder and these builds, the first that was found.
 * @param push whether the images will be pushed: the classic image store can neither keep an index nor attestations.
 */
export function shortcomingOf(
  builder: Omit<Builder, "ours">,
  platforms: readonly Platform[],
  push: boolean,
): Shortcoming | undefined {
  return tooOld(builder) ?? (push ? classicStore(builder) : undefined) ?? missingPlatforms(builder, platforms);
}

function tooOld({ name, nodes, engine }: Omit<Builder, "ours">): Shortcoming | undefined {
  const fix = "Use a newer engine, or add docker/setup-buildx-action before this action.";
  if (engine?.version !== undefined && isOlder(engine.version, OLDEST_ENGINE))
    return {
      what: `The builder ${name} is part of the Docker engine ${formatVersion(engine.version)}: ${formatVersion(OLDEST_ENGINE)} or newer is needed to build from exactly what was hashed.`,
      fix,
      curable: true,
    };
  // An engine tells the version of the BuildKit that it was made of, and its own says more about what was repaired in it.
  const old = engine === undefined ? nodes.find(({ buildkit }) => isOlder(buildkit, OLDEST_BUILDKIT)) : undefined;
  if (old?.buildkit === undefined) return undefined;
  return {
    what: `The builder ${name} runs BuildKit ${formatVersion(old.buildkit)}: ${formatVersion(OLDEST_BUILDKIT)} or newer is needed to build from exactly what was hashed.`,
    fix: "Make the builder anew with a newer image, or name one as buildkit-image.",
    curable: true,
  };
}

function classicStore({ name, engine }: Omit<Builder, "ours">): Shortcoming | undefined {
  if (engine?.store !== "classic") return undefined;
  return {
    what: `The builder ${name} uses the docker driver with the classic image store, which cannot push what the cache needs (an index with attestations).`,
    fix: "Add docker/setup-buildx-action before this action, or turn on the containerd image store of the engine.",
    curable: true,
  };
}

function missingPlatforms(builder: Omit<Builder, "ours">, platforms: readonly Platform[]): Shortcoming | undefined {
  const missing = platforms.filter((platform) => meansFor(builder, platform) === "missing").map(formatPlatform);
  if (missing.length === 0) return undefined;
  const known = [...new Set(builder.nodes.flatMap((node) => node.platforms))];
  return {
    what: `The builder ${builder.name} cannot build for ${missing.join(", ")}; it can for ${known.join(", ")}.`,
    fix: `Add docker/setup-qemu-action before this action, name a builder that can (builders: ${missing[0]}=NAME), or give the platform a runner of its kind (runners).`,
    // An emulator is told to the kernel, and that is the same one in a container.
    curable: false,
  };
}

/** One line about what builds where, and what the driver will not do. */
export function describeBuilder(builder: Builder, platforms: readonly Platform[]): string {
  const means = platforms.map((platform) => `${formatPlatform(platform)}${MEANS[meansFor(builder, platform)]}`);
  const { exportCache, rewriteTimestamps } = abilitiesOf(builder);
  const cannot = [
    ...(exportCache ? [] : ["export a layer cache"]),
    ...(rewriteTimestamps ? [] : ["set the times inside layers"]),
  ];
  const store = builder.engine === undefined ? "" : ` with the ${builder.engine.store} image store`;
  const limits = cannot.length === 0 ? "" : `; it cannot ${cannot.join(" or ")}`;
  return `Builder ${builder.name} (driver ${builder.driver}${store}) builds ${means.join(", ")}${limits}.`;
}

const MEANS = {
  native: " natively",
  emulated: " under emulation, which is slow (builders names a native one)",
  missing: "",
  unknown: "",
} as const;

/** Turns what stands in the way into the error that ends the run. */
export function refusal({ what, fix }: Pick<Shortcoming, "what" | "fix">): ActionError {
  return new ActionError("E_DOCKER", { what, fix });
}

/** A builder that is not there, or that does not answer. */
export function noBuilder(name: string | undefined, words: string): ActionError {
  if (name === undefined)
    return new ActionError("E_DOCKER", {
      what: `The image has to be built, and there is no working builder: ${words}`,
      fix: "Start the Docker engine, or add docker/setup-buildx-action before this action.",
    });
  return new ActionError("E_DOCKER", {
    what: `The builder ${name} is named for the build and does not work: ${words}`,
    fix: "Check the name with docker buildx ls, or leave it out to use the current builder. With buildkit-image a builder of that name is made.",
  });
}
