/**
 * Every option of envbuilder that the Terraform provider knows, by its variable, with what its value is to Go. Those of the agent have no
 * prefix; each of the others has an older name without it.
 * @see https://github.com/coder/envbuilder/blob/v1.1.0/options/options.go
 */
const KINDS = {
  ENVBUILDER_SETUP_SCRIPT: "text",
  ENVBUILDER_INIT_SCRIPT: "text",
  ENVBUILDER_INIT_COMMAND: "text",
  ENVBUILDER_INIT_ARGS: "text",
  ENVBUILDER_CACHE_REPO: "text",
  ENVBUILDER_BASE_IMAGE_CACHE_DIR: "text",
  ENVBUILDER_LAYER_CACHE_DIR: "text",
  ENVBUILDER_DEVCONTAINER_DIR: "text",
  ENVBUILDER_DEVCONTAINER_JSON_PATH: "text",
  ENVBUILDER_DOCKERFILE_PATH: "text",
  ENVBUILDER_BUILD_CONTEXT_PATH: "text",
  ENVBUILDER_CACHE_TTL_DAYS: "number",
  ENVBUILDER_DOCKER_CONFIG_BASE64: "text",
  ENVBUILDER_FALLBACK_IMAGE: "text",
  ENVBUILDER_EXIT_ON_BUILD_FAILURE: "flag",
  ENVBUILDER_EXIT_ON_PUSH_FAILURE: "flag",
  ENVBUILDER_FORCE_SAFE: "flag",
  ENVBUILDER_INSECURE: "flag",
  ENVBUILDER_IGNORE_PATHS: "list",
  ENVBUILDER_BUILD_SECRETS: "list",
  ENVBUILDER_SKIP_REBUILD: "flag",
  ENVBUILDER_GIT_URL: "text",
  ENVBUILDER_GIT_CLONE_DEPTH: "number",
  ENVBUILDER_GIT_CLONE_SINGLE_BRANCH: "flag",
  ENVBUILDER_GIT_USERNAME: "text",
  ENVBUILDER_GIT_PASSWORD: "text",
  ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH: "text",
  ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64: "text",
  ENVBUILDER_GIT_HTTP_PROXY_URL: "text",
  ENVBUILDER_WORKSPACE_BASE_DIR: "text",
  ENVBUILDER_WORKSPACE_FOLDER: "text",
  ENVBUILDER_SSL_CERT_BASE64: "text",
  ENVBUILDER_EXPORT_ENV_FILE: "text",
  ENVBUILDER_POST_START_SCRIPT_PATH: "text",
  CODER_AGENT_URL: "text",
  CODER_AGENT_TOKEN: "text",
  CODER_AGENT_SUBSYSTEM: "list",
  ENVBUILDER_PUSH_IMAGE: "flag",
  ENVBUILDER_GET_CACHED_IMAGE: "flag",
  ENVBUILDER_BINARY_PATH: "text",
  ENVBUILDER_REMOTE_REPO_BUILD_MODE: "flag",
  ENVBUILDER_VERBOSE: "flag",
} as const;

export const PREFIX = "ENVBUILDER_";

/** Options that only later versions of envbuilder know: the provider drops them. */
const LATER: ReadonlySet<string> = new Set(["ENVBUILDER_GIT_CLONE_THINPACK"]);

/** What no log and no output may show: https://github.com/coder/terraform-provider-envbuilder marks the same attributes as sensitive. */
const SECRETS: ReadonlySet<string> = new Set([
  ...["ENVBUILDER_DOCKER_CONFIG_BASE64", "ENVBUILDER_BUILD_SECRETS", "ENVBUILDER_GIT_PASSWORD"],
  ...["ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64", "CODER_AGENT_TOKEN"],
]);

type Kinds = typeof KINDS;
type ValueOf = {
  readonly text: string;
  readonly flag: boolean;
  readonly number: bigint;
  readonly list: readonly string[];
};

export type OptionName = keyof Kinds;

/** Options by variable, those that nobody set left out. */
export type Options = { readonly [Name in OptionName]?: ValueOf[Kinds[Name]] };

export type OptionKind = Kinds[OptionName];

/** An option by its variable, or by the older name without the prefix; `later` is one that came after the provider. */
export function findOption(
  variable: string,
): { readonly name: OptionName; readonly kind: OptionKind; readonly isOldName: boolean } | "later" | undefined {
  if (LATER.has(variable)) return "later";
  if (isOption(variable)) return { name: variable, kind: KINDS[variable], isOldName: false };
  const name = PREFIX + variable;
  return isOption(name) ? { name, kind: KINDS[name], isOldName: true } : undefined;
}

/** The variables of all options. */
export const OPTION_NAMES: readonly string[] = Object.keys(KINDS);

function isOption(name: string): name is OptionName {
  return Object.hasOwn(KINDS, name);
}

/** Whether a variable holds a secret by its name, the older name counted. */
export function isSecretOption(variable: string): boolean {
  return SECRETS.has(variable) || SECRETS.has(PREFIX + variable);
}
