import { pickLabel } from "../devcontainer/label.ts";
import { formatOption } from "../devcontainer/options.ts";
import type { Configuration } from "../devcontainer/parse.ts";
import type { Workspace } from "../devcontainer/paths.ts";
import { type Dockerfile, instructionText } from "../dockerfile/parse.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Places } from "../key/difference.ts";
import { ownKey, sourceKey, treeDigest } from "../key/fingerprint.ts";
import { type ContextEntry, type PlatformPlan, RECIPE, SCHEMA, type Yours } from "../key/ingredients.ts";
import type { Hidden } from "../key/stored.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { installationOf } from "../sources/installation.ts";
import type { Warning } from "../sources/source-warnings.ts";
import { type Gathered, gatherSources } from "../sources/sources.ts";
import type { World } from "../world.ts";
import { readImages, refuseForeignImages, remoteDoubt } from "./images.ts";
import { findHidden, tellPlaces } from "./places.ts";
import type { Wanted } from "./wanted.ts";

/** Everything that the commit and the inputs say, read once: what is hashed here is what will be built. */
export type Sources = {
  readonly wanted: Wanted;
  /** devcontainer.json as seen from the checkout, which is part of the branch's tag. */
  readonly configuration: string;
  readonly raw: Configuration["raw"];
  readonly places: Places;
  readonly hidden: Hidden;
  readonly trees: ReadonlyMap<Digest, readonly ContextEntry[]>;
  readonly build: Gathered;
  readonly warnings: readonly Warning[];
};

/**
 * Reads the sources and makes everything of the plan that needs no request.
 * @throws ActionError for everything that is wrong with them, before any request.
 */
export async function readSources(
  inputs: Inputs,
  workspace: Workspace,
  world: Pick<World, "files" | "host">,
): Promise<Sources> {
  const gathered = await gatherSources(inputs, workspace, world);
  const { configuration, definition } = gathered;
  const picked = pickLabel(configuration.raw);
  const trees = treesOf(gathered);
  const platforms = inputs.platforms.map((platform) => ({
    platform,
    plan: {
      schema: SCHEMA,
      yours: makeYours(inputs, gathered, platform, trees),
      label: picked.labelOnly,
      recipe: RECIPE,
    } satisfies Omit<PlatformPlan, "upstream">,
    ...readImages(gathered, platform),
  }));
  for (const { images } of platforms) refuseForeignImages(images, inputs.allowedImages);
  const images = platforms.flatMap((one) => one.images);
  const wanted: Wanted = {
    repository: inputs.cacheRepository,
    platforms,
    sourceKey: sourceKey(platforms.map(({ plan }) => plan.yours)),
    ownKey: ownKey(platforms.map(({ plan }) => plan)),
    undeclared: gathered.arguments.undeclared,
    doubt: definition.doubt ?? platforms.find((one) => one.doubt)?.doubt ?? remoteDoubt(gathered),
    verify: inputs.verify,
    required: inputs.attestations.required,
    features: gathered.features?.request,
    handOver: platformToHandOver(inputs.platforms, world.host.platform),
  };
  return {
    wanted,
    configuration: gathered.relative,
    raw: configuration.raw,
    places: tellPlaces(gathered, images),
    hidden: findHidden(gathered, images),
    trees: new Map([...trees.values()].map(({ digest, entries }) => [digest, entries])),
    build: gathered,
    warnings: [...configuration.warnings, ...definition.warnings, ...gathered.warnings],
  };
}

/** The runner's own platform where it is among the wanted ones: that is the image that a job here can run. */
function platformToHandOver(platforms: readonly Platform[], own: string): Platform {
  const [first] = platforms;
  if (!first) throw new Error("there is no platform");
  return platforms.find((platform) => formatPlatform(platform) === own) ?? first;
}

/** A named context has its name; the build context itself has none. */
type Trees = ReadonlyMap<string, { readonly digest: Digest; readonly entries: readonly ContextEntry[] }>;

function treesOf({ context, namedContexts }: Gathered): Trees {
  const all = [...(context ? [["", context] as const] : []), ...namedContexts];
  return new Map(all.map(([name, { entries }]) => [name, { digest: treeDigest(entries), entries }]));
}

function makeYours(inputs: Inputs, gathered: Gathered, platform: Platform, trees: Trees): Yours {
  const { configuration, definition, dockerfile, features } = gathered;
  const { args, secretIds } = gathered.arguments;
  const { containerEnv, ...users } = pickLabel(configuration.raw).yours;
  const { source, target } = definition;
  const tree = trees.get("")?.digest;
  return {
    configuration: {
      kind: source.kind === "image" ? "image" : "dockerfile",
      ...(source.kind === "image" ? { image: source.image.value } : {}),
      ...(target === undefined ? {} : { target: target.value }),
      ...(Object.keys(users).length === 0 ? {} : { users }),
      ...(containerEnv === undefined ? {} : { containerEnv }),
    },
    ...(source.kind === "dockerfile"
      ? { dockerfile: { escape: dockerfile.escape, stages: instructionTexts(dockerfile) } }
      : {}),
    ...(tree === undefined ? {} : { context: { tree } }),
    ...(definition.contexts.size === 0 ? {} : { contexts: namedContexts(gathered, trees) }),
    arguments: args,
    options: {
      platform: formatPlatform(platform),
      ...(inputs.cacheVersion === undefined ? {} : { cacheVersion: inputs.cacheVersion }),
      ...(definition.counted.length === 0 ? {} : { build: definition.counted.map(formatOption) }),
      ...(secretIds.length === 0 ? {} : { secrets: secretIds }),
    },
    features: features?.written ?? [],
    ...(features ? installation(gathered) : {}),
  };
}

/** What decides, beside the features themselves, what they leave in the image. */
function installation({ configuration, definition }: Gathered): Pick<Yours, "installOrder" | "installation"> {
  const { overrideFeatureInstallOrder: order } = configuration.json;
  return {
    ...(Array.isArray(order) && order.length > 0 ? { installOrder: order } : {}),
    installation: installationOf(configuration, definition.user).values,
  };
}

function namedContexts({ definition }: Gathered, trees: Trees): NonNullable<Yours["contexts"]> {
  const sources = [...definition.contexts].map(([name, { kind, value }]) => {
    const tree = trees.get(name)?.digest;
    // An image's digest is among the bases, where an instruction uses it.
    const source = kind === "image" || tree === undefined ? { image: value } : { tree };
    return [name, source] as const;
  });
  return Object.fromEntries(sources);
}

/** All stages count: which of them the target needs is not asked yet. */
function instructionTexts(dockerfile: Dockerfile): string[][] {
  const { syntax } = dockerfile;
  // What stands behind the frontend's name is told to it, and may change what it builds.
  const directive = syntax ? [["# syntax=", syntax.reference, " ", syntax.options].join("").trimEnd()] : [];
  const before = [...directive, ...dockerfile.globalArgs.map(instructionText)];
  return [
    before,
    ...dockerfile.stages.map((stage) => [instructionText(stage.from), ...stage.instructions.map(instructionText)]),
  ];
}
