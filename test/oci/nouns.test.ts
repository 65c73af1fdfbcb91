import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ATTESTATION,
  attestationsOf,
  imageFor,
  OWN_ANNOTATION,
  REFERENCE_DIGEST,
  REFERENCE_TYPE,
  readManifest,
} from "../../src/oci/manifest.ts";
import { formatPlatform, parsePlatform } from "../../src/oci/platform.ts";
import { formatReference, parseReference, parseRepository } from "../../src/oci/reference.ts";
import { indexOf, sha } from "../plan-of.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each<[string, string]>([
  ["debian", "docker.io/library/debian"],
  ["debian:12", "docker.io/library/debian:12"],
  ["team/app", "docker.io/team/app"],
  ["index.docker.io/team/app", "docker.io/team/app"],
  ["registry-1.docker.io/app", "registry-1.docker.io/app"],
  ["registry.hub.docker.com/library/app", "registry.hub.docker.com/library/app"],
  ["localhost/app", "localhost/app"],
  ["localhost:5000/base:2", "localhost:5000/base:2"],
  ["reg.io/x", "reg.io/x"],
  ["reg.io:443/a/b/c:t", "reg.io:443/a/b/c:t"],
  [`debian@${digest}`, `docker.io/library/debian@${digest}`],
  [`debian:12@${digest}`, `docker.io/library/debian:12@${digest}`],
  ["REG.io/x", "reg.io/x"],
  ["a/b__c-d.e", "docker.io/a/b__c-d.e"],
])("reference %s is %s", (text, expected) => {
  const reference = parseReference(text);
  if ("wrong" in reference) throw new Error(reference.wrong);
  expect(formatReference(reference)).toBe(expected);
  expect(parseReference(expected)).toEqual(reference);
});

test.each(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"])(
  "a repository at %s is Docker Hub's",
  (host) => {
    expect(parseRepository(`${host}/team/app`)).toEqual({ registry: "docker.io", repository: "team/app" });
  },
);

test.each([
  "",
  "a b",
  "https://x/y",
  "x:",
  "x@sha256:abc",
  "x@sha512:abc",
  "a//b",
  "a/-b",
  "x:tag with",
  "team/App",
  "reg.io/",
  "reg.io:70000/x",
  "1.2.3.999/x",
  // Other spellings of an address that stands for another host than it seems to.
  "0x7f.1/x",
  "127.1/x",
  "x".repeat(300),
])("no reference: %j", (text) => {
  expect(parseReference(text)).toHaveProperty("wrong");
});

test("any text is a reference or a sentence about it", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9.:/@_-]{0,80}$/)), (text) => {
      const reference = parseReference(text);
      if ("wrong" in reference) expect(reference.wrong).not.toBe("");
      else expect(parseReference(formatReference(reference))).toEqual(reference);
      expect(parseRepository(text)).toBeDefined();
    }),
  );
});

test.each<[string, string]>([
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["linux/amd64/v1", "linux/amd64"],
  ["linux/amd64/v3", "linux/amd64/v3"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/armhf", "linux/arm/v7"],
  ["linux/arm/v6", "linux/arm/v6"],
  ["Linux/AMD64", "linux/amd64"],
])("platform %s is %s", (text, expected) => {
  const platform = parsePlatform(text);
  if ("wrong" in platform) throw new Error(platform.wrong);
  expect(formatPlatform(platform)).toBe(expected);
});

test.each(["", "linux", "amd64", "linux/amd46", "linux/arm64/v3", "linux/amd64/v1/x", "plan9/amd64"])(
  "no platform: %j",
  (text) => {
    expect(parsePlatform(text)).toHaveProperty("wrong");
  },
);

test.each<[string, readonly string[], string | undefined]>([
  ["linux/arm/v7", ["linux/arm/v6", "linux/arm/v5"], "linux/arm/v6"],
  ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v7"], "linux/arm/v7"],
  ["linux/arm/v6", ["linux/arm/v7"], undefined],
  ["linux/amd64/v3", ["linux/amd64"], "linux/amd64"],
  ["linux/amd64", ["linux/amd64/v3"], undefined],
  ["linux/arm/v6", ["linux/arm/v8"], undefined],
  ["linux/arm/v8", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"],
  ["linux/amd64/v4", ["linux/386", "linux/amd64", "linux/amd64/v2"], "linux/amd64/v2"],
  ["linux/amd64", ["linux/386"], "linux/386"],
  ["linux/amd64", ["linux/386", "linux/amd64"], "linux/amd64"],
  ["linux/386", ["linux/amd64"], undefined],
  ["linux/arm64", ["linux/arm/v7"], "linux/arm/v7"],
  ["linux/arm64", ["linux/arm/v6", "linux/arm/v8", "linux/arm/v7"], "linux/arm/v8"],
  ["linux/arm64", ["linux/arm/v7", "linux/arm64"], "linux/arm64"],
  ["linux/arm64", ["linux/arm64/v9", "linux/amd64"], undefined],
  ["linux/arm64/v9", ["linux/arm/v7"], "linux/arm/v7"],
  ["linux/arm/v7", ["linux/arm64"], undefined],
  ["windows/amd64", ["linux/amd64", "linux/386"], undefined],
  ["linux/arm64/v9", ["linux/arm64"], "linux/arm64"],
])("for %s out of %j: %s", (wanted, there, expected) => {
  const platform = parsePlatform(wanted);
  const index = indexOf(Object.fromEntries(there.map((name) => [name, name])));
  if ("wrong" in platform || index.body.kind !== "index") throw new Error("not read");
  expect(imageFor(index.body, platform)?.digest).toBe(expected === undefined ? undefined : sha(expected));
});

/** As registries serve them: nothing of the spelling is ours. */
test.each<[string, readonly object[], number | undefined]>([
  ["linux/arm64", [{ os: "linux", architecture: "aarch64" }], 0],
  ["linux/arm64", [{ os: "linux", architecture: "AARCH64", variant: "V8" }], 0],
  ["linux/arm64", [{ os: "linux", architecture: "arm64", variant: "8" }], 0],
  ["linux/amd64", [{ os: "Linux", architecture: "x86_64" }], 0],
  ["linux/amd64", [{ os: "linux", architecture: "x86-64", variant: "v1" }], 0],
  ["linux/amd64", [{ architecture: "amd64" }], 0],
  ["linux/amd64", [{ os: "", architecture: "amd64" }], 0],
  ["linux/amd64", [{ os: "linux", architecture: "i386", variant: "x" }], 0],
  ["linux/arm/v7", [{ os: "linux", architecture: "armhf" }], 0],
  ["linux/arm/v7", [{ os: "linux", architecture: "armhf", variant: "v6" }], 0],
  [
    "linux/arm/v7",
    [
      { os: "linux", architecture: "armel" },
      { os: "linux", architecture: "arm", variant: "7" },
    ],
    1,
  ],
  [
    "linux/arm/v6",
    [
      { os: "linux", architecture: "armhf" },
      { os: "linux", architecture: "armel" },
    ],
    1,
  ],
  [
    "linux/arm64",
    [
      { os: "linux", architecture: "armhf" },
      { os: "linux", architecture: "aarch64" },
    ],
    1,
  ],
  [
    "linux/arm64",
    [
      { os: "linux", architecture: "aarch64" },
      { os: "linux", architecture: "arm64" },
    ],
    0,
  ],
  ["linux/amd64", [{ os: "linux", architecture: "x86_64", variant: "v3" }], undefined],
  ["linux/amd64", [{ os: "windows", architecture: "x86_64" }], undefined],
])("for %s out of an index of %j: entry %s", (wanted, there, expected) => {
  const manifests = there.map((platform, at) => ({ mediaType: "x", digest: sha(`${at}`), size: 1, platform }));
  const index = readManifest({ manifests }, "application/vnd.oci.image.index.v1+json");
  const platform = parsePlatform(wanted);
  if ("wrong" in platform || "wrong" in index || index.kind !== "index") throw new Error("not read");
  expect(imageFor(index, platform)?.digest).toBe(expected === undefined ? undefined : sha(`${expected}`));
});

test("the attestations of an image are those that speak of it; our own plan, which names an image too, is none", () => {
  const entry = (name: string, annotations: Readonly<Record<string, string>>) => ({
    mediaType: "x",
    digest: sha(name),
    size: 5,
    annotations,
  });
  const speakingOf = (image: string) => ({ [REFERENCE_TYPE]: ATTESTATION, [REFERENCE_DIGEST]: sha(image) });
  const manifests = [
    entry("a", {}),
    entry("of a", speakingOf("a")),
    entry("of b", speakingOf("b")),
    entry("plan", { ...speakingOf("a"), [OWN_ANNOTATION]: sha("own") }),
    entry("something else", { [REFERENCE_DIGEST]: sha("a") }),
  ];
  const index = { kind: "index", mediaType: "x", annotations: {}, manifests } as const;
  expect(attestationsOf(index, sha("a")).map(({ digest }) => digest)).toEqual([sha("of a")]);
});

test.each([
  ["null, as BuildKit writes the empty list", null, 0],
  ["the empty list", [], 0],
  ["nothing at all", undefined, undefined],
  ["no list", {}, undefined],
])("the layers of a manifest: %s", (_, layers, expected) => {
  const config = { mediaType: "x", digest: sha("config"), size: 5 };
  const read = readManifest({ schemaVersion: 2, config, layers }, "application/vnd.oci.image.manifest.v1+json");
  expect("wrong" in read || read.kind !== "manifest" ? undefined : read.layers.length).toBe(expected);
});

test("any JSON is a manifest or a sentence about it", () => {
  const types = fc.constantFrom(
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "text/html",
    "",
  );
  fc.assert(
    fc.property(fc.jsonValue(), types, (json, type) => {
      const read = readManifest(json, type);
      expect("wrong" in read ? read.wrong : read.kind).not.toBe("");
    }),
  );
});
