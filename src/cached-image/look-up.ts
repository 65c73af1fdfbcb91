import { type CachedLayer, readCacheEntry } from "../envbuilder/cached-layer.ts";
import type { Step } from "../envbuilder/step.ts";
import { textOf } from "../oci/json.ts";
import { formatRepository, type Repository } from "../oci/reference.ts";
import type { RegistryError, World } from "../world.ts";
import { inDoubt, type Verdict } from "./verdict.ts";

type Looking = { readonly repository: Repository; readonly days: number };

/** Looks up the layers of steps: all that are there, or what is not. */
export type LookUp = (
  steps: readonly Step[],
) => Promise<{ readonly layers: ReadonlyMap<string, CachedLayer> } | Verdict>;

/** Opens the way to the kept layers: all are asked for at once, and each once; the first that is missing, in the order of the steps, is the answer. */
export function openLookUp(looking: Looking, ports: Pick<World, "registry" | "clock">): LookUp {
  const known = new Map<string, Promise<Entry>>();
  const entryOf = (step: Step): Promise<Entry> => {
    const entry = known.get(step.key) ?? lookUpLayer(step, looking, ports);
    known.set(step.key, entry);
    return entry;
  };
  return async (steps) => {
    const kept = steps.filter(({ layer }) => layer === "kept");
    const answers = await Promise.all(kept.map(async (step) => ({ step, answer: await entryOf(step) })));
    const doubt = answers.find(({ answer }) => answer.kind === "unknown");
    // What is not there for certain is a miss, whatever else could not be asked.
    const missing = answers.find(({ answer }) => answer.kind === "miss") ?? doubt;
    if (missing && missing.answer.kind !== "layer") return missing.answer;
    return {
      layers: new Map(answers.flatMap(({ step, answer }) => (answer.kind === "layer" ? [[step.key, answer]] : []))),
    };
  };
}

type Entry = CachedLayer | Extract<Verdict, { kind: "miss" | "unknown" }>;

async function lookUpLayer(
  step: Step,
  { repository, days }: Looking,
  { registry, clock }: Pick<World, "registry" | "clock">,
): Promise<Entry> {
  const what = `the layer of ${step.text}`;
  const manifest = await registry.manifest({ ...repository, tag: step.key });
  if (manifest.kind === "absent") return { ...missed(step, `the layer of ${shown(step.text)} is not there`), step };
  if (manifest.kind !== "found") return inDoubt(what, manifest);
  const { body, bytes } = manifest.value;
  if (body.kind !== "manifest") return inDoubt(what, malformedAt(repository, step.key, "it is an index"));
  const config = await registry.blob(repository, body.config);
  if (config.kind === "absent") return missed(step, `the layer of ${shown(step.text)} has lost its config`);
  if (config.kind !== "found") return inDoubt(what, config);
  const entry = readCacheEntry({ manifest: textOf(bytes), config: textOf(config.value) }, { now: clock(), days });
  if (entry.kind === "layer") return entry;
  if (entry.kind === "malformed") return inDoubt(what, malformedAt(repository, step.key, entry.what));
  return missed(
    step,
    `the layer of ${shown(step.text)} was made on ${entry.created.slice(0, 10)}, and layers count for ${days} days`,
  );
}

function malformedAt(repository: Repository, tag: string, words: string): RegistryError {
  return { kind: "malformed", request: `GET ${formatRepository(repository)}:${tag}`, words };
}

function missed({ at, key }: Step, why: string): Extract<Verdict, { kind: "miss" }> {
  return { kind: "miss", why, at, key };
}

const LONGEST_SHOWN = 200;

/** An instruction may be thousands of letters long. */
function shown(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
