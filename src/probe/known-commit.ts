import { readProxies } from "../buildx/proxies.ts";
import type { FeaturePorts } from "../features/found.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { type CommitRecord, commitTag, readCommitRecord, saltedText } from "../key/commit-record.ts";
import { platformTag, setKey } from "../key/fingerprint.ts";
import { whoseSet } from "../key/record.ts";
import { readPlanStatement, type StoredPlan } from "../key/stored.ts";
import { textOf } from "../oci/json.ts";
import { isRecord } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { Keyed } from "../plan/keyed.ts";
import { platformToHandOver } from "../plan/plan.ts";
import type { SourceOf } from "../sources/clone-source.ts";
import { type Readable, readableEnvironment } from "../sources/readable.ts";
import { toldWorkspace } from "../sources/workspace.ts";
import type { Traffic, World } from "../world.ts";
import { isPast } from "./age.ts";
import { PROBE_TIME } from "./look.ts";
import { probeByKey } from "./probe.ts";
import type { Verdict } from "./verdict.ts";

/** The image of a commit, found without a look at its files. */
export type KnownCommit = {
  readonly kind: "known";
  readonly record: CommitRecord;
  readonly verdict: Extract<Verdict, { readonly kind: "hit" }>;
  readonly plan: StoredPlan;
  /** What metadata may read of the step's environment. */
  readonly readable: Readable;
  /** Where a checkout of it would lie. */
  readonly workspace: string;
  readonly spent: { readonly seconds: number; readonly traffic: Traffic };
};

type NotKnown = { readonly kind: "not known"; readonly why: string };
type Question = { readonly of: SourceOf; readonly inputs: Inputs; readonly repository: string };
type Ports = Pick<World, "registry" | "host" | "files" | "clock">;

/** The tag under which a commit is remembered for these inputs, in this kind of run. */
export function tagOfCommit(
  { of, inputs, repository }: Question,
  { event, program }: Pick<World["host"], "event" | "program">,
): string {
  return commitTag({
    program: program(),
    repository,
    commit: of.commit,
    inputs: inputs.deciding,
    remoteUserUid: inputs.remoteUserUid,
    isFork: event.isFork,
  });
}

/**
 * Answers whether the image of a commit is there, from what an earlier run has remembered of it. Everything that took part then is asked for
 * again, and has to give the very same answer; the set is judged as every other one is. Whatever is another one, or cannot be told, says
 * nothing: then the commit is read.
 * @param upstream asks for what others publish, and for nothing that the input allowed-images does not allow.
 */
export async function lookForKnown(
  question: Question,
  upstream: FeaturePorts["registry"],
  ports: Ports,
): Promise<KnownCommit | NotKnown> {
  const { registry, clock } = ports;
  const started = clock();
  registry.limitTime(PROBE_TIME);
  const look = await lookWithin(question, upstream, ports);
  registry.limitTime(undefined);
  if (look.kind !== "known") return look;
  return { ...look, spent: { seconds: Math.round(clock() - started) / 1000, traffic: registry.traffic() } };
}

async function lookWithin(
  question: Question,
  upstream: FeaturePorts["registry"],
  ports: Ports,
): Promise<Omit<KnownCommit, "spent"> | NotKnown> {
  const { inputs } = question;
  const tag = tagOfCommit(question, ports.host);
  const answer = await ports.registry.manifest({ ...inputs.cacheRepository, tag });
  if (answer.kind === "absent") return notKnown("nothing is remembered of it");
  if (answer.kind !== "found") return notKnown(`what is remembered of it cannot be read: ${answer.words}`);
  const record = readCommitRecord(answer.value, tag);
  const keyed = record && keyedBy(record, inputs);
  if (!record || !keyed) return notKnown(`what ${tag} names says nothing of it`);
  const workspace = toldWorkspace(inputs, ports.host);
  const readable = await readableEnvironment({ inputs, workspace }, ports);
  const [here, moved, plan, verdict] = await Promise.all([
    otherHere(record, readable, ports),
    firstMoved(record, upstream),
    readPlan(record, inputs, ports.registry),
    lookBySet(record, keyed, inputs, ports),
  ]);
  const other = here ?? moved;
  if (other !== undefined) return notKnown(other);
  if (!plan) return notKnown("the plan of its image cannot be read");
  if (holdsSecret(plan, inputs, readable)) return notKnown("it holds a secret of this run");
  if (verdict.kind !== "hit" || verdict.lacksTag || !isOurs(verdict, keyed))
    return notKnown("the image that is remembered is not there as it was");
  if (isPast(verdict.index, { days: inputs.cacheTtlDays, now: ports.clock() }))
    return notKnown("the image that is remembered is too old");
  return { kind: "known", record, verdict, plan, readable, workspace };
}

function notKnown(why: string): NotKnown {
  return { kind: "not known", why };
}

/** @returns `undefined` for a record of other platforms, or one that contradicts itself. */
function keyedBy({ set, platforms }: CommitRecord, inputs: Inputs): Keyed | undefined {
  const keyed = inputs.platforms.flatMap((platform) => {
    const key = platforms[formatPlatform(platform)];
    return key === undefined ? [] : [{ platform, key, tag: platformTag(key, platform) }];
  });
  const isWhole = keyed.length === inputs.platforms.length && keyed.length === Object.keys(platforms).length;
  if (!isWhole || setKey(keyed.map(({ key }) => key)) !== set.key) return undefined;
  return { key: set.key, ownKey: set.own, unlabelledKey: set.unlabelled, platforms: keyed };
}

function lookBySet({ set }: CommitRecord, keyed: Keyed, inputs: Inputs, { registry, host }: Ports): Promise<Verdict> {
  const wanted = {
    ...{ repository: inputs.cacheRepository, platforms: keyed.platforms, verify: inputs.verify },
    ...{ ownKey: set.own, sourceKey: set.source, required: inputs.attestations.required },
    handOver: platformToHandOver(inputs.platforms, host.platform),
  };
  return probeByKey(wanted, keyed, registry);
}

/** A set that says nothing of itself counts for who has read the sources, and not for who takes somebody's word for them. */
function isOurs({ index: { body } }: KnownCommit["verdict"], { ownKey: own, key }: Keyed): boolean {
  return body.kind === "index" && whoseSet(body, { own, key }) === "ours";
}

/** What decides on this machine, and is another one than it was where this was remembered. */
async function otherHere(
  { salt, variables, proxies }: CommitRecord,
  readable: Readable,
  { files, host }: Ports,
): Promise<string | undefined> {
  for (const [name, was] of Object.entries(variables)) {
    if (readable.withheld(name)) return `it reads ${name}, which is withheld here`;
    const value = Object.hasOwn(readable.env, name) ? readable.env[name] : undefined;
    if ((value === undefined ? "" : saltedText(salt, value)) !== was) return `it reads ${name}, which is another one`;
  }
  const now = saltedText(salt, await readProxies(files, host.env));
  return now === proxies ? undefined : "docker's own configuration gives builds other proxies";
}

/** The first of the names that no longer stand for what they stood for, or that nobody can tell of. */
async function firstMoved(
  { images, features }: CommitRecord,
  upstream: FeaturePorts["registry"],
): Promise<string | undefined> {
  const ask = async ([name, was]: readonly [string, string]): Promise<string | undefined> => {
    const reference = parseReference(name);
    if ("wrong" in reference) return `${name} is no name`;
    const answer = await upstream.manifest(reference);
    if (answer.kind === "absent" && was === "") return undefined;
    if (answer.kind !== "found") return `${name} cannot be read: ${answer.words}`;
    return answer.value.descriptor.digest === was ? undefined : `${name} has moved`;
  };
  const looks = await Promise.all([...Object.entries(images), ...Object.entries(features)].map(ask));
  return looks.find((look) => look !== undefined);
}

/**
 * What no secret was when the image was built may be one of this run: who reads the commit refuses it, and names its place. In the plan stands
 * what the commit says, and the values of build args as hashes alone.
 */
function holdsSecret(plan: StoredPlan, { build, written }: Inputs, { openFinder }: Readable): boolean {
  const find = openFinder({ own: [], behindProxy: false, isPublic: () => false });
  const args = build.args.entries.flatMap(({ value }) => (value.kind === "text" ? [value.text] : []));
  return [...textsIn(plan.platforms), ...Object.values(written), ...args].some(
    (text) => find(text, [text]) !== undefined,
  );
}

/** All texts of a document, and the names in it. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) ? [...Object.keys(value), ...Object.values(value).flatMap(textsIn)] : [];
}

const LARGEST_PLAN = 32 * 1024 * 1024;

async function readPlan(
  { plan }: CommitRecord,
  { cacheRepository }: Inputs,
  registry: World["registry"],
): Promise<StoredPlan | undefined> {
  const blob = await registry.blob(cacheRepository, plan, LARGEST_PLAN);
  return blob.kind === "found" ? readPlanStatement(textOf(blob.value)) : undefined;
}
