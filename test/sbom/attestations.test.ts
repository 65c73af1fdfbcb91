import { describe, expect, test } from "vitest";
import { type Attestation, lookForAttestations } from "../../src/sbom/attestations.ts";
import type { RegistryError } from "../../src/world.ts";
import { fixture, imageIn, imageWith, type Layer, SLSA, SPDX, seedAttestations, seedReal, world } from "./attested.ts";

const sbom: Layer = { type: SPDX, content: "the SBOM" };
const provenance: Layer = { type: SLSA, content: "the provenance" };
const older: Layer = { type: "https://slsa.dev/provenance/v0.2", content: "the provenance" };

function lookAt(layers: readonly Layer[], required: readonly Attestation[], blobs = true) {
  const { registry, repository } = world();
  return lookForAttestations({ repository, image: imageWith(seedAttestations(layers)), required, blobs }, registry);
}

test.each<[string, readonly Layer[], readonly Attestation[], string | undefined]>([
  ["nothing is demanded", [], [], undefined],
  ["both are there", [sbom, provenance], ["sbom", "provenance"], undefined],
  ["provenance of the older form", [older], ["provenance"], undefined],
  ["no SBOM", [provenance], ["sbom", "provenance"], "linux/amd64 has no SBOM: the index lists none for it"],
  ["no provenance", [sbom], ["sbom", "provenance"], "linux/amd64 has no provenance: the index lists none for it"],
  [
    "other people's",
    [{ ...sbom, type: "https://slsa.dev/verification/v1" }],
    ["provenance"],
    "linux/amd64 has no provenance: the index lists none for it",
  ],
  ["the SBOM is gone", [{ ...sbom, gone: true }], ["sbom"], "the SBOM of linux/amd64 is gone from the registry"],
])("%s", async (_, layers, required, missing) => {
  expect(await lookAt(layers, required)).toEqual(
    missing === undefined ? { kind: "there" } : { kind: "missing", what: missing },
  );
});

test("without a look at blobs a manifest that lists them is enough", async () => {
  expect(await lookAt([{ ...sbom, gone: true }], ["sbom"], false)).toEqual({ kind: "there" });
  expect(world().fake.requests).toHaveLength(1);
});

test("nothing is downloaded but the manifest: HEAD for the rest, in a second wave", async () => {
  expect(await lookAt([sbom, provenance], ["sbom", "provenance"])).toEqual({ kind: "there" });
  expect(world().fake.requests.map((line) => line.replace(/sha256:.*/, ""))).toEqual([
    "GET /v2/team/app/manifests/",
    "HEAD /v2/team/app/blobs/",
    "HEAD /v2/team/app/blobs/",
  ]);
  expect(world().registry.traffic().waves).toBe(2);
});

test("nothing demanded, nothing asked", async () => {
  expect(await lookAt([sbom], [])).toEqual({ kind: "there" });
  expect(world().fake.requests).toEqual([]);
});

test("what BuildKit 0.32 really pushed: an OCI artifact with a subject", async () => {
  const { registry, repository } = world();
  seedReal("attestation-manifest-bk032.json");
  const image = imageIn(fixture("index-bk032.json"));
  const demand = { repository, image, required: ["sbom", "provenance"], blobs: false } as const;
  expect(await lookForAttestations(demand, registry)).toEqual({ kind: "there" });
});

test("an attestation manifest that is gone is missing", async () => {
  const { registry, repository } = world();
  const demand = { repository, image: imageIn(fixture("index.json")), required: ["sbom"], blobs: true } as const;
  expect(await lookForAttestations(demand, registry)).toEqual({
    kind: "missing",
    what: "linux/amd64 has no SBOM: its attestations are gone from the registry",
  });
});

describe("doubt is not absence", () => {
  test.each<[string, string, number, RegistryError["kind"]]>([
    ["the manifest is refused", "/manifests/", 403, "denied"],
    ["the manifest fails", "/manifests/", 503, "unavailable"],
    ["the statement is refused", "/blobs/", 403, "denied"],
    ["somebody else's 404", "/blobs/", 404, "malformed"],
  ])("%s", async (_, path, status, kind) => {
    world().fake.override((line) => line.includes(path), { status, body: "<html>" });
    expect(await lookAt([sbom, provenance], ["provenance", "sbom"])).toMatchObject({
      kind: "doubt",
      what: "the provenance of linux/amd64",
      error: { kind },
    });
  });

  test("it counts for more than another's absence", async () => {
    world().fake.override((line) => line.includes("/blobs/"), { status: 503 });
    expect(await lookAt([provenance], ["sbom", "provenance"])).toMatchObject({ kind: "doubt" });
  });
});
