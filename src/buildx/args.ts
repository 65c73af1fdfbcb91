import { formatPlatform, type Platform } from "../oci/platform.ts";

/** What one platform's build is told. Values are data: they are passed as separate arguments, never through a shell. */
export type BuildArguments = {
  readonly builder: string;
  readonly platform: Platform;
  readonly contextFolder: string;
  readonly dockerfile: string;
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly cacheFrom: readonly string[];
  /** Named build contexts: a folder, or `docker-image://…`. */
  readonly contexts: Readonly<Record<string, string>>;
  /** Further options, each in one text. */
  readonly options: readonly string[];
  readonly metadataFile: string;
  readonly output: Output;
};

/**
 * Only what is pushed can have attestations: an engine keeps none. `generator` is the image that makes the SBOM; `driver` is that of the
 * builder; `kept` says whether the image also stays with the engine, where the builder is part of one. `name` is a repository where the
 * driver pushes by digest, and has a tag where it cannot.
 */
export type Output =
  | {
      readonly kind: "push";
      readonly name: string;
      readonly driver: string;
      readonly kept: boolean;
      readonly provenance: "min" | "max";
      readonly generator: string | undefined;
    }
  | { readonly kind: "load"; readonly name: string };

/**
 * The arguments of buildx for one platform. Media types are OCI's on every driver, so that the small index can be joined as it is.
 * @see https://docs.docker.com/reference/cli/docker/buildx/build/
 */
export function buildxArguments(build: BuildArguments): string[] {
  return [
    ...["build", "--builder", build.builder, "--progress", "rawjson"],
    ...["--platform", formatPlatform(build.platform)],
    ...["--file", build.dockerfile],
    ...(build.target === undefined ? [] : ["--target", build.target]),
    ...Object.entries(build.buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...Object.entries(build.labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
    ...build.cacheFrom.flatMap((source) => ["--cache-from", source]),
    ...Object.entries(build.contexts).flatMap(([name, source]) => ["--build-context", `${name}=${source}`]),
    ...build.options,
    ...["--metadata-file", build.metadataFile],
    ...outputArguments(build.output),
    build.contextFolder,
  ];
}

function outputArguments(output: Output): string[] {
  if (output.kind === "load") return ["--provenance", "false", "--load", "--tag", output.name];
  const { name, driver, kept, provenance, generator } = output;
  const push = pushesByDigest(driver) ? "push-by-digest=true,push=true" : PUSHED_ONCE;
  return [
    ...["--provenance", `mode=${provenance}`],
    ...(generator === undefined ? [] : ["--attest", `type=sbom,generator=${generator}`]),
    ...["--output", `type=image,name=${name},oci-mediatypes=true,${push}${kept ? "" : NOT_KEPT}`],
  ];
}

/**
 * An empty value is true to BuildKit and not to buildx, which would have the engine push once more what BuildKit in the engine has pushed
 * by then.
 * @see https://github.com/docker/buildx/blob/v0.29.1/build/build.go
 * @see https://github.com/moby/buildkit/blob/v0.26.3/exporter/containerimage/export.go (OptKeyPush)
 */
const PUSHED_ONCE = "push=";

/**
 * Whether a driver can push an image without naming it. An engine's own builder cannot: buildx refuses it, and the engine itself makes
 * `latest` of a name without a tag.
 * @see https://github.com/docker/buildx/blob/v0.29.1/build/opt.go (push-by-digest)
 * @see https://github.com/moby/moby/blob/v28.5.2/builder/builder-next/exporter/overrides/overrides.go (SanitizeRepoAndTags)
 */
export function pushesByDigest(driver: string): boolean {
  return driver !== "docker";
}

/**
 * Else the image stays in the engine under its name, which nobody asked for, is unpacked there, and layers of its base that no step
 * needed are fetched only for that.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/exporter/containerimage/export.go (store)
 */
const NOT_KEPT = ",store=false";

/** The greatest length of one argument on Linux, in bytes: past it `execve` fails with a message that names nothing. */
export const LONGEST_ARGUMENT = 128 * 1024;

/** The first argument that the system would refuse for its length, by its first words. */
export function tooLongArgument(args: readonly string[]): string | undefined {
  return args.find((argument) => new TextEncoder().encode(argument).length >= LONGEST_ARGUMENT)?.slice(0, 60);
}
