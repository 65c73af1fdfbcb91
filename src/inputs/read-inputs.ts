import { parseNamePattern } from "../arguments/merge.ts";
import { isJsonObject, type JsonObject, parseJsonText } from "../devcontainer/json.ts";
import { ActionError, type Warning } from "../errors.ts";
import { parseSourcePattern } from "../git/url.ts";
import { formatPlatform, type Platform, parsePlatform, samePlatform } from "../oci/platform.ts";
import { parseRepository, type Repository } from "../oci/reference.ts";
import { parseImagePattern } from "../registry/allowed.ts";
import { type DockerConfiguration, decodeDockerConfiguration } from "../registry/docker-config.ts";
import { parseMirror } from "../registry/mirrors.ts";
import { decodeCertificate, type Insecure } from "../registry/trust.ts";
import { readAttestationInputs } from "./attestation-inputs.ts";
import { readBuildInputs } from "./build-inputs.ts";
import { refuseContradictions } from "./contradictions.ts";
import { decidingInputs } from "./deciding-inputs.ts";
import { readEnvbuilderInputs } from "./envbuilder-inputs.ts";
import { foreignRef, readGitSource, refuseForeignSource, secretsWithin } from "./git-inputs.ts";
import { image } from "./image-input.ts";
import type { Defaults, Inputs } from "./inputs.ts";
import { autoOrBoolean, boolean, choice, items, list, type ReadInput, separated, text, wrong } from "./read-input.ts";
import { readRemoteUserUid } from "./remote-user-uid.ts";
import { parseRunner, platformNamedTwice, type Runner } from "./runners.ts";
import { hintOf, isSwitch } from "./slips.ts";
import { readSummary } from "./summary-input.ts";
import { readPreviousImage, readRelease, readTags } from "./tag-inputs.ts";

/** Inputs that hold a secret as it is. */
export const SECRET_INPUTS = [
  "registry-password",
  "docker-config-base64",
  "git-password",
  "git-ssh-private-key-base64",
] as const;

/**
 * What else may be one: a proxy's login, a builder's environment. Of names of users and of the repository the world hears anyway, and build
 * args and addresses have a judge of their own.
 */
const MAY_HOLD_SECRETS: ReadonlySet<string> = new Set([
  ...[...SECRET_INPUTS, "git-http-proxy-url", "extra-env", "ssl-cert-base64", "build-args", "git-url"],
  ...["registry-username", "git-username", "cache-repo", "previous-image"],
]);

/**
 * Reads and checks all inputs before any work.
 * @throws ActionError E_INPUT naming the input, the value and what is allowed.
 */
export function readInputs(asRunnerHasIt: ReadInput, defaults: Defaults): Inputs {
  const written = new Map<string, string>();
  const read: ReadInput = (name) => {
    const value = asRunnerHasIt(name);
    if (value.trim() !== "" && !MAY_HOLD_SECRETS.has(name)) written.set(name, value);
    return value;
  };
  const login = readLogin(read, defaults);
  const uid = readRemoteUserUid(read, defaults);
  const insecure = readInsecure(read, defaults);
  const source = readGitSource(read, { insecure, whyNoSecrets: defaults.whyNoSecrets });
  const [cacheRepository, platforms] = [readCacheRepository(read, defaults), readPlatforms(read)];
  const runners = readRunners(read);
  const inputs: Inputs = {
    cacheRepository,
    previousImage: readPreviousImage(read, cacheRepository),
    cacheVersion: text(read, "cache-version"),
    verify: choice(read, "verify", ["layers", "manifests", "none"]),
    onMiss: choice(read, "on-miss", ["build", "fail", "continue"]),
    onDrift: choice(read, "on-drift", ["build", "use", "fail"]),
    onUnknown: choice(read, "on-unknown", ["fail", "build", "continue"]),
    summary: readSummary(read),
    push: autoOrBoolean(read, "push"),
    alias: autoOrBoolean(read, "alias"),
    force: boolean(read, "force", false),
    cacheTtlDays: readDays(read, "cache-ttl-days"),
    tags: readTags(read),
    release: readRelease(read),
    load: boolean(read, "load", false),
    exitOnBuildFailure: boolean(read, "exit-on-build-failure", true),
    platforms,
    envbuilder: readEnvbuilderInputs(read, { cacheRepository, platforms }),
    runners,
    git: source.git,
    deciding: decidingInputs(read),
    allowedSources: list(read, "allowed-sources", parseSourcePattern),
    workspaceFolder: text(read, "workspace-folder"),
    devcontainerDir: text(read, "devcontainer-dir"),
    devcontainerJsonPath: text(read, "devcontainer-json-path"),
    dockerfilePath: text(read, "dockerfile-path"),
    buildContextPath: text(read, "build-context-path"),
    fallbackImage: image(read, "fallback-image"),
    additionalFeatures: readAdditionalFeatures(read),
    lockfile: choice(read, "lockfile", ["use", "require", "ignore"]),
    localEnv: readLocalEnv(read),
    remoteUserUid: uid.uid,
    build: readBuildInputs(read),
    attestations: readAttestationInputs(read),
    registryLogin: login.login,
    noticed: [
      ...noticeRepository(read, cacheRepository),
      ...noticeLabels(read),
      ...login.noticed,
      ...uid.noticed,
      ...noticeRunners(platforms, runners),
      ...source.noticed,
    ],
    dockerConfiguration: readConfiguration(read),
    secretTexts: [
      ...SECRET_INPUTS.flatMap((input) => {
        const value = text(read, input);
        return value === undefined ? [] : [{ input, value }];
      }),
      ...(source.git ? secretsWithin(source.git).map((value) => ({ input: "git-url", value })) : []),
    ],
    insecure,
    certificate: readCertificate(read),
    mirrors: list(read, "registry-mirrors", parseMirror),
    allowedImages: list(read, "allowed-images", parseImagePattern),
    written: Object.fromEntries(written),
  };
  refuseForeignSource(inputs.git, inputs.allowedSources);
  refuseContradictions(inputs, { ...defaults, ...foreignRef(inputs.git) });
  return inputs;
}

/** Two things that are done to a name and that nobody has written. */
function noticeRepository(read: ReadInput, { registry, repository }: Repository): readonly Warning[] {
  const written = text(read, "cache-repo");
  if (written === undefined) return [];
  const whole = `${registry}/${repository}`;
  const isHub = registry === "docker.io" && !/^(?:[^/]*[.:]|localhost\/)/.test(written);
  const [hub, capitals] = [
    `The input cache-repo is "${written}", and a name without a host is Docker Hub's: ${whole}. Write it so where that is meant, else put the host in front`,
    `The input cache-repo is "${written}", and no registry has capital letters in a name: ${whole} counts`,
  ];
  return [...(isHub ? [{ text: hub }] : []), ...(written === written.toLowerCase() ? [] : [{ text: capitals }])];
}

const REPOSITORY = "Write it as registry/path, without tag and without https://, like ghcr.io/team/app/devcontainer.";

/** Capitals are lowered, as in the host's default: a repository of GitHub's may have them, and a registry's never has. */
function readCacheRepository(read: ReadInput, defaults: Defaults): Repository {
  const written = text(read, "cache-repo");
  const value = written ?? defaults.cacheRepository;
  if (value === undefined)
    throw new ActionError("E_INPUT", {
      what: "The input cache-repo is not set, and this host does not tell the address of its registry.",
      fix: "Set cache-repo to a repository that the job may push to, like ghcr.io/team/app/devcontainer.",
    });
  const input = written === undefined ? "The default of the input cache-repo" : "The input cache-repo";
  const slash = value.indexOf("/");
  if (isSwitch(value)) throw wrong("cache-repo", value, `It is the word of a switch. ${REPOSITORY}`);
  // debian:12, or a registry that has a name without a dot in its network.
  if (/^(?!localhost:)[\w-]+:\d+$/.test(value))
    throw new ActionError("E_INPUT", {
      what: `${input} is "${value}", which is a registry without a path, or a name with a tag.`,
      fix: REPOSITORY,
    });
  if (/^(?:[\w-]+\.[\w.-]*|localhost)(?::\d+)?$/.test(value))
    throw new ActionError("E_INPUT", {
      what: `${input} is "${value}", which is a registry without a path.`,
      fix: "Add the repository's path, like ghcr.io/team/app/devcontainer.",
    });
  if (!value.includes("://") && /^[^\s\\{]+(?::[\w.-]+$|@)/.test(value.slice(slash + 1)))
    throw new ActionError("E_INPUT", {
      what: `${input} is "${value}": it names a tag or a digest.`,
      fix: "Leave the tag out; the action makes its own tags there.",
    });
  const name = parseRepository(value.toLowerCase());
  if (!("wrong" in name)) return name;
  throw new ActionError("E_INPUT", {
    what: `${input} is "${value}", which is not a repository: ${name.wrong}.`,
    fix:
      written === undefined
        ? "Set cache-repo: the default is made of this repository's own name, and a registry takes only small letters and digits, with single . _ - between them."
        : `${hintOf(value)}${REPOSITORY}`,
  });
}

/** The value of a label may hold a comma, and labels stand one a line. */
function noticeLabels(read: ReadInput): readonly Warning[] {
  const joined = items(read, "labels").find((line) => /=[^"']*,\s*[\w./-]+=/.test(line));
  if (joined === undefined) return [];
  return [
    { text: `The input labels holds "${joined}", which is one label: where several are meant, write one a line` },
  ];
}

function readPlatforms(read: ReadInput): Platform[] {
  const written = separated(read, "platforms");
  const platforms = new Map<string, Platform>();
  for (const item of written.length === 0 ? ["linux/amd64"] : written) {
    const platform = parsePlatform(item);
    if ("wrong" in platform)
      throw wrong("platforms", item, "Write one a line or with commas, like linux/amd64,linux/arm64.", platform.wrong);
    if (platform.os !== "linux")
      throw wrong("platforms", item, "Dev containers are Linux images: write linux/<architecture>.");
    platforms.set(formatPlatform(platform), platform);
  }
  return [...platforms.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, platform]) => platform);
}

function readDays(read: ReadInput, name: string): number | undefined {
  const value = text(read, name);
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,4}$/.test(value)) return Number(value);
  throw wrong(
    name,
    value,
    "Allowed: a whole number of days, 1 or more. Leave it out for no limit; with dialect: envbuilder, for the builder's seven.",
  );
}

function readRunners(read: ReadInput): readonly Runner[] {
  const runners = list(read, "runners", parseRunner);
  const twice = platformNamedTwice(runners);
  if (twice === undefined) return runners;
  throw new ActionError("E_INPUT", {
    what: `The input runners names ${formatPlatform(twice)} twice.`,
    fix: "Write one line for each platform; several labels of one runner are written with commas.",
  });
}

/** One map may serve several dev containers, so a machine too many is no mistake for certain. */
function noticeRunners(platforms: readonly Platform[], runners: readonly Runner[]): readonly Warning[] {
  const idle = runners.filter(({ platform }) => !platforms.some((one) => samePlatform(one, platform)));
  if (idle.length === 0) return [];
  const named = idle.map(({ platform }) => formatPlatform(platform)).join(", ");
  const text = `The input runners names machines for ${named}, and platforms asks for ${platforms.map(formatPlatform).join(", ")}: nothing is built on them. Add to platforms what is missing there, or leave them out.`;
  return [{ text }];
}

function readAdditionalFeatures(read: ReadInput): JsonObject {
  const value = text(read, "additional-features");
  if (value === undefined) return {};
  const json = parseJsonText(value);
  if (isJsonObject(json)) return json;
  throw new ActionError("E_INPUT", {
    what: "The input additional-features is not a JSON object.",
    fix: 'Write it as devcontainer.json has its features, like { "ghcr.io/devcontainers/features/node:1": {} }.',
  });
}

/** `false` is for nothing at all. */
function readLocalEnv(read: ReadInput): Inputs["localEnv"] {
  const value = text(read, "local-env");
  if (value === undefined) return undefined;
  return /^(false|False|FALSE)$/.test(value) ? [] : list(read, "local-env", parseNamePattern);
}

/** A server without TLS has a registry without TLS; `false` says that its user knows better. */
function readInsecure(read: ReadInput, { plainRegistry }: Defaults): Insecure {
  const named = readNamedInsecure(read);
  if (plainRegistry === undefined || named.kind === "all" || text(read, "insecure")?.toLowerCase() === "false")
    return named;
  return { kind: "hosts", hosts: [...new Set([...(named.kind === "hosts" ? named.hosts : []), plainRegistry])] };
}

function readNamedInsecure(read: ReadInput): Insecure {
  const hosts = items(read, "insecure");
  if (hosts.length === 0 || (hosts.length === 1 && /^(false|False|FALSE)$/.test(hosts[0] ?? "")))
    return { kind: "none" };
  if (hosts.length === 1 && /^(true|True|TRUE)$/.test(hosts[0] ?? "")) return { kind: "all" };
  const bad = hosts.find(
    (host) => "wrong" in parseRepository(`${host}/any`) || host.includes("/") || !/[.:]|^localhost$/.test(host),
  );
  if (bad !== undefined)
    throw wrong("insecure", bad, "Name registries by host[:port], one a line, or write true for all.", whyNoHost(bad));
  return { kind: "hosts", hosts: hosts.map((host) => host.toLowerCase()) };
}

function whyNoHost(written: string): string | undefined {
  if (written.includes(",")) return "several stand on one line";
  if (written.includes("://")) return "it starts with a scheme; leave that out";
  return written.includes("/") ? "it has a path, and a registry is its host alone" : undefined;
}

function readCertificate(read: ReadInput): string | undefined {
  const value = text(read, "ssl-cert-base64");
  return value === undefined ? undefined : decodeCertificate(value);
}

function readConfiguration(read: ReadInput): DockerConfiguration | undefined {
  const value = text(read, "docker-config-base64");
  return value === undefined ? undefined : decodeDockerConfiguration(value);
}

type Login = { readonly login: Inputs["registryLogin"]; readonly noticed: readonly Warning[] };

/** A secret that the run may not read is empty, and then one half of a login is: such a run looks without one. */
function readLogin(read: ReadInput, { whyNoSecrets }: Defaults): Login {
  const username = text(read, "registry-username");
  const password = text(read, "registry-password");
  if (username === undefined && password === undefined) return { login: undefined, noticed: [] };
  if (username !== undefined && password !== undefined) return { login: { username, password }, noticed: [] };
  const [there, missing] =
    username === undefined ? ["registry-password", "registry-username"] : ["registry-username", "registry-password"];
  const what = `The input ${there} is set and ${missing} is empty`;
  if (whyNoSecrets !== undefined)
    return {
      login: undefined,
      noticed: [{ text: `${what}, as secrets are in this run (${whyNoSecrets}): it goes on without that login.` }],
    };
  throw new ActionError("E_INPUT", {
    what: `${what}.`,
    fix: "Set both or none. A secret that is not defined for this repository, or whose name is mistyped, is empty, and so is one that a called workflow was not given.",
  });
}
