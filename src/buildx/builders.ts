import { ActionError } from "../errors.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { World } from "../world.ts";
import { type Builder, describeBuilder, inspectBuilder, noBuilder, refusal, shortcomingOf } from "./builder.ts";
import {
  imageOfBuilder,
  makeBuilder,
  NAME_DIGITS,
  OWN_PREFIX,
  removeOwnBuilder,
  removeStaleBuilders,
  resetBuilder,
  type Workshop,
} from "./builder-own.ts";
import { readRecord } from "./builder-record.ts";
import { type BuilderNetwork, describeUntold, type Entitlement } from "./buildkitd.ts";

/** What the inputs and the plan ask of builders. */
export type WantedBuilders = {
  readonly platforms: readonly Platform[];
  readonly push: boolean;
  /** The input builder. */
  readonly name: string | undefined;
  /** The input builders: a builder's name by platform. */
  readonly byPlatform: ReadonlyMap<string, string>;
  /** The input buildkit-image. */
  readonly image: string | undefined;
  /** Why no builder may be made of buildx's own image, where none may. */
  readonly refuseOwnImage: ActionError | undefined;
  /** The input builder-restart. */
  readonly restart: boolean;
  readonly network: BuilderNetwork;
  readonly entitlements: readonly Entitlement[];
};

/** The builders of a run. */
export type Builders = {
  /** @throws Error for a platform that was not asked for. */
  readonly forPlatform: (platform: Platform) => Builder;
};

/** `atEnd`: what is to be undone however the run ends. */
type Site = Workshop & Pick<World, "log" | "salt"> & { readonly atEnd: (undo: () => Promise<void>) => void };

/**
 * Finds a builder for every platform, before any build: the one that is named for it, else the one that is named for all, else the
 * current one where it will do, else one that is made for this run. With `image` the one for all is always of our making: under a name
 * it stays for later runs, without one it goes when the run does.
 * @throws ActionError E_DOCKER saying what is missing and how to get it.
 */
export async function chooseBuilders(wanted: WantedBuilders, site: Site): Promise<Builders> {
  const chosen = new Map<string, Builder>();
  for (const { name, platforms } of groupPlatforms(wanted)) {
    const builder =
      name === undefined
        ? await builderForAll({ ...wanted, platforms }, site)
        : await namedBuilder(name, { ...wanted, platforms, restart: false }, site);
    site.log.info(describeBuilder(builder, platforms));
    const untold = builder.ours ? undefined : describeUntold(builder.name, wanted.network);
    if (untold !== undefined) site.log.warning(untold);
    for (const platform of platforms) chosen.set(formatPlatform(platform), builder);
  }
  return {
    forPlatform: (platform) => {
      const builder = chosen.get(formatPlatform(platform));
      if (!builder) throw new Error(`no builder was chosen for ${formatPlatform(platform)}`);
      return builder;
    },
  };
}

type Group = { readonly name: string | undefined; readonly platforms: readonly Platform[] };

/** The platforms by the builder that is named for them; those that have none of their own stand without a name. */
function groupPlatforms({ platforms, byPlatform }: WantedBuilders): readonly Group[] {
  const nameFor = (platform: Platform): string | undefined => byPlatform.get(formatPlatform(platform));
  const names = [...new Set(platforms.map(nameFor))];
  return names.map((name) => ({ name, platforms: platforms.filter((platform) => nameFor(platform) === name) }));
}

async function builderForAll(wanted: WantedBuilders, site: Site): Promise<Builder> {
  const { name, image } = wanted;
  if (image !== undefined) return name === undefined ? makeForThisRun(wanted, site) : keptBuilder(name, wanted, site);
  return name === undefined ? currentOrOwn(wanted, site) : namedBuilder(name, wanted, site);
}

/** What the user names is used or refused, never replaced. */
async function namedBuilder(name: string, wanted: WantedBuilders, site: Site): Promise<Builder> {
  if (wanted.restart) {
    const driver = (await readRecord(name, site))?.driver;
    if (driver !== "docker-container") throw cannotRestart(name, driver);
    site.log.info(`The builder ${name} is made anew: its container and its cache are thrown away.`);
    await resetBuilder(name, site);
  }
  const builder = await inspectBuilder(name, site);
  if ("wrong" in builder) throw noBuilder(name, builder.wrong);
  return judged({ ...builder, ours: false }, wanted);
}

async function currentOrOwn(wanted: WantedBuilders, site: Site): Promise<Builder> {
  const builder = await inspectBuilder(undefined, site);
  if ("wrong" in builder) throw noBuilder(undefined, builder.wrong);
  const shortcoming = shortcomingOf(builder, wanted.platforms, wanted.push);
  if (!shortcoming) return { ...builder, ours: false };
  if (!shortcoming.curable) throw refusal(shortcoming);
  site.log.info(`${shortcoming.what} A builder is made for this run.`);
  try {
    return await makeForThisRun(wanted, site);
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    throw new ActionError("E_DOCKER", {
      what: `${shortcoming.what} ${error.message}`,
      fix: `${shortcoming.fix} ${error.fix ?? ""}`,
      cause: error,
    });
  }
}

async function makeForThisRun(wanted: WantedBuilders, site: Site): Promise<Builder> {
  if (wanted.image === undefined && wanted.refuseOwnImage) throw wanted.refuseOwnImage;
  for (const stale of await removeStaleBuilders(site)) site.log.info(`Removed what a killed run had left: ${stale}`);
  const name = `${OWN_PREFIX}${site.salt().slice(0, NAME_DIGITS)}`;
  site.atEnd(async () => {
    const words = await removeOwnBuilder(name, site);
    if (words !== undefined) site.log.warning(`The builder ${name} could not be removed: ${words}`);
  });
  return judged(await makeBuilder({ ...wanted, name, restart: false }, site), wanted);
}

async function keptBuilder(name: string, wanted: WantedBuilders, site: Site): Promise<Builder> {
  const driver = (await readRecord(name, site))?.driver;
  if (driver !== undefined && driver !== "docker-container")
    throw new ActionError("E_DOCKER", {
      what: `The builder ${name} is of the driver ${driver}, and buildkit-image is for builders of the driver docker-container.`,
      fix: "Leave buildkit-image out, or give the builder another name.",
    });
  const running = await imageOfBuilder(name, site);
  const restart = running !== undefined && (wanted.restart || running !== wanted.image);
  site.log.info(describeKept(name, running, restart));
  return judged(await makeBuilder({ ...wanted, name, restart }, site), wanted);
}

function describeKept(name: string, running: string | undefined, restart: boolean): string {
  if (running === undefined) return `The builder ${name} is made, and stays for later runs.`;
  if (restart) return `The builder ${name} (${running}) is made anew: its container and its cache are thrown away.`;
  return `The builder ${name} is there already and goes on with the settings that it was made with; builder-restart makes it anew.`;
}

function judged(builder: Builder, { platforms, push }: WantedBuilders): Builder {
  const shortcoming = shortcomingOf(builder, platforms, push);
  if (shortcoming) throw refusal(shortcoming);
  return builder;
}

function cannotRestart(name: string, driver: string | undefined): ActionError {
  const what =
    driver === undefined
      ? `builder-restart is set, and there is no builder ${name} that buildx has a record of.`
      : `builder-restart is set, and the builder ${name} is of the driver ${driver}: only one of the driver docker-container can be made anew.`;
  return new ActionError("E_DOCKER", {
    what,
    fix: "Leave builder-restart out, or set buildkit-image as well: a builder of that name is then made.",
  });
}
