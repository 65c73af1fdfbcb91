import { readPushedDigest } from "../buildx/metadata.ts";
import { readUsedImages } from "../buildx/provenance.ts";
import { ActionError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { textOf } from "../oci/json.ts";
import { type Descriptor, ownImageFor, type Served } from "../oci/manifest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatRepository, type Repository } from "../oci/reference.ts";
import type { Sources } from "../plan/plan.ts";
import type { Binding } from "../plan/upstream.ts";
import type { Found } from "../probe/found.ts";
import { verifyPlatform } from "../probe/verify.ts";
import {
  ATTESTATION_NAMES,
  type Attestation,
  type ImageInIndex,
  LARGEST_STATEMENT,
  listStatements,
  type Statements,
  seek,
} from "../sbom/attestations.ts";
import type { Answer, Registry, RegistryError, World } from "../world.ts";
import { patiently } from "./patiently.ts";

/** What was pushed, and by whom. */
export type PushedTask = {
  readonly platform: Platform;
  readonly sources: Sources;
  readonly bindings: readonly Binding[];
  /** The name of the image that was to make the SBOM; nothing where the build was to have none. */
  readonly generator: string | undefined;
  /** Its name. */
  readonly builder: string;
  /** Hears of the platform's manifest as soon as the registry serves the index that names it, before anything is checked. */
  readonly onServed: (manifest: Digest) => void;
};

type Site = Pick<World, "registry" | "pause">;

const AGAIN = "Run the job again; if it stays so, ask whoever runs the registry.";

/**
 * Reads a pushed image back, by its digest: only what the registry serves counts as pushed, and only what was checked gets a name.
 * @param metadata text of the file that buildx wrote.
 * @throws ActionError E_PUSH where it is not whole there; E_DOCKER where it was built from something else than the plan says; E_BUILD
 * where it has not the SBOM that it was to have.
 */
export async function readBack(task: PushedTask, metadata: string, site: Site): Promise<Found> {
  const digest = readPushedDigest(metadata);
  if (digest !== undefined) return readBackImage(task, digest, site);
  throw new ActionError("E_PUSH", {
    what: `docker buildx ended well for ${formatPlatform(task.platform)} and did not tell what it pushed.`,
    fix: "Use a newer buildx: docker/setup-buildx-action installs one.",
  });
}

/** An image that is being read back, and how: what it is made of is known before, and whether it was to have an SBOM. */
type Reading = { readonly digest: Digest; readonly generator: string | undefined; readonly found: Promise<Found> };

/** Reading back what BuildKit says it has pushed, beside what it still does. */
export type EarlyReadings = {
  readonly begin: (task: PushedTask, digest: Digest) => void;
  /** The same as `readBack`: what was begun counts where it is what buildx has written down, and ended well. */
  readonly end: (task: PushedTask, metadata: string) => Promise<Found>;
};

/** Who writes the frontend can have BuildKit say what they like; a push tells of one image, and of another where it was repeated. */
const MOST_EARLY = 4;

/** Opens the reading back of one platform's image. */
export function openEarlyReadings(site: Site): EarlyReadings {
  const readings: Reading[] = [];
  return {
    begin: (task, digest) => {
      if (readings.length === MOST_EARLY || readings.some((one) => one.digest === digest)) return;
      const found = readBackImage(task, digest, site);
      found.catch(() => undefined);
      readings.push({ digest, generator: task.generator, found });
    },
    end: (task, metadata) => {
      const digest = readPushedDigest(metadata);
      const early = readings.find((one) => one.digest === digest && one.generator === task.generator);
      const now = (): Promise<Found> => readBack(task, metadata, site);
      return early ? early.found.catch(now) : now();
    },
  };
}

async function readBackImage(task: PushedTask, digest: Digest, site: Site): Promise<Found> {
  const { repository } = task.sources.wanted;
  const served = await readPushed(task, digest, site);
  const manifest = manifestIn(served, task.platform);
  task.onServed(manifest);
  const looking = { ...task.sources.wanted, verify: "layers", required: [] } as const;
  const [look, proof] = await Promise.all([
    verifyPlatform(looking, task.platform, served, site.registry),
    readProof(task, { platform: task.platform, manifest, index: served }, site),
  ]);
  const [found] = look.kind === "sound" ? look.found : [];
  if (found) {
    checkBinding(task, proof.used);
    checkSbom(task, proof);
    return found;
  }
  const what = look.kind === "damaged" ? look.what : look.kind === "doubt" ? look.doubt.what : "nothing was found";
  throw new ActionError("E_PUSH", {
    what: `The image for ${formatPlatform(task.platform)} was pushed to ${formatRepository(repository)}, and is not whole there: ${what}.`,
    fix: AGAIN,
  });
}

async function readPushed({ platform, sources }: PushedTask, digest: Digest, site: Site): Promise<Served> {
  const title = formatPlatform(platform);
  const pushed = { ...sources.wanted.repository, digest };
  const answer = await patiently(() => site.registry.manifest(pushed), site);
  if (answer.kind === "found") return answer.value;
  throw new ActionError("E_PUSH", {
    what: `The image for ${title} was pushed to ${formatRepository(sources.wanted.repository)}, and the registry does not serve it: ${answer.words} (${answer.request}).`,
    fix: AGAIN,
    cause: answer,
  });
}

/**
 * What was probed is what must have been built: BuildKit's own record of the images that it used is compared with the digests in the
 * plan.
 */
function checkBinding(task: PushedTask, answer: Proof["used"]): void {
  if (answer.kind !== "found") throw unread("provenance", answer, task);
  const { platforms } = task.sources.wanted;
  const isFromNothing = platforms.every(({ platform, images }) => platform !== task.platform || images.length === 0);
  // Of an image without layers BuildKit writes no record; where no image can have been used, there is nothing to compare either.
  const used = answer.value ?? (isFromNothing ? [] : undefined);
  const bound = new Set(task.bindings.map(({ digest }) => digest));
  const foreign = used?.filter((digest) => !bound.has(digest));
  if (foreign?.length === 0) return;
  throw new ActionError("E_DOCKER", {
    what: foreign
      ? `The builder ${task.builder} used ${foreign.join(", ")} for ${formatPlatform(task.platform)}, which is not what the key names.`
      : `The builder ${task.builder} did not record which images it used for ${formatPlatform(task.platform)}, so nothing shows that they are those of the key.`,
    fix: "Use a newer buildx and BuildKit: docker/setup-buildx-action installs them.",
  });
}

/** Without an index the image is what was pushed. */
function manifestIn({ body, descriptor }: Served, platform: Platform): Digest {
  return (body.kind === "index" ? ownImageFor(body, platform)?.digest : undefined) ?? descriptor.digest;
}

/**
 * What the pushed index says about the image: all its statements, of its provenance the images that it was made of, and what was said of
 * an SBOM that is listed and not served.
 */
type Proof = {
  readonly statements: Statements;
  readonly used: Answer<readonly Digest[] | undefined>;
  readonly lost: RegistryError | undefined;
};

async function readProof({ sources }: PushedTask, image: ImageInIndex, { registry }: Site): Promise<Proof> {
  const { repository } = sources.wanted;
  const statements = await listStatements(repository, image, registry);
  const [used, ...looks] = await Promise.all([
    readUsed(statements, repository, registry),
    ...layersOf("sbom", statements).map((layer) => registry.hasBlob(repository, layer)),
  ]);
  return { statements, used, lost: looks.find((answer) => answer.kind !== "found") };
}

async function readUsed(statements: Statements, repository: Repository, registry: Registry): Promise<Proof["used"]> {
  const sought = seek("provenance", statements);
  if (sought.kind === "doubt") return sought.error;
  const [layer] = layersOf("provenance", statements);
  const blob = layer && (await registry.blob(repository, layer, LARGEST_STATEMENT));
  if (blob && blob.kind !== "found") return blob;
  return { kind: "found", value: blob && readUsedImages(textOf(blob.value)) };
}

function layersOf(attestation: Attestation, statements: Statements): readonly Descriptor[] {
  const sought = seek(attestation, statements);
  return sought.kind === "there" ? sought.layers : [];
}

/** A build ends well also where the generator wrote nothing. */
function checkSbom(task: PushedTask, { statements, lost }: Proof): void {
  if (lost) throw unread("sbom", lost, task);
  if (task.generator === undefined) return;
  const sought = seek("sbom", statements);
  if (sought.kind === "doubt") throw unread("sbom", sought.error, task);
  if (sought.kind === "there") return;
  throw new ActionError("E_BUILD", {
    what: `The build for ${formatPlatform(task.platform)} ended well, and the SBOM generator ${task.generator} wrote nothing.`,
    fix: "Look at its output in the log of this step. Name another generator in sbom (true takes docker's own), or set it to false.",
  });
}

/** What nobody has checked, nobody may find. */
function unread(attestation: Attestation, error: RegistryError, { platform }: PushedTask): ActionError {
  return new ActionError("E_PUSH", {
    what: `The image for ${formatPlatform(platform)} was pushed, and its ${ATTESTATION_NAMES[attestation]} cannot be read back: ${error.words} (${error.request}).`,
    fix: error.fix ?? AGAIN,
    cause: error,
  });
}
