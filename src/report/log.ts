import { isEverywhere } from "../arguments/credentials.ts";
import { tellSome } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { memberOf } from "../key/difference.ts";
import { setTag } from "../key/fingerprint.ts";
import { shortDigest } from "../oci/digest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatPinned } from "../oci/reference.ts";
import type { Plan } from "../plan/keyed.ts";
import type { Sources } from "../plan/plan.ts";
import { cannotTell } from "../probe/decide.ts";
import type { Look } from "../probe/look.ts";
import type { Explanation, Previous } from "../probe/reasons.ts";
import type { Verdict } from "../probe/verdict.ts";
import type { PlatformSbom } from "../sbom/read.ts";
import type { Log } from "../world.ts";
import type { Report } from "./report.ts";

function describeDefinition({ build: { definition }, places }: Sources): string {
  const { source, target } = definition;
  if (source.kind === "image") return `, image ${source.image.value}`;
  return `, ${places.dockerfile}${target === undefined ? "" : `, target ${target.value}`}`;
}

/** What was read, as a reader in a hurry wants it: one line a fact. */
function describeSources(sources: Sources): string[] {
  const { build, wanted, places } = sources;
  const names = Object.keys(build.arguments.args);
  const entries = [...(build.context?.entries.values() ?? [])].flat();
  const files = new Set(entries.flatMap(({ kind, path }) => (kind === "directory" ? [] : [path]))).size;
  const images = wanted.platforms.flatMap((one) => one.images);
  // By the names by which reasons call them.
  const bases = new Set(images.map(({ written, counted }) => memberOf(places.bases, counted.name)?.name ?? written));
  return [
    `${sources.configuration}${describeDefinition(sources)}`,
    ...(build.context ? [`build context ${places.context}: ${count(files, "file")}`] : []),
    ...(names.length === 0 ? [] : [`build args: ${names.join(", ")}`]),
    ...(build.features ? [`features: ${tellSome(Object.keys(build.features.places))}`] : []),
    ...(bases.size === 0 ? [] : [`built on: ${[...bases].join(", ")}`]),
    `platforms: ${wanted.platforms.map(({ platform }) => formatPlatform(platform)).join(", ")}`,
    `source key: ${wanted.sourceKey}`,
  ];
}

function describePlan(plan: Plan | undefined): string[] {
  if (!plan) return ["There is no key: what the image is built on could not be read."];
  return [
    ...plan.bindings.map(({ reference, digest }) => `${reference} is ${shortDigest(digest)}…`),
    `looked for: ${setTag(plan.key)}`,
  ];
}

/** The answer, in one sentence. */
function describeVerdict(verdict: Verdict): string[] {
  switch (verdict.kind) {
    case "hit":
      return [...notCounted(verdict), `Hit: ${formatPinned(verdict.image)}`];
    case "joinable":
      return [
        ...notCounted(verdict),
        verdict.damaged
          ? "Hit: every platform is there, and no index that counts joins them."
          : "Hit: every platform is there; the index that joins them is not.",
      ];
    case "partial":
      return [
        ...notCounted(verdict),
        `Partial: ${names(verdict.found)} there, ${verdict.missing.map(formatPlatform).join(", ")} missing.`,
      ];
    case "stale":
      return [
        ...notCounted(verdict),
        `Stale: an image of the same sources is there (${formatPinned(verdict.image)}), and what it is built on has moved${verdict.doubt ? " or cannot be read" : ""}.`,
        ...(verdict.doubt ? [cannotTell(verdict.doubt).message] : []),
      ];
    case "miss":
      return [
        ...notCounted(verdict),
        verdict.damaged.length === 0 ? "Miss: the image is not there." : "Miss: no image that counts is there.",
      ];
    case "unknown":
      return [`Unknown: ${cannotTell(verdict.doubt).message}`];
  }
}

function notCounted({ damaged = [] }: { readonly damaged?: readonly string[] }): string[] {
  return damaged.map((what) => `Does not count: ${what}.`);
}

function names(found: readonly { readonly platform: Parameters<typeof formatPlatform>[0] }[]): string {
  return found.map(({ platform }) => formatPlatform(platform)).join(", ");
}

/** GitHub shows no more of them for a step. */
const MOST_NOTICES = 10;

/** Of a look what the log tells. */
type ToldLook = {
  readonly probed: Pick<Look["probed"], "plan" | "verdict">;
  readonly explanation: {
    readonly previous: Pick<Previous, "tag"> | undefined;
    readonly reasons: Explanation["reasons"];
  };
};

/** Each reason once, at its place in the user's files where there is one; what does not count, and a doubt, the verdict has told. */
function tellExplanation(verdict: Verdict, { previous, reasons }: ToldLook["explanation"], log: Log): void {
  if (verdict.kind === "unknown") return;
  const told = new Set(verdict.damaged);
  const left = reasons.filter(({ text, ingredient }) => !told.has(text) && ingredient !== "doubt");
  if (left.length === 0) return;
  if (previous && left.some(({ part }) => part !== "cache")) log.info(`Compared with ${previous.tag}:`);
  const placed = new Set(left.filter(({ at }) => at !== undefined).slice(0, MOST_NOTICES));
  for (const reason of left) {
    const { text, at } = reason;
    if (at !== undefined && placed.has(reason)) log.notice(text, at);
    else log.info(`  ${text}`);
  }
}

/** What a registry says that it does not have is mostly a mistake in the configuration: where the run goes on, its line is shown all the same. */
function tellMistake(verdict: Verdict, log: Log, onUnknown: Inputs["onUnknown"]): void {
  if (verdict.kind !== "unknown" || onUnknown === "fail") return;
  const { doubt } = verdict;
  if (doubt.kind === "registry" && doubt.error.kind === "absent") log.warning(cannotTell(doubt).message, doubt.at);
}

/** How many packages each platform has, where that is known. */
export function describeSboms(sboms: readonly PlatformSbom[]): string[] {
  return sboms.flatMap((sbom) =>
    sbom.kind === "sbom" ? [`${formatPlatform(sbom.platform)}: ${count(sbom.packages.length, "package")}`] : [],
  );
}

/** The last lines of the log: what later jobs get, and what it cost. */
export function describeEnd(report: Report): string[] {
  const traffic = report.probe?.traffic;
  const handedOut = report.image ?? report.localImage;
  return [
    `result: ${report.result}${handedOut === undefined ? "" : ` ${handedOut}`}${report.relabelled.length > 0 ? " (relabelled, no build)" : ""}`,
    ...(traffic && report.probe
      ? [
          `The probe took ${report.probe.seconds} s, ${count(traffic.requests, "request")} in ${count(traffic.waves, "wave")}, ${traffic.bytes} bytes.`,
        ]
      : []),
  ];
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Tells what was read, hides what it brought along, and warns of what is odd about it. */
export function tellSources(sources: Sources, log: Log): void {
  for (const secret of sources.build.arguments.secretValues) if (!isEverywhere(secret.trim())) log.mask(secret);
  for (const line of describeSources(sources)) log.info(line);
  for (const { text, at } of sources.warnings) log.warning(text, at);
}

/** Tells what was looked for, the answer, and on a miss the reasons. */
export function tellLook({ probed, explanation }: ToldLook, log: Log, onUnknown: Inputs["onUnknown"]): void {
  for (const line of describePlan(probed.plan)) log.info(line);
  for (const line of describeVerdict(probed.verdict)) log.info(line);
  tellMistake(probed.verdict, log, onUnknown);
  tellExplanation(probed.verdict, explanation, log);
}
