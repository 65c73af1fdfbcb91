import { formatPlatform, type Platform, platformSlug } from "../oci/platform.ts";
import { countByType } from "./compare.ts";
import type { PlatformSbom } from "./read.ts";

/** A file to write: the SPDX document alone, as scanners and attestation tools take it. */
export type SbomFile = { readonly platform: Platform; readonly path: string; readonly content: string };

/** Lays out `<folder>/<os>-<architecture>[-<variant>].spdx.json`, one for each platform that has an SBOM. */
export function sbomFiles(folder: string, sboms: readonly PlatformSbom[]): readonly SbomFile[] {
  return sboms
    .filter((sbom) => sbom.kind === "sbom")
    .map(({ platform, document }) => ({
      platform,
      path: `${folder}/${platformSlug(platform)}.spdx.json`,
      content: document,
    }));
}

/** What the output `sbom-paths` holds: `{"linux/amd64":"/…/linux-amd64.spdx.json"}` */
export function pathsByPlatform(files: readonly SbomFile[]): Readonly<Record<string, string>> {
  return Object.fromEntries(files.map(({ platform, path }) => [formatPlatform(platform), path]));
}

export type PackageCounts = { readonly total: number; readonly types: Readonly<Record<string, number>> };

/** What the output `sbom-packages` holds: `{"linux/amd64":{"total":157,"types":{"deb":152,"pypi":5}}}` */
export function countsByPlatform(sboms: readonly PlatformSbom[]): Readonly<Record<string, PackageCounts>> {
  const counts = sboms
    .filter((sbom) => sbom.kind === "sbom")
    .map(({ platform, packages }) => [
      formatPlatform(platform),
      { total: packages.length, types: Object.fromEntries(countByType(packages)) },
    ]);
  return Object.fromEntries(counts);
}
