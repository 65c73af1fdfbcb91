import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isRecord } from "../../src/oci/manifest.ts";

/** The pinned reference CLI, driven without an engine through `oracle/docker`, which writes down the build that it orders. */
const CLI = fileURLToPath(new URL("../../node_modules/@devcontainers/cli/devcontainer.js", import.meta.url));
const DOCKER = fileURLToPath(new URL("oracle/docker", import.meta.url));

/** The stage name that the CLI gives to a last stage without one: then no target was asked for. */
const ADDED_STAGE = "dev_container_auto_added_stage_label";

export type Sample = {
  /** Path in the workspace → text. A Dockerfile has to begin with `# <its path>`, by which it is known again. */
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** The label of every base image. */
  readonly baseLabel: string | undefined;
};

/** What is built, with paths as seen from the workspace: the reference's view and ours have to be equal. */
export type Ordered =
  | { readonly kind: "image"; readonly image: string; readonly label: string | undefined }
  | {
      readonly kind: "dockerfile";
      readonly dockerfile: string;
      readonly context: string;
      readonly target: string | undefined;
      readonly args: readonly string[];
      readonly cacheFrom: readonly string[];
      readonly label: string | undefined;
    }
  | { readonly kind: "error"; readonly words: string };

/** Writes the sample down, gives its folder to `use`, and removes it. */
export async function inWorkspace<T>(sample: Sample, use: (workspace: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), "devcontainer-oracle-"));
  const workspace = join(home, "work", "app");
  try {
    await mkdir(workspace, { recursive: true });
    for (const [path, text] of Object.entries(sample.files)) {
      await mkdir(dirname(join(workspace, path)), { recursive: true });
      await writeFile(join(workspace, path), text);
    }
    return await use(workspace);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** The environment of the CLI, and therefore what its `${localEnv:…}` sees. */
export function environmentOf(sample: Sample, workspace: string): Record<string, string> {
  const home = dirname(dirname(workspace));
  const labels = sample.baseLabel === undefined ? {} : { "devcontainer.metadata": sample.baseLabel };
  const inspected = {
    Id: "sha256:0",
    Architecture: "amd64",
    Os: "linux",
    Config: { User: "", Env: [], Labels: labels },
  };
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "C",
    HOME: home,
    TMPDIR: home,
    RECORD: home,
    INSPECT: JSON.stringify([inspected]),
    ...sample.env,
  };
}

/** What the reference CLI's `build` orders from docker for a workspace. */
export async function askReference(sample: Sample, workspace: string): Promise<Ordered> {
  const home = dirname(dirname(workspace));
  await forestallControlManifest(home);
  const args = ["build", "--workspace-folder", workspace, "--docker-path", DOCKER, "--no-lockfile"];
  const outcome = await runReference(
    [...args, "--user-data-folder", join(home, "data")],
    environmentOf(sample, workspace),
  );
  if (outcome !== undefined) return { kind: "error", words: outcome };
  const argv = (await readFile(join(home, "argv"), "utf8")).split("\0").slice(0, -1);
  const dockerfile = await readFile(join(home, "Dockerfile"), "utf8");
  return readOrder(argv, dockerfile, workspace);
}

function readOrder(argv: readonly string[], dockerfile: string, workspace: string): Ordered {
  const label = labelIn(dockerfile);
  const args = valuesOf(argv, "--build-arg").filter((arg) => arg !== "BUILDKIT_INLINE_CACHE=1");
  const ours = "_DEV_CONTAINERS_BASE_IMAGE=";
  const base = args.find((arg) => arg.startsWith(ours))?.slice(ours.length) ?? "";
  const known = /^# (.*Dockerfile.*)$/m.exec(dockerfile)?.[1];
  if (known === undefined) return { kind: "image", image: base, label };
  return {
    kind: "dockerfile",
    dockerfile: known,
    context: relative(workspace, argv.at(-1) ?? "") || ".",
    target: base === ADDED_STAGE ? undefined : base,
    args: args.filter((arg) => !arg.startsWith(ours)),
    cacheFrom: valuesOf(argv, "--cache-from"),
    label,
  };
}

function valuesOf(argv: readonly string[], flag: string): string[] {
  return argv.filter((_, at) => argv[at - 1] === flag);
}

/** The value that the LABEL instruction sets: continued lines joined, then what stands behind a backslash taken as it is. */
function labelIn(dockerfile: string): string | undefined {
  const joined = dockerfile.replaceAll("\\\n", "");
  const quoted = /^LABEL devcontainer\.metadata="(.*)"$/m.exec(joined)?.[1];
  return quoted?.replaceAll(/\\(.)/g, "$1");
}

/** What the reference CLI says that image and configuration come to together. */
export async function readMerged(sample: Sample, workspace: string): Promise<Readonly<Record<string, unknown>>> {
  const home = dirname(dirname(workspace));
  const args = ["read-configuration", "--workspace-folder", workspace, "--docker-path", DOCKER];
  const stdout = await outputOf([...args, "--include-merged-configuration"], environmentOf(sample, workspace), home);
  const answer: unknown = JSON.parse(stdout);
  if (!isRecord(answer) || !isRecord(answer.mergedConfiguration)) throw new Error(stdout);
  return answer.mergedConfiguration;
}

/** Runs the CLI. Gives the message of a failed run, `undefined` for a good one. */
export async function runReference(args: readonly string[], env: Record<string, string>): Promise<string | undefined> {
  const stdout = await outputOf(args, env);
  const answer: unknown = JSON.parse(stdout);
  if (!isRecord(answer)) return stdout;
  return answer.outcome === "success" ? undefined : String(answer.description ?? answer.message);
}

async function outputOf(args: readonly string[], env: Record<string, string>, cwd?: string): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [CLI, ...args], { env, cwd }, (_error, out, err) => {
      if (out.startsWith("{")) resolve(out);
      else reject(new Error(`The reference CLI gave no answer: ${err}`));
    });
  });
}

/** The CLI asks containers.dev for a list of forbidden features unless it has asked lately: this is where it keeps the answer. */
export async function forestallControlManifest(home: string): Promise<void> {
  const folder = join(home, `devcontainercli-${userInfo().username}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "control-manifest.json"), '{"disallowedFeatures": [], "featureAdvisories": []}');
}
