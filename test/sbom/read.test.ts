import { describe, expect, test } from "vitest";
import { readSboms } from "../../src/sbom/read.ts";
import type { Registry, RegistryError } from "../../src/world.ts";
import {
  fixture,
  imageIn,
  imageWith,
  type Layer,
  PLATFORM,
  SLSA,
  SPDX,
  seedAttestations,
  seedReal,
  spdx,
  statement,
  world,
} from "./attested.ts";

async function readOne(...manifests: readonly (readonly Layer[])[]) {
  const { registry, repository } = world();
  const image = imageWith(...manifests.map(seedAttestations));
  const [sbom] = await readSboms({ repository, found: [image] }, registry);
  return sbom;
}

const core = (more: object = {}): Layer => ({ type: SPDX, content: statement(spdx(more)) });

test("what engine 28.5.2 really pushed", async () => {
  const { registry, repository, fake } = world();
  const real = fixture("sbom-statement.json");
  seedReal("attestation-manifest.json", JSON.stringify(JSON.parse(real)));
  const found = [imageIn(fixture("index.json"))];
  const [sbom] = await readSboms({ repository, found }, registry);
  expect(sbom).toMatchObject({
    platform: PLATFORM,
    kind: "sbom",
    packages: [
      { name: "libc6", version: "2.36-9+deb12u10", type: "deb", license: undefined },
      { name: "zlib1g", version: "1:1.2.13.dfsg-1", type: "deb", license: undefined },
      { name: "musl", version: "1.2.5-r0", type: "apk", license: "MIT" },
      { name: "busybox", version: "1.36.1-r29", type: "apk", license: "GPL-2.0-only" },
    ],
  });
  const document = sbom?.kind === "sbom" ? sbom.document : "";
  expect(JSON.stringify(JSON.parse(real))).toContain(`"predicate":${document}`);
  expect(fake.requests).toEqual([
    "GET /v2/team/app/manifests/sha256:b80098ffb6ab16a544f549c80cf7b9a3a9f1985f63c5506da8ae558b3f09196b",
    "GET /v2/team/app/blobs/sha256:df5c57a278fd6a8780ee128066c4796e513c0448ab413252687b45aeb70c35a5",
  ]);
});

test("the other form of statement, among provenance and other people's attestations", async () => {
  const sbom = await readOne(
    [{ type: "urn:other", content: "{}" }],
    [
      { type: SLSA, content: "{}" },
      { ...core(), content: statement(spdx(), { _type: "https://in-toto.io/Statement/v0.1" }) },
    ],
  );
  expect(sbom).toMatchObject({ kind: "sbom", packages: [{ name: "libc6" }] });
});

describe("the image's own document, not a build stage's", () => {
  const packages = [{ SPDXID: "SPDXRef-1", name: "of the image" }];
  const stage = { type: SPDX, content: statement(spdx({ name: "sbom-builder" })) };
  test.each<[string, object]>([
    [
      "it is the one that BuildKit completed",
      { name: "x", creationInfo: { creators: ["Tool: t", "Tool: buildkit-v0.32.2"] } },
    ],
    ["else the one by its name", {}],
  ])("%s", async (_, more) => {
    expect(await readOne([stage, core({ packages, ...more })])).toMatchObject({ packages: [{ name: "of the image" }] });
    expect(await readOne([core({ packages, ...more }), stage])).toMatchObject({ packages: [{ name: "of the image" }] });
  });
});

describe("no SBOM, on the registry's own word", () => {
  test.each<[string, readonly (readonly Layer[])[], string]>([
    ["no attestations", [], "the index lists none for it"],
    ["provenance alone", [[{ type: SLSA, content: "{}" }]], "the index lists none for it"],
    ["a layer of another type", [[{ ...core(), mediaType: "application/json" }]], "the index lists none for it"],
    ["the statement is gone", [[{ ...core(), gone: true }]], "it is gone from the registry"],
  ])("%s", async (_, manifests, why) => {
    expect(await readOne(...manifests)).toEqual({ platform: PLATFORM, kind: "none", why });
  });

  test("the attestation manifest is gone", async () => {
    const { registry, repository } = world();
    const found = [imageIn(fixture("index.json"))];
    const why = "its attestations are gone from the registry";
    expect(await readSboms({ repository, found }, registry)).toEqual([{ platform: PLATFORM, kind: "none", why }]);
  });

  test("a bare manifest has no attestations", async () => {
    const { registry, repository } = world();
    const { index, ...image } = imageWith();
    const body = { kind: "manifest", mediaType: "x", config: index.descriptor, layers: [], annotations: {} } as const;
    const found = [{ ...image, index: { ...index, body } }];
    expect(await readSboms({ repository, found }, registry)).toMatchObject([{ kind: "none" }]);
  });
});

describe("doubt", () => {
  test.each<[string, Layer, string]>([
    ["no JSON", { type: SPDX, content: "<html>" }, "it is not an in-toto statement"],
    ["no statement", { type: SPDX, content: "{}" }, "it is not an in-toto statement"],
    [
      "another predicate",
      { ...core(), content: statement(spdx(), { predicateType: SLSA }) },
      `it is announced as ${SPDX} and calls itself ${SLSA}`,
    ],
    [
      "another image",
      { ...core(), content: statement(spdx(), { subject: [{ digest: { sha256: "a".repeat(64) } }] }) },
      "it does not speak of sha256:",
    ],
    ["no subject", { ...core(), content: statement(spdx(), { subject: [] }) }, "it does not speak of sha256:"],
    ["a newer SPDX", core({ spdxVersion: "SPDX-3.0" }), "it is SPDX-3.0, and SPDX-2.x is read"],
    ["too large", { ...core(), size: 80 * 1024 * 1024 + 1 }, "83886080 are read at most"],
  ])("%s", async (_, layer, words) => {
    const sbom = await readOne([layer]);
    expect(sbom).toMatchObject({ kind: "doubt", error: { kind: "malformed", words: expect.stringContaining(words) } });
  });

  test.each<[string, number, RegistryError["kind"]]>([
    ["denied", 403, "denied"],
    ["limited", 429, "limited"],
    ["a failing registry", 503, "unavailable"],
    ["a proxy's 404", 404, "malformed"],
  ])("%s", async (_, status, kind) => {
    const { fake, registry, repository } = world();
    const found = [imageWith(seedAttestations([core()]))];
    for (const path of ["/blobs/", "/manifests/"]) {
      fake.override((line) => line.includes(path), { status, body: "<html>" });
      expect(await readSboms({ repository, found }, registry)).toMatchObject([{ kind: "doubt", error: { kind } }]);
    }
  });

  test("a manifest that cannot be read does not matter where another has the SBOM", async () => {
    const { fake, registry, repository } = world();
    const other = seedAttestations([{ type: SLSA, content: "{}" }]);
    fake.override((line) => line.includes(other.digest), { status: 503 });
    const found = [imageWith(other, seedAttestations([core()]))];
    expect(await readSboms({ repository, found }, registry)).toMatchObject([{ kind: "sbom" }]);
  });
});

/** Lets nobody pass before so many have come. */
function openBarrier(count: number): () => Promise<void> {
  let come = 0;
  let open = (): void => undefined;
  const opened = new Promise<void>((done) => {
    open = done;
  });
  return () => {
    if (++come === count) open();
    return opened;
  };
}

test("several platforms are read at once: two waves for all", async () => {
  const { registry, repository } = world();
  const found = [1, 2, 3].map((version) =>
    imageWith(seedAttestations([core({ packages: [{ name: `package-${version}` }] })])),
  );
  const [forManifests, forBlobs] = [openBarrier(3), openBarrier(3)];
  const together: Registry = {
    ...registry,
    manifest: (reference) => forManifests().then(() => registry.manifest(reference)),
    blob: (name, blob, limit) => forBlobs().then(() => registry.blob(name, blob, limit)),
  };
  const sboms = await readSboms({ repository, found }, together);
  expect(sboms).toMatchObject([1, 2, 3].map((version) => ({ packages: [{ name: `package-${version}` }] })));
  expect(registry.traffic().requests).toBe(6);
});
