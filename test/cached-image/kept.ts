import { tmpdir } from "node:os";
import * as zlib from "node:zlib";
import { readDefinition } from "../../src/cached-image/definition.ts";
import { openBuilder } from "../../src/cached-image/images.ts";
import { type Built, probeCachedImage } from "../../src/cached-image/probe.ts";
import { draftQuestion } from "../../src/cached-image/question.ts";
import type { Verdict } from "../../src/cached-image/verdict.ts";
import type { Step } from "../../src/envbuilder/step.ts";
import { openFiles } from "../../src/host/files.ts";
import { gunzip, openGunzip, openUnzstd } from "../../src/host/unpack.ts";
import type { EnvbuilderInputs } from "../../src/inputs/envbuilder-inputs.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { parseReference, type Reference } from "../../src/oci/reference.ts";
import type { Registry, World } from "../../src/world.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { writeTar } from "../features/tar-writer.ts";
import { type MemoryRegistry, openMemoryRegistry } from "./memory-registry.ts";

// A cache repository in which a layer is kept under whatever key is asked for, made up as it is first missing.

export const CACHE = "cache.test/team/app";
const OCI = "application/vnd.oci.image.manifest.v1+json";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const NOW = Date.parse("2026-11-21T12:00:00Z");

export const referenceOf = (text: string): Reference => {
  const reference = parseReference(text);
  if ("wrong" in reference) throw new Error(reference.wrong);
  return reference;
};

const inputs: EnvbuilderInputs = {
  builderImage: { written: "builder.test/builder:1", reference: referenceOf("builder.test/builder:1") },
  environment: { variables: new Map(), options: {}, warnings: [] },
  platform: { os: "linux", architecture: "amd64" },
};

export type Cache = {
  readonly registry: MemoryRegistry;
  /** `built`: as the run that has just had the image built. */
  readonly probe: (checkout: string, built?: Built) => Promise<Verdict>;
  /** Keeps a layer under every key, as long as one is missing; the keys by the instructions' texts. */
  readonly keepAll: (
    checkout: string,
    layers?: Readonly<Record<string, Uint8Array>>,
    tell?: (step: Step) => void,
  ) => Promise<ReadonlyMap<string, string>>;
  /** Puts an image that the builder would push of these layers over the base, by hand, and gives its digest. */
  readonly push: (name: string, layers: readonly PushedLayer[]) => Digest;
};

/** Without `diffId` an empty one. `content` is its archive. */
type PushedLayer = { readonly text: string; readonly diffId?: string | undefined; readonly content?: Uint8Array };

const EMPTY = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/** What envbuilder adds to every Dockerfile. */
export const DIRECTIVES = [
  "COPY --chmod=0755 .envbuilder.tmp/envbuilder /.envbuilder/bin/envbuilder",
  "COPY --chmod=0644 .envbuilder.tmp/image /.envbuilder/image",
  "USER root",
  "WORKDIR /",
  `ENTRYPOINT ["/.envbuilder/bin/envbuilder"]`,
];

export function openCache(): Cache {
  const registry = openMemoryRegistry();
  const pack = (files: Parameters<typeof writeTar>[0]): Uint8Array => zlib.gzipSync(writeTar(files));
  const image = (name: string, config: object, layer: Uint8Array): void => {
    const repository = name.replace(/:[^/:]*$/, "");
    const layers = [
      { ...registry.seedBlob(repository, layer), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" },
    ];
    const body = {
      schemaVersion: 2,
      mediaType: OCI,
      config: registry.seedBlob(repository, JSON.stringify(config)),
      layers,
    };
    registry.seedManifest(name, JSON.stringify(body), OCI);
  };
  image("builder.test/builder:1", {}, pack([{ name: ".envbuilder/bin/envbuilder", text: "program" }]));
  image("base.test/base:1", BASE, pack([{ name: "etc/", mode: 0o755 }]));

  const probe: Cache["probe"] = async (checkout, built) => {
    const { files } = openFiles(tmpdir());
    const definition = await readDefinition({ checkout, options: {}, files });
    const draft = await draftQuestion(definition, inputs, []);
    const memory = { recall: async () => undefined, remember: async () => undefined };
    const ports = { files, gunzip, openGunzip, openUnzstd, memory, clock: () => NOW, exec: async () => undefined };
    const builder = openBuilder(inputs, registry.port);
    return probeCachedImage(
      { draft, inputs, builder, repository: referenceOf(CACHE), checkout, verify: "manifests", built },
      { ...ports, host: { workspace: checkout } as World["host"], registry: registry.port as Registry },
    );
  };
  const keep = (key: string, content: Uint8Array | undefined): void => {
    const created = new Date(NOW).toISOString();
    const config = JSON.stringify({ created, rootfs: { type: "layers", diff_ids: [`sha256:${key}`] } });
    const described = content ? registry.seedBlob(CACHE, content) : { digest: `sha256:${key}`, size: 7 };
    const mediaType = `application/vnd.oci.image.layer.v1.tar${content ? "+gzip" : "+zstd"}`;
    const body = { schemaVersion: 2, config: registry.seedBlob(CACHE, config), layers: [{ ...described, mediaType }] };
    registry.seedManifest(`${CACHE}:${key}`, JSON.stringify(body), DOCKER);
  };
  const keepAll: Cache["keepAll"] = async (checkout, layers = {}, tell = () => undefined) => {
    const keys = new Map<string, string>();
    for (;;) {
      const verdict = await probe(checkout);
      if (verdict.kind !== "miss" || !verdict.step) return keys;
      const { text, key } = verdict.step;
      tell(verdict.step);
      keys.set(text, key);
      const content = layers[text];
      keep(key, content && zlib.gzipSync(content));
    }
  };
  const push: Cache["push"] = (name, layers) => {
    const created = "0001-01-01T00:00:00Z";
    const config = JSON.stringify({
      architecture: "amd64",
      created,
      history: layers.map(({ text }) => ({ created, created_by: text })),
      os: "linux",
      rootfs: { type: "layers", diff_ids: [...BASE.rootfs.diff_ids, ...layers.map(({ diffId = EMPTY }) => diffId)] },
      config: { Entrypoint: ["/.envbuilder/bin/envbuilder"], Env: BASE.config.Env, User: "root", WorkingDir: "/" },
    });
    const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
    const described = ["", ...layers.map(({ content = "" }) => content)].map((content) => ({
      ...registry.seedBlob(CACHE, zlib.gzipSync(content)),
      mediaType,
    }));
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI,
      config: registry.seedBlob(CACHE, config),
      layers: described,
    });
    registry.seedManifest(`${CACHE}:${name}`, text, OCI);
    return digestOf(text);
  };
  return { registry, probe, keepAll, push };
}

/** What the base image says of itself. */
const BASE = {
  architecture: "amd64",
  os: "linux",
  rootfs: { type: "layers", diff_ids: [digestOf("base")] },
  config: { Env: ["PATH=/bin"] },
};

export function checkoutOf(lines: readonly string[], files: Readonly<Record<string, Content>> = {}): string {
  return makeCheckout({
    "devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" }, "containerUser": "dev" }',
    Dockerfile: `${lines.join("\n")}\n`,
    ...files,
  });
}
