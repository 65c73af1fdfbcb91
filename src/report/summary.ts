import { type ActionError, type ErrorCode, withPlace } from "../errors.ts";
import { shortDigest } from "../oci/digest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatRepository } from "../oci/reference.ts";
import { cannotTell } from "../probe/decide.ts";
import type { Capabilities } from "../world.ts";
import { tellAbout } from "./duration.ts";
import { count } from "./log.ts";
import { asCell, asCode, asCodeBlock, asText, folded, type Markdown, md, stack } from "./markdown.ts";
import { nextStep } from "./next-step.ts";
import { changeTables, licenseTable, packageTable } from "./packages.ts";
import { pictureOf } from "./picture.ts";
import type { Report } from "./report.ts";

type Headline = { readonly sign: string; readonly words: string };

const HEADLINES: Readonly<Record<Report["result"], Headline>> = {
  hit: { sign: "✅", words: "the image is in the cache" },
  built: { sign: "🔨", words: "the image was built" },
  partial: { sign: "🧩", words: "some platforms are missing" },
  stale: { sign: "🕒", words: "the sources are the same, what they build on has moved" },
  miss: { sign: "❌", words: "the image is not in the cache" },
  unknown: { sign: "❓", words: "whether the image is there cannot be told" },
  failed: { sign: "❌", words: "failed" },
};

const FAILURES: Readonly<Partial<Record<ErrorCode, string>>> = {
  E_BUILD: "the build failed",
  E_PUSH: "the image could not be pushed",
};

/**
 * The job summary in Markdown, whole or as a line: what failed and what no other job can have is always told whole.
 * @param inFull the results that get a whole one: of the others another job of the run tells.
 */
export function summarise(
  report: Report,
  host: Pick<Capabilities, "drawsMermaid">,
  inFull: readonly Report["result"][],
): Markdown {
  const isAlone = report.failure !== undefined || report.notPushed !== undefined;
  return isAlone || inFull.includes(report.result) ? renderSummary(report, host) : renderLine(report);
}

const REASONS_IN_LINE = 3;

function renderLine(report: Report): Markdown {
  const { configuration, built, reasons, saved } = report;
  const { sign, words } = headlineOf(report);
  const name = configuration === undefined ? md`` : md` ${asCode(configuration)}`;
  const times = built.map(({ platform, seconds }) => `${formatPlatform(platform)} in ${seconds} s`);
  const why = reasons.slice(0, REASONS_IN_LINE).map(({ text }) => text);
  const more = reasons.length > why.length ? [`and ${reasons.length - why.length} more`] : [];
  const rest = [
    ...(times.length === 0 ? [] : [`: ${times.join(", ")}`]),
    ...(why.length === 0 ? [] : [` (${[...why, ...more].join("; ")})`]),
    ...(saved === undefined ? [] : [`, ${tellAbout(saved)} of building saved`]),
  ].join("");
  return md`- ${asText(sign)} **Dev container**${name}: ${asText(words + rest)}\n`;
}

/** The whole summary in Markdown. No value of the environment and no build arg stands in it: Gitea keeps summaries unmasked. */
export function renderSummary(report: Report, host: Pick<Capabilities, "drawsMermaid">): Markdown {
  const { failure } = report;
  const failures = failure === undefined ? [] : [failure, ...failure.also];
  const parts = [
    headline(report),
    ...failures.map(tellFailure),
    ...facts(report),
    ...lastLines(failures),
    ...platformTable(report),
    ...reasonList(report),
    ...pictureOf(report.steps, host),
    ...packages(report),
    ...details(report),
  ];
  return md`${stack(parts)}\n`;
}

function headline(report: Report): Markdown {
  const { sign, words } = headlineOf(report);
  return md`### ${asText(sign)} Dev container: ${asText(words)}`;
}

/** That the push of the repository's own code was refused is no detail: no other job has the image. */
function headlineOf({ result, notPushed, pushed, failure, relabelled }: Report): Headline {
  if (result === "failed" && failure)
    return { ...HEADLINES.failed, words: FAILURES[failure.code] ?? HEADLINES.failed.words };
  if (notPushed?.isRefused) return { sign: "⛔", words: "the image was built, and the registry refused the push" };
  if (notPushed) return { ...HEADLINES.built, words: "the image was built, and stays on this machine" };
  // A label that was set on what was there is no build.
  if (result === "built" && relabelled.length > 0)
    return { sign: "🔖", words: "the image was relabelled, nothing was built" };
  // Only what joins platforms pushes on a hit.
  if (result === "hit" && pushed)
    return { ...HEADLINES.hit, words: "the platforms are there, and were joined to one image" };
  return HEADLINES[result];
}

/** What happened and where, and the code by which the README lists it. */
function tellFailure({ message, code, at }: ActionError): Markdown {
  return md`**${asText(withPlace(message, at))}** ${asCode(code)}`;
}

/** What failed printed, once where it printed the same on several platforms. */
function lastLines(failures: readonly ActionError[]): readonly Markdown[] {
  const printed = failures.flatMap(({ details }) => (details === undefined ? [] : [details]));
  const different = new Map(printed.map((details) => [details.lines.join("\n"), details]));
  return [...different.values()].flatMap(({ title, lines }) => [
    ...(title === undefined ? [] : [asText(title)]),
    asCodeBlock(lines),
  ]);
}

/** What is known at a glance, a line each. */
function facts(report: Report): readonly Markdown[] {
  const next = nextStep(report);
  const lines = [
    ...subject(report),
    ...handedOut(report),
    ...(report.saved === undefined ? [] : [md`- **Saved:** ${asText(tellAbout(report.saved))} of building`]),
    ...(next === undefined ? [] : [md`- **Next:** ${asText(next)}`]),
  ];
  return lines.length === 0 ? [] : [stack(lines, "\n")];
}

function subject({ configuration, commit }: Report): readonly Markdown[] {
  if (configuration === undefined) return [];
  const at = commit === undefined ? md`` : md` at ${asCode(commit.slice(0, 7))}`;
  return [md`- **Dev container:** ${asCode(configuration)}${at}`];
}

function handedOut(report: Report): readonly Markdown[] {
  const { result, image, localImage, notPushed, isFallback } = report;
  if (localImage !== undefined)
    return [md`- **Image:** ${asCode(short(localImage))}, in the local engine alone: ${asText(notPushed?.why ?? "")}`];
  if (image === undefined) return [];
  if (isFallback) return [md`- **Image:** ${asCode(image)}, which stands in for it`];
  const last = result === "stale" ? md`, the last good one of the same sources` : md``;
  return [md`- **Image:** ${asCode(short(image))}${last}`, ...newer(report)];
}

/** What moved since the image was built that is handed out all the same, as far as that can be told. */
function newer({ result, verdict, reasons }: Report): readonly Markdown[] {
  if (result !== "stale" || verdict?.kind !== "stale") return [];
  if (verdict.doubt) return [md`- **Not known:** ${asText(cannotTell(verdict.doubt).message)}`];
  return reasons.map(({ text }) => md`- **Newer:** ${asText(text)}`);
}

/** A name by which a person knows it again; the whole one stands below, folded. */
function short(name: string): string {
  return name.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1…");
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

function reasonList(report: Report): readonly Markdown[] {
  const { result, image, reasons, failure } = report;
  // What is handed out as stale has told them, and a failure tells a doubt in the same words.
  const isTold = reasons.every(({ text }) => text === failure?.message);
  if (isTold || (result === "stale" && image !== undefined)) return [];
  const list = reasons.map(({ text }) => md`- ${asText(text)}`);
  return [reasonTitle(report), stack(list, "\n")];
}

function reasonTitle({ verdict, reasons, previous }: Report): Markdown {
  if (reasons.some(({ ingredient }) => ingredient === "doubt"))
    return md`Why it could not be told whether it is there:`;
  if (verdict?.kind === "hit" || verdict?.kind === "joinable") return md`What was put right:`;
  const isCompared = reasons.every(({ part }) => part !== "cache");
  return previous !== undefined && isCompared
    ? md`Why it is another image than ${asCode(previous)}:`
    : md`Why it is not there:`;
}

function packages({ sboms }: Report): readonly Markdown[] {
  if (!sboms) return [];
  const changes = sboms.changes ? changeTables(sboms.changes.since, sboms.changes.platforms) : [];
  return [packageTable(sboms.sboms), ...licenseTable(sboms.sboms), ...changes];
}

/** Whole names, and what the run cost. */
function details(report: Report): readonly Markdown[] {
  const lines = [...names(report), ...costs(report)];
  return lines.length === 0 ? [] : [folded("Names and costs", stack(lines, "\n"))];
}

function names({ image, localImage, plan, commit }: Report): readonly Markdown[] {
  const whole = localImage ?? image;
  return [
    ...(whole === undefined ? [] : [md`- Image: ${asCode(whole)}`]),
    ...(commit === undefined ? [] : [md`- Commit: ${asCode(commit)}`]),
    ...(plan === undefined ? [] : [md`- Key: ${asCode(plan.key)}`]),
  ];
}

function costs({ probe, saved, repository, seconds }: Report): readonly Markdown[] {
  if (!probe || !repository) return [];
  const { requests, bytes, waves } = probe.traffic;
  const spent = `${count(requests, "request")} in ${count(waves, "wave")}, ${bytes} bytes, ${probe.seconds} s.`;
  const before = saved === undefined ? md`` : md` Building this image took ${saved} s.`;
  return [
    md`- Asked ${asCode(formatRepository(repository))}: ${asText(spent)} The whole step took ${seconds} s.${before}`,
  ];
}
