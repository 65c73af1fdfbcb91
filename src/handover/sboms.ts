import { folderOf, lastSegment, pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { ActionError } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { ownImageFor } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Found } from "../probe/found.ts";
import type { Previous } from "../probe/reasons.ts";
import type { Outcome } from "../publish/outcome.ts";
import { describeSboms } from "../report/log.ts";
import type { SbomReport } from "../report/report.ts";
import type { ImageInIndex } from "../sbom/attestations.ts";
import { comparePlatforms } from "../sbom/compare.ts";
import { type SbomFile, sbomFiles } from "../sbom/files.ts";
import type { PlatformSbom } from "../sbom/read.ts";
import type { Files, World } from "../world.ts";

type Ports = Pick<World, "files" | "host">;

/**
 * Finds the folder that the input sbom-dir means: one in the workspace or in the runner's temporary folder, there or not.
 * @returns `undefined` where none is named.
 * @throws ActionError E_INPUT for one that lies elsewhere, also by a link, and for a file.
 */
export async function chooseSbomFolder({ attestations }: Inputs, { files, host }: Ports): Promise<string | undefined> {
  const { folder: written } = attestations;
  if (written === undefined) return undefined;
  const path = resolvePath(host.workspace, written);
  const real = await realPathOf(files, path);
  const homes = [host.workspace, ...(host.env.RUNNER_TEMP ? [host.env.RUNNER_TEMP] : [])];
  const realHomes = await Promise.all(homes.map((home) => realPathOf(files, home)));
  if (realHomes.every((home) => pathWithin(home, real) === undefined))
    throw new ActionError("E_INPUT", {
      what: `The input sbom-dir is "${written}", which lies neither in the workspace nor in RUNNER_TEMP.`,
      fix: "Name a folder of the checkout, relative to its root, or leave the input out and take the output sbom-dir.",
    });
  const kind = (await files.stat(real))?.kind ?? "directory";
  if (kind === "directory") return path;
  throw new ActionError("E_INPUT", {
    what: `The input sbom-dir is "${written}", and that is no folder.`,
    fix: "Name a folder; it is made where there is none.",
  });
}

/** Of what is not there yet, the real path of the folder that would hold it counts. */
async function realPathOf(files: Files, path: string): Promise<string> {
  const real = await files.realPath(path);
  return real ?? resolvePath(await realPathOf(files, folderOf(path)), lastSegment(path));
}

export type SbomTask = {
  readonly inputs: Inputs;
  readonly outcome: Outcome;
  /** What `chooseSbomFolder` found; without one the files go into a temporary folder that later steps can read. */
  readonly folder: string | undefined;
  readonly previous: Previous | undefined;
};

/**
 * Reads the SBOMs of the image that is handed out from the registry, whether it was found or built, and writes them down for later
 * steps. One that is not there or cannot be read makes no failure of an image that is there: it is said.
 * @returns `undefined`, and asks for nothing, where nobody asked for SBOMs or there is no image in the registry.
 */
export async function handOverSboms(task: SbomTask, world: World): Promise<SbomReport | undefined> {
  const { inputs, outcome, previous } = task;
  const { generator, folder } = inputs.attestations;
  const { image, found } = outcome;
  if ((!generator && folder === undefined) || image === undefined || !found) return undefined;
  return world.log.group("What is in it?", async () => {
    const repository = inputs.cacheRepository;
    const earlier = generator && outcome.built ? previousImages(previous, found) : [];
    const { readSboms } = await import("../sbom/read.ts");
    const [sboms, before] = await Promise.all([
      readSboms({ repository, found }, world.registry),
      readSboms({ repository, found: earlier }, world.registry),
    ]);
    warnOfMissing(sboms, outcome, world);
    const target = task.folder ?? (await world.files.temporaryFolder("sbom", { keep: true }));
    const files = await writeFiles(sbomFiles(target, sboms), world);
    const platforms = comparePlatforms(before, sboms);
    const changes = previous && platforms.length > 0 ? { since: previous.tag, platforms } : undefined;
    for (const line of describeSboms(sboms)) world.log.info(line);
    return { sboms, folder: target, files, changes };
  });
}

function previousImages(previous: Previous | undefined, found: readonly Found[]): readonly ImageInIndex[] {
  const index = previous?.index;
  if (index?.body.kind !== "index") return [];
  const { body } = index;
  return found.flatMap(({ platform }) => {
    const manifest = ownImageFor(body, platform)?.digest;
    return manifest ? [{ platform, manifest, index }] : [];
  });
}

/** What this run built without an SBOM has been told already. */
function warnOfMissing(sboms: readonly PlatformSbom[], { built = [] }: Outcome, { log }: World): void {
  for (const sbom of sboms) {
    const title = formatPlatform(sbom.platform);
    const isOwn = built.some(({ platform, foundLate }) => platform === sbom.platform && !foundLate);
    if (sbom.kind === "none" && !isOwn)
      log.warning(`${title} has no SBOM: ${sbom.why}. With sbom set, require: sbom has such an image built again.`);
    if (sbom.kind === "doubt")
      log.warning(`The SBOM of ${title} cannot be read: ${sbom.error.words} (${sbom.error.request}).`);
  }
}

/** A link could lead what is written out of the checkout. */
async function writeFiles(files: readonly SbomFile[], world: World): Promise<readonly SbomFile[]> {
  const written = files.map(async (file) => {
    try {
      if ((await world.files.stat(file.path))?.kind === "link") throw new Error("there is a link of that name");
      await world.files.write(file.path, file.content, 0o644);
      return [file];
    } catch (error) {
      world.log.warning(`${file.path} could not be written: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  return (await Promise.all(written)).flat();
}
