import { ActionError } from "../errors.ts";
import type { World } from "../world.ts";
import { type Asked, type Builder, inspectBuilder } from "./builder.ts";
import { readRecord, withDriverOptions, writeRecord } from "./builder-record.ts";
import {
  type BuilderNetwork,
  DAEMON_CONFIGURATION,
  daemonFiles,
  type Entitlement,
  needsHostNetwork,
} from "./buildkitd.ts";
import { type Buildx, lastWords, runBuildx, type Surroundings } from "./buildx.ts";
import { joinFields } from "./csv.ts";
import type { Engine } from "./engine.ts";

/** Where builders are made: BUILDX_CONFIG in the environment is this run's own folder. */
export type Workshop = Surroundings &
  Pick<World, "files" | "clock" | "owner"> & {
    readonly buildx: Buildx;
    readonly engine: Promise<Engine | undefined>;
    /** What was asked of a builder before this run made one. */
    readonly asked?: Asked | undefined;
  };

export type OwnBuilder = {
  readonly name: string;
  /** An image with buildkitd and buildctl; buildx has one of its own. */
  readonly image: string | undefined;
  readonly network: BuilderNetwork;
  readonly entitlements: readonly Entitlement[];
  /** Whether a container of that name that is there already is thrown away with its cache. */
  readonly restart: boolean;
};

/** The names of builders that a run makes for itself alone begin so, and go on with as many hexadecimal digits. */
export const OWN_PREFIX = "dev-container-cache-";
export const NAME_DIGITS = 12;
const OWN_NAME = new RegExp(`^${OWN_PREFIX}[0-9a-f]{${NAME_DIGITS}}$`);

/** Whether a builder is one that a run has made for itself alone, and not one that a user has named. */
export function isOwnName(name: string): boolean {
  return OWN_NAME.test(name);
}

/** In the environment of a builder's container: which process it belongs to. */
const OWNER_VARIABLE = "DEV_CONTAINER_CACHE_OWNER";

/** How buildx calls a builder's containers. */
const CONTAINER_PREFIX = "buildx_buildkit_";

const REMOVAL_TIME = 30_000;
/** No job builds one image for longer. */
const STALE_AFTER = 24 * 60 * 60_000;

/** Set empty where buildx starts the daemon: it would put the whole payload of the event, private parts too, into published provenance. */
const WITHOUT_EVENT = { GITHUB_EVENT_NAME: "", GITHUB_EVENT_PATH: "" };

/**
 * Makes a builder of the driver docker-container that knows what our client knows, and starts it. A container of that name that is there
 * already goes on with its cache and the settings that it was made with, unless `restart` is asked for.
 * @throws ActionError E_DOCKER with buildx's last words.
 */
export async function makeBuilder(own: OwnBuilder, workshop: Workshop): Promise<Builder> {
  const { name, restart } = own;
  const created = await runBuildx(workshop.buildx, await createArguments(own, workshop), workshop);
  if (created.code !== 0) throw notMade(lastWords(created));
  if (restart) await resetBuilder(name, workshop);
  await tellProxies(own, workshop);
  const builder = await inspectBuilder(name, { ...workshop, env: { ...workshop.env, ...WITHOUT_EVENT } });
  if ("wrong" in builder) throw notMade(builder.wrong);
  return { ...builder, ours: true };
}

async function createArguments(own: OwnBuilder, { files, owner }: Workshop): Promise<string[]> {
  const { name, image, network, entitlements } = own;
  const folder = await files.temporaryFolder("buildkit");
  const daemon = daemonFiles(network, entitlements, folder);
  for (const [path, content] of Object.entries(daemon)) await files.write(`${folder}/${path}`, content);
  const options = [
    ...(image === undefined ? [] : [`image=${image}`]),
    ...(needsHostNetwork(network) ? ["network=host"] : []),
    // One that stays for later runs is nobody's.
    ...(isOwnName(name) && owner.self !== undefined ? [`env.${OWNER_VARIABLE}=${owner.self}`] : []),
  ];
  return [
    // The node has the name that buildx itself gives to the first one: a builder that is there is then changed, and no node is added.
    ...["create", "--name", name, "--node", nodeOf(name), "--driver", "docker-container"],
    ...options.flatMap((option) => ["--driver-opt", joinFields([option])]),
    ...(DAEMON_CONFIGURATION in daemon ? ["--buildkitd-config", `${folder}/${DAEMON_CONFIGURATION}`] : []),
  ];
}

function nodeOf(name: string): string {
  return `${name.toLowerCase()}0`;
}

function notMade(words: string): ActionError {
  return new ActionError("E_DOCKER", {
    what: `A builder has to be made, and that failed: ${words}`,
    fix: "Set buildkit-image to an image with BuildKit that the engine can pull (moby/buildkit:buildx-stable-1, or a mirror of it), or add docker/setup-buildx-action before this action.",
  });
}

/** Through the record and not as an option of `create`, which would show a proxy's login to everybody on the machine who lists processes. */
async function tellProxies({ name, network }: OwnBuilder, workshop: Workshop): Promise<void> {
  const options = Object.entries(network.proxies).map(([variable, value]) => [`env.${variable}`, value] as const);
  if (options.length === 0) return;
  const record = await readRecord(name, workshop);
  if (!record) throw notMade("buildx's record of it cannot be read, so it cannot be told the proxy");
  await writeRecord(name, withDriverOptions(record, Object.fromEntries(options)), workshop);
}

/** Throws a builder's containers and their state away and keeps what buildx knows of it, so that the next start makes it anew. */
export async function resetBuilder(name: string, workshop: Workshop): Promise<void> {
  const record = await readRecord(name, workshop);
  await removeBuilder(name, workshop);
  if (record) await writeRecord(name, record, workshop);
}

/**
 * Removes a builder with its containers and their state. One that is gone already is no error.
 * @returns buildx's words where that failed.
 */
async function removeBuilder(
  name: string,
  { buildx, exec, env }: Surroundings & { readonly buildx: Buildx },
): Promise<string | undefined> {
  const removed = await runBuildx(buildx, ["rm", "--force", name], { exec, env }, REMOVAL_TIME);
  return removed.code === 0 || /no builder .* found/.test(removed.stderr) ? undefined : lastWords(removed);
}

/**
 * Removes a builder that a run has made for itself alone. What buildx did not find may be there all the same: where a run is stopped while
 * its builder starts, the engine makes the container that buildx has asked for and waits for no longer.
 * @returns buildx's words where that failed.
 */
export async function removeOwnBuilder(
  name: string,
  workshop: Surroundings & { readonly buildx: Buildx },
): Promise<string | undefined> {
  const words = await removeBuilder(name, workshop);
  await removeContainer(containerOf(name), workshop);
  return words;
}

/** Removes a builder's container and its state, past buildx. What is not there is no error, nor is that there is no docker. */
export async function removeContainer(container: string, { exec, env }: Surroundings): Promise<void> {
  await exec("docker", ["rm", "--force", "--volumes", container], { env, timeout: REMOVAL_TIME });
  await exec("docker", ["volume", "rm", "--force", `${container}_state`], { env, timeout: REMOVAL_TIME });
}

/** The name of a builder's container. */
export function containerOf(name: string): string {
  return `${CONTAINER_PREFIX}${nodeOf(name)}`;
}

/** The image that the container of a builder runs; `undefined` where there is no container, and where no docker can be asked. */
export async function imageOfBuilder(name: string, { exec, env }: Surroundings): Promise<string | undefined> {
  const args = ["inspect", "--format", "{{.Config.Image}}", containerOf(name)];
  const answer = await exec("docker", args, { env });
  return answer?.code === 0 ? answer.stdout.trim() : undefined;
}

/**
 * Removes what killed runs have left on the engine: containers of builders that a run made for itself alone, whose run is gone for certain,
 * or a day after they were made. Only age tells those of another machine from those of a run that is still at work.
 * @returns the names of the containers that were removed.
 */
export async function removeStaleBuilders({
  exec,
  env,
  clock,
  owner,
}: Surroundings & Pick<World, "clock" | "owner">): Promise<string[]> {
  const filter = `name=^/?${CONTAINER_PREFIX}${OWN_PREFIX}[0-9a-f]{${NAME_DIGITS}}0$`;
  const found = await exec("docker", ["ps", "--all", "--quiet", "--filter", filter], { env });
  const ids = found?.code === 0 ? found.stdout.split(/\s+/).filter((id) => id !== "") : [];
  if (ids.length === 0) return [];
  const format = "{{.Name}} {{.Created}} {{json .Config.Env}}";
  const told = await exec("docker", ["inspect", "--format", format, ...ids], { env });
  const stale = (told?.stdout ?? "").split("\n").flatMap((line) => {
    const [name = "", created = "", ...variables] = line.split(" ");
    const whose = new RegExp(`"${OWNER_VARIABLE}=([^"]*)"`).exec(variables.join(" "))?.[1];
    const isStale = clock() - Date.parse(created) > STALE_AFTER || (whose !== undefined && owner.isDead(whose));
    return isStale ? [name.replace(/^\//, "")] : [];
  });
  for (const container of stale) await removeContainer(container, { exec, env });
  return stale;
}
