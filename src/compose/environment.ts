import { lastSegment, resolvePath } from "../devcontainer/paths.ts";
import { type DotenvValue, readDotenv, withValues } from "./dotenv.ts";
import type { Named, Sources } from "./sources.ts";
import type { Variables } from "./template.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What variables are read from, before any compose file is. */
export type Environment = {
  /** The variables of the step. */
  readonly env: Env;
  /** Absolute: where compose runs. */
  readonly workspace: string;
  /** Who to name when a file is missing. */
  readonly named: Named;
};

/**
 * The variables that a project's compose files may use: the step's own first, then those of its env files. Those are what
 * `COMPOSE_ENV_FILES` names, else `.env` in the project's folder, unless `COMPOSE_DISABLE_ENV_FILE` says otherwise.
 * @param folder absolute path of the project's folder.
 * @throws E_CONFIG for an env file that is named and not there, and for what cannot be read in one.
 * @see https://docs.docker.com/compose/how-tos/environment-variables/envvars/
 */
export async function projectVariables(sources: Sources, folder: string, environment: Environment): Promise<Variables> {
  const { env, workspace, named } = environment;
  const known = stepVariables(env, workspace);
  const listed = (env.COMPOSE_ENV_FILES ?? "").split(",").filter((path) => path !== "");
  if (listed.length > 0) {
    const paths = listed.map((path) => resolvePath(workspace, path));
    return withEnvFiles(sources, paths, known, { ...named, by: "COMPOSE_ENV_FILES" });
  }
  const isDisabled = /^(?:1|t|true)$/i.test(env.COMPOSE_DISABLE_ENV_FILE ?? "");
  const file = resolvePath(folder, ".env");
  return withEnvFiles(sources, !isDisabled && (await sources.isFile(file)) ? [file] : [], known, named);
}

/** compose sets `PWD` itself, whatever the shell says. */
export function stepVariables(env: Env, workspace: string): Variables {
  return { get: (name) => (name === "PWD" ? workspace : Object.hasOwn(env, name) ? env[name] : undefined) };
}

/** Bytes of memory of one variable, beside its text. */
const ENTRY = 64;

/** The variables that are known, and behind them those of env files, the last of which counts. */
export async function withEnvFiles(
  sources: Sources,
  paths: readonly string[],
  known: Variables,
  named: Named,
): Promise<Variables> {
  let values: ReadonlyMap<string, DotenvValue> = new Map();
  for (const path of paths) {
    // What was read before is copied.
    sources.effort.spend(ENTRY * values.size, named.at);
    values = readDotenv(await sources.read(path, named), known, values, sources.effort);
  }
  return withValues(known, values);
}

/**
 * The variables with the project's name, which compose adds to them: `COMPOSE_PROJECT_NAME`, else the `name` in the files, else the
 * folder's.
 */
export function withProjectName(variables: Variables, written: string, folder: string): Variables {
  const set = variables.get("COMPOSE_PROJECT_NAME");
  const name = set || normalizeName(written) || normalizeName(lastSegment(folder));
  return { ...variables, get: (variable) => (variable === "COMPOSE_PROJECT_NAME" ? name : variables.get(variable)) };
}

function normalizeName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}
