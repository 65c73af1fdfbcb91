import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { gunzip } from "../../src/host/unpack.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { openFeaturePorts } from "../../src/plan/feature-ports.ts";
import { parseImagePattern } from "../../src/registry/allowed.ts";
import type { Registry } from "../../src/world.ts";
import { featureOf, registryOf } from "../plan-of.ts";

const NAME = "registry.test/f/tool";
const ADDRESS = "https://files.test/f/devcontainer-feature-tool.tgz";

/** Ports behind these patterns, and what was asked of the network. */
function openPorts(patterns: readonly string[]) {
  const asked: string[] = [];
  const shelf = registryOf({ [`${NAME}:1`]: featureOf({ id: "tool" }) });
  const registry: Registry = {
    ...shelf,
    manifest: async (reference) => {
      asked.push(reference.repository);
      return shelf.manifest(reference);
    },
    download: async (url) => {
      asked.push(url);
      return { kind: "found", value: new Uint8Array() };
    },
  };
  const read = patterns.map((written) => {
    const pattern = parseImagePattern(written);
    if ("wrong" in pattern) throw new Error(pattern.wrong);
    return pattern;
  });
  return { asked, ports: openFeaturePorts({ registry, gunzip, files: openFiles(tmpdir()).files }, read) };
}

test.each<[string, readonly string[], "found" | "absent"]>([
  ["no pattern", [], "found"],
  ["the registry", ["registry.test/**"], "found"],
  ["the feature", ["other.test/**", "registry.test/f/tool"], "found"],
  ["another namespace", ["registry.test/g/*"], "absent"],
  ["another registry", ["other.test/**"], "absent"],
  ["a star does not span segments", ["registry.test/*"], "absent"],
])("a published feature, allowed-images: %s", async (_, patterns, kind) => {
  const reference = parseReference(`${NAME}:1`);
  if ("wrong" in reference) throw new Error(reference.wrong);
  const { asked, ports } = openPorts(patterns);
  expect((await ports.registry.manifest(reference)).kind).toBe(kind);
  expect(asked).toHaveLength(kind === "found" ? 1 : 0);
});

test.each<[string, readonly string[], string, "found" | "absent"]>([
  ["no pattern", [], ADDRESS, "found"],
  ["the host", ["files.test/**"], ADDRESS, "found"],
  ["another host", ["registry.test/**"], ADDRESS, "absent"],
  [
    "the host in the path",
    ["files.test/**"],
    "https://other.test/files.test/f/devcontainer-feature-tool.tgz",
    "absent",
  ],
  [
    "the host before an @",
    ["files.test/**"],
    "https://files.test@other.test/f/devcontainer-feature-tool.tgz",
    "absent",
  ],
  ["another port", ["files.test/**"], "https://files.test:8443/f/devcontainer-feature-tool.tgz", "absent"],
  ["a path that climbs", ["files.test/f/*"], "https://files.test/f/../g/devcontainer-feature-tool.tgz", "absent"],
  [
    "a path that no image has: nothing can allow it",
    ["files.test/**"],
    "https://files.test/F/devcontainer-feature-tool.tgz",
    "absent",
  ],
])("a tarball, allowed-images: %s", async (_, patterns, address, kind) => {
  const { asked, ports } = openPorts(patterns);
  expect((await ports.download(address, 10)).kind).toBe(kind);
  expect(asked).toHaveLength(kind === "found" ? 1 : 0);
});
