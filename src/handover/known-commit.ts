import type { Inputs } from "../inputs/inputs.ts";
import type { CommitRecord } from "../key/commit-record.ts";
import { formatPinned, formatRepository } from "../oci/reference.ts";
import { branchTags } from "../plan/branches.ts";
import { openFeaturePorts } from "../plan/feature-ports.ts";
import { variantOf } from "../plan/variant.ts";
import { recordOf } from "../probe/built.ts";
import { type KnownCommit, lookForKnown } from "../probe/known-commit.ts";
import { type Alias, lookAtAlias, moveAlias } from "../publish/alias.ts";
import type { Outcome } from "../publish/outcome.ts";
import { whyNeverPushed } from "../publish/push.ts";
import { retag } from "../publish/retag.ts";
import { type Handover, NOTHING_FOUND, type Report } from "../report/report.ts";
import type { Source, SourceOf } from "../sources/clone-source.ts";
import { headOf } from "../sources/head.ts";
import { eventOf } from "../sources/open-source.ts";
import type { World } from "../world.ts";
import { readConfigToHandOver } from "./found-config.ts";
import { makeHandover } from "./handover.ts";
import { loadAsAsked, requireEngineToLoad } from "./load-as-asked.ts";
import { writePlanFile } from "./plan-file.ts";
import { chooseSbomFolder, handOverSboms } from "./sboms.ts";

type Told = Omit<Report, "seconds">;
type Asked = Pick<Source, "of" | "repository">;

/**
 * Hands out the image of a commit that an earlier run has read, without reading it again: what that run has remembered is asked for anew, and
 * gives the same answers.
 * @returns what was found out, as a run that clones tells it; nothing where anything is another one, or in doubt.
 */
export async function handOverKnown(
  asked: Pick<Source, "of" | "repository">,
  inputs: Inputs,
  world: World,
): Promise<Told | undefined> {
  if (!mayBeKnown(inputs)) return undefined;
  const { log } = world;
  const folder = await chooseSbomFolder(inputs, world);
  const title = `Is the image of this commit known in ${formatRepository(inputs.cacheRepository)}?`;
  const known = await log.group(title, async () => {
    await requireEngineToLoad(inputs, world);
    const upstream = openFeaturePorts(world, inputs.allowedImages).registry;
    const look = await lookForKnown({ ...asked, inputs }, upstream, world);
    const found = look.kind === "known" ? await isTagged(look, inputs, world) : look.why;
    log.info(typeof found === "string" ? `Not known: ${found}. The commit is read.` : tellHit(found));
    return typeof found === "string" ? undefined : found;
  });
  return known && handOut(asked, known, { inputs, world, folder });
}

/** What is built anyway, or needs more of the repository than is remembered, is cloned. */
function mayBeKnown({ force, release, build }: Inputs): boolean {
  return !force && release === undefined && build.secrets.length === 0 && build.ssh.length === 0;
}

function tellHit({ verdict, record }: KnownCommit): string {
  return `Hit: ${formatPinned(verdict.image)}, ${record.configuration}; nothing is cloned.`;
}

/** Tags that are asked for stand on what is handed out; where they cannot, the way of every other run says why. */
async function isTagged(known: KnownCommit, inputs: Inputs, world: World): Promise<KnownCommit | string> {
  if (inputs.tags.length === 0) return known;
  if (whyNeverPushed(inputs, world.host.event) !== undefined) return "tags are asked for that this run does not move";
  const { lines, refused } = await retag(known.verdict.index, inputs.cacheRepository, inputs.tags, world.registry);
  for (const line of lines) world.log.info(line);
  return refused.length === 0 ? known : "the tags that are asked for could not be put";
}

type Scene = { readonly inputs: Inputs; readonly world: World; readonly folder: string | undefined };

async function handOut({ of }: Asked, known: KnownCommit, { inputs, world, folder }: Scene): Promise<Told> {
  const { record, verdict, plan, spent } = known;
  const { index, found, image } = verdict;
  const { key, source } = record.set;
  const alias = aliasOf(of, record, inputs, world);
  if (alias) await moveAlias(alias, inputs.cacheRepository, index, world);
  const there: Outcome = { result: "hit", image: formatPinned(image), digest: image.digest, index, found };
  const names = {
    probed: { plan: { key } },
    sources: { wanted: { sourceKey: source } },
    tags: { tags: inputs.tags, release: undefined },
  };
  const outcome = await loadAsAsked(there, { inputs, world, names });
  const handover = await handOverFound(known, inputs, world);
  const sboms = await handOverSboms({ inputs, outcome, folder, previous: undefined }, world);
  const built = { at: new Date(world.clock()).toISOString(), seconds: {} };
  return {
    ...NOTHING_FOUND,
    result: outcome.result,
    configuration: record.configuration,
    commit: of.commit,
    repository: inputs.cacheRepository,
    sourceKey: source,
    plan: { key },
    verdict,
    image: formatPinned(image),
    digest: image.digest,
    platforms: found.map(({ platform, manifest }) => ({ platform, digest: manifest, how: "found" })),
    remoteUserUid: inputs.remoteUserUid,
    saved: recordOf(index).seconds,
    failure: outcome.failure,
    probe: spent,
    handover,
    sboms,
    planFile: await writePlanFile({ ...plan, configuration: record.configuration, built }, world),
  };
}

/** The alias that a run moves which reads the commit. */
function aliasOf(of: SourceOf, record: CommitRecord, inputs: Inputs, { host, registry }: World): Alias | undefined {
  if (inputs.push === "false") return undefined;
  const { configuration, counted } = record;
  const args = inputs.build.args.entries.flatMap(({ name, value }) => {
    const text = value.kind === "text" ? value.text : host.env[name];
    return counted.includes(name) && text !== undefined ? [[name, text] as const] : [];
  });
  const { moved } = branchTags({
    alias: inputs.alias,
    event: eventOf(of, host),
    head: headOf(of),
    commit: of.commit,
    configuration: of.identity ? `${of.identity} ${configuration}` : configuration,
    variant: variantOf(inputs, Object.fromEntries(args)),
  });
  return lookAtAlias(moved, inputs.cacheRepository, registry);
}

async function handOverFound(
  { record: { container }, verdict: { found }, readable, workspace }: KnownCommit,
  inputs: Inputs,
  world: World,
): Promise<Handover | undefined> {
  const config = await readConfigToHandOver(found, inputs, world);
  if (!config) return undefined;
  const circumstances = {
    isForeign: false,
    readable,
    folders: { local: workspace, container: { value: container.folder, isPrivate: false } },
    runArgs: container.arguments.map((text) => ({ text, isPrivate: false })),
    serviceUser: container.user || undefined,
  };
  return makeHandover(config, circumstances, world);
}
