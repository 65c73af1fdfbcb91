import { isDigest } from "../oci/digest.ts";
import { readJson } from "../oci/json.ts";
import * as go from "./go-json.ts";
import { always, type Codec, list, map, omitEmpty, pointer, struct, text } from "./go-json.ts";

/**
 * Images as go-containerregistry holds them: what has no field here is lost when it writes one again, and the order of the fields is part of
 * every digest.
 * @see https://github.com/google/go-containerregistry/blob/v0.20.6/pkg/v1/config.go, manifest.go, platform.go
 */

/** `v1.Hash`. */
const hash: Codec<string> = {
  ...text,
  read: (json) => (isDigest(json) ? json : go.REFUSED),
  isEmpty: () => false,
};

export type HealthConfig = {
  readonly test: readonly string[] | undefined;
  /** Nanoseconds. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly retries: number;
};

const healthConfig = struct<HealthConfig>({
  test: omitEmpty("Test", list(text)),
  interval: omitEmpty("Interval", go.integer),
  timeout: omitEmpty("Timeout", go.integer),
  startPeriod: omitEmpty("StartPeriod", go.integer),
  retries: omitEmpty("Retries", go.integer),
});

type Names = ReadonlyMap<string, true> | undefined;
type Texts = readonly string[] | undefined;

export type Config = {
  readonly attachStderr: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly cmd: Texts;
  readonly healthcheck: HealthConfig | undefined;
  readonly domainname: string;
  readonly entrypoint: Texts;
  readonly env: Texts;
  readonly hostname: string;
  readonly image: string;
  readonly labels: ReadonlyMap<string, string> | undefined;
  readonly onBuild: Texts;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly user: string;
  readonly volumes: Names;
  readonly workingDir: string;
  readonly exposedPorts: Names;
  readonly argsEscaped: boolean;
  readonly networkDisabled: boolean;
  readonly macAddress: string;
  readonly stopSignal: string;
  readonly shell: Texts;
};

const config = struct<Config>({
  attachStderr: omitEmpty("AttachStderr", go.flag),
  attachStdin: omitEmpty("AttachStdin", go.flag),
  attachStdout: omitEmpty("AttachStdout", go.flag),
  cmd: omitEmpty("Cmd", list(text)),
  healthcheck: omitEmpty("Healthcheck", pointer(healthConfig)),
  domainname: omitEmpty("Domainname", text),
  entrypoint: omitEmpty("Entrypoint", list(text)),
  env: omitEmpty("Env", list(text)),
  hostname: omitEmpty("Hostname", text),
  image: omitEmpty("Image", text),
  labels: omitEmpty("Labels", map(text)),
  onBuild: omitEmpty("OnBuild", list(text)),
  openStdin: omitEmpty("OpenStdin", go.flag),
  stdinOnce: omitEmpty("StdinOnce", go.flag),
  tty: omitEmpty("Tty", go.flag),
  user: omitEmpty("User", text),
  volumes: omitEmpty("Volumes", map(go.nothing)),
  workingDir: omitEmpty("WorkingDir", text),
  exposedPorts: omitEmpty("ExposedPorts", map(go.nothing)),
  argsEscaped: omitEmpty("ArgsEscaped", go.flag),
  networkDisabled: omitEmpty("NetworkDisabled", go.flag),
  macAddress: omitEmpty("MacAddress", text),
  stopSignal: omitEmpty("StopSignal", text),
  shell: omitEmpty("Shell", list(text)),
});

export type History = {
  readonly author: string;
  readonly created: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly emptyLayer: boolean;
};

const history = struct<History>({
  author: omitEmpty("author", text),
  created: always("created", go.time),
  createdBy: omitEmpty("created_by", text),
  comment: omitEmpty("comment", text),
  emptyLayer: omitEmpty("empty_layer", go.flag),
});

export type RootFs = { readonly type: string; readonly diffIds: Texts };

export type ConfigFile = {
  readonly architecture: string;
  readonly author: string;
  readonly container: string;
  readonly created: string;
  readonly dockerVersion: string;
  readonly history: readonly History[] | undefined;
  readonly os: string;
  readonly rootFs: RootFs;
  readonly config: Config;
  readonly osVersion: string;
  readonly variant: string;
  readonly osFeatures: Texts;
};

const configFile = struct<ConfigFile>({
  architecture: always("architecture", text),
  author: omitEmpty("author", text),
  container: omitEmpty("container", text),
  created: always("created", go.time),
  dockerVersion: omitEmpty("docker_version", text),
  history: omitEmpty("history", list(history)),
  os: always("os", text),
  rootFs: always("rootfs", struct<RootFs>({ type: always("type", text), diffIds: always("diff_ids", list(hash)) })),
  config: always("config", config),
  osVersion: omitEmpty("os.version", text),
  variant: omitEmpty("variant", text),
  osFeatures: omitEmpty("os.features", list(text)),
});

export type GoPlatform = {
  readonly architecture: string;
  readonly os: string;
  readonly osVersion: string;
  readonly osFeatures: Texts;
  readonly variant: string;
  readonly features: Texts;
};

const platform = struct<GoPlatform>({
  architecture: always("architecture", text),
  os: always("os", text),
  osVersion: omitEmpty("os.version", text),
  osFeatures: omitEmpty("os.features", list(text)),
  variant: omitEmpty("variant", text),
  features: omitEmpty("features", list(text)),
});

export type GoDescriptor = {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: string;
  readonly data: string;
  readonly urls: Texts;
  readonly annotations: ReadonlyMap<string, string> | undefined;
  readonly platform: GoPlatform | undefined;
  readonly artifactType: string;
};

const descriptor = struct<GoDescriptor>({
  mediaType: always("mediaType", text),
  size: always("size", go.integer),
  digest: always("digest", hash),
  data: omitEmpty("data", go.bytes),
  urls: omitEmpty("urls", list(text)),
  annotations: omitEmpty("annotations", map(text)),
  platform: omitEmpty("platform", pointer(platform)),
  artifactType: omitEmpty("artifactType", text),
});

export type Manifest = {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly config: GoDescriptor;
  readonly layers: readonly GoDescriptor[] | undefined;
  readonly annotations: ReadonlyMap<string, string> | undefined;
  readonly subject: GoDescriptor | undefined;
};

const manifest = struct<Manifest>({
  schemaVersion: always("schemaVersion", go.integer),
  mediaType: omitEmpty("mediaType", text),
  config: always("config", descriptor),
  layers: always("layers", list(descriptor)),
  annotations: omitEmpty("annotations", map(text)),
  subject: omitEmpty("subject", pointer(descriptor)),
});

export type IndexManifest = { readonly manifests: readonly GoDescriptor[] | undefined };

const indexManifest = struct<IndexManifest>({ manifests: always("manifests", list(descriptor)) });

/** @returns `undefined` where Go refuses the text, or where what it makes of it cannot be told. */
export const readConfigFile = (json: string): ConfigFile | undefined => readWith(configFile, json);
export const readGoManifest = (json: string): Manifest | undefined => {
  const read = readWith(manifest, json);
  const isWhole = read && [read.config, ...(read.layers ?? [])].every(({ digest }) => digest !== "");
  return isWhole ? read : undefined;
};
export const readIndexManifest = (json: string): IndexManifest | undefined => readWith(indexManifest, json);

/** The very bytes that go-containerregistry hashes and pushes. */
export const writeConfigFile = (value: ConfigFile): string => configFile.write(value);
export const writeGoManifest = (value: Manifest): string => manifest.write(value);

export const EMPTY_CONFIG: ConfigFile = { ...configFile.zero, rootFs: { type: "layers", diffIds: undefined } };
export const EMPTY_DESCRIPTOR: GoDescriptor = descriptor.zero;

function readWith<T>(codec: Codec<T>, json: string): T | undefined {
  const value = codec.read(readJson(json));
  return value === go.REFUSED ? undefined : value;
}
