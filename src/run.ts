import { handOver } from "./handover/handover.ts";
import { loadAsAsked, requireEngineToLoad } from "./handover/load-as-asked.ts";
import { storePlanFile } from "./handover/plan-file.ts";
import { chooseSbomFolder, handOverSboms } from "./handover/sboms.ts";
import type { Inputs } from "./inputs/inputs.ts";
import { formatRepository } from "./oci/reference.ts";
import { noteAnswers, openFeaturePorts } from "./plan/feature-ports.ts";
import { readSources } from "./plan/plan.ts";
import { decide } from "./probe/decide.ts";
import { lookForImage } from "./probe/look.ts";
import { carryOut } from "./publish/act.ts";
import { lookAtAlias } from "./publish/alias.ts";
import { openBeginning } from "./publish/beginning.ts";
import { tellLook, tellSources } from "./report/log.ts";
import { makeReport } from "./report/make-report.ts";
import type { Report } from "./report/report.ts";
import type { Triggers } from "./sources/build-source.ts";
import { maskKnown } from "./sources/known-secrets.ts";
import { findSource, openSource } from "./sources/open-source.ts";
import { openCheckout } from "./sources/workspace.ts";
import type { World } from "./world.ts";

/**
 * The story: which image would this commit's dev container be, is it in the cache repository, and if not, build it there.
 * @returns what was found out and done; a failure after the probe is part of it, so that the outputs say all that is known.
 * @throws ActionError for what is wrong before the probe: inputs, files, configuration.
 */
export async function run(inputs: Inputs, outside: World): Promise<Report> {
  const started = outside.clock();
  const took = (): number => Math.round(outside.clock() - started) / 1000;
  const holdsSecret = await maskKnown(inputs, outside);
  // Few name one.
  const previous =
    inputs.previousImage && (await (await import("./handover/previous-image.ts")).handOverPrevious(inputs, outside));
  if (previous) return { ...previous, seconds: took() };

  const source = await findSource(inputs, outside);
  // A tag that is a secret is refused with everything else that is read.
  const mayBeKnown = source && !inputs.tags.some(holdsSecret);
  const known = mayBeKnown
    ? await (await import("./handover/known-commit.ts")).handOverKnown(source, inputs, outside)
    : undefined;
  if (known) {
    source?.close();
    return { ...known, seconds: took() };
  }
  const world = await openSource(source, outside);
  const { log, registry } = world;
  const folder = await chooseSbomFolder(inputs, world);

  const read = await log.group("Which image would this commit's dev container be?", async () => {
    await requireEngineToLoad(inputs, world);
    // Few release.
    const { tags: asked, release } = inputs;
    const tags =
      release === undefined
        ? { tags: asked, release }
        : await (await import("./publish/release.ts")).readAskedTags(inputs, world);
    const workspace = await openCheckout(inputs, world);
    const sources = await readSources(inputs, workspace, world);
    tellSources(sources, log);
    return { sources, tags, workspace };
  });
  const { tags, workspace } = read;

  const { ports, answered } = noteAnswers(openFeaturePorts(world, inputs.allowedImages));
  const { branches } = read.sources;
  const alias = inputs.push === "false" ? undefined : lookAtAlias(branches.moved, inputs.cacheRepository, registry);
  const beginning = openBeginning({ inputs, sources: read.sources, tags }, world);
  const look = await log.group(`Is it in ${formatRepository(inputs.cacheRepository)}?`, async () => {
    const readWith = (triggers: Triggers) => readSources(inputs, workspace, world, triggers);
    const { expect: onVerdict, expectBuild: onSettled } = beginning;
    const question = { inputs, sources: read.sources, ports, readWith, onVerdict, onSettled };
    const look = await lookForImage(question, world);
    tellLook(look, log, inputs.onUnknown);
    return look;
  });
  const { sources, probed, bases, explanation } = look;

  const scene = { inputs, sources, probed, bases, alias, tags, beginning, ports, world };
  const decision = decide(probed.verdict, inputs, explanation.reasons);
  const outcome = await loadAsAsked(await carryOut(decision, scene), { inputs, world, names: scene });

  const handover = await handOver(outcome, { inputs, sources }, world);
  const sboms = await handOverSboms({ inputs, outcome, folder, previous: explanation.previous }, world);
  const planFile = await storePlanFile(sources, probed.plan, world);
  if (source) {
    const { rememberCommit } = await import("./publish/remember-commit.ts");
    await rememberCommit({ asked: source, scene, outcome, answered: answered() });
  }
  return { ...makeReport({ scene, look, outcome }), handover, sboms, planFile, seconds: took() };
}
