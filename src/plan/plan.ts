import { pickLabel } from "../devcontainer/label.ts";
import { formatOption, orderOptions } from "../devcontainer/options.ts";
import type { Configuration } from "../devcontainer/parse.ts";
import type { Workspace } from "../devcontainer/paths.ts";
import { canonicalTexts } from "../dockerfile/canonical.ts";
import { countImage, type ImageNames, NO_NAMES } from "../dockerfile/image-names.ts";
import type { Warning } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Places } from "../key/difference.ts";
import { ownKey, sourceKey, treeDigest } from "../key/fingerprint.ts";
import { type ContextEntry, type PlatformPlan, RECIPE, SCHEMA, type Yours } from "../key/ingredients.ts";
import type { Hidden } from "../key/stored.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Triggers } from "../sources/build-source.ts";
import type { Doubt } from "../sources/doubt.ts";
import { filesWithin, openEffort } from "../sources/effort.ts";
import { headOf, readHead } from "../sources/head.ts";
import { installationOf } from "../sources/installation.ts";
import { scopeOf, stagesOf } from "../sources/scopes.ts";
import { type Gathered, gatherSources } from "../sources/sources.ts";
import type { World } from "../world.ts";
import { type ReadAddresses, readAddresses } from "./addresses.ts";
import { refuseForeignSources } from "./allowed.ts";
import { type BranchTags, branchTags } from "./branches.ts";
import { argumentsThatCount, globalArgsTold, namesTriggered, undeclaredArguments } from "./counting.ts";
import { frontendNamed, namesOf, readImages, refuseForeignImages } from "./images.ts";
import { judgePublished, type Leak, refuseLeaks } from "./leaks.ts";
import { findHidden, tellPlaces } from "./places.ts";
import { variantOf } from "./variant.ts";
import type { Wanted } from "./wanted.ts";

/** Everything that the commit and the inputs say, read once: what is hashed here is what will be built. */
export type Sources = {
  readonly wanted: Wanted;
  /** devcontainer.json as seen from the checkout, which is part of the branch's tag. */
  readonly configuration: string;
  /** What is checked out, as far as that is told. */
  readonly commit: string | undefined;
  /** Where the newest sets of the branches stand that this run has to do with. */
  readonly branches: BranchTags;
  readonly raw: Configuration["raw"];
  readonly places: Places;
  readonly hidden: Hidden;
  readonly trees: ReadonlyMap<Digest, readonly ContextEntry[]>;
  readonly build: Gathered;
  /** Secrets of this run that somebody has written out where only a build would publish them. */
  readonly leaks: readonly Leak[];
  readonly warnings: readonly Warning[];
};

/**
 * Reads the sources and makes everything of the plan that needs no request.
 * @param triggers of the images that are built on, once these were read: what they take from the context counts too.
 * @throws ActionError for everything that is wrong with them, before any request; E_LIMIT where reading them has no end in sight.
 */
export async function readSources(
  inputs: Inputs,
  workspace: Workspace,
  world: Pick<World, "files" | "host" | "clock">,
  triggers: Triggers = new Map(),
): Promise<Sources> {
  const { effort, end } = openEffort(world.clock);
  try {
    const files = filesWithin(world.files, effort, workspace.checkout);
    const [gathered, head] = await Promise.all([
      gatherSources(inputs, workspace, { files, host: world.host, effort }, triggers),
      world.host.clone ? headOf(world.host.clone) : readHead(world.files, workspace.checkout),
    ]);
    return makeSources(inputs, gathered, { host: world.host, head });
  } finally {
    end();
  }
}

type Place = { readonly host: World["host"]; readonly head: Awaited<ReturnType<typeof readHead>> };

function makeSources(inputs: Inputs, gathered: Gathered, { host, head }: Place): Sources {
  const { configuration, definition } = gathered;
  const { leaks, warnings: alike } = judgePublished(inputs, gathered);
  const leaking = refuseLeaks(leaks, inputs, host.event);
  const trees = treesOf(gathered);
  const platforms = inputs.platforms.map((platform) => ({
    platform,
    plan: {
      schema: SCHEMA,
      yours: makeYours(inputs, gathered, platform, trees),
      label: pickLabel(configuration.raw),
      recipe: RECIPE,
    } satisfies Omit<PlatformPlan, "upstream">,
    ...readImages(gathered, platform),
    ...addressesOf(readAddresses(gathered, platform, inputs.allowedImages)),
  }));
  for (const { images } of platforms) refuseForeignImages(images, inputs.allowedImages);
  const doubt = definition.doubt ?? platforms.find((one) => one.doubt)?.doubt;
  refuseForeignSources(definition, doubt, inputs.allowedImages);
  const images = platforms.flatMap((one) => one.images);
  const wanted: Wanted = {
    repository: inputs.cacheRepository,
    platforms,
    sourceKey: sourceKey(platforms.map(({ plan }) => plan.yours)),
    ownKey: ownKey(platforms.map(({ plan }) => plan)),
    undeclared: undeclaredArguments(gathered, inputs.platforms),
    doubt: doubt ?? platforms.find((one) => one.remoteDoubt)?.remoteDoubt,
    verify: inputs.verify,
    required: inputs.attestations.required,
    features: gathered.features?.request,
    handOver: platformToHandOver(inputs.platforms, host.platform),
  };
  return {
    wanted,
    configuration: gathered.relative,
    commit: (head.kind === "unknown" ? undefined : head.revision) ?? host.env.GITHUB_SHA,
    branches: branchTags({
      alias: inputs.alias,
      event: host.event,
      head,
      commit: host.clone ? host.clone.commit : host.env.GITHUB_SHA,
      configuration: host.clone?.identity ? `${host.clone.identity} ${gathered.relative}` : gathered.relative,
      variant: variantOf(inputs, gathered.arguments.args),
    }),
    raw: configuration.raw,
    places: tellPlaces(
      gathered,
      { images, addresses: platforms.flatMap(({ addresses }) => addresses) },
      inputs.platforms,
    ),
    hidden: findHidden(gathered, images),
    trees: new Map(
      [...trees.contexts.values(), ...trees.named.values()].map(({ digest, entries }) => [digest, entries]),
    ),
    build: gathered,
    leaks,
    warnings: firstWarnings([
      ...leaking,
      ...configuration.warnings,
      ...definition.warnings,
      ...gathered.warnings,
      ...alike,
    ]),
  };
}

const MOST_WARNINGS = 100;

/** Nobody reads hundreds of them, and a log with thousands takes longer than the run. */
export function firstWarnings(all: readonly Warning[]): readonly Warning[] {
  const left = all.length - MOST_WARNINGS;
  return left > 0 ? [...all.slice(0, MOST_WARNINGS), { text: `${left} more warnings are left out` }] : all;
}

/** The runner's own platform where it is among the wanted ones: that is the image that a job here can run. */
export function platformToHandOver(platforms: readonly Platform[], own: string): Platform {
  const [first] = platforms;
  if (!first) throw new Error("there is no platform");
  return platforms.find((platform) => formatPlatform(platform) === own) ?? first;
}

/** An image that cannot be told comes first. */
function addressesOf({ addresses, doubt }: ReadAddresses): {
  readonly addresses: ReadAddresses["addresses"];
  readonly remoteDoubt?: Doubt;
} {
  return { addresses, ...(doubt ? { remoteDoubt: doubt } : {}) };
}

type Hashed = { readonly digest: Digest; readonly entries: readonly ContextEntry[] };

/** Platforms that take the same from the context have the very same list of it. */
type Trees = { readonly contexts: ReadonlyMap<string, Hashed>; readonly named: ReadonlyMap<string, Hashed> };

function treesOf({ context, namedContexts }: Gathered): Trees {
  const known = new Map<readonly ContextEntry[], Hashed>();
  const hash = (entries: readonly ContextEntry[]): Hashed => {
    const hashed = known.get(entries) ?? { digest: treeDigest(entries), entries };
    known.set(entries, hashed);
    return hashed;
  };
  return {
    contexts: new Map([...(context?.entries ?? [])].map(([platform, entries]) => [platform, hash(entries)])),
    named: new Map([...namedContexts].map(([name, { entries }]) => [name, hash(entries)])),
  };
}

function makeYours(inputs: Inputs, gathered: Gathered, platform: Platform, trees: Trees): Yours {
  const { definition, dockerfile, features, remoteUserUid } = gathered;
  const { secretIds } = gathered.arguments;
  const { source, target } = definition;
  const tree = trees.contexts.get(formatPlatform(platform))?.digest;
  const names = namesOf(gathered, platform);
  return {
    configuration: {
      kind: source.kind === "image" ? "image" : "dockerfile",
      ...(source.kind === "image" ? { image: countImage(source.image.value, names).name } : {}),
      ...(target === undefined ? {} : { target: target.value }),
    },
    ...(source.kind === "dockerfile"
      ? { dockerfile: { escape: dockerfile.escape, ...instructionTexts(gathered, platform) } }
      : {}),
    ...(tree === undefined ? {} : { context: { tree } }),
    ...digestsWritten(gathered, names),
    ...(definition.contexts.size === 0 ? {} : { contexts: namedContexts(gathered, trees) }),
    arguments: argumentsThatCount(gathered, platform),
    options: {
      platform: formatPlatform(platform),
      ...(inputs.cacheVersion === undefined ? {} : { cacheVersion: inputs.cacheVersion }),
      ...(remoteUserUid === undefined ? {} : { remoteUserUid }),
      ...(definition.counted.length === 0 ? {} : { build: orderOptions(definition.counted).map(formatOption) }),
      ...(secretIds.length === 0 ? {} : { secrets: secretIds }),
    },
    features: features?.written ?? [],
    ...(features || remoteUserUid !== undefined ? installation(gathered) : {}),
  };
}

function digestsWritten(gathered: Gathered, { pins }: ImageNames): Pick<Yours, "pins"> {
  const { name, pin } = frontendNamed(gathered);
  const all = [...pins, ...(pin === undefined ? [] : [[`# syntax=${name}`, pin] as const])];
  return all.length === 0 ? {} : { pins: Object.fromEntries(all) };
}

/** What decides, beside the features themselves, what they leave in the image, and who gets another uid. */
function installation(gathered: Gathered): Pick<Yours, "installOrder" | "installation"> {
  const { configuration, definition, features, remoteUserUid } = gathered;
  const { overrideFeatureInstallOrder: order } = configuration.json;
  const hasFeatures = features !== undefined;
  return {
    ...(hasFeatures && Array.isArray(order) && order.length > 0 ? { installOrder: order } : {}),
    installation: installationOf(configuration, definition.user, {
      hasFeatures,
      renumbers: remoteUserUid !== undefined,
    }).values,
  };
}

function namedContexts({ definition }: Gathered, trees: Trees): NonNullable<Yours["contexts"]> {
  const sources = [...definition.contexts].map(([name, { kind, value }]) => {
    const tree = trees.named.get(name)?.digest;
    // An image's digest is among the bases, where an instruction uses it.
    if (kind === "image") return [name, { image: countImage(value, NO_NAMES).name }] as const;
    return [name, tree === undefined ? { image: value } : { tree }] as const;
  });
  return Object.fromEntries(sources);
}

function instructionTexts(gathered: Gathered, platform: Platform): Omit<NonNullable<Yours["dockerfile"]>, "escape"> {
  const { dockerfile, definition } = gathered;
  const { syntax } = dockerfile;
  // What stands behind the frontend's name is told to it, and may change what it builds.
  const directive = syntax ? [["# syntax=", frontendNamed(gathered).name, " ", syntax.options].join("").trimEnd()] : [];
  const names = namesOf(gathered, platform);
  const texts = canonicalTexts(globalArgsTold(gathered, platform, names), stagesOf(gathered, platform), {
    dockerfile,
    target: definition.target?.value,
    scope: scopeOf(gathered, platform),
    given: new Set(Object.keys(argumentsThatCount(gathered, platform))),
    names,
    triggered: namesTriggered(gathered, platform),
  });
  const stages = [[...directive, ...texts.before], ...texts.stages];
  return {
    stages,
    ...(texts.hasNames ? { named: true } : {}),
    ...(gathered.triggers.has(formatPlatform(platform)) ? { triggered: true } : {}),
  };
}
