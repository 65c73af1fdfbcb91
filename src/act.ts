import type { BuildTask, BuiltPlatform, buildPlatforms } from "./build.ts";
import type { Decision } from "./decide.ts";
import { ActionError, asActionError } from "./errors.ts";
import type { FeaturePorts } from "./features/found.ts";
import type { InstalledFeature } from "./features/install.ts";
import type { Inputs } from "./inputs.ts";
import { platformTag } from "./key/fingerprint.ts";
import { planDescriptorOf, SECONDS_ANNOTATION } from "./key/record.ts";
import type { Digest } from "./oci/digest.ts";
import type { Served } from "./oci/manifest.ts";
import { formatPlatform, type Platform, samePlatform } from "./oci/platform.ts";
import { formatPinned, formatReference } from "./oci/reference.ts";
import type { Sources } from "./plan.ts";
import type { Found, Plan, Probed } from "./probe.ts";
import { type Alias, branchToMove, moveAlias, publishSet } from "./publish.ts";
import { findOutWhetherToPush, type PushDecision } from "./push.ts";
import type { Result } from "./report/report.ts";
import { resolveLater } from "./upstream.ts";
import type { World } from "./world.ts";

/** What a decision led to. */
export type Outcome = {
  readonly result: Result;
  readonly image?: string;
  readonly digest?: Digest;
  readonly pushed?: boolean;
  readonly found?: readonly Found[];
  readonly built?: readonly BuiltPlatform[];
  readonly missing?: readonly Platform[];
  readonly saved?: number;
  readonly failure?: ActionError;
};

type Scene = {
  readonly inputs: Inputs;
  readonly sources: Sources;
  readonly probed: Probed;
  readonly alias: Alias | undefined;
  readonly ports: FeaturePorts;
  readonly world: World;
};

/** Carries a decision out. What goes wrong on the way is the outcome, so that the outputs still say what was found out. */
export async function carryOut(decision: Decision, scene: Scene): Promise<Outcome> {
  try {
    switch (decision.kind) {
      case "hand-out":
        return await handOut(decision, scene);
      case "join":
        return await join(decision.found, scene);
      case "build":
        return await build(decision, scene);
      case "report":
        return {
          result: decision.result,
          ...foundSoFar(scene),
          ...(decision.failure ? { failure: decision.failure } : {}),
        };
    }
  } catch (error) {
    return { result: "failed", ...foundSoFar(scene), failure: asActionError(error) };
  }
}

function foundSoFar({ inputs, probed: { verdict } }: Scene): Pick<Outcome, "found" | "missing"> {
  const found = verdict.kind === "partial" ? verdict.found : verdict.kind === "stale" ? verdict.reusable : [];
  return { found, missing: inputs.platforms.filter((platform) => !found.some((one) => one.platform === platform)) };
}

async function handOut(
  { result, verdict }: Extract<Decision, { kind: "hand-out" }>,
  { sources, alias, world }: Scene,
): Promise<Outcome> {
  if (result === "hit" && alias) await moveAlias(alias, sources, verdict.index, world.registry);
  const saved = secondsOfBuild(verdict.index);
  return {
    result,
    image: formatPinned(verdict.image),
    digest: verdict.image.digest,
    found: verdict.found,
    ...(saved === undefined ? {} : { saved }),
  };
}

/** How long the recorded build took, in seconds. */
function secondsOfBuild(index: Served): number | undefined {
  const recorded =
    index.body.kind === "index" ? planDescriptorOf(index.body)?.annotations?.[SECONDS_ANNOTATION] : undefined;
  const seconds = Number(recorded);
  return recorded === undefined || !Number.isFinite(seconds) ? undefined : seconds;
}

/** All platforms are there, one small manifest is not: who may push adds it, who may not gets the runner's own platform. */
async function join(found: readonly Found[], scene: Scene): Promise<Outcome> {
  const { inputs, world, probed } = scene;
  if (!probed.plan) throw new Error("a set without a plan cannot be joined");
  const decision = await mayJoin(scene);
  if (decision.push) {
    const { image } = await publish(scene, probed.plan, found, []);
    return { result: "hit", image: formatPinned(image), digest: image.digest, pushed: true, found };
  }
  world.log.info(`The platforms are not joined to one index: ${decision.why}.`);
  const own = found.find(({ platform }) => formatPlatform(platform) === world.host.platform) ?? found[0];
  if (!own) return { result: "hit", found };
  const { digest } = own.index.descriptor;
  return { result: "hit", image: formatPinned({ ...inputs.cacheRepository, digest }), digest, found };
}

/** A hit does not fail because the registry takes no push. */
async function mayJoin({ inputs, world }: Scene): Promise<PushDecision> {
  return findOutWhetherToPush(
    inputs.push === "true" ? { ...inputs, push: "auto" } : inputs,
    world.host.event,
    world.registry,
  );
}

async function build({ platforms, reuse }: Extract<Decision, { kind: "build" }>, scene: Scene): Promise<Outcome> {
  const { inputs, probed, world } = scene;
  const { plan } = probed;
  const push = await findOutWhetherToPush(inputs, world.host.event, world.registry);
  if (!push.push) return buildHere(scene, push.why);
  if (!plan) return buildHere(scene, "without a sound key an image would never be found again");
  return world.log.group(`Building ${platforms.map(formatPlatform).join(", ")}`, async () => {
    const built = await buildLater(
      {
        inputs,
        sources: scene.sources,
        plan,
        platforms,
        ...boundTo(plan),
        ports: scene.ports,
        output: { kind: "push" },
      },
      world,
    );
    const found = [...reuse, ...built.flatMap((one) => (one.found ? [one.found] : []))];
    const { image } = await publish(scene, plan, found, built);
    world.log.info(`Pushed and read back: ${formatPinned(image)}`);
    return {
      result: "built",
      image: formatPinned(image),
      digest: image.digest,
      pushed: true,
      found,
      built,
    } satisfies Outcome;
  });
}

/** Builds for the runner's own platform only and loads the image into the engine: nothing leaves this machine. */
async function buildHere(scene: Scene, why: string): Promise<Outcome> {
  const {
    inputs,
    sources,
    probed: { plan },
    world,
  } = scene;
  refuseUnreadable(sources);
  const platform = inputs.platforms.find((one) => formatPlatform(one) === world.host.platform) ?? inputs.platforms[0];
  if (!platform) throw new Error("there is no platform to build for");
  world.log.warning(
    `The image will be built for ${formatPlatform(platform)} and only be loaded into the local engine: ${why}.`,
  );
  const key = plan?.platforms.find((one) => samePlatform(one.platform, platform))?.key ?? sources.wanted.sourceKey;
  const name = formatReference({ ...inputs.cacheRepository, tag: platformTag(key, platform) });
  return world.log.group(`Building ${formatPlatform(platform)}`, async () => {
    const task = {
      inputs,
      sources,
      plan,
      platforms: [platform],
      ...(plan ? boundTo(plan) : { bindings: [], features: await featuresWithoutPlan(scene) }),
      ports: scene.ports,
      output: { kind: "load", name },
    } as const;
    const built = await buildLater(task, world);
    world.log.info(`Loaded into the local engine: ${name}`);
    return {
      result: "built",
      image: name,
      built,
      missing: inputs.platforms.filter((one) => one !== platform),
    } satisfies Outcome;
  });
}

async function publish(
  { inputs, sources, world }: Scene,
  plan: Plan,
  found: readonly Found[],
  built: readonly BuiltPlatform[],
): ReturnType<typeof publishSet> {
  return publishSet(
    {
      sources,
      plan,
      found,
      seconds: Object.fromEntries(built.map(({ platform, seconds }) => [formatPlatform(platform), seconds])),
      salt: world.salt(),
      now: world.clock(),
      branch: branchToMove(inputs.alias, world.host.event),
    },
    world.registry,
  );
}

/** What nobody could read, nobody can build. */
function refuseUnreadable({ build, wanted: { doubt } }: Sources): void {
  const { source } = build.definition;
  if (source.kind !== "unreadable" || doubt?.kind !== "plan") return;
  const { what, fix, at = source.at } = doubt;
  throw new ActionError("E_CONFIG", { what: `${what}, and it cannot be built here.`, fix, at });
}

function boundTo({ bindings, features }: Plan): Pick<BuildTask, "bindings" | "features"> {
  return { bindings, features };
}

/** Where the key could not be had, something else than the features may have been the reason. */
async function featuresWithoutPlan({ sources: { wanted }, ports }: Scene): Promise<readonly InstalledFeature[]> {
  if (!wanted.features) return [];
  const resolved = await resolveLater(wanted.features, ports);
  if (resolved.kind === "resolved") return resolved.features;
  const { what, error } = resolved;
  throw new ActionError("E_REGISTRY", {
    what: `${what} cannot be read: ${error.words} (${error.request}).`,
    fix: error.fix ?? "Run the job again, and log in to its registry before this action.",
    cause: error,
  });
}

/** A hit never builds: what only a build needs is not even loaded. */
const buildLater: typeof buildPlatforms = async (task, world) =>
  (await import("./build.ts")).buildPlatforms(task, world);
