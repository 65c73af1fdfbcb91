import { formatPlatform } from "../oci/platform.ts";
import { countByLicense, countByType, NO_LICENSE, type PackageChange, type PlatformChanges } from "../sbom/compare.ts";
import { licensesOf } from "../sbom/license.ts";
import type { PlatformSbom } from "../sbom/read.ts";
import { count } from "./log.ts";
import { asCell, asText, folded, type Markdown, md, stack, table } from "./markdown.ts";

/** A step's summary may have 1 MiB, and a reader has less patience: the whole lists stand in the files of `sbom-dir`. */
const TYPES = 6;
const LICENSES = 20;
const CHANGES = 40;

/** How many packages of which type each platform has, or why that is not known. */
export function packageTable(sboms: readonly PlatformSbom[]): Markdown {
  const all = sboms.flatMap((sbom) => (sbom.kind === "sbom" ? sbom.packages : []));
  const counts = countByType(all);
  const types = counts.slice(0, TYPES).map(([type]) => type);
  const more = counts.length > TYPES ? ["others"] : [];
  const rows = sboms.map((sbom) => [formatPlatform(sbom.platform), ...packageCells(sbom, types, more.length > 0)]);
  return table(
    ["Platform", "Packages", ...types, ...more, "SBOM"].map(asCell),
    rows.map((cells) => cells.map(asCell)),
  );
}

function packageCells(sbom: PlatformSbom, types: readonly string[], others: boolean): readonly string[] {
  const blank = [...types, ...(others ? [""] : [])].map(() => "");
  if (sbom.kind === "none") return ["", ...blank, `none: ${sbom.why}`];
  if (sbom.kind === "doubt") return ["", ...blank, `cannot be read: ${sbom.error.words}`];
  const counts = new Map(countByType(sbom.packages));
  const shown = types.map((type) => counts.get(type) ?? 0);
  const total = sbom.packages.length;
  const rest = others ? [total - shown.reduce((sum, one) => sum + one, 0)] : [];
  return [...[total, ...shown, ...rest].map(String), size(sbom.document.length)];
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** How many packages of each platform state which licence, folded; nothing where none states any. */
export function licenseTable(sboms: readonly PlatformSbom[]): readonly Markdown[] {
  const read = sboms.filter((sbom) => sbom.kind === "sbom");
  const all = countByLicense(read.flatMap(({ packages }) => packages));
  if (!all.some(([license]) => license !== NO_LICENSE)) return [];
  const columns = read.map(({ packages }) => new Map(countByLicense(packages)));
  const rows = all
    .slice(0, LICENSES)
    .map(([license]) => [license, ...columns.map((counts) => String(counts.get(license) ?? 0))].map(asCell));
  const head = ["Licence", ...read.map(({ platform }) => formatPlatform(platform))].map(asCell);
  const isShared = read.some(({ packages }) => packages.some(({ license = "" }) => licensesOf(license).length > 1));
  const how = isShared ? [md`A package that names several licences counts for each of them.`] : [];
  return [folded("Licences", stack([table(head, rows), ...leftOut(all.length - rows.length), ...how]))];
}

/**
 * What differs between the packages of two images, platforms with the same differences together.
 * @param previous the tag or name of the image before.
 */
export function changeTables(previous: string, platforms: readonly PlatformChanges[]): readonly Markdown[] {
  if (platforms.length === 0) return [];
  const groups = new Map<string, PlatformChanges[]>();
  for (const one of platforms) {
    const key = JSON.stringify(one.changes);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [md`The packages, compared with ${asText(previous)}:`, ...[...groups.values()].map(changeTable)];
}

function changeTable(group: readonly PlatformChanges[]): Markdown {
  const names = group.map(({ platform }) => formatPlatform(platform)).join(", ");
  const changes = group[0]?.changes ?? [];
  if (changes.length === 0) return md`${asText(names)}: the same packages.`;
  const rows = changes.slice(0, CHANGES).map((change) => [asCell(change.type), asCell(change.name), tell(change)]);
  const head = ["Type", "Package", "Version"].map(asCell);
  const body = stack([table(head, rows), ...leftOut(changes.length - rows.length)]);
  return folded(`${names}: ${summarise(changes)}`, body);
}

function summarise(changes: readonly PackageChange[]): string {
  return (["added", "removed", "changed"] as const)
    .map((kind) => [kind, changes.filter((change) => change.kind === kind).length] as const)
    .filter(([, number]) => number > 0)
    .map(([kind, number]) => `${count(number, "package")} ${kind}`)
    .join(", ");
}

function tell(change: PackageChange): Markdown {
  if (change.kind === "changed") return md`${versions(change.from)} → ${versions(change.to)}`;
  return change.kind === "added" ? md`${versions(change.to)} added` : md`${versions(change.from)} removed`;
}

function versions(list: readonly string[]): Markdown {
  return asCell(list.join(", "));
}

function leftOut(number: number): readonly Markdown[] {
  return number > 0 ? [md`And ${number} more.`] : [];
}
