import { type BuilderEnvironment, computeEnvironment } from "../envbuilder/environment.ts";
import { type OptionName, type Options, PREFIX } from "../envbuilder/options.ts";
import { ActionError } from "../errors.ts";
import { readJson } from "../oci/json.ts";
import { isRecord } from "../oci/manifest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatRepository, parseReference, type Reference, type Repository } from "../oci/reference.ts";
import { faultOfImage } from "./image-input.ts";
import { boolean, items, type ReadInput, text, wrong } from "./read-input.ts";

/** What is asked of the envbuilder dialect, under the names of the Terraform resource's attributes. */
export type EnvbuilderInputs = {
  /** As written, and as it is asked for. */
  readonly builderImage: { readonly written: string; readonly reference: Reference };
  /** What the builder's container is to be run with. */
  readonly environment: BuilderEnvironment;
  readonly platform: Platform;
};

/** Inputs that only this dialect knows. */
const OWN = [
  "builder-image",
  "extra-env",
  "ignore-paths",
  "remote-repo-build-mode",
  "base-image-cache-dir",
  "verbose",
] as const;

/** Inputs that say how another dialect builds and names, with what they are where nobody sets them. */
const OTHERS: readonly (readonly [name: string, byDefault: string])[] = [
  ...["cache-version", "require", "tags", "release", "additional-features", "local-env", "runners", "target"],
  ...["build-args", "build-arg-files", "ignore-args", "build-secrets", "ssh", "build-contexts", "labels"],
  ...["ignore-labels", "add-hosts", "builder", "builders", "buildkit-image", "buildx-version", "cache-from"],
  ...["cache-to", "sbom-dir", "remote-user-uid", "git-ref"],
].map((name) => [name, ""] as const);
const OTHERS_WITH_DEFAULT: readonly (readonly [name: string, byDefault: string])[] = [
  ["on-drift", "build"],
  ["alias", "auto"],
  ["force", "false"],
  ["load", "false"],
  ["lockfile", "use"],
  ["no-cache", "false"],
  ["builder-restart", "false"],
  ["sbom", "false"],
  ["provenance", "min"],
  ["git-submodules", "false"],
  ["git-lfs", "false"],
];

type Known = { readonly cacheRepository: Repository; readonly platforms: readonly Platform[] };

/**
 * Reads the inputs of the dialect that the input `dialect` names.
 * @returns `undefined` for the dev container's own.
 * @throws ActionError E_INPUT for a wrong value, and for an input that the dialect has no use for.
 */
export function readEnvbuilderInputs(read: ReadInput, known: Known): EnvbuilderInputs | undefined {
  const dialect = text(read, "dialect") ?? "devcontainer";
  if (dialect !== "devcontainer" && dialect !== "envbuilder")
    throw wrong("dialect", dialect, "Allowed: devcontainer, envbuilder.");
  const values = new Map(OWN.map((name) => [name, text(read, name)]));
  if (dialect === "devcontainer") {
    const [name] = [...values].find(([, value]) => value !== undefined) ?? [];
    if (name !== undefined) throw foreign(name, "devcontainer", "envbuilder");
    return undefined;
  }
  const [other] = [...OTHERS, ...OTHERS_WITH_DEFAULT].find(([name, standard]) => isSet(read, name, standard)) ?? [];
  if (other !== undefined) throw foreign(other, "envbuilder", "devcontainer");
  const builderImage = readBuilderImage(read);
  const attributes = readAttributes(read, known.cacheRepository);
  const environment = computeEnvironment(attributes, readExtraEnv(read));
  refuseForeignOptions(environment, known.cacheRepository);
  refuseOverrides(environment.options, attributes);
  const [platform, ...more] = known.platforms;
  if (!platform || more.length > 0)
    throw wrong(
      "platforms",
      known.platforms.map(formatPlatform).join(","),
      "envbuilder builds for one platform: name the one of the machines that workspaces run on.",
    );
  return { builderImage, environment, platform };
}

function isSet(read: ReadInput, name: string, standard: string): boolean {
  const value = text(read, name) ?? standard;
  return value.toLowerCase() !== standard;
}

function foreign(name: string, dialect: string, other: string): ActionError {
  return new ActionError("E_INPUT", {
    what: `The input ${name} is set and dialect is ${dialect}, which has no use for it.`,
    fix: `Leave ${name} out, or set dialect to ${other}.`,
  });
}

function readBuilderImage(read: ReadInput): EnvbuilderInputs["builderImage"] {
  const written = text(read, "builder-image");
  if (written === undefined)
    throw new ActionError("E_INPUT", {
      what: "The input dialect is envbuilder and builder-image is not set.",
      fix: "Set builder-image to the image that workspaces are started with, like ghcr.io/coder/envbuilder:1.3.0.",
    });
  const reference = parseReference(written);
  const fault = faultOfImage(written);
  if ("wrong" in reference || fault !== undefined)
    throw wrong("builder-image", written, "Allowed: an image's name, like ghcr.io/coder/envbuilder:1.3.0.", fault);
  return { written, reference };
}

function readAttributes(read: ReadInput, cacheRepository: Repository): Options {
  const flag = (name: string): boolean | undefined =>
    text(read, name) === undefined ? undefined : boolean(read, name, false);
  const count = (name: string): bigint | undefined => {
    const value = text(read, name);
    return value === undefined ? undefined : BigInt(value);
  };
  const paths = items(read, "ignore-paths");
  return {
    ENVBUILDER_CACHE_REPO: text(read, "cache-repo") ?? formatRepository(cacheRepository),
    ...given("ENVBUILDER_BASE_IMAGE_CACHE_DIR", text(read, "base-image-cache-dir")),
    ...given("ENVBUILDER_BUILD_CONTEXT_PATH", text(read, "build-context-path")),
    ...given("ENVBUILDER_CACHE_TTL_DAYS", count("cache-ttl-days")),
    ...given("ENVBUILDER_DEVCONTAINER_DIR", text(read, "devcontainer-dir")),
    ...given("ENVBUILDER_DEVCONTAINER_JSON_PATH", text(read, "devcontainer-json-path")),
    ...given("ENVBUILDER_DOCKERFILE_PATH", text(read, "dockerfile-path")),
    ...given("ENVBUILDER_DOCKER_CONFIG_BASE64", text(read, "docker-config-base64")),
    ...given("ENVBUILDER_EXIT_ON_BUILD_FAILURE", flag("exit-on-build-failure")),
    ...given("ENVBUILDER_FALLBACK_IMAGE", text(read, "fallback-image")),
    ...given("ENVBUILDER_GIT_URL", text(read, "git-url")),
    ...given("ENVBUILDER_GIT_CLONE_DEPTH", count("git-clone-depth")),
    ...given("ENVBUILDER_GIT_CLONE_SINGLE_BRANCH", flag("git-clone-single-branch")),
    ...given("ENVBUILDER_GIT_HTTP_PROXY_URL", text(read, "git-http-proxy-url")),
    ...given("ENVBUILDER_GIT_PASSWORD", text(read, "git-password")),
    ...given("ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH", text(read, "git-ssh-private-key-path")),
    ...given("ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64", text(read, "git-ssh-private-key-base64")),
    ...given("ENVBUILDER_GIT_USERNAME", text(read, "git-username")),
    ...given("ENVBUILDER_IGNORE_PATHS", paths.length === 0 ? undefined : paths),
    ...given("ENVBUILDER_INSECURE", flag("insecure")),
    ...given("ENVBUILDER_REMOTE_REPO_BUILD_MODE", flag("remote-repo-build-mode")),
    ...given("ENVBUILDER_SSL_CERT_BASE64", text(read, "ssl-cert-base64")),
    ...given("ENVBUILDER_VERBOSE", flag("verbose")),
    ...given("ENVBUILDER_WORKSPACE_FOLDER", text(read, "workspace-folder")),
  };
}

/** What nobody has set is no option. */
function given<Name extends keyof Options>(name: Name, value: Options[Name]): Options {
  return value === undefined ? {} : { [name]: value };
}

/** A JSON object of texts, or one `NAME=value` a line. */
function readExtraEnv(read: ReadInput): ReadonlyMap<string, string> {
  const written = text(read, "extra-env");
  if (written?.startsWith("{")) return readJsonEnv(written);
  const env = new Map<string, string>();
  for (const line of items(read, "extra-env")) {
    const at = line.indexOf("=");
    // What stands behind a name that was forgotten may be a secret.
    if (at < 1) throw wrongEnv("has a line that is not written as NAME=value");
    const name = line.slice(0, at);
    if (env.has(name)) throw wrongEnv(`sets ${name} twice`);
    env.set(name, line.slice(at + 1));
  }
  return env;
}

function readJsonEnv(written: string): ReadonlyMap<string, string> {
  const json = readJson(written);
  if (!isRecord(json)) throw wrongEnv("starts like a JSON object and is none");
  return new Map(
    Object.entries(json).map(([name, value]) => {
      if (typeof value !== "string") throw wrongEnv(`has something else than a text as ${name}`);
      if (name === "" || name.includes("=")) throw wrongEnv(`has "${name}", which no variable can be called`);
      return [name, value];
    }),
  );
}

function wrongEnv(what: string): ActionError {
  return new ActionError("E_INPUT", {
    what: `The input extra-env ${what}.`,
    fix: 'Write one NAME=value a line, or a JSON object of texts, which takes values of several lines: { "NAME": "value" }.',
  });
}

/** Options that this action reads with as well, and the inputs that it takes them from. Those of git only where it clones. */
const SHARED: readonly (readonly [option: OptionName, input: string])[] = [
  ["ENVBUILDER_DOCKER_CONFIG_BASE64", "docker-config-base64"],
  ["ENVBUILDER_SSL_CERT_BASE64", "ssl-cert-base64"],
  ["ENVBUILDER_INSECURE", "insecure"],
];
const SHARED_OF_GIT: typeof SHARED = [
  ["ENVBUILDER_GIT_URL", "git-url"],
  ["ENVBUILDER_GIT_USERNAME", "git-username"],
  ["ENVBUILDER_GIT_PASSWORD", "git-password"],
  ["ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH", "git-ssh-private-key-path"],
  ["ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64", "git-ssh-private-key-base64"],
  ["ENVBUILDER_GIT_HTTP_PROXY_URL", "git-http-proxy-url"],
];

/** Workspaces would be let in with something else than this action, or not at all, and nobody would know which of the two has looked. */
function refuseOverrides(options: Options, attributes: Options): void {
  const shared = attributes.ENVBUILDER_GIT_URL === undefined ? SHARED : [...SHARED, ...SHARED_OF_GIT];
  const [option, input] =
    shared.find(([name]) => (options[name] || undefined) !== (attributes[name] || undefined)) ?? [];
  if (option === undefined) return;
  throw new ActionError("E_INPUT", {
    what: `The input extra-env sets ${option} or ${option.slice(PREFIX.length)}, which this action would not use itself.`,
    fix: `Set the input ${input}, and leave it out of extra-env: the workspace gets it all the same.`,
  });
}

/** Where every builder image has its program. */
const BINARY_PATH = "/.envbuilder/bin/envbuilder";

/** What would have the builder look elsewhere than this action does. */
function refuseForeignOptions({ options }: BuilderEnvironment, cacheRepository: Repository): void {
  const named = parseReference((options.ENVBUILDER_CACHE_REPO ?? "").toLowerCase());
  if ("wrong" in named || formatRepository(named) !== formatRepository(cacheRepository))
    throw new ActionError("E_INPUT", {
      what: `The input extra-env sets CACHE_REPO to another repository than ${formatRepository(cacheRepository)}.`,
      fix: "Set the input cache-repo, and leave CACHE_REPO out.",
    });
  if ((options.ENVBUILDER_BINARY_PATH || BINARY_PATH) !== BINARY_PATH)
    throw new ActionError("E_INPUT", {
      what: `The input extra-env sets ENVBUILDER_BINARY_PATH, and it is the program at ${BINARY_PATH} by which images are found.`,
      fix: "Leave it out.",
    });
  if (options.ENVBUILDER_LAYER_CACHE_DIR)
    throw new ActionError("E_INPUT", {
      what: "The input extra-env sets ENVBUILDER_LAYER_CACHE_DIR, with which the builder keeps its layers in a folder and not in the cache repository.",
      fix: "Leave it out.",
    });
}
