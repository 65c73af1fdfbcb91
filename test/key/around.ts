import { rmSync } from "node:fs";
import type { Served } from "../../src/oci/manifest.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { type Asked, planOf } from "../plan-of.ts";

/** What an edit starts from. */
export type Before = {
  readonly files: Readonly<Record<string, Content>>;
  readonly images: Readonly<Record<string, Served>>;
  readonly blobs?: Readonly<Record<string, string>>;
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
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
};

/** The key; the source key, which names the commit, whatever others publish; the own key, which adds the label and our recipe to that. */
export type Keys = { readonly key: string; readonly source: string; readonly own: string };

export async function keysOf(asked: Asked): Promise<Keys> {
  const { sources, probed } = await planOf(asked);
  if (!probed.plan) throw new Error(JSON.stringify(probed.verdict));
  return { key: probed.plan.key, source: sources.wanted.sourceKey, own: probed.plan.ownKey };
}

/** The keys before and after an edit. */
export async function keysAround(mutation: Mutation, before: Before): Promise<[Keys, Keys]> {
  const { images, blobs = {}, inputs = {}, env = {} } = before;
  const workspace = makeCheckout(mutation.from ?? before.files);
  const was = await keysOf({ workspace, images, blobs, inputs, env });
  mutation.edit?.(workspace);
  const is = await keysOf({
    workspace,
    images: mutation.images ?? images,
    blobs,
    inputs: { ...inputs, ...mutation.inputs },
    env: { ...env, ...mutation.env },
  });
  rmSync(workspace, { recursive: true });
  return [was, is];
}

/** What an edit moves: an image whose own key is the same counts as one of the same sources. */
export async function movedBy(mutation: Mutation, before: Before): Promise<readonly (keyof Keys)[]> {
  const [was, is] = await keysAround(mutation, before);
  return (["key", "own", "source"] as const).filter((name) => was[name] !== is[name]);
}
