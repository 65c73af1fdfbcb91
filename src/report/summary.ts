import { type ActionError, tellPlace } from "../errors.ts";
import { shortDigest } from "../oci/digest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatRepository } from "../oci/reference.ts";
import { cannotTell } from "../probe/decide.ts";
import { count } from "./log.ts";
import { asCell, asCode, asCodeBlock, asText, type Markdown, md, stack } from "./markdown.ts";
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
export function renderSummary(report: Report): Markdown {
  const parts = [
    md`### Dev container: ${asText(headlineOf(report))}${refusalOf(report)}`,
    ...(report.failure ? failureOf(report.failure) : []),
    ...imageOf(report),
    ...doubtOf(report),
    ...platformTable(report),
    ...reasonList(report),
    ...packages(report),
    ...costs(report),
  ];
  return md`${stack(parts)}\n`;
}

/** A label that was set on what was there is no build. */
function headlineOf({ result, relabelled }: Report): string {
  return result === "built" && relabelled.length > 0
    ? "the image was relabelled, nothing was built"
    : HEADLINES[result];
}

/** What happened and where, the code by which the README lists it, and what to do now. */
function failureOf({ message, details, code, fix, at }: ActionError): readonly Markdown[] {
  const where = at === undefined ? "" : `${tellPlace(at)}: `;
  return [
    md`**${asText(where + message)}** ${asCode(code)}`,
    ...(details.length === 0 ? [] : [asCodeBlock(details)]),
    ...(fix === undefined ? [] : [asText(fix)]),
  ];
}

/** That the push of the repository's own code was refused is no detail: no other job has the image. */
function refusalOf({ notPushed }: Report): Markdown {
  return notPushed?.isRefused ? md`, and the registry refused the push` : md``;
}

function imageOf({ image, localImage, notPushed, isFallback }: Report): readonly Markdown[] {
  if (localImage !== undefined)
    return [md`${asCode(localImage)} is in the local engine alone: ${asText(notPushed?.why ?? "")}.`];
  if (image === undefined) return [];
  return [isFallback ? md`${asCode(image)} stands in for it.` : asCode(image)];
}

/** Why the last good image was handed out without a look at what it is built on. */
function doubtOf({ verdict }: Report): readonly Markdown[] {
  return verdict?.kind === "stale" && verdict.doubt ? [asText(cannotTell(verdict.doubt).message)] : [];
}

function platformTable(report: Report): readonly Markdown[] {
  if (report.platforms.length + report.missing.length === 0) return [];
  // Only a registry's own "not found" is an absence.
  const absent = asText(report.verdict?.kind === "unknown" ? "not known" : "missing");
  const time = new Map([...report.built, ...report.relabelled].map(({ platform, seconds }) => [platform, seconds]));
  const rows = [
    ...report.platforms.map(({ platform, digest, how }) => {
      const seconds = time.get(platform);
      const took = how !== "found" && seconds !== undefined ? ` in ${seconds} s` : "";
      const image = digest === undefined ? md`loaded into the local engine` : asCode(shortDigest(digest));
      return md`| ${asCell(formatPlatform(platform))} | ${asText(how + took)} | ${image} |`;
    }),
    ...report.missing.map((platform) => md`| ${asCell(formatPlatform(platform))} | ${absent} | |`),
  ];
  return [stack([md`| Platform | | Image |`, md`| --- | --- | --- |`, ...rows], "\n")];
}

function reasonList({ reasons, previous }: Report): readonly Markdown[] {
  if (reasons.length === 0) return [];
  const list = reasons.map(({ text }) => md`- ${asText(text)}`);
  return [md`Why it is another image than ${asCode(previous ?? "")}:`, stack(list, "\n")];
}

function packages({ sboms }: Report): readonly Markdown[] {
  if (!sboms) return [];
  const changes = sboms.changes ? changeTables(sboms.changes.since, sboms.changes.platforms) : [];
  return [packageTable(sboms.sboms), ...licenseTable(sboms.sboms), ...changes];
}

function costs({ probe, saved, repository, seconds }: Report): readonly Markdown[] {
  if (!probe || !repository) return [];
  const { requests, bytes, waves } = probe.traffic;
  const spent = `${count(requests, "request")} in ${count(waves, "wave")}, ${bytes} bytes, ${probe.seconds} s.`;
  const before = saved === undefined ? md`` : md` Building this image took ${saved} s.`;
  return [
    md`Asked ${asCode(formatRepository(repository))}: ${asText(spent)} The whole step took ${seconds} s.${before}`,
  ];
}
