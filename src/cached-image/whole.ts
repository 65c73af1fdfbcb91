import type { Descriptor, readManifest, Served } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import type { Answer, Registry } from "../world.ts";
import { inDoubt, type Verdict } from "./verdict.ts";

type Look = { readonly blob: Descriptor; readonly answer: Answer<true> };

/** Looks whether blobs are there: at each once, whoever asks. */
export type LookAtBlobs = (blobs: readonly Descriptor[]) => Promise<readonly Look[]>;

export function openLookAtBlobs(repository: Repository, registry: Pick<Registry, "hasBlob">): LookAtBlobs {
  const known = new Map<string, Promise<Look>>();
  const lookAt = (blob: Descriptor): Promise<Look> => {
    const key = `${blob.digest} ${blob.size}`;
    const look = known.get(key) ?? registry.hasBlob(repository, blob).then((answer) => ({ blob, answer }));
    known.set(key, look);
    return look;
  };
  return (blobs) => Promise.all(blobs.map(lookAt));
}

/** What has to be there with a manifest. */
export function blobsOf(body: ReturnType<typeof readManifest>): readonly Descriptor[] {
  if ("wrong" in body || body.kind !== "manifest") return [];
  return [...new Map([body.config, ...body.layers].map((blob) => [blob.digest, blob])).values()];
}

/** Looks whether all of an image is there that the registry has served, as closely as the input verify says. */
export async function verifyServed(
  served: Served,
  verify: "layers" | "manifests" | "none",
  lookAt: LookAtBlobs,
): Promise<Exclude<Verdict, { kind: "complete" }>> {
  const looks = await lookAt(verify === "layers" ? blobsOf(served.body) : []);
  const bad = looks.find(({ answer }) => answer.kind !== "found");
  if (!bad || bad.answer.kind === "found") return { kind: "hit", served };
  if (bad.answer.kind !== "absent") return inDoubt(`the blob ${bad.blob.digest} of the image`, bad.answer);
  const why = `the image is there and its blob ${bad.blob.digest} is gone from the registry`;
  return { kind: "miss", why, key: served.descriptor.digest };
}
