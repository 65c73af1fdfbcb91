import { execFile } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isRecord } from "../../src/oci/manifest.ts";

/** The pinned reference CLI, driven without an engine through `oracle/docker`, which keeps what it would build. */
const CLI = fileURLToPath(new URL("../../node_modules/@devcontainers/cli/devcontainer.js", import.meta.url));
const DOCKER = fileURLToPath(new URL("oracle/docker", import.meta.url));

/** These two the CLI writes into each feature's folder. */
const ENVIRONMENT = "devcontainer-features.env";
const SCRIPT = "devcontainer-features-install.sh";

export type Sample = {
  /** Path in the workspace → text or link. */
  readonly files: Readonly<Record<string, string | { readonly link: string }>>;
  /** Further arguments of `build`. */
  readonly args: readonly string[];
  /** What containers.dev says must not be installed. */
  readonly forbidden: readonly string[];
};

/** What is installed: the reference's view and ours have to be equal. */
export type Installed =
  | { readonly kind: "installed"; readonly features: readonly InstalledView[]; readonly label: unknown }
  | { readonly kind: "error"; readonly words: string };

export type InstalledView = {
  /** Its own name and its place in the order. */
  readonly folder: string;
  readonly environment: string;
  readonly instructions: readonly string[];
  /** Path → text, `→ target` for a link. */
  readonly files: Readonly<Record<string, string>>;
};

/** Writes the sample down, gives its folder to `use`, and removes it. */
export async function inWorkspace<T>(sample: Sample, use: (workspace: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), "features-oracle-"));
  const workspace = join(home, "work", "app");
  try {
    await mkdir(workspace, { recursive: true });
    for (const [path, content] of Object.entries(sample.files)) {
      const full = join(workspace, path);
      await mkdir(dirname(full), { recursive: true });
      await (typeof content === "string" ? writeFile(full, content) : symlink(content.link, full));
    }
    return await use(workspace);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** What the reference CLI's `build` would install for a workspace. */
export async function askReference(
  sample: Sample,
  workspace: string,
  env: Readonly<Record<string, string>>,
): Promise<Installed> {
  const home = dirname(dirname(workspace));
  await writeControlManifest(home, sample.forbidden);
  const inspected = { Id: "sha256:0", Architecture: "amd64", Os: "linux", Config: { User: "", Env: [], Labels: {} } };
  const args = ["build", "--workspace-folder", workspace, "--docker-path", DOCKER, ...sample.args];
  const failure = await run([CLI, ...args, "--user-data-folder", join(home, "data")], {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "C",
    HOME: home,
    TMPDIR: home,
    RECORD: home,
    INSPECT: JSON.stringify([inspected]),
    ...env,
  });
  if (failure !== undefined) return { kind: "error", words: failure };
  return readOrder(await readFile(join(home, "Dockerfile"), "utf8"), join(home, "content"));
}

async function readOrder(dockerfile: string, content: string): Promise<Installed> {
  const features: InstalledView[] = [];
  let instructions: string[] = [];
  for (const line of dockerfile.split("\n")) {
    const folder = /^RUN --mount=type=bind,from=dev_containers_feature_content_source,source=([^,]+),/.exec(line)?.[1];
    if (line.startsWith("ENV ")) instructions.push(line);
    if (folder === undefined) continue;
    const { [ENVIRONMENT]: environment = "", [SCRIPT]: _, ...files } = await readTree(join(content, folder));
    features.push({ folder, environment, instructions, files });
    instructions = [];
  }
  return { kind: "installed", features, label: labelIn(dockerfile) };
}

async function readTree(root: string, folder = ""): Promise<Record<string, string>> {
  const names = await readdir(join(root, folder));
  const below = await Promise.all(
    names.map(async (name): Promise<Record<string, string>> => {
      const path = join(folder, name);
      const stat = await lstat(join(root, path));
      if (stat.isDirectory()) return readTree(root, path);
      if (stat.isSymbolicLink()) return { [path]: `→ ${await readlink(join(root, path))}` };
      return { [path]: await readFile(join(root, path), "utf8") };
    }),
  );
  return Object.assign({}, ...below);
}

/** The entries that the LABEL instruction sets: continued lines joined, then what stands behind a backslash taken as it is. */
function labelIn(dockerfile: string): unknown {
  const quoted = /^LABEL devcontainer\.metadata="(.*)"$/m.exec(dockerfile.replaceAll("\\\n", ""))?.[1];
  return quoted === undefined ? [] : JSON.parse(quoted.replaceAll(/\\(.)/g, "$1"));
}

/** Gives the message of a failed run, `undefined` for a good one. */
async function run(args: readonly string[], env: Record<string, string>): Promise<string | undefined> {
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { env }, (_error, out, err) => {
      if (out.startsWith("{")) resolve(out);
      else reject(new Error(`The reference CLI gave no answer: ${err}`));
    });
  });
  const answer: unknown = JSON.parse(stdout);
  if (!isRecord(answer)) return stdout;
  return answer.outcome === "success" ? undefined : String(answer.description ?? answer.message);
}

/** The CLI asks containers.dev for a list of forbidden features unless it has asked lately: this is where it keeps the answer. */
async function writeControlManifest(home: string, forbidden: readonly string[]): Promise<void> {
  const folder = join(home, `devcontainercli-${userInfo().username}`);
  const disallowedFeatures = forbidden.map((featureIdPrefix) => ({ featureIdPrefix }));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "control-manifest.json"), JSON.stringify({ disallowedFeatures, featureAdvisories: [] }));
}
