import { ActionError } from "../errors.ts";
import type { Exec, Finished } from "../world.ts";
import { tellEnder } from "./signals.ts";

type Environment = Readonly<Record<string, string>>;

/** buildx as it was found: a program, or what docker runs as its plugin. */
export type Buildx = {
  readonly program: string;
  /** What stands before every subcommand: `buildx` where docker is the program. */
  readonly prefix: readonly string[];
  /** Missing where the program does not tell one that can be compared. */
  readonly version: Version | undefined;
};

export type Version = readonly [major: number, minor: number, patch: number];

/**
 * The first with `--buildkitd-config` and raw progress, and the oldest that was seen to do all that is asked of it: a source policy,
 * attestations, a metadata file.
 */
const OLDEST_BUILDX: Version = [0, 13, 0];

/** A version that a message can name and that everybody can install. */
const RECOMMENDED_BUILDX = "0.29.1";

/** Where a program runs: the port, and the variables of the isolated configuration. */
export type Surroundings = { readonly exec: Exec; readonly env: Environment };

/**
 * Finds buildx: the program that was fetched, else docker's plugin, else a `docker-buildx` on PATH, which needs no docker.
 * @param known paths of programs: `fetched` by `fetchBuildx`, `plugin` by `findPlugin`; where docker's is not known, docker runs it.
 * @throws ActionError E_DOCKER where there is none, or one that is too old.
 */
export async function openBuildx(
  { exec, env }: Surroundings,
  { fetched, plugin }: { readonly fetched?: string | undefined; readonly plugin?: string | undefined } = {},
): Promise<Buildx> {
  const candidates =
    fetched === undefined
      ? [
          ...(plugin === undefined ? [] : [{ program: plugin, prefix: [] }]),
          { program: "docker", prefix: ["buildx"] },
          { program: "docker-buildx", prefix: [] },
        ]
      : [{ program: fetched, prefix: [] }];
  const answers: (Finished | undefined)[] = [];
  for (const { program, prefix } of candidates) {
    const answer = await exec(program, [...prefix, "version"], { env });
    answers.push(answer);
    // podman's docker answers too, and is another builder.
    if (answer?.code !== 0 || /buildah|podman/i.test(answer.stdout)) continue;
    // What goes by that name may be something else.
    if (program === plugin && !answer.stdout.includes("buildx")) continue;
    const version = readVersion(answer.stdout);
    refuseOldBuildx(version);
    return { program, prefix, version };
  }
  throw noBuildx(plugin === undefined ? answers[0] : answers[1], fetched);
}

/** Runs a subcommand. A program that was there a moment ago and is gone counts as one that failed. */
export async function runBuildx(
  { program, prefix }: Buildx,
  args: readonly string[],
  { exec, env }: Surroundings,
  timeout?: number,
): Promise<Finished> {
  const finished = await exec(program, [...prefix, ...args], { env, ...(timeout === undefined ? {} : { timeout }) });
  return finished ?? { code: 127, stdout: "", stderr: `${program} did not start` };
}

/**
 * Reads the first version in a text: `github.com/docker/buildx v0.29.1 a1b2c3`, `0.13.1+ds1`, `v0.0.0+unknown`.
 * @returns `undefined` where there is none, or only the zeros that a build without version information tells.
 */
export function readVersion(text: string): Version | undefined {
  const match = /(?:^|[\sv])(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (!match) return undefined;
  const version: Version = [Number(match[1]), Number(match[2]), Number(match[3])];
  return version.some((part) => part > 0) ? version : undefined;
}

/** Whether a version comes before another one. One that is not known is not judged. */
export function isOlder(version: Version | undefined, than: Version): boolean {
  if (version === undefined) return false;
  const at = version.findIndex((part, index) => part !== than[index]);
  return at >= 0 && (version[at] ?? 0) < (than[at] ?? 0);
}

/** `0.29.1` */
export function formatVersion(version: Version): string {
  return version.join(".");
}

function refuseOldBuildx(version: Version | undefined): void {
  if (version === undefined || !isOlder(version, OLDEST_BUILDX)) return;
  throw new ActionError("E_DOCKER", {
    what: `The image has to be built, and this machine's buildx is ${formatVersion(version)}: ${formatVersion(OLDEST_BUILDX)} or newer is needed to build from exactly what was hashed.`,
    fix: `Set buildx-version (for example ${RECOMMENDED_BUILDX}), or add docker/setup-buildx-action before this action.`,
  });
}

function noBuildx(docker: Finished | undefined, fetched: string | undefined): ActionError {
  if (fetched !== undefined)
    return new ActionError("E_DOCKER", {
      what: `The buildx that was fetched does not run on this machine: ${lastWords(docker)}`,
      fix: "Leave buildx-version out and install buildx on the machine.",
    });
  if (docker === undefined)
    return new ActionError("E_DOCKER", {
      what: "The image has to be built, and there is no docker program on this machine, nor a docker-buildx.",
      fix: "Install Docker with buildx, or run the job on a machine that has it (GitHub's hosted Linux runners do).",
    });
  return new ActionError("E_DOCKER", {
    what: "The image has to be built, and this docker has no buildx.",
    fix: `Set buildx-version (for example ${RECOMMENDED_BUILDX}), add docker/setup-buildx-action before this action, or install the package docker-buildx or docker-buildx-plugin.`,
  });
}

/** The last line that a program said, and what has ended it where it did not end by itself. */
export function lastWords(finished: Finished | undefined): string {
  const lines = (finished?.stderr || finished?.stdout || "").split("\n").map((line) => line.trim());
  const said = lines.findLast((line) => line !== "")?.replace(/^ERROR: /, "") ?? "it said nothing";
  return finished?.endedBy === undefined ? said : `it ${tellEnder(finished.endedBy)}; ${said}`;
}
