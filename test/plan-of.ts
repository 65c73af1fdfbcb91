import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import type { FeaturePorts } from "../src/features/found.ts";
import { openFiles } from "../src/host/files.ts";
import { gunzip } from "../src/host/unpack.ts";
import type { Inputs } from "../src/inputs/inputs.ts";
import { readInputs } from "../src/inputs/read-inputs.ts";
import type { Digest } from "../src/oci/digest.ts";
import type { Served } from "../src/oci/manifest.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../src/oci/media-types.ts";
import { parsePlatform } from "../src/oci/platform.ts";
import { formatReference } from "../src/oci/reference.ts";
import { openFeaturePorts } from "../src/plan/feature-ports.ts";
import { readSources, type Sources } from "../src/plan/plan.ts";
import { type Probed, probe } from "../src/probe/probe.ts";
import type { Triggers } from "../src/sources/build-source.ts";
import { openCheckout } from "../src/sources/workspace.ts";
import type { Answer, Host, Registry, RegistryError, World } from "../src/world.ts";

export const sha = (text: string): Digest => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** An index with one image for each platform; `content` tells apart what the images are. */
export function indexOf(content: Readonly<Record<string, string>>): Served {
  const manifests = Object.entries(content).map(([name, text]) => {
    const platform = parsePlatform(name);
    if ("wrong" in platform) throw new Error(platform.wrong);
    return { mediaType: OCI_MANIFEST, digest: sha(text), size: text.length, platform };
  });
  const bytes = new TextEncoder().encode(JSON.stringify(manifests));
  return {
    bytes,
    descriptor: { mediaType: OCI_INDEX, digest: sha(new TextDecoder().decode(bytes)), size: bytes.length },
    body: { kind: "index", mediaType: OCI_INDEX, manifests, annotations: {} },
  };
}

/**
 * A feature as a registry shows it: its metadata stands in the manifest, so that its archive is not asked for.
 * @param content tells apart what two versions with the same metadata install.
 */
export function featureOf(metadata: Readonly<Record<string, unknown>>, content = ""): Served {
  const config = { mediaType: "application/vnd.devcontainers", digest: sha("{}"), size: 2 };
  const layer = {
    mediaType: "application/vnd.devcontainers.layer.v1+tar",
    digest: sha(content),
    size: content.length,
  };
  const annotations = { "dev.containers.metadata": JSON.stringify(metadata) };
  const body = { kind: "manifest", mediaType: OCI_MANIFEST, config, layers: [layer], annotations } as const;
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return {
    bytes,
    descriptor: { mediaType: OCI_MANIFEST, digest: sha(new TextDecoder().decode(bytes)), size: bytes.length },
    body,
  };
}

/** A base for linux/amd64 with these ONBUILD triggers: its index, its manifest and its config, each under its name. */
export function baseWith(name: string, triggers: readonly string[]): Pick<Asked, "images" | "blobs"> {
  const config = JSON.stringify({ config: { OnBuild: triggers } });
  const descriptor = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: sha(config),
    size: config.length,
  };
  const text = JSON.stringify({ config: descriptor });
  const index = indexOf({ "linux/amd64": text });
  const manifest: Served = {
    bytes: new TextEncoder().encode(text),
    descriptor: { mediaType: OCI_MANIFEST, digest: sha(text), size: text.length },
    body: { kind: "manifest", mediaType: OCI_MANIFEST, config: descriptor, layers: [], annotations: {} },
  };
  return { images: { [name]: index, [`${name}@${sha(text)}`]: manifest }, blobs: { [sha(config)]: config } };
}

/** The images themselves, for indexes whose images nobody has described: they say nothing. */
function withChildren(images: Asked["images"]): Asked["images"] {
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha("{}"), size: 2 };
  const body = { kind: "manifest", mediaType: OCI_MANIFEST, config, layers: [], annotations: {} } as const;
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const children = Object.entries(images).flatMap(([name, served]) =>
    served.body.kind === "manifest"
      ? []
      : served.body.manifests.map(
          (descriptor) => [`${name}@${descriptor.digest}`, { bytes, descriptor, body }] as const,
        ),
  );
  return { ...Object.fromEntries(children), ...images };
}

/** A registry that serves these manifests and says "not found" to everything else; a blob that it does not know is empty JSON. */
export function registryOf(
  images: Readonly<Record<string, Served>>,
  blobs: Readonly<Record<string, string>> = {},
  addresses: Readonly<Record<string, string>> = {},
): Registry {
  const absent = (request: string): Answer<never> => ({
    kind: "absent",
    request,
    status: 404,
    words: "manifest unknown",
  });
  const found = (reference: Parameters<Registry["manifest"]>[0]): Answer<Served> => {
    const name = formatReference(reference);
    const value = images[name];
    return value ? { kind: "found", value } : absent(`GET ${name}`);
  };
  return {
    manifest: async (reference) => found(reference),
    describe: async (reference) => {
      const answer = found(reference);
      return answer.kind === "found" ? { kind: "found", value: answer.value.descriptor } : answer;
    },
    hasBlob: async () => ({ kind: "found", value: true }),
    blob: async (_, { digest }) => ({ kind: "found", value: new TextEncoder().encode(blobs[digest] ?? "{}") }),
    acceptsPush: async () => ({ kind: "found", value: true }),
    putBlob: async () => absent("PUT a blob"),
    putManifest: async () => absent("PUT a manifest"),
    tags: async () => absent("GET tags"),
    mountBlob: async () => absent("POST a mount"),
    deleteManifest: async () => absent("DELETE a manifest"),
    readThrough: async () => absent("GET a blob"),
    download: async () => absent("GET an address"),
    validator: async (url) => {
      const value = addresses[url];
      return value === undefined ? absent(`GET ${url}`) : { kind: "found", value };
    },
    content: async () => absent("GET an address"),
    connect: () => undefined,
    limitTime: () => undefined,
    traffic: () => ({ requests: 0, bytes: 0, waves: 0 }),
    close: async () => undefined,
  };
}

const QUIET_HOST = {
  annotates: true,
  showsSummary: true,
  drawsMermaid: true,
  dropsMaskedOutputs: true,
  bringsNode: true,
  ownRegistry: undefined,
  plainRegistry: undefined,
};

export function hostOf(workspace: string, env: Readonly<Record<string, string>> = {}): Host {
  return {
    name: "terminal",
    env,
    program: () => "",
    workspace,
    defaultCacheRepository: "cache.test/team/app",
    event: {
      name: "",
      branch: undefined,
      baseBranch: undefined,
      defaultBranch: undefined,
      isPullRequest: false,
      isFork: false,
    },
    capabilities: { folderOwner: "anyone", ...QUIET_HOST, jobTokenLogsIn: true },
    platform: "linux/amd64",
  };
}

/** What finding features may ask, of the real file system and a stand-in registry. */
export function portsOf(registry: Registry, inputs?: Inputs): FeaturePorts {
  const { files } = openFiles(tmpdir());
  return openFeaturePorts({ registry, files, gunzip }, inputs?.allowedImages ?? []);
}

export type Asked = {
  readonly workspace: string;
  readonly images: Readonly<Record<string, Served>>;
  readonly blobs?: Readonly<Record<string, string>>;
  /** What servers say of their addresses; of all others they have nothing. */
  readonly addresses?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Hears what is asked for by digest. */
  readonly onRequest?: (digest: string) => void;
  /** What the registry answers in the place of a blob. */
  readonly blobError?: RegistryError;
};

export function inputsOf(asked: Asked): Inputs {
  return readInputs((name) => asked.inputs?.[name] ?? "", { cacheRepository: "cache.test/team/app", isFork: false });
}

/** What the story reads of a checkout, before any request. */
export async function readFrom(
  inputs: Inputs,
  world: Pick<World, "files" | "host">,
  triggers?: Triggers,
): Promise<Sources> {
  return readSources(inputs, await openCheckout(inputs, world), { ...world, clock: Date.now }, triggers);
}

/** Reads a real folder and probes a stand-in registry: what the story does, without its log. */
export async function planOf(asked: Asked): Promise<{ readonly sources: Sources; readonly probed: Probed }> {
  const { files } = openFiles(tmpdir());
  const inputs = inputsOf(asked);
  const sources = await readFrom(inputs, { files, host: hostOf(asked.workspace, asked.env) });
  const registry = listening(registryOf(withChildren(asked.images), asked.blobs, asked.addresses), asked);
  return { sources, probed: await probe(sources.wanted, registry, portsOf(registry, inputs)) };
}

function listening(registry: Registry, { onRequest = () => undefined, blobError }: Asked): Registry {
  return {
    ...registry,
    manifest: (reference) => {
      if (reference.digest !== undefined) onRequest(reference.digest);
      return registry.manifest(reference);
    },
    blob: (repository, blob, limit) => {
      onRequest(blob.digest);
      return blobError ? Promise.resolve(blobError) : registry.blob(repository, blob, limit);
    },
  };
}
