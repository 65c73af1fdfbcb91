import type { buildPlatforms } from "../build/build.ts";
import type { Docker } from "../build/open-docker.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Sources } from "../plan/plan.ts";
import { decide } from "../probe/decide.ts";
import type { Verdict } from "../probe/verdict.ts";
import type { World } from "../world.ts";
import { findOutWhetherToPush, type PushDecision } from "./push.ts";
import type { AskedTags } from "./release.ts";

/** What every build begins with, each begun when it is first asked for. Who waits for it hears of a failure. */
export type Beginning = {
  /** Begins what the first verdict makes likely, while the reasons of a miss and its bases are read: nothing that a hit must not have done. */
  readonly expect: (verdict: Verdict) => void;
  /** Asks docker, of which a hit needs nothing, where the verdict that stands makes a build likely. */
  readonly expectBuild: (verdict: Verdict) => void;
  readonly push: () => Promise<PushDecision>;
  readonly docker: () => Promise<Docker>;
  /** A hit never builds: what only a build needs is not even loaded. */
  readonly code: () => Promise<{ readonly buildPlatforms: typeof buildPlatforms }>;
};

/** Opens the beginning of a build, which may never come. */
export function openBeginning(
  { inputs, sources, tags }: { readonly inputs: Inputs; readonly sources: Sources; readonly tags: AskedTags },
  world: World,
): Beginning {
  const push = once(() => findOutWhetherToPush(inputs, tags, world));
  const docker = once(async () => {
    const { openDocker } = await import("../build/open-docker.ts");
    const { generator: named } = inputs.attestations;
    // Its login is for what is pushed.
    const generator = named && push().then((decision) => (decision.push ? named : undefined));
    return openDocker({ inputs, sources, generator: Promise.resolve(generator) }, world);
  });
  const code = once(() => import("../build/build.ts"));
  // What holds a secret is refused before anything is done for it; what is only relabelled needs no docker.
  const expected = (verdict: Verdict): "build" | "relabel" | undefined => {
    const decision = decide(verdict, inputs, []);
    if (decision.kind !== "build" || sources.leaks.length > 0) return undefined;
    return decision.alike ? "relabel" : "build";
  };
  const expect = (verdict: Verdict): void => {
    const likely = expected(verdict);
    if (likely !== undefined) void push();
    if (likely === "build") void code();
  };
  const expectBuild = (verdict: Verdict): void => {
    // What would have to be fetched waits for the decision.
    if (expected(verdict) === "build" && inputs.build.buildxVersion === undefined) void docker();
  };
  return { expect, expectBuild, push, docker, code };
}

function once<T>(begin: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined;
  return () => {
    if (begun) return begun;
    begun = begin();
    begun.catch(() => undefined);
    return begun;
  };
}
