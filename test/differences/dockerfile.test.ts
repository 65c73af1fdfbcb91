import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { inWorkspace } from "../devcontainer/oracle.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { ALIKE, DIFFERENT } from "./dockerfile-rows.ts";
import { askOurs, type Failed, type Made } from "./ours.ts";
import { askReference, type Ordered } from "./reference.ts";
import { configOf, type Row } from "./row.ts";
import { UNDRIVEN } from "./undriven-rows.ts";

const bytesOf = (json: object): Buffer => Buffer.from(JSON.stringify(json));
const describedAs = (mediaType: string, bytes: Buffer) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

/** A base image for one platform; the CLI reads nothing of OCI's kind but an index. */
const CONFIG = bytesOf({ os: "linux", architecture: "amd64", config: configOf({ user: "app" }) });
const MANIFEST = bytesOf({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: describedAs(OCI_CONFIG, CONFIG),
  layers: [],
});
const INDEX = bytesOf({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...describedAs(OCI_MANIFEST, MANIFEST), platform: { os: "linux", architecture: "amd64" } }],
});

let registry: FakeRegistry;
/** The CLI speaks plain http to this name and to no other. */
let host: string;

beforeAll(async () => {
  registry = await openFakeRegistry();
  host = `localhost:${registry.host.split(":").at(-1)}`;
  for (const path of ["base", "team/base"]) {
    registry.seedManifest(path, "2", INDEX, OCI_INDEX);
    registry.seedManifest(path, digestOf(MANIFEST), MANIFEST, OCI_MANIFEST);
    registry.seedBlob(path, CONFIG);
  }
});

afterAll(() => registry.close());

function fill(text: string): string {
  return text.replaceAll(/\bR\//g, `${host}/`).replaceAll("DIGEST", digestOf(INDEX));
}

function unfilled<T extends object>(view: T): T {
  return JSON.parse(JSON.stringify(view).replaceAll(`${host}/`, "R/").replaceAll(digestOf(INDEX), "DIGEST"));
}

/** Ours first: the CLI writes a lockfile. */
function askBoth(row: Row): Promise<{ readonly reference: Ordered; readonly ours: Made | Failed }> {
  const own = join(row.link?.to ?? ".", ".devcontainer/devcontainer.json");
  const files = { [own]: JSON.stringify(row.config), ...row.files };
  const filled = Object.fromEntries(Object.entries(files).map(([path, text]) => [path, fill(text)]));
  return inWorkspace({ files: filled, env: {}, baseLabel: undefined }, async (workspace) => {
    if (row.link) await symlink(row.link.to, join(workspace, row.link.folder));
    const ours = await askOurs(row, workspace);
    const reference = await askReference(row, workspace);
    return { reference: unfilled(reference), ours: unfilled(ours) };
  });
}

describe("unlike the reference CLI", () => {
  it.concurrent.each(DIFFERENT)("$name: $why", async (row) => {
    const { reference, ours } = await askBoth(row);
    expect(reference).toMatchObject(row.reference);
    expect(ours).toMatchObject(row.ours);
  });
});

describe("unlike the reference CLI, which cannot be driven there", () => {
  it.each(UNDRIVEN)("$name: $undriven", async (row) => {
    const files = { ".devcontainer/devcontainer.json": JSON.stringify(row.config), ...row.files };
    const ours = await inWorkspace({ files, env: {}, baseLabel: undefined }, (workspace) => askOurs(row, workspace));
    expect(ours).toMatchObject(row.ours);
  });
});

describe("where nothing is unlike, the rows' own conditions change nothing", () => {
  it.each(ALIKE)("$name", async (row) => {
    const { reference, ours } = await askBoth(row);
    expect(reference).toMatchObject(row.reference);
    expect(ours).toMatchObject(row.ours);
  });
});
