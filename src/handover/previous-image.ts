import { usualFolders } from "../devcontainer/substitute.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { formatPinned, type Pinned } from "../oci/reference.ts";
import { platformToHandOver } from "../plan/plan.ts";
import { recordOf } from "../probe/built.ts";
import { cannotTell } from "../probe/decide.ts";
import type { Found } from "../probe/found.ts";
import { PROBE_TIME } from "../probe/look.ts";
import { lookAtPrevious, type PreviousLook } from "../probe/previous.ts";
import type { Outcome } from "../publish/outcome.ts";
import { type Handover, NOTHING_FOUND, type Report } from "../report/report.ts";
import { readableEnvironment } from "../sources/readable.ts";
import { toldWorkspace } from "../sources/workspace.ts";
import type { Traffic, World } from "../world.ts";
import { readConfigToHandOver } from "./found-config.ts";
import { makeHandover } from "./handover.ts";
import { loadAsAsked, requireEngineToLoad } from "./load-as-asked.ts";
import { chooseSbomFolder, handOverSboms } from "./sboms.ts";

type Told = Omit<Report, "seconds">;

/**
 * Hands out the image that the input previous-image names, where it is still there: without a look at what this commit's would be, so that
 * there is no key, and tags stay where they are.
 * @returns what was found out; nothing where this commit's image is to be looked for: none was named, it is gone, or nobody knows and the
 * input on-unknown is build.
 * @throws ActionError E_DOCKER where it is to be loaded and there is no engine.
 */
export async function handOverPrevious(inputs: Inputs, world: World): Promise<Told | undefined> {
  const { previousImage: image } = inputs;
  if (!image) return undefined;
  const { log } = world;
  const folder = await chooseSbomFolder(inputs, world);
  const { look, spent } = await log.group("Is the previous image still there?", async () => {
    await requireEngineToLoad(inputs, world);
    const looked = await lookWithin(inputs, image, world);
    log.info(describe(looked.look, image, inputs));
    return looked;
  });
  if (look.kind === "gone" || (look.kind === "doubt" && inputs.onUnknown === "build")) return undefined;
  const common = { ...NOTHING_FOUND, repository: inputs.cacheRepository, probe: spent };
  if (look.kind === "doubt") return { ...common, ...tellDoubt(look, image, inputs) };
  const { index, found } = look;
  const { digest } = image;
  const there: Outcome = { result: "hit", image: formatPinned(image), digest, index, found };
  tellTags(inputs, log);
  const outcome = await loadAsAsked(there, { inputs, world, names: undefined });
  const handover = await handOverFound(found, inputs, world);
  const sboms = await handOverSboms({ inputs, outcome, folder, previous: undefined }, world);
  return {
    ...common,
    result: outcome.result,
    verdict: { kind: "hit", image, index, found },
    image: formatPinned(image),
    digest,
    platforms: found.map(({ platform, manifest }) => ({ platform, digest: manifest, how: "found" })),
    saved: recordOf(index).seconds,
    failure: outcome.failure,
    handover,
    sboms,
  };
}

type Looked = { readonly look: PreviousLook; readonly spent: { readonly seconds: number; readonly traffic: Traffic } };

async function lookWithin(inputs: Inputs, image: Pinned, { registry, clock, host }: World): Promise<Looked> {
  const started = clock();
  const { cacheRepository: repository, verify, platforms, cacheTtlDays: days, attestations } = inputs;
  const looking = {
    ...{ repository, verify, platforms, required: attestations.required },
    handOver: platformToHandOver(platforms, host.platform),
    limit: { days, now: started },
  };
  registry.limitTime(PROBE_TIME);
  const look = await lookAtPrevious(image, looking, registry);
  registry.limitTime(undefined);
  return { look, spent: { seconds: Math.round(clock() - started) / 1000, traffic: registry.traffic() } };
}

function describe(look: PreviousLook, image: Pinned, { onUnknown }: Inputs): string {
  if (look.kind === "there") return `Hit: ${formatPinned(image)}`;
  if (look.kind === "gone") return `Does not count any more: ${look.why}. This commit's image is looked for.`;
  const then = onUnknown === "build" ? " This commit's image is looked for." : "";
  return `Unknown: ${cannotTell(look.doubt).message}${then}`;
}

/** A digest is an output only after the registry has served it: then the doubt is about a part, and the earlier answer is kept. */
function tellDoubt(
  { doubt, isServed }: Extract<PreviousLook, { kind: "doubt" }>,
  image: Pinned,
  { onUnknown, fallbackImage, platforms }: Inputs,
): Pick<Told, "result"> & Partial<Told> {
  const failure = onUnknown === "fail" ? cannotTell(doubt) : undefined;
  const known = isServed ? { image: formatPinned(image), digest: image.digest } : {};
  const isFallback = !isServed && !failure && fallbackImage !== undefined;
  const standIn = isFallback ? { image: fallbackImage, isFallback } : {};
  return { result: "unknown", verdict: { kind: "unknown", doubt }, missing: platforms, failure, ...known, ...standIn };
}

function tellTags({ tags }: Inputs, log: World["log"]): void {
  if (tags.length > 0)
    log.info(`Not moved: ${tags.join(", ")}: nobody has looked whether the previous image is this commit's.`);
}

/** How the image is run, as far as its own metadata says: what only the configuration says is not read. */
async function handOverFound(found: readonly Found[], inputs: Inputs, world: World): Promise<Handover | undefined> {
  const config = await readConfigToHandOver(found, inputs, world);
  if (!config) return undefined;
  const workspace = toldWorkspace(inputs, world.host);
  const readable = await readableEnvironment({ inputs, workspace }, world);
  const folders = usualFolders(workspace);
  return makeHandover(config, { isForeign: false, readable, folders, runArgs: [] }, world);
}
