import { ActionError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor, Served } from "../oci/manifest.ts";
import { formatReference, type Repository } from "../oci/reference.ts";
import type { Plan, PlannedPlatform } from "../plan/keyed.ts";
import type { Found, Looking } from "../probe/found.ts";
import { type Soundness, verifyTagged } from "../probe/verify.ts";
import type { Answer, Registry, RegistryError, World } from "../world.ts";

/** A tag that a probe asks for: nothing gets it that was not checked, and another job may be about to take it. */
export type Spot = {
  readonly reference: Repository & { readonly tag: string };
  /** What it named when this run began to build over it. */
  readonly before: Digest | undefined;
  /** Whether something that it names is as good as what this run has made. */
  readonly judge: (served: Served) => Promise<Soundness>;
};

/** The spot of one platform's own tag: what is whole there, and has what is required, is as good. */
export function platformSpot(
  planned: Pick<PlannedPlatform, "platform" | "tag">,
  plan: Pick<Plan, "ownKey" | "key">,
  looking: Looking,
  before: Digest | undefined,
  registry: Registry,
): Spot {
  return {
    reference: { ...looking.repository, tag: planned.tag },
    before,
    judge: (served) => verifyTagged({ ...looking, verify: "layers" }, planned, plan, served, registry),
  };
}

/** What a tag names, and the images that were found in it. `refused`: what was said when this run would have named something else. */
export type Named = { readonly served: Served; readonly found: readonly Found[]; readonly refused?: RegistryError };

/** A look at a tag. */
export type Look = {
  /** When it began. */
  readonly at: number;
  readonly other: Promise<Named | undefined>;
  /** Whether it is too long ago to put something there because of it. */
  readonly isOld: () => boolean;
  /** Looks anew. What takes as long a second time is the network, and nobody was held up. */
  readonly again: () => Look;
};

/**
 * Begins to look whether another job has named something sound there. Whoever waits for it hears of a failure.
 * @param trip milliseconds that a request of this run has just taken: with a registry that is far away, a look that takes as long is none too old.
 */
export function lookForOther(spot: Spot, world: Pick<World, "registry" | "clock">, trip = 0): Look {
  const { registry, clock } = world;
  const at = clock();
  let took = 0;
  const other = findOther(spot, registry).finally(() => {
    took = clock() - at;
  });
  other.catch(() => undefined);
  // When the registry answered is not known: on a machine that stands still, an answer is read long after it has come.
  const isOld = (): boolean => clock() - at > Math.max(SHORTEST_TURN, 2 * trip);
  return { at, other, isOld, again: () => lookForOther(spot, world, took) };
}

async function findOther(spot: Spot, registry: Registry): Promise<Named | undefined> {
  return soundIn(await registry.manifest(spot.reference), spot);
}

async function soundIn(answer: Answer<Served>, { before, judge }: Spot): Promise<Named | undefined> {
  if (answer.kind !== "found" || answer.value.descriptor.digest === before) return undefined;
  const look = await judge(answer.value);
  return look.kind === "sound" ? { served: answer.value, found: look.found } : undefined;
}

type Document = { readonly bytes: Uint8Array; readonly descriptor: Descriptor };

/**
 * Gives what was checked its name, unless another job has given that to something as good: then that is what counts for everybody.
 * Others wait only so long for whoever has looked: one that was held up since looks again, and so does one whose push failed in passing.
 * @returns the other one; nothing where the tag was put.
 * @throws ActionError E_PUSH where the registry does not take the tag, and names nothing sound by it.
 */
export async function putTag(
  spot: Spot,
  document: Document,
  first: Look,
  world: Pick<World, "registry" | "clock">,
): Promise<Named | undefined> {
  const { registry } = world;
  let there = await first.other;
  let look = first;
  for (let again = 0; !there && look.isOld() && again < LOOKS_AGAIN; again++) {
    look = look.again();
    there = await look.other;
  }
  if (there) return there;
  const { reference } = spot;
  const { bytes, descriptor } = document;
  const meanwhile: Named[] = [];
  const isWanted = async (): Promise<boolean> => {
    const found = await findOther(spot, registry);
    if (found) meanwhile.push(found);
    return !found;
  };
  const answer = await registry.putManifest(reference, bytes, descriptor.mediaType, reference.tag, isWanted);
  const isOurs = (named: Named | undefined): boolean => named?.served.descriptor.digest === descriptor.digest;
  if (answer.kind === "found" || isOurs(meanwhile[0])) return undefined;
  if (meanwhile[0]) return meanwhile[0];
  // The answer to a push may be lost on the way, and where tags may not move, a job that was faster is the one that counts.
  // Where it only failed in passing, what was to be built over has not become good by that.
  const mayPass = answer.kind === "unavailable" || answer.kind === "limited";
  const late = await findOther(mayPass ? spot : { ...spot, before: undefined }, registry);
  if (isOurs(late)) return undefined;
  if (late) return { ...late, refused: answer };
  throw new ActionError("E_PUSH", {
    what: `The image is built, and the tag ${reference.tag} could not be pushed: ${answer.words} (${answer.request}).`,
    fix: isImmovable(answer)
      ? `This registry's tags may not move, and what ${formatReference(reference)} names does not count: delete that tag, then run the job again.`
      : (answer.fix ?? "Run the job again: what was pushed already is found and not built twice."),
    cause: answer,
  });
}

/** ECR, Harbor, GitLab and Artifact Registry each have their own words for a tag that was put once and for all. */
export function isImmovable({ words }: Pick<RegistryError, "words">): boolean {
  return /\bimmutab|cannot be (?:overwritten|updated)|not allowed to (?:overwrite|update)/i.test(words);
}

/** How a tag ended up: what it names for everybody, and where the registry did not come to say so, what it said. */
export type Settled = { readonly named: Named; readonly lag: string | undefined };

/**
 * Looks what became of a tag after it was put: registries know no "put unless it is there", so of jobs that looked at the same moment the
 * last one counts. Whoever has put waits at least as long as it took from the look to the answer, in which all others that saw nothing
 * there have put too, and then looks who that was (Fischer's algorithm for mutual exclusion). A registry that goes on serving an old
 * tag for a while (GHCR, Docker Hub) is asked a few times.
 * @param named what this run would hand out: it is there by its digest, whatever the tag says.
 * @param since the look that was taken before, and when the answer to the push had come (milliseconds).
 */
export async function settleTag(
  spot: Spot,
  named: Named,
  since: { readonly look: number; readonly put: number },
  { registry, clock, pause }: Pick<World, "registry" | "clock" | "pause">,
): Promise<Settled> {
  const turn = Math.min(LONGEST_TURN, Math.max(SHORTEST_TURN, since.put - since.look));
  let last = named;
  let lag: string | undefined;
  // Of a tag that lags others have seen nothing for as long, and put theirs: what it shows counts once it stays.
  let state: "not asked" | "late" | "shown" = "not asked";
  // A clock may be set back while a job runs.
  const rest = turn - Math.max(0, clock() - since.put);
  for (const wait of [rest, ...LAG]) {
    if (wait > 0) await pause(wait);
    const answer = await registry.manifest(spot.reference);
    if (answer.kind !== "found" && answer.kind !== "absent")
      return { named: last, lag: state === "shown" ? undefined : answer.words };
    if (answer.kind === "found" && answer.value.descriptor.digest === last.served.descriptor.digest) {
      if (state !== "late") return { named: last, lag: undefined };
      [state, lag] = ["shown", undefined];
      continue;
    }
    [state, lag] = [
      "late",
      answer.kind === "found" ? `it serves ${answer.value.descriptor.digest} there` : answer.words,
    ];
    const other = await soundIn(answer, spot);
    if (!other) continue;
    last = other;
    [state, lag] = ["shown", undefined];
  }
  return { named: last, lag };
}

/** Milliseconds. Below a twentieth of a second a busy machine is slower than the network. */
const SHORTEST_TURN = 50;
const LONGEST_TURN = 2000;
/** A machine that stands still every time has to put at last. */
const LOOKS_AGAIN = 3;
/** How long a tag may lag, in milliseconds between one look and the next. */
export const LAG = [250, 500, 1000, 2000] as const;
