import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePurl } from "../../src/sbom/purl.ts";
import { readSpdx } from "../../src/sbom/spdx.ts";
import { fixture, spdx } from "./attested.ts";

const packagesOf = (more: object) => {
  const read = readSpdx(spdx(more));
  return "wrong" in read ? read.wrong : read.packages;
};
const namesOf = (more: object) => {
  const packages = packagesOf(more);
  return typeof packages === "string" ? packages : packages.map(({ name }) => name);
};

test("syft's real document: its root is no package", () => {
  const excerpt = JSON.parse(fixture("sbom-syft-excerpt.json"));
  const described = {
    spdxElementId: "SPDXRef-DOCUMENT",
    relatedSpdxElement: "SPDXRef-DocumentRoot-Directory-sbom",
    relationshipType: "DESCRIBES",
  };
  const read = readSpdx({ ...excerpt, relationships: [...excerpt.relationships, described] });
  expect(read).toMatchObject({
    name: "sbom",
    creators: ["Organization: Anchore, Inc", "Tool: syft-v1.51.0", "Tool: buildkit-v0.0.0+unknown"],
    packages: [
      {
        name: "apt",
        version: "3.3.5",
        type: "deb",
        purl: "pkg:deb/debian/apt@3.3.5?arch=amd64&distro=debian",
        license: "BSD-3-Clause AND LicenseRef-Expat AND GPL-2.0-only AND GPL-2.0-or-later AND curl",
      },
      { name: "base-files", version: "14.2", type: "deb" },
    ],
  });
});

describe("what counts as a package", () => {
  const root = { SPDXID: "SPDXRef-Root", name: "root" };
  const real = { SPDXID: "SPDXRef-1", name: "real" };
  const purl = (referenceLocator: string) => ({ externalRefs: [{ referenceType: "purl", referenceLocator }] });
  const relation = (spdxElementId: string, relationshipType: string, relatedSpdxElement: string) => ({
    relationships: [{ spdxElementId, relationshipType, relatedSpdxElement }],
  });
  test.each<[string, object, readonly string[]]>([
    ["not what the document describes", relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Root"), ["real"]],
    ["said the other way round", relation("SPDXRef-Root", "DESCRIBED_BY", "SPDXRef-DOCUMENT"), ["real"]],
    ["said in 2.2's short form", { documentDescribes: ["SPDXRef-Root"] }, ["real"]],
    ["what a package describes is one", relation("SPDXRef-Root", "DESCRIBES", "SPDXRef-1"), ["root", "real"]],
    ["what the image contains is one", relation("SPDXRef-DOCUMENT", "CONTAINS", "SPDXRef-Root"), ["root", "real"]],
  ])("%s", (_, more, names) => {
    expect(namesOf({ packages: [root, real], ...more })).toEqual(names);
  });
  test.each<[string, object, boolean]>([
    ["a source package by its URL", purl("pkg:deb/debian/zlib@1.2?arch=source"), false],
    ["a source package by its purpose", { primaryPackagePurpose: "SOURCE" }, false],
    ["the operating system", { primaryPackagePurpose: "OPERATING-SYSTEM" }, false],
    ["a library", { primaryPackagePurpose: "LIBRARY" }, true],
    ["one from a source package", purl("pkg:deb/debian/zlib1g@1.2?arch=amd64&upstream=zlib"), true],
    ["one without a name", { name: "" }, false],
    ["one whose name is no text", { name: 5 }, false],
  ])("%s: %s", (_, more, counts) => {
    expect(namesOf({ packages: [real, { name: "other", ...more }] })).toEqual(counts ? ["real", "other"] : ["real"]);
  });
});

test.each<[string, object, object]>([
  ["no assertion is no licence", { licenseDeclared: "NOASSERTION", licenseConcluded: "NONE" }, { license: undefined }],
  ["the concluded licence stands in", { licenseDeclared: "NOASSERTION", licenseConcluded: "MIT" }, { license: "MIT" }],
  ["the declared licence comes first", { licenseDeclared: "0BSD", licenseConcluded: "MIT" }, { license: "0BSD" }],
  ["no version", {}, { version: undefined }],
  [
    "no URL",
    { externalRefs: [{ referenceType: "cpe23Type", referenceLocator: "cpe:2.3:a" }] },
    { type: "other", purl: undefined },
  ],
  [
    "not a package's URL",
    { externalRefs: [{ referenceType: "purl", referenceLocator: "https://x" }] },
    { type: "other", purl: "https://x" },
  ],
])("%s", (_, more, expected) => {
  expect(packagesOf({ packages: [{ name: "x", ...more }] })).toMatchObject([expected]);
});

test.each<[string, unknown, string]>([
  ["nothing", undefined, "it is not a JSON object"],
  ["a list", [], "it is not a JSON object"],
  ["no version", {}, "it does not say which version of SPDX it is"],
  ["SPDX 3", { spdxVersion: "SPDX-3.0.1" }, "it is SPDX-3.0.1, and SPDX-2.x is read"],
  ["CycloneDX", { bomFormat: "CycloneDX" }, "it does not say which version of SPDX it is"],
])("%s is no document", (_, json, wrong) => {
  expect(readSpdx(json)).toEqual({ wrong });
});

test("whatever stands in it, it is read or refused, never thrown over", () => {
  const keys = ["packages", "relationships", "documentDescribes", "creationInfo", "name", "SPDXID", "externalRefs"];
  const inner = fc.object({ key: fc.constantFrom(...keys, "primaryPackagePurpose", "referenceType"), maxDepth: 4 });
  const list = fc.array(fc.oneof(inner, fc.jsonValue()));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), fc.oneof(list, fc.jsonValue())), (json) => {
      const read = readSpdx({ ...json, spdxVersion: "SPDX-2.3" });
      expect("wrong" in read ? "" : read.packages.every(({ name }) => name !== "")).toBe(true);
    }),
  );
});

test.each<[string, ReturnType<typeof parsePurl>]>([
  ["pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12", { type: "deb", path: "debian/libc6", arch: "amd64" }],
  ["pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=arm64", { type: "deb", path: "debian/zlib1g", arch: "arm64" }],
  ["pkg:npm/%40types/node@20.1.0", { type: "npm", path: "%40types/node", arch: undefined }],
  ["pkg:npm/@types/node@20.1.0", { type: "npm", path: "@types/node", arch: undefined }],
  ["pkg:npm/@types/node", { type: "npm", path: "@types/node", arch: undefined }],
  ["PKG:PyPI/requests@2", { type: "pypi", path: "requests", arch: undefined }],
  ["pkg://golang/github.com/a/b@v1#sub/path", { type: "golang", path: "github.com/a/b", arch: undefined }],
  ["pkg:generic/x?arch=a%20b#?arch=c", { type: "generic", path: "x", arch: "a b" }],
  ["pkg:deb/", undefined],
  ["pkg:deb", undefined],
  ["pkg:/x", undefined],
  ["deb/debian/libc6", undefined],
  ["", undefined],
])("the URL %s", (text, expected) => {
  expect(parsePurl(text)).toEqual(expected);
});
