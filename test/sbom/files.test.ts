import { expect, test } from "vitest";
import { countsByPlatform, pathsByPlatform, sbomFiles } from "../../src/sbom/files.ts";
import type { PlatformSbom } from "../../src/sbom/read.ts";

const one = { name: "x", version: "1", purl: undefined, license: undefined };
const sboms: readonly PlatformSbom[] = [
  {
    platform: { os: "linux", architecture: "amd64" },
    kind: "sbom",
    document: '{"spdxVersion":"SPDX-2.3"}',
    packages: [
      { ...one, type: "deb" },
      { ...one, type: "pypi" },
      { ...one, type: "deb" },
    ],
  },
  { platform: { os: "linux", architecture: "arm", variant: "v7" }, kind: "sbom", document: "{}", packages: [] },
  { platform: { os: "linux", architecture: "arm64" }, kind: "none", why: "x" },
  {
    platform: { os: "linux", architecture: "s390x" },
    kind: "doubt",
    error: { kind: "denied", request: "x", words: "x" },
  },
];

test("a file for each platform that has one", () => {
  const files = sbomFiles("/tmp/sbom", sboms);
  expect(files.map(({ path, content }) => [path, content])).toEqual([
    ["/tmp/sbom/linux-amd64.spdx.json", '{"spdxVersion":"SPDX-2.3"}'],
    ["/tmp/sbom/linux-arm-v7.spdx.json", "{}"],
  ]);
  expect(pathsByPlatform(files)).toEqual({
    "linux/amd64": "/tmp/sbom/linux-amd64.spdx.json",
    "linux/arm/v7": "/tmp/sbom/linux-arm-v7.spdx.json",
  });
});

test("counts for each platform that has one", () => {
  expect(countsByPlatform(sboms)).toEqual({
    "linux/amd64": { total: 3, types: { deb: 2, pypi: 1 } },
    "linux/arm/v7": { total: 0, types: {} },
  });
});
