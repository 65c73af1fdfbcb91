import { setTag } from "../key/fingerprint.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Report } from "../report/report.ts";
import { countsByPlatform, pathsByPlatform } from "../sbom/files.ts";
import { environmentLines, publicEnvironment, runnerEnvironment } from "./handover.ts";
import { makeMatrix } from "./matrix.ts";

/** Every output of action.yml, in its order. */
export const OUTPUTS = [
  "result",
  "exists",
  "image",
  "local-image",
  "digest",
  "id",
  "registry",
  "repository",
  "tag",
  "pushed",
  "key",
  "source-key",
  "platforms",
  "missing-platforms",
  "matrix",
  "miss-reasons",
  "container",
  "container-options",
  "github-env",
  "env",
  "env-map",
  "env-file",
  "env-map-file",
  "metadata",
  "remote-user",
  "remote-user-uid",
  "sbom-dir",
  "sbom-paths",
  "sbom-packages",
  "plan",
  "timings",
] as const;

export type OutputName = (typeof OUTPUTS)[number];

/** What the Terraform provider gives as an id where there is no image. */
const NIL_UUID = "00000000-0000-0000-0000-000000000000";

/** All outputs of a run, every one of them on every path: what there is nothing to say about is empty. */
export function makeOutputs(report: Report): Readonly<Record<OutputName, string>> {
  return {
    result: report.result,
    exists: String(report.digest !== undefined),
    image: report.image ?? "",
    "local-image": report.localImage ?? "",
    digest: report.digest ?? "",
    id: report.digest ?? NIL_UUID,
    registry: report.repository?.registry ?? "",
    repository: report.repository?.repository ?? "",
    tag: report.plan ? setTag(report.plan.key) : "",
    pushed: String(report.pushed),
    key: report.plan?.key ?? "",
    "source-key": report.sourceKey ?? "",
    platforms: JSON.stringify(
      Object.fromEntries(
        report.platforms.flatMap(({ platform, digest }) =>
          digest === undefined ? [] : [[formatPlatform(platform), digest]],
        ),
      ),
    ),
    "missing-platforms": JSON.stringify(report.missing.map(formatPlatform)),
    matrix: JSON.stringify(makeMatrix(report.runners)),
    "miss-reasons": JSON.stringify(
      report.reasons.map(({ part, ingredient, text, at }) => ({ part, ingredient, text, ...at })),
    ),
    ...handoverOutputs(report),
    "remote-user-uid": report.remoteUserUid?.toString() ?? "",
    "sbom-dir": report.sboms && report.sboms.files.length > 0 ? report.sboms.folder : "",
    "sbom-paths": JSON.stringify(pathsByPlatform(report.sboms?.files ?? [])),
    "sbom-packages": JSON.stringify(countsByPlatform(report.sboms?.sboms ?? [])),
    plan: report.planFile ?? "",
    timings: JSON.stringify({
      total: report.seconds,
      ...(report.probe ? { probe: report.probe.seconds, ...report.probe.traffic } : {}),
      ...secondsOf("build", report.built),
      ...secondsOf("relabel", report.relabelled),
      ...(report.saved === undefined ? {} : { saved: report.saved }),
    }),
  };
}

/** Nothing where nothing of the kind was done. */
function secondsOf(
  name: string,
  done: readonly { readonly platform: Platform; readonly seconds: number }[],
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const entries = done.map(({ platform, seconds }) => [formatPlatform(platform), seconds] as const);
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) };
}

type HandoverOutput =
  | "container"
  | "container-options"
  | "github-env"
  | "env"
  | "env-map"
  | "env-file"
  | "env-map-file"
  | "metadata"
  | "remote-user";

/** Private values stand in the files alone: an output is shown to whoever can read the run. */
function handoverOutputs({ image, handover }: Report): Record<HandoverOutput, string> {
  if (!handover) {
    const container = image === undefined ? "" : JSON.stringify({ image });
    return {
      container,
      "container-options": "",
      "github-env": "",
      env: "",
      "env-map": "",
      "env-file": "",
      "env-map-file": "",
      metadata: "",
      "remote-user": "",
    };
  }
  const env = publicEnvironment(handover);
  const { options } = handover;
  return {
    container: image === undefined ? "" : JSON.stringify({ image, env, ...(options === "" ? {} : { options }) }),
    "container-options": options,
    "github-env": runnerEnvironment(env).text,
    env: environmentLines(env).trimEnd(),
    "env-map": JSON.stringify(env),
    "env-file": handover.envFile,
    "env-map-file": handover.envMapFile,
    metadata: JSON.stringify(handover.metadata),
    "remote-user": handover.remoteUser,
  };
}
