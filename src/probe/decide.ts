import { ActionError } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Difference } from "../key/difference.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatRepository } from "../oci/reference.ts";
import type { Doubt } from "../sources/doubt.ts";
import { adviseOn } from "./advice.ts";
import type { Found } from "./found.ts";
import type { Alike, Verdict } from "./verdict.ts";

/** What follows from a verdict. */
export type Decision =
  | {
      readonly kind: "hand-out";
      readonly result: "hit" | "stale";
      readonly verdict: Extract<Verdict, { kind: "hit" | "stale" }>;
    }
  | { readonly kind: "join"; readonly found: readonly Found[] }
  /** `alike`: what differs from the wanted images in nothing but the label. */
  | {
      readonly kind: "build";
      readonly platforms: readonly Platform[];
      readonly reuse: readonly Found[];
      readonly alike?: Alike;
    }
  | {
      readonly kind: "report";
      readonly result: "partial" | "miss" | "unknown" | "stale";
      readonly failure: ActionError | undefined;
    };

type Choices = Pick<Inputs, "onMiss" | "onDrift" | "onUnknown" | "force" | "platforms" | "cacheRepository">;

/** The table of "What happens", as far as it follows from the verdict and the inputs. */
export function decide(verdict: Verdict, inputs: Choices, reasons: readonly Difference[]): Decision {
  if (inputs.force && !isDoubtful(verdict)) return { kind: "build", platforms: inputs.platforms, reuse: [] };
  switch (verdict.kind) {
    case "hit":
      return { kind: "hand-out", result: "hit", verdict };
    case "joinable":
      return { kind: "join", found: verdict.found };
    case "partial":
      if (inputs.onMiss === "build")
        return { kind: "build", platforms: verdict.missing, reuse: verdict.found, ...alikeOf(verdict) };
      return report(
        "partial",
        inputs.onMiss === "fail" ? missed(inputs, reasons, verdict.missing, verdict) : undefined,
      );
    case "miss":
      if (inputs.onMiss === "build")
        return { kind: "build", platforms: inputs.platforms, reuse: [], ...alikeOf(verdict) };
      return report("miss", inputs.onMiss === "fail" ? missed(inputs, reasons, inputs.platforms, verdict) : undefined);
    case "stale":
      if (inputs.onDrift === "use") return { kind: "hand-out", result: "stale", verdict };
      if (verdict.doubt) return decideUnknown(verdict.doubt, inputs);
      if (inputs.onDrift === "fail") return report("stale", drifted(inputs, reasons));
      return { kind: "build", platforms: without(inputs.platforms, verdict.reusable), reuse: verdict.reusable };
    case "unknown":
      return decideUnknown(verdict.doubt, inputs);
  }
}

function alikeOf({ alike }: { readonly alike?: Alike }): { readonly alike?: Alike } {
  return alike ? { alike } : {};
}

/** Where something could not be read, nothing can be bound to what the key names. */
function isDoubtful(verdict: Verdict): boolean {
  return verdict.kind === "unknown" || (verdict.kind === "stale" && verdict.doubt !== undefined);
}

function decideUnknown(doubt: Doubt, inputs: Choices): Decision {
  if (doubt.kind === "plan" && doubt.isMistake) return report("unknown", cannotTell(doubt));
  if (inputs.onUnknown === "build") return { kind: "build", platforms: inputs.platforms, reuse: [] };
  return report("unknown", inputs.onUnknown === "fail" ? cannotTell(doubt) : undefined);
}

function report(result: "partial" | "miss" | "unknown" | "stale", failure: ActionError | undefined): Decision {
  return { kind: "report", result, failure };
}

function without(platforms: readonly Platform[], found: readonly Found[]): Platform[] {
  return platforms.filter((platform) => !found.some((one) => one.platform === platform));
}

function firstPlace(reasons: readonly Difference[]): { readonly at?: NonNullable<Difference["at"]> } {
  const at = reasons.find((reason) => reason.at !== undefined)?.at;
  return at ? { at } : {};
}

const REASONS_TOLD = 3;

/** The first of them: all stand in the log, each at its place. */
function tellReasons(reasons: readonly string[]): string {
  if (reasons.length === 0) return "";
  const rest = reasons.length - REASONS_TOLD;
  const more = rest > 0 ? [`and ${rest} more change${rest === 1 ? "" : "s"}`] : [];
  return `: ${[...reasons.slice(0, REASONS_TOLD), ...more].join("; ")}`;
}

function missed(
  inputs: Choices,
  reasons: readonly Difference[],
  platforms: readonly Platform[],
  { damaged }: { readonly damaged: readonly string[] },
): ActionError {
  const why = reasons.map(({ text }) => text);
  const image = damaged.length === 0 ? "The image" : "An image that counts";
  return new ActionError("E_MISS", {
    what: `${image} for ${platforms.map(formatPlatform).join(", ")} is not in ${formatRepository(inputs.cacheRepository)}${tellReasons(why)}.`,
    fix: "Let a run with on-miss: build make it (a push to a branch of this repository, or the scheduled warm-up), then run this again.",
    ...firstPlace(reasons),
  });
}

function drifted(inputs: Choices, reasons: readonly Difference[]): ActionError {
  return new ActionError("E_DRIFT", {
    what: `${formatRepository(inputs.cacheRepository)} holds an image of the same sources, and what it is built on has moved${tellReasons(reasons.map(({ text }) => text))}.`,
    fix: "Let a run with on-drift: build make a new one, or set on-drift to use to go on with the last.",
    ...firstPlace(reasons),
  });
}

/** A mistyped name is refused by Docker Hub and ghcr.io as a private one is: to log in does not help then. */
function tellName({ hint, at, error }: Extract<Doubt, { kind: "registry" }>): string {
  if (hint !== undefined) return `${hint} `;
  return at !== undefined && error.kind === "denied"
    ? "Check the name first: many registries refuse what they do not have, too. "
    : "";
}

/** Only the registry's own "not found" is a miss: this is the error for everything doubtful. */
export function cannotTell(doubt: Doubt): ActionError {
  if (doubt.kind === "plan" && doubt.isMistake)
    return new ActionError("E_DOCKERFILE", {
      what: `${doubt.what}.`,
      fix: doubt.fix,
      ...(doubt.at ? { at: doubt.at } : {}),
    });
  if (doubt.kind === "plan") {
    return new ActionError("E_UNKNOWN", {
      what: `Whether the image is there cannot be told: ${doubt.what}.`,
      fix: doubt.fix,
      ...(doubt.at ? { at: doubt.at } : {}),
    });
  }
  const { error, what, at } = doubt;
  const hint = error.kind === "absent" || error.kind === "denied" ? tellName(doubt) : "";
  if (error.kind === "absent" && at)
    return new ActionError("E_UNKNOWN", {
      what: `The ${what} is not there: its registry says "${error.words}", so there is no key to look for. The request: ${error.request}.`,
      fix:
        hint +
        (error.fix ??
          'Correct the name or the tag, or log in: some registries say "not found" of what may not be seen.'),
      at,
      cause: error,
    });
  const status = error.status === undefined ? "" : ` (${error.status})`;
  return new ActionError(error.kind === "denied" ? "E_AUTH" : "E_UNKNOWN", {
    what: `Whether the image is there cannot be told: asked for ${what}, the answer was ${error.kind}${status}: ${error.words}. The request: ${error.request}.`,
    fix:
      hint +
      adviseOn(
        error,
        error.kind === "denied"
          ? "Log in with docker/login-action before this action, or set registry-username and registry-password."
          : "Check the name: the registry says that there is no such image.",
      ),
    ...(at ? { at } : {}),
    cause: error,
  });
}
