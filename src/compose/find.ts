import { resolvePath } from "../devcontainer/paths.ts";
import { ActionError, type Place } from "../errors.ts";
import { stepVariables, withEnvFiles } from "./environment.ts";
import type { Named, Sources } from "./sources.ts";
import type { Variables } from "./template.ts";

/** What devcontainer.json and the step say of a compose project. Paths are absolute. */
export type ComposeRequest = {
  /** What relative paths count from that are in no file. */
  readonly workspace: string;
  /** What no file may leave; messages name files as seen from it. */
  readonly checkout: string;
  /** The folder of devcontainer.json. */
  readonly folder: string;
  /** `dockerComposeFile`, as written; none where it is an empty list. */
  readonly files: readonly string[];
  readonly service: string;
  /** The variables of the step. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What to say of one that is set and not among them, because no compose file may read it. */
  readonly withheld: (name: string) => string | undefined;
  /** Hears of each file that is read, as seen from the checkout. */
  readonly onFile?: (file: string) => void;
  /** Where devcontainer.json names files and service. */
  readonly at: { readonly files: Place; readonly service: Place };
};

export type FoundFiles = {
  /** Absolute; the later ones lie over the earlier ones. */
  readonly paths: readonly [string, ...string[]];
  readonly named: Named;
};

/** The reference CLI knows the first alone, and so does this where it is there; the others are compose's own. */
const DEFAULTS: readonly string[] = ["docker-compose.yml", "docker-compose.yaml", "compose.yaml", "compose.yml"];

/**
 * The compose files of a project: those that devcontainer.json names, else those of `COMPOSE_FILE`, from the step or from `.env` in the
 * workspace, else the ones with a usual name in the workspace.
 * @throws E_CONFIG where there is none.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/configuration.ts#L233-L269
 */
export async function findComposeFiles(request: ComposeRequest, sources: Sources): Promise<FoundFiles> {
  const { workspace, folder, files, env, at } = request;
  const named = { by: "dockerComposeFile", at: at.files };
  const [first, ...others] = files.map((file) => resolvePath(folder, file));
  if (first !== undefined) return { paths: [first, ...others], named };
  const dotenv = resolvePath(workspace, ".env");
  const known = stepVariables(env, workspace);
  const variables = (await sources.isFile(dotenv)) ? await withEnvFiles(sources, [dotenv], known, named) : known;
  const [listed, ...behind] = listedFiles(variables).map((file) => resolvePath(workspace, file));
  if (listed !== undefined) return { paths: [listed, ...behind], named: { ...named, by: "COMPOSE_FILE" } };
  return { paths: await usualFiles(request, sources), named };
}

function listedFiles(variables: Variables): readonly string[] {
  const separator = variables.get("COMPOSE_PATH_SEPARATOR") || ":";
  return (variables.get("COMPOSE_FILE") ?? "").split(separator).filter((file) => file !== "");
}

async function usualFiles(
  { workspace, at }: ComposeRequest,
  sources: Sources,
): Promise<readonly [string, ...string[]]> {
  for (const name of DEFAULTS) {
    const file = resolvePath(workspace, name);
    if (!(await sources.isFile(file))) continue;
    const override = resolvePath(workspace, name.replace(/\.ya?ml$/, ".override$&"));
    return (await sources.isFile(override)) ? [file, override] : [file];
  }
  throw new ActionError("E_CONFIG", {
    what: `dockerComposeFile names no file, and in the workspace there is none of ${DEFAULTS.join(", ")}.`,
    fix: 'Name the compose file, as seen from the folder of devcontainer.json: "dockerComposeFile": "docker-compose.yml".',
    at: at.files,
  });
}
