import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/devcontainer/json.ts";
import type { FeaturePorts } from "../../src/features/found.ts";
import { openFiles } from "../../src/host/files.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { openMemoryPorts } from "./memory-ports.ts";
import { askReference, type Installed, inWorkspace, type Sample } from "./oracle.ts";
import { askOurs } from "./ours.ts";
import { packFeature, publish } from "./published.ts";
import { DIFFERENT, type Row, SAME } from "./reference-rows.ts";
import { openServers, type Servers } from "./servers.ts";
import { SHELF, TARBALLS } from "./shelf.ts";

const LOCK_ARGS = { use: [], ignore: ["--no-lockfile"], require: ["--frozen-lockfile"] } as const;

let servers: Servers;
let ports: FeaturePorts;
/** Puts hosts and digests in the place of what stands for them. */
let fill: (text: string) => string;

beforeAll(async () => {
  const tarballs = new Map<string, Buffer>();
  servers = await openServers(tarballs);
  const digests = new Map<string, string>();
  fill = (text) =>
    text
      .replaceAll(/D\(([^)]+)\)/g, (_, id: string) => digests.get(id) ?? `no digest of ${id}`)
      .replaceAll(/(?<=")([RTG])\//g, (_, host: string) => `${hosts[host]}/`);
  const hosts: Readonly<Record<string, string>> = { R: servers.registry, T: servers.tarballs, G: "ghcr.io" };
  const filled = <T extends object>(value: T): T => JSON.parse(fill(JSON.stringify(value)));
  const shelf = filled(SHELF);
  for (const publication of shelf) {
    servers.publish(publication);
    const digest = digestOf(publish(publication).manifest);
    for (const tag of publication.tags ?? ["1"]) digests.set(`R/${publication.path}:${tag}`, digest);
  }
  const packed = Object.entries(filled(TARBALLS)).map(
    ([name, publication]) => [name, packFeature(publication)] as const,
  );
  for (const [name, bytes] of packed) {
    tarballs.set(`/${name}`, bytes);
    digests.set(`T/${name}`, digestOf(bytes));
  }
  const registries = { [servers.registry]: shelf, "ghcr.io": shelf };
  const ours = openMemoryPorts({
    registries,
    tarballs: new Map(packed.map(([name, bytes]) => [`${servers.tarballs}/${name}`, bytes])),
  });
  ports = { ...ours.ports, files: openFiles(tmpdir()).files };
});

afterAll(() => servers.close());

function sampleOf({
  features,
  override,
  files = {},
  lock,
  lockfile = "use",
  config,
  additional,
  forbidden = [],
}: Row): Sample {
  const path = config ?? ".devcontainer/devcontainer.json";
  const lockPath = path.replace("devcontainer.json", "devcontainer-lock.json");
  const locked = lock === undefined || typeof lock === "string" ? lock : JSON.stringify({ features: lock });
  const json = { image: "debian:12", features, overrideFeatureInstallOrder: override };
  return {
    files: {
      ...files,
      [path]: fill(JSON.stringify(json)),
      ...(locked === undefined ? {} : { [lockPath]: fill(locked) }),
    },
    forbidden: forbidden.map((id) => JSON.parse(fill(JSON.stringify(id)))),
    args: [
      ...LOCK_ARGS[lockfile],
      ...(additional === undefined ? [] : ["--additional-features", fill(JSON.stringify(additional))]),
    ],
  };
}

/** Ours first: the CLI writes a lockfile. */
function askBoth(row: Row): Promise<{ readonly reference: Installed; readonly ours: Installed }> {
  const sample = sampleOf(row);
  const additional: JsonObject = JSON.parse(fill(JSON.stringify(row.additional ?? {})));
  return inWorkspace(sample, async (workspace) => {
    const ours = await askOurs({ workspace, additional, lockfile: row.lockfile ?? "use" }, ports);
    const reference = await askReference(sample, workspace, { ...servers.env, ...row.env });
    return { reference, ours };
  });
}

describe("as the reference CLI installs", () => {
  it.concurrent.each(SAME)("$name", async (row) => {
    const { reference, ours } = await askBoth(row);
    if (reference.kind === "error") expect(ours.kind, JSON.stringify(reference)).toBe("error");
    else expect(ours).toEqual(reference);
  });
});

describe("unlike the reference CLI", () => {
  it.concurrent.each(DIFFERENT)("$name: $why", async (row) => {
    const { reference, ours } = await askBoth(row);
    expect(reference).toMatchObject(row.reference);
    expect(ours).toMatchObject(row.ours);
  });
});
