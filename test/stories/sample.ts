import { Buffer } from "node:buffer";
import { rmSync } from "node:fs";
import { type Content, makeCheckout } from "../checkout.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";

const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Puts a base image for amd64 and arm64 under a tag; another `content` makes it another image. */
export function seedBase(
  registry: FakeRegistry,
  repository: string,
  tag: string,
  content: string,
  config: object = {},
): string {
  const manifests = ["amd64", "arm64"].map((architecture) => {
    const bytes = Buffer.from(JSON.stringify({ architecture, os: "linux", config, content }));
    const image = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: {
          mediaType: "application/vnd.oci.image.config.v1+json",
          digest: registry.seedBlob(repository, bytes),
          size: bytes.length,
        },
        layers: [],
      }),
    );
    const digest = registry.seedManifest(repository, `${tag}-${architecture}`, image, OCI_MANIFEST);
    return { mediaType: OCI_MANIFEST, digest, size: image.length, platform: { os: "linux", architecture } };
  });
  return registry.seedManifest(
    repository,
    tag,
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })),
    OCI_INDEX,
  );
}

/** What most stories begin with: a registry with a base image in it, and a checkout on that base; `close` takes both away. */
export async function openSample(): Promise<{
  readonly registry: FakeRegistry;
  readonly workspace: string;
  readonly close: () => Promise<void>;
}> {
  const registry = await openFakeRegistry();
  seedBase(registry, "base/os", "1", "one");
  const workspace = sampleCheckout(registry);
  const close = async (): Promise<void> => {
    await registry.close();
    rmSync(workspace, { recursive: true, force: true });
  };
  return { registry, workspace, close };
}

/** A checkout with one Dockerfile and one script, on a base of the given registry. */
export function sampleCheckout(registry: FakeRegistry, more: Readonly<Record<string, Content>> = {}): string {
  return makeCheckout({
    ".devcontainer/devcontainer.json": `{
  "build": { "dockerfile": "Dockerfile", "args": { "GREETING": "hello" } },
  "remoteUser": "dev"
}
`,
    ".devcontainer/Dockerfile": `FROM ${registry.host}/base/os:1
ARG GREETING
COPY setup.sh /setup.sh
`,
    ".devcontainer/setup.sh": { script: "echo setup\n" },
    ...more,
  });
}
