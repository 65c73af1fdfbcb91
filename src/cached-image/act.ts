import { ActionError } from "../errors.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Difference } from "../key/difference.ts";
import type { Digest } from "../oci/digest.ts";
import { readJson } from "../oci/json.ts";
import { type ImageManifest, readManifest, type Served } from "../oci/manifest.ts";
import { formatPinned, formatReference, formatRepository, type Reference } from "../oci/reference.ts";
import { cannotTell } from "../probe/decide.ts";
import { findOutWhetherToPush, whyNeverPushed } from "../publish/push.ts";
import { isInsecure } from "../registry/trust.ts";
import type { Report } from "../report/report.ts";
import type { World } from "../world.ts";
import { networkOf, runBuilder } from "./build.ts";
import { openContext } from "./context.ts";
import type { Builder, Unread } from "./images.ts";
import { jobProxies } from "./job-proxies.ts";
import { materialise } from "./materialise.ts";
import type { Draft } from "./question.ts";
import type { Verdict } from "./verdict.ts";

/** The answer, in one sentence. */
export function describeVerdict(verdict: Verdict, { cacheRepository }: Inputs): string {
  switch (verdict.kind) {
    case "hit":
      return `Hit: ${formatPinned({ ...cacheRepository, digest: verdict.served.descriptor.digest })}`;
    case "complete":
      return `Every layer is there; the image that they make, ${verdict.image.digest}, is not.`;
    case "miss":
      return `Miss: ${verdict.why} (key ${verdict.key}).${since(verdict)}`;
    case "unknown":
      return `Unknown: ${cannotTell(verdict.doubt).message}`;
  }
}

/** As the next sentence. */
function since({ because = [] }: Extract<Verdict, { kind: "miss" }>): string {
  if (because.length === 0) return "";
  return ` Compared with the image that was pushed last: ${because.map(({ text }) => text).join("; ")}.`;
}

/** What came of the verdict. */
export type Outcome = {
  readonly result: Report["result"];
  readonly digest?: Digest;
  readonly pushed?: boolean;
  readonly failure?: ActionError;
};

/** Everything that a verdict is acted on with. */
export type Stage = {
  readonly inputs: Inputs;
  readonly envbuilder: EnvbuilderInputs;
  readonly draft: Draft | Unread;
  readonly builder: Builder;
  readonly checkout: string;
  /** Looks once more, when this run has had the image built, as the builder says under that digest. */
  readonly probeBuilt: (digest: Digest | undefined) => Promise<Verdict>;
  readonly world: World;
};

/** Hands out what is there, puts together what nearly is, and has the rest built. @throws ActionError E_DOCKER, E_BUILD and E_PUSH. */
export async function carryOut(verdict: Verdict, stage: Stage): Promise<Outcome> {
  const { inputs } = stage;
  switch (verdict.kind) {
    case "hit":
      // Only a run that makes images names them.
      if (inputs.onMiss === "build" && whyNeverPushed(inputs, stage.world.host.event) === undefined)
        await giveName(verdict, stage, stage.world.log.info);
      return { result: "hit", digest: verdict.served.descriptor.digest };
    case "complete":
      return complete(verdict, stage);
    case "miss":
      return missed(verdict.why, verdict, stage, since(verdict));
    case "unknown":
      if (inputs.onUnknown === "build") return build("unknown", stage);
      return inputs.onUnknown === "continue"
        ? { result: "unknown" }
        : { result: "unknown", failure: cannotTell(verdict.doubt) };
  }
}

/** The manifest is one small push away, where this run may push and the image is the very one that the builder would have pushed. */
async function complete(
  { image, bases, doubts }: Extract<Verdict, { kind: "complete" }>,
  stage: Stage,
): Promise<Outcome> {
  const { inputs, world } = stage;
  const [first] = doubts;
  // Nothing fails because the registry takes no push of what is nearly there.
  const why =
    first?.what ?? (await whyNotPushed({ ...inputs, push: inputs.push === "true" ? "auto" : inputs.push }, world));
  if (why !== undefined) return missed(`its layers are all there and it is not: ${why}`, first ?? {}, stage);
  const done = await world.log.group("Putting the image together", () =>
    materialise({ image, bases }, inputs.cacheRepository, world.registry),
  );
  if (done.kind === "not") {
    // A build that follows says nothing of it.
    world.log.info(`It cannot be put together: ${done.why}.`);
    return missed(`its layers are all there, and it cannot be put together: ${done.why}`, {}, stage);
  }
  return { result: "hit", ...pushed(done.served, stage) };
}

/** The next build takes the builder's one tag away. */
async function giveName(
  { served, nameless }: Extract<Verdict, { kind: "hit" }>,
  { inputs: { cacheRepository }, world }: Stage,
  tell: (line: string) => void,
): Promise<void> {
  if (nameless === undefined) return;
  const { bytes, descriptor } = served;
  const answer = await world.registry.putManifest(cacheRepository, bytes, descriptor.mediaType, nameless);
  if (answer.kind === "found") return;
  tell(
    `The image cannot be given the tag ${nameless}, by which later runs would find it once another one was built: the registry says "${answer.words}".`,
  );
}

function pushed({ descriptor: { digest } }: Served, { inputs, world }: Stage): Pick<Outcome, "digest" | "pushed"> {
  world.log.info(`Pushed and read back: ${formatPinned({ ...inputs.cacheRepository, digest })}`);
  return { digest, pushed: true };
}

async function whyNotPushed(inputs: Inputs, world: World): Promise<string | undefined> {
  const never = whyNeverPushed(inputs, world.host.event);
  if (never !== undefined) return never;
  const decision = await findOutWhetherToPush(inputs, { tags: [], release: undefined }, world);
  return decision.push ? undefined : decision.why;
}

async function missed(
  why: string,
  { at }: { readonly at?: Difference["at"] },
  stage: Stage,
  more = "",
): Promise<Outcome> {
  const { inputs } = stage;
  if (inputs.onMiss === "build") return build("miss", stage);
  if (inputs.onMiss === "continue") return { result: "miss" };
  return {
    result: "miss",
    failure: new ActionError("E_MISS", {
      what: `The image is not in ${formatRepository(inputs.cacheRepository)}: ${why}.${more}`,
      fix: "Let a run with on-miss: build make it, then run this again; or set on-miss to continue, and workspaces start with the builder image.",
      ...(at ? { at } : {}),
    }),
  };
}

/** The very image that the keys were computed of; its tag may name another one on this machine. */
async function chooseBuilder({ builder, envbuilder, world }: Stage): Promise<Reference> {
  const { reference, written } = envbuilder.builderImage;
  const image = await builder();
  if (image.kind === "image") {
    const { registry, repository } = reference;
    const chosen = { registry, repository, digest: image.digest };
    world.log.info(formatReference(chosen));
    return chosen;
  }
  world.log.warning(
    `Which image ${written} is cannot be told, so that the builder is the one that this machine has under that name, or pulls.`,
  );
  return reference;
}

/** The real builder makes it, and the probe has to find what it pushed. Whoever may not push gives workspaces the builder image. */
async function build(looked: "miss" | "unknown", stage: Stage): Promise<Outcome> {
  const { inputs, envbuilder, checkout, draft, world } = stage;
  const why = await whyNotPushed(inputs, world);
  if (why !== undefined) {
    world.log.warning(
      `The image is not built, for nobody could find it again: ${why}. Workspaces start with the builder image.`,
    );
    return { result: looked };
  }
  if (inputs.mirrors.length > 0)
    world.log.warning("What registry-mirrors says does not reach the builder: it asks the registries themselves.");
  const digest = await world.log.group(`Building with ${envbuilder.builderImage.written}`, async () => {
    const builder = await chooseBuilder(stage);
    const context = await openContext(checkout, checkout, world);
    const { cacheRepository: repository } = inputs;
    const network = networkOf({ network: inputs.build.network, repository });
    // Where it cannot be told what is built, it cannot be told either whether a proxy would be part of it.
    const proxies =
      "doubt" in draft
        ? new Map<string, string>()
        : await jobProxies({ ...draft, variables: envbuilder.environment.variables, network }, world);
    const bases = "doubt" in draft ? [] : [...draft.images.values()].map(({ reference }) => reference);
    return runBuilder(
      {
        inputs: envbuilder,
        builder,
        repository,
        repositories: [repository, ...bases],
        source: { context, folder: checkout },
        network,
        proxies,
        isPlain: isInsecure(inputs.insecure, inputs.cacheRepository.registry),
      },
      world,
    );
  });
  const verdict = await stage.probeBuilt(digest);
  if (verdict.kind === "hit") {
    await giveName(verdict, stage, world.log.warning);
    return { result: "built", ...pushed(verdict.served, stage) };
  }
  // Then another build has kept layers of its own under the same keys meanwhile: they make the image that every later look finds.
  if (verdict.kind === "complete" && verdict.doubts.length === 0 && (await hasOtherLayers(verdict, digest, stage))) {
    const done = await materialise(verdict, inputs.cacheRepository, world.registry);
    if (done.kind === "pushed") return { result: "built", ...pushed(done.served, stage) };
  }
  throw notFound(verdict, digest, inputs);
}

/** Whether what the builder has pushed is made of other layers than those that are kept now: else it is only described otherwise than here. */
async function hasOtherLayers(
  { image }: Extract<Verdict, { kind: "complete" }>,
  digest: Digest | undefined,
  { inputs: { cacheRepository }, world: { registry } }: Stage,
): Promise<boolean> {
  const served = digest && (await registry.manifest({ ...cacheRepository, digest }));
  if (served?.kind !== "found" || served.value.body.kind !== "manifest") return false;
  const computed = readManifest(readJson(image.manifest), image.mediaType);
  const layersOf = ({ layers }: ImageManifest): string => layers.map((layer) => layer.digest).join();
  return "layers" in computed && layersOf(computed) !== layersOf(served.value.body);
}

function notFound(verdict: Verdict, digest: Digest | undefined, inputs: Inputs): ActionError {
  const { cacheRepository } = inputs;
  const put = digest === undefined ? "" : ` as ${formatPinned({ ...cacheRepository, digest })}`;
  return new ActionError("E_BUILD", {
    what: `The builder has built and pushed${put}, and the image that this commit's workspaces would look for is still not there. ${describeVerdict(verdict, inputs)}`,
    fix:
      verdict.kind === "complete"
        ? "If another build of this repository ran at the same time, its layers are there now and its image is not yet: run this again when it has ended. Else the builder has made another image of these layers than is computed here: report that."
        : "If another build of this repository ran at the same time, run this again. Else look in the log of this step for what the builder built.",
  });
}
