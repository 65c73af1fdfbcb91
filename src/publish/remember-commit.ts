import { passwordsIn } from "../arguments/credentials.ts";
import { mayLeaveCheckout } from "../arguments/files.ts";
import { readProxies } from "../buildx/proxies.ts";
import { readRunArgs } from "../devcontainer/run-args.ts";
import { canonicalJson } from "../key/canonical.ts";
import { type CommitRecord, commitManifest, saltedText } from "../key/commit-record.ts";
import { planDescriptorOf, statementOf } from "../key/record.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Answered } from "../plan/feature-ports.ts";
import type { Plan } from "../plan/keyed.ts";
import type { Sources } from "../plan/plan.ts";
import { tagOfCommit } from "../probe/known-commit.ts";
import { idleArguments } from "../probe/look.ts";
import type { Source } from "../sources/clone-source.ts";
import type { World } from "../world.ts";
import type { Outcome, Scene } from "./outcome.ts";
import { whyNeverPushed } from "./push.ts";

type Read = {
  readonly asked: Pick<Source, "of" | "repository">;
  readonly scene: Pick<Scene, "inputs" | "sources" | "probed" | "world">;
  readonly outcome: Outcome;
  /** What finding features asked for; `undefined` where that cannot be asked again. */
  readonly answered: Answered | undefined;
};

/**
 * Remembers which set is the image of a commit that was read, and what decided that, so that the next run about it need not clone it. It is
 * a convenience: what cannot be remembered for certain, or be put, is told in a line and cloned again.
 */
export async function rememberCommit(read: Read): Promise<void> {
  const { scene, outcome } = read;
  const { inputs, world } = scene;
  const isDue = (outcome.result === "hit" || outcome.result === "built") && outcome.index !== undefined;
  if (!isDue || outcome.failure || whyNeverPushed(inputs, world.host.event) !== undefined) return;
  const why = whyNotRemembered(read) ?? (await remember(read));
  if (why !== undefined) world.log.info(`The commit is cloned again next time: ${why}.`);
}

/** What no record could hold, or nobody would be told of the next time. */
function whyNotRemembered({ scene: { inputs, sources, probed, world }, answered }: Read): string | undefined {
  const { build, hidden, warnings } = sources;
  const { plan } = probed;
  const { configuration, definition, readable } = build;
  if (!plan) return "it has no key";
  const told = [...warnings, ...probed.warnings, ...idleArguments(sources, probed)];
  if (world.host.clone?.isWhole !== true || told.length > 0) return "there is something to warn of";
  if (build.arguments.secretIds.length > 0) return "its build takes secrets";
  if (inputs.build.argumentFiles.some(mayLeaveCheckout)) return "build args stand in a file of this machine";
  if (!answered) return "a feature is no registry's";
  if (plan.addresses.length > 0) return "an ADD fetches from an address";
  if (plan.bindings.some(({ reference }) => hidden.references.has(reference)))
    return "a build arg or a variable takes part in what it is built on";
  const isPrivate =
    definition.user?.fromEnvironment ||
    configuration.folders.container.isPrivate ||
    readRunArgs(configuration).some((one) => one.isPrivate || readable.holdsSecret(one.text));
  if (isPrivate) return "a variable takes part in how it is run";
  if (configuration.substitutions.some(({ fromHostPath }) => fromHostPath)) return "it holds the path of its checkout";
  return undefined;
}

/** @returns why it was not. */
async function remember({ asked, scene, outcome, answered = {} }: Read): Promise<string | undefined> {
  const { inputs, sources, probed, world } = scene;
  const { plan } = probed;
  const variables = variablesOf(sources);
  const statement = await findStatement(outcome, scene);
  if (!plan || !variables || !statement) return "not all that decided can be told";
  const proxies = await readProxies(world.files, world.host.env);
  if ([...variables.values(), ...Object.values(proxies)].some((value) => value !== undefined && holdsLogin(value)))
    return "a proxy's login takes part in it";
  const tag = tagOfCommit({ ...asked, inputs }, world.host);
  const salt = world.salt();
  const record: CommitRecord = {
    of: tag,
    ...keysOf(plan, sources),
    images: Object.fromEntries(
      plan.bindings.flatMap(({ reference, digest }) => (reference.includes("@") ? [] : [[reference, digest]])),
    ),
    features: answered,
    salt,
    variables: Object.fromEntries(
      [...variables].map(([name, value]) => [name, value === undefined ? "" : saltedText(salt, value)]),
    ),
    proxies: saltedText(salt, proxies),
    configuration: sources.configuration,
    counted: Object.keys(sources.build.arguments.args),
    plan: statement,
    container: containerOf(sources.build),
  };
  if (holdsPath({ record, plan }, world)) return "it holds the path of its checkout";
  if (sources.build.readable.holdsSecret(canonicalJson(record))) return "it holds a secret of this run";
  const made = commitManifest(record);
  if (!made) return "what is to be remembered of it is too long";
  const { blobs, manifest } = made;
  const put = () =>
    world.registry.putManifest(inputs.cacheRepository, manifest.bytes, manifest.descriptor.mediaType, tag);
  const first = await put();
  if (first.kind === "found") return undefined;
  if (first.kind !== "absent" && first.kind !== "malformed") return `${tag} could not be put: ${first.words}`;
  // Of all records the blobs are the same: only the first of a repository has to send them.
  await Promise.all(
    blobs.map(({ bytes, descriptor }) => world.registry.putBlob(inputs.cacheRepository, bytes, descriptor.mediaType)),
  );
  const second = await put();
  return second.kind === "found" ? undefined : `${tag} could not be put: ${second.words}`;
}

/** Of a password that people choose a hash is as good as the password, whatever its salt: whoever can pull the image can read it. */
function holdsLogin(value: string): boolean {
  return passwordsIn(value.includes("://") ? value : `http://${value}`).length > 0;
}

/** The variables that were asked for; `undefined` where one is a secret, or all of them were gone through. */
function variablesOf({ build: { readable } }: Sources): ReadonlyMap<string, string | undefined> | undefined {
  const names = readable.asked();
  if (!names || names.some((name) => readable.withheld(name) !== undefined)) return undefined;
  return new Map(names.map((name) => [name, Object.hasOwn(readable.env, name) ? readable.env[name] : undefined]));
}

function keysOf(
  { key, ownKey, unlabelledKey, platforms }: Plan,
  { wanted }: Sources,
): Pick<CommitRecord, "set" | "platforms"> {
  return {
    set: { key, own: ownKey, unlabelled: unlabelledKey, source: wanted.sourceKey },
    platforms: Object.fromEntries(platforms.map((one) => [formatPlatform(one.platform), one.key])),
  };
}

function containerOf({ configuration, definition }: Sources["build"]): CommitRecord["container"] {
  return {
    folder: configuration.folders.container.value,
    arguments: readRunArgs(configuration).map(({ text }) => text),
    user: definition.user?.value ?? "",
  };
}

/** The next clone lies elsewhere. */
function holdsPath(
  { record, plan }: { readonly record: CommitRecord; readonly plan: Plan },
  { host }: Pick<World, "host">,
): boolean {
  const path = JSON.stringify(host.clone?.folder ?? "").slice(1, -1);
  const texts = [canonicalJson(record), ...plan.platforms.map((one) => canonicalJson(one.plan))];
  return texts.some((text) => text.includes(path));
}

async function findStatement({ index }: Outcome, { inputs, world }: Read["scene"]): Promise<Descriptor | undefined> {
  const entry = index?.body.kind === "index" ? planDescriptorOf(index.body) : undefined;
  if (!entry) return undefined;
  const manifest = await world.registry.manifest({ ...inputs.cacheRepository, digest: entry.digest });
  return manifest.kind === "found" ? statementOf(manifest.value) : undefined;
}
