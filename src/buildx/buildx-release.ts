import { ActionError } from "../errors.ts";
import type { Files, Tool, Tools, World } from "../world.ts";

/** Where the releases are: `<place>/v<version>/<file>`. */
const RELEASES = "https://github.com/docker/buildx/releases/download";

/**
 * Reads the input buildx-version: `0.29.1`, `v0.29.1`, `0.30.0-rc1`.
 * @returns the version without the v, or a sentence that says what is wrong.
 */
export function parseBuildxVersion(text: string): string | { readonly wrong: string } {
  const version = /^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(text)?.[1];
  return (
    version ?? { wrong: "it is not a version of buildx like 0.29.1; a name that moves, like latest, is not taken" }
  );
}

export type ReleaseOptions = Pick<World, "log"> & {
  readonly tools: Tools;
  readonly files: Files;
  readonly releases?: string;
};

/**
 * Brings buildx to this machine, unless it is in the tool cache: fetched from its release and checked against the release's own list of
 * checksums before anything is kept or run.
 * @returns the path of the program, for `openBuildx`.
 * @throws ActionError E_DOCKER where it cannot be fetched, or is not what the list says.
 */
export async function fetchBuildx(version: string, options: ReleaseOptions): Promise<string> {
  const { tools, files, log, releases = RELEASES } = options;
  const tool: Tool = { name: "buildx", version, program: "docker-buildx" };
  const kept = await tools.find(tool);
  if (kept !== undefined) return kept;
  const asset = assetName(version, tools.machine);
  const place = `${releases}/v${version}`;
  log.info(`Fetching ${place}/${asset}`);
  const folder = await files.temporaryFolder("buildx");
  const [list, program] = [`${folder}/checksums.txt`, `${folder}/${tool.program}`];
  await download(`${place}/checksums.txt`, list, tools);
  const expected = checksumOf(asset, (await files.readText(list)) ?? "");
  if (expected === undefined)
    throw notFetched(`${place}/${asset}`, "the release's checksums.txt does not name it, so it cannot be checked");
  await download(`${place}/${asset}`, program, tools);
  const digest = await files.digest(program);
  if (digest !== `sha256:${expected}`)
    throw notFetched(`${place}/${asset}`, `its checksum is ${digest}, and the release says sha256:${expected}`);
  return tools.keep(program, tool);
}

async function download(url: string, to: string, tools: Tools): Promise<void> {
  try {
    await tools.download(url, to);
  } catch (error) {
    throw notFetched(url, error instanceof Error ? error.message : String(error), error);
  }
}

/** Docker's names for what Node calls otherwise. */
const WORDS: Readonly<Record<string, string>> = { win32: "windows", x64: "amd64", arm: "arm-v7", ppc64: "ppc64le" };

function assetName(version: string, { os, architecture }: Tools["machine"]): string {
  const name = `buildx-v${version}.${WORDS[os] ?? os}-${WORDS[architecture] ?? architecture}`;
  return os === "win32" ? `${name}.exe` : name;
}

/** A line of `sha256sum`: 64 hexadecimal digits, blanks, a star for binary files, the name. */
function checksumOf(asset: string, list: string): string | undefined {
  const lines = list.split("\n").map((line) => /^([0-9a-f]{64})\s+\*?(?:\.\/)?(\S+)\s*$/.exec(line));
  return lines.find((line) => line?.[2] === asset)?.[1];
}

function notFetched(url: string, words: string, cause?: unknown): ActionError {
  return new ActionError("E_DOCKER", {
    what: `buildx could not be fetched from ${url}: ${words}.`,
    fix: "Check buildx-version and the way to that host, or leave buildx-version out and use the buildx of the machine.",
    ...(cause === undefined ? {} : { cause }),
  });
}
