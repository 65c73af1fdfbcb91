import type { ActionError } from "../errors.ts";
import { formatReference } from "../oci/reference.ts";
import { type AskedFeature, checkOptions, featureError, MOST_FEATURES } from "./asked.ts";
import type { SoftTarget } from "./compare.ts";
import { type Absent, findPublished, findTarball } from "./fetch.ts";
import type { FeatureDoubt, FeaturePorts, FoundFeature } from "./found.ts";
import { type Gate, openGate } from "./gate.ts";
import { aliasesOf, dependenciesOf, type Known, MOST_RELATIONS, tooMany } from "./graph.ts";
import { type FeatureReference, type Folders, identifyFeature } from "./identify.ts";
import { readLocalFeature } from "./local.ts";
import { type Lockfile, lockedDigest } from "./lockfile.ts";

/** Only who does not show his metadata has an archive unpacked here, which may take a hundred megabytes. */
const ARCHIVES_AT_ONCE = 2;

type Outcome = FoundFeature | FeatureDoubt | Absent;
type Identified = { readonly asked: AskedFeature; readonly reference: FeatureReference; readonly key: string };
type Identify = (asked: AskedFeature) => Identified;

/** What one wave asks for: features that will be installed, and those that others only come after. */
type Wave = { readonly needed: readonly Identified[]; readonly preceding: readonly Identified[] };

export type Discovery = { readonly kind: "known"; readonly known: Known };

/**
 * Finds every feature that is asked for and all that those depend on or come after. What is new is asked for all at once, each reference
 * once; then what the answers name, and so on: as many waves as dependencies are deep.
 * @returns what is known by then, or the first answer that could not be had.
 * @throws E_CONFIG or E_FEATURE naming the first feature, in the order of the file, that is not there or cannot be used.
 */
export async function discoverFeatures(
  asked: readonly AskedFeature[],
  { folders, lockfile }: { readonly folders: Folders; readonly lockfile: Lockfile },
  ports: FeaturePorts,
): Promise<Discovery | FeatureDoubt> {
  const identify: Identify = (one) => {
    const reference = identifyFeature(one, folders);
    return { asked: one, reference, key: keyOf(reference, one, lockfile) };
  };
  const outcomes = new Map<string, Outcome>();
  const expanded = new Set<string>();
  let wave: Wave = { needed: asked.map(identify), preceding: [] };
  const gate = openGate(ARCHIVES_AT_ONCE);
  let relations = 0;
  while (wave.needed.length > 0 || wave.preceding.length > 0) {
    await askAll(wave, outcomes, (one) => findFeature(one, { gate, checkout: folders.checkout, lockfile }, ports));
    const doubt = doubtIn(wave, outcomes);
    if (doubt) return doubt;
    const fresh = firstOnes(wave.needed, expanded);
    wave = nextWave(fresh, outcomes, identify);
    relations += wave.needed.length + wave.preceding.length;
    const [first] = fresh;
    if (first && relations > MOST_RELATIONS) throw tooMany(first.asked);
  }
  return { kind: "known", known: knownOf(outcomes, identify) };
}

function keyOf(reference: FeatureReference, asked: AskedFeature, lockfile: Lockfile): string {
  const locked = lockedDigest(lockfile, asked);
  if (reference.kind === "local") return reference.folder;
  if (reference.kind === "tarball") return `${reference.url} ${locked ?? ""}`;
  if (reference.kind === "release") return reference.name;
  return formatReference(locked === undefined ? reference.reference : { ...reference.reference, digest: locked });
}

/** Those whose key comes up for the first time; it is one of the known ones from then on. */
function firstOnes(wave: readonly Identified[], known: Set<string>): readonly Identified[] {
  return wave.filter(({ key }) => {
    const isFirst = !known.has(key);
    known.add(key);
    return isFirst;
  });
}

/** Asks for what is not known yet. Where several cannot be used, the first of them is told, whichever answer came first. */
async function askAll(
  { needed, preceding }: Wave,
  outcomes: Map<string, Outcome>,
  find: (one: Identified) => Promise<Outcome>,
): Promise<void> {
  const fresh = firstOnes([...needed, ...preceding], new Set(outcomes.keys()));
  const [first] = fresh;
  if (first && outcomes.size + fresh.length > MOST_FEATURES) {
    throw featureError(first.asked, {
      what: `is one of more than ${MOST_FEATURES} that have to be found`,
      fix: "Take out the feature whose dependencies never end.",
      by: "feature",
    });
  }
  const answers = await Promise.allSettled(fresh.map(find));
  for (const [at, { key }] of fresh.entries()) {
    const answer = answers[at];
    if (answer?.status === "rejected") throw answer.reason;
    if (answer) outcomes.set(key, answer.value);
  }
}

async function findFeature(
  { asked, reference }: Identified,
  { gate, checkout, lockfile }: { readonly gate: Gate; readonly checkout: string; readonly lockfile: Lockfile },
  ports: FeaturePorts,
): Promise<Outcome> {
  const locked = lockedDigest(lockfile, asked);
  switch (reference.kind) {
    case "oci":
      return findPublished(asked, { reference, locked, gate }, ports);
    case "tarball":
      return gate(() => findTarball(asked, { reference, locked }, ports));
    case "local":
      return readLocalFeature(ports.files, asked, { reference, checkout });
    case "release":
      throw featureError(asked, {
        what: "is one of the old ones that are released on GitHub and not published to a registry",
        fix: "Put the registry's host in front (ghcr.io/…). See https://containers.dev/features for what there is.",
      });
  }
}

/** @throws E_CONFIG or E_FEATURE where a feature that is needed is not there. */
function doubtIn({ needed, preceding }: Wave, outcomes: ReadonlyMap<string, Outcome>): FeatureDoubt | undefined {
  for (const { asked, key } of needed) {
    const outcome = outcomes.get(key);
    if (outcome?.kind === "absent") throw notThere(asked, outcome);
  }
  const answers = [...needed, ...preceding].map(({ key }) => outcomes.get(key));
  return answers.find((outcome): outcome is FeatureDoubt => outcome?.kind === "registry");
}

function notThere(asked: AskedFeature, { error }: Absent): ActionError {
  return featureError(asked, {
    what: `is not there: ${error.request} was answered "${error.words}"`,
    fix: "Correct its name, tag or digest. A lockfile may name a digest that is gone.",
    by: "feature",
  });
}

function nextWave(fresh: readonly Identified[], outcomes: ReadonlyMap<string, Outcome>, identify: Identify): Wave {
  const found = fresh.flatMap(({ asked, key }) => {
    const outcome = outcomes.get(key);
    return outcome?.kind === "found" ? [{ asked, outcome }] : [];
  });
  const needed = found.flatMap(({ asked, outcome }) => dependenciesOf(asked, outcome));
  for (const dependency of needed) checkOptions(dependency);
  for (const { asked, outcome } of found) refuseLocalDependencies(asked, outcome, identify);
  const preceding = found.flatMap(({ asked, outcome }) => precedingOf(asked, outcome).map(identify));
  // Only a registry knows a feature by other names as well, for which it has to be asked.
  return { needed: needed.map(identify), preceding: preceding.filter(({ reference }) => reference.kind === "oci") };
}

/** It would be another feature in every repository, and nothing that is known without a request would say that it has changed. */
function refuseLocalDependencies(asked: AskedFeature, found: FoundFeature, identify: Identify): void {
  if (found.source.kind === "local") return;
  const local = dependenciesOf(asked, found).find((one) => identify(one).reference.kind === "local");
  if (!local) return;
  throw featureError(asked, {
    what: `depends on ${local.id}, a folder, which only a local feature can`,
    fix: "Tell its author, or use another version of it.",
    by: "feature",
  });
}

function precedingOf(asked: AskedFeature, { metadata }: FoundFeature): readonly AskedFeature[] {
  return metadata.installsAfter.map((id) => ({ id, options: {}, neededBy: asked.id, at: asked.at }));
}

function knownOf(outcomes: ReadonlyMap<string, Outcome>, identify: Identify): Known {
  return {
    feature: (asked) => {
      const { reference, key } = identify(asked);
      const outcome = outcomes.get(key);
      if (outcome?.kind !== "found") throw new Error(`${asked.id} was not looked for`);
      // Two names may lead to one place and still be two names.
      return { ...outcome, reference };
    },
    softTargets: (asked, found) => precedingOf(asked, found).flatMap((one) => softTarget(identify(one), outcomes)),
  };
}

/** What is not there is installed under no name, and nothing comes after it. */
function softTarget({ reference, key }: Identified, outcomes: ReadonlyMap<string, Outcome>): readonly SoftTarget[] {
  if (reference.kind !== "oci") return [{ reference, aliases: [] }];
  const outcome = outcomes.get(key);
  return outcome?.kind === "found" ? [{ reference, aliases: aliasesOf(outcome) }] : [];
}
