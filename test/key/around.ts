import { rmSync } from "node:fs";
import { explainMiss } from "../../src/key/explain.ts";
import type { Served } from "../../src/oci/manifest.ts";
import type { Plan } from "../../src/plan/keyed.ts";
import type { Sources } from "../../src/plan/plan.ts";
import { storePlan } from "../../src/plan/stored-plan.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { type Asked, planOf } from "../plan-of.ts";

/** What an edit starts from. */
export type Before = {
  readonly files: Readonly<Record<string, Content>>;
  readonly images: Readonly<Record<string, Served>>;
  readonly blobs?: Readonly<Record<string, string>>;
  readonly addresses?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
};

/** One edit of a real folder, of what registries serve, or of what the run is told. */
export type Mutation = {
  readonly name: string;
  /** The files before the edit, when they are not the usual ones. */
  readonly from?: Readonly<Record<string, Content>>;
  readonly edit?: (root: string) => void;
  readonly images?: Readonly<Record<string, Served>>;
  readonly addresses?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
};

/**
 * The key; the source key, which names the commit, whatever others publish; the own key, which adds the label and our recipe to that; the
 * key of everything but the label, by which an image needs no build.
 */
export type Keys = {
  readonly key: string;
  readonly source: string;
  readonly own: string;
  readonly unlabelled: string;
};

export async function keysOf(asked: Asked): Promise<Keys> {
  return keysIn(await planned(asked));
}

type Planned = { readonly sources: Sources; readonly plan: Plan };

async function planned(asked: Asked): Promise<Planned> {
  const { sources, probed } = await planOf(asked);
  if (!probed.plan) throw new Error(JSON.stringify(probed.verdict));
  return { sources, plan: probed.plan };
}

function keysIn({ sources, plan }: Planned): Keys {
  return { key: plan.key, source: sources.wanted.sourceKey, own: plan.ownKey, unlabelled: plan.unlabelledKey };
}

/** The plans before and after an edit. */
async function plansAround(mutation: Mutation, before: Before): Promise<[Planned, Planned]> {
  const { images, blobs = {}, addresses = {}, inputs = {}, env = {} } = before;
  const workspace = makeCheckout(mutation.from ?? before.files);
  const was = await planned({ workspace, images, blobs, addresses, inputs, env });
  mutation.edit?.(workspace);
  const is = await planned({
    workspace,
    images: mutation.images ?? images,
    blobs,
    addresses: mutation.addresses ?? addresses,
    inputs: { ...inputs, ...mutation.inputs },
    env: { ...env, ...mutation.env },
  });
  rmSync(workspace, { recursive: true });
  return [was, is];
}

/** What people are told of an edit: each text, and its place where it has one. */
export async function toldOf(mutation: Mutation, before: Before): Promise<readonly string[]> {
  const [was, is] = await plansAround(mutation, before);
  const store = ({ sources, plan }: Planned) => storePlan({ sources, plan, salt: "salt", now: 0, seconds: {} });
  const { platforms, trees } = store(is);
  return explainMiss(store(was), platforms, trees, is.sources.places).map(({ text, at }) => {
    const place = at === undefined ? "" : ` @ ${[at.file, ...(at.line === undefined ? [] : [at.line])].join(":")}`;
    return text + place;
  });
}

/** By the name of each edit, what people are told of it. */
export async function toldOfAll(
  mutations: readonly Mutation[],
  before: Before,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const told = mutations.map(async (mutation) => [mutation.name, await toldOf(mutation, before)] as const);
  return Object.fromEntries(await Promise.all(told));
}

/** What an edit moves: an image whose own key is the same counts as one of the same sources. */
export async function movedBy(mutation: Mutation, before: Before): Promise<readonly (keyof Keys)[]> {
  const [was, is] = (await plansAround(mutation, before)).map(keysIn);
  return (["key", "own", "source", "unlabelled"] as const).filter((name) => was?.[name] !== is?.[name]);
}
