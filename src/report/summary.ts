import { type ActionError, tellPlace } from "../errors.ts";
import { shortDigest } from "../oci/digest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatRepository } from "../oci/reference.ts";
import { cannotTell } from "../probe/decide.ts";
import { count } from "./log.ts";
import { asText } from "./markdown.ts";
import { changeTables, licenseTable, packageTable } from "./packages.ts";
import type { Report } from "./report.ts";

const HEADLINES: Readonly<Record<Report["result"], string>> = {
  hit: "the image is in the cache",
  built: "the image was built",
  partial: "some platforms are missing",
  stale: "the sources are the same, what they build on has moved",
  miss: "the image is not in the cache",
  unknown: "whether the image is there cannot be told",
  failed: "failed",
};

/** The job summary in Markdown. No value of the environment and no build arg stands in it: Gitea keeps summaries unmasked. */
export function renderSummary(report: Report): string {
  const parts = [
    `### Dev container: ${HEADLINES[report.result]}`,
    ...(report.failure ? [failureOf(report.failure)] : []),
    ...(report.image === undefined ? [] : [`\`${report.image}\`${report.isFallback ? " stands in for it." : ""}`]),
    ...doubtOf(report),
    ...platformTable(report),
    ...reasonList(report),
    ...packages(report),
    costs(report),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** What happened and where, the code by which the README lists it, and what to do now. */
function failureOf({ message, code, fix, at }: ActionError): string {
  const where = at === undefined ? "" : `${tellPlace(at)}: `;
  return `**${asText(where + message)}** \`${code}\`${fix === undefined ? "" : `\n\n${asText(fix)}`}`;
}

/** Why the last good image was handed out without a look at what it is built on. */
function doubtOf({ verdict }: Report): string[] {
  return verdict?.kind === "stale" && verdict.doubt ? [asText(cannotTell(verdict.doubt).message)] : [];
}

function platformTable(report: Report): string[] {
  if (report.platforms.length + report.missing.length === 0) return [];
  // Only a registry's own "not found" is an absence.
  const absent = report.verdict?.kind === "unknown" ? "not known" : "missing";
  const time = new Map(report.built.map(({ platform, seconds }) => [platform, seconds]));
  const rows = [
    ...report.platforms.map(({ platform, digest, how }) => {
      const seconds = time.get(platform);
      const took = how === "built" && seconds !== undefined ? ` in ${seconds} s` : "";
      return `| ${formatPlatform(platform)} | ${how}${took} | ${digest === undefined ? "loaded into the local engine" : `\`${shortDigest(digest)}\``} |`;
    }),
    ...report.missing.map((platform) => `| ${formatPlatform(platform)} | ${absent} | |`),
  ];
  return [["| Platform | | Image |", "| --- | --- | --- |", ...rows].join("\n")];
}

function reasonList(report: Report): string[] {
  if (report.reasons.length === 0) return [];
  return [
    `Why it is another image than \`${report.previous ?? ""}\`:`,
    report.reasons.map(({ text }) => `- ${asText(text)}`).join("\n"),
  ];
}

function packages({ sboms }: Report): readonly string[] {
  if (!sboms) return [];
  const changes = sboms.changes ? changeTables(sboms.changes.since, sboms.changes.platforms) : [];
  return [packageTable(sboms.sboms), ...licenseTable(sboms.sboms), ...changes];
}

function costs({ probe, saved, repository, seconds }: Report): string {
  if (!probe || !repository) return "";
  const { requests, bytes, waves } = probe.traffic;
  const sentences = [
    `Asked \`${formatRepository(repository)}\`: ${count(requests, "request")} in ${count(waves, "wave")}, ${bytes} bytes, ${probe.seconds} s.`,
    `The whole step took ${seconds} s.`,
    ...(saved === undefined ? [] : [`Building this image took ${saved} s.`]),
  ];
  return sentences.join(" ");
}
