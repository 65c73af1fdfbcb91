import { ActionError } from "../errors.ts";
import { formatPlatform, type Platform, parsePlatform } from "../oci/platform.ts";
import type { Exec, Finished } from "../world.ts";

/** What was found out about the builder before the build. */
export type Builder = { readonly name: string; readonly driver: string; readonly platforms: readonly string[] };

type Environment = Readonly<Record<string, string>>;

/**
 * Finds the builder that `docker buildx build` would use, and whether it can do what is asked.
 * @param push whether the image will be pushed: the classic image store can neither keep an index nor attestations.
 * @throws ActionError E_DOCKER saying what is missing and how to get it.
 */
export async function findBuilder(
  exec: Exec,
  env: Environment,
  platforms: readonly Platform[],
  push: boolean,
): Promise<Builder> {
  const version = await exec("docker", ["buildx", "version"], { env });
  if (version === undefined)
    throw new ActionError("E_DOCKER", {
      what: "The image has to be built, and there is no docker program on this machine.",
      fix: "Install Docker with buildx, or run the job on a machine that has it (GitHub's hosted Linux runners do).",
    });
  if (version.code !== 0)
    throw new ActionError("E_DOCKER", {
      what: "The image has to be built, and this docker has no buildx.",
      fix: "Add docker/setup-buildx-action before this action, or install the package docker-buildx or docker-buildx-plugin.",
    });
  const inspected = await exec("docker", ["buildx", "inspect", "--bootstrap"], { env });
  if (inspected === undefined || inspected.code !== 0) throw noBuilder(inspected);
  const builder = readInspection(inspected.stdout);
  if (builder.driver === "docker" && push) await refuseClassicStore(exec, env, builder);
  refuseMissingPlatforms(builder, platforms);
  return builder;
}

function noBuilder(finished: Finished | undefined): ActionError {
  const words = finished?.stderr.trim().split("\n").at(-1) ?? "docker did not start";
  return new ActionError("E_DOCKER", {
    what: `The image has to be built, and there is no working builder: ${words}`,
    fix: "Start the Docker engine, or add docker/setup-buildx-action before this action.",
  });
}

/** `docker buildx inspect` prints `Name: value` lines; of several nodes the platforms of all count. */
function readInspection(stdout: string): Builder {
  const values = (name: string): string[] =>
    stdout.split("\n").flatMap((line) => {
      const match = /^\s*([A-Za-z ]+):\s*(.*?)\s*$/.exec(line);
      return match?.[1] === name && match[2] ? [match[2]] : [];
    });
  const platforms = values("Platforms").flatMap((line) =>
    line.split(",").map((item) => item.trim().replace(/\*$/, "")),
  );
  return { name: values("Name")[0] ?? "default", driver: values("Driver")[0] ?? "", platforms };
}

async function refuseClassicStore(exec: Exec, env: Environment, builder: Builder): Promise<void> {
  const info = await exec("docker", ["info", "--format", "{{json .DriverStatus}}"], { env });
  if (info?.stdout.includes("io.containerd.snapshotter")) return;
  throw new ActionError("E_DOCKER", {
    what: `The builder ${builder.name} uses the docker driver with the classic image store, which cannot push what the cache needs (an index with attestations).`,
    fix: "Add docker/setup-buildx-action before this action, or turn on the containerd image store of the engine.",
  });
}

/** A builder that lists nothing is not judged: it may be one that starts on demand. */
function refuseMissingPlatforms(builder: Builder, platforms: readonly Platform[]): void {
  const known = new Set(
    builder.platforms.flatMap((text) => {
      const platform = parsePlatform(text);
      return "wrong" in platform ? [] : [formatPlatform(platform)];
    }),
  );
  const missing = platforms.map(formatPlatform).filter((platform) => known.size > 0 && !known.has(platform));
  if (missing.length === 0) return;
  throw new ActionError("E_DOCKER", {
    what: `The builder ${builder.name} cannot build for ${missing.join(", ")}; it can for ${[...known].join(", ")}.`,
    fix: "Add docker/setup-qemu-action before this action, or a native builder for that platform.",
  });
}
