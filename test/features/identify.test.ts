import { describe, expect, it } from "vitest";
import type { ActionError } from "../../src/errors.ts";
import { identifyFeature } from "../../src/features/identify.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const FOLDERS = { configFolder: "/work/app/.devcontainer", workspace: "/work/app", checkout: "/work/app" };
const AT = { file: ".devcontainer/devcontainer.json", line: 3 };
const DIGEST = `sha256:${"a".repeat(64)}`;

const identify = (id: string, folders = FOLDERS) =>
  identifyFeature({ id, options: {}, neededBy: undefined, at: AT }, folders);
const refusal = (id: string, folders = FOLDERS): Promise<ActionError> => refusalOf(() => identify(id, folders));

const published = (registry: string, path: string, version: { readonly tag?: string; readonly digest?: string }) => {
  const segments = path.split("/");
  return {
    kind: "oci",
    reference: { registry, repository: path, ...version },
    resource: `${registry}/${path}`,
    namespace: [registry, ...segments.slice(0, -1)].join("/"),
    name: segments.at(-1),
    tag: version.digest === undefined ? version.tag : undefined,
  };
};

describe("identifyFeature", () => {
  it.each([
    ["ghcr.io/devcontainers/features/node:1.2", published("ghcr.io", "devcontainers/features/node", { tag: "1.2" })],
    ["ghcr.io/devcontainers/features/node", published("ghcr.io", "devcontainers/features/node", { tag: "latest" })],
    ["GHCR.io/Owner/Node:1.0-RC", published("ghcr.io", "owner/node", { tag: "1.0-rc" })],
    [`ghcr.io/owner/node@${DIGEST}`, published("ghcr.io", "owner/node", { digest: DIGEST })],
    [`ghcr.io/owner/node:1@${DIGEST}`, published("ghcr.io", "owner/node", { tag: "1", digest: DIGEST })],
    ["localhost:5000/a/b", published("localhost:5000", "a/b", { tag: "latest" })],
    ["registry:5000/a/b", published("registry:5000", "a/b", { tag: "latest" })],
    ["ghcr.io/node", published("ghcr.io", "node", { tag: "latest" })],
    ["docker.io/owner/node", published("docker.io", "owner/node", { tag: "latest" })],
    ["node", published("ghcr.io", "devcontainers/features/node", { tag: "1" })],
    ["golang", published("ghcr.io", "devcontainers/features/go", { tag: "1" })],
    ["owner/repository/feature@v1", { kind: "release", name: "owner/repository/feature" }],
    ["./hello", { kind: "local", folder: "/work/app/.devcontainer/hello", name: "hello" }],
    ["./a/../Hello/", { kind: "local", folder: "/work/app/.devcontainer/Hello", name: "Hello" }],
    [
      "https://Example.com/x/devcontainer-feature-a_b-C.tgz?token=1",
      { kind: "tarball", url: "https://example.com/x/devcontainer-feature-a_b-C.tgz?token=1", name: "a_b-C" },
    ],
  ])("%s", (id, reference) => expect(identify(id)).toEqual(reference));

  it("fetches what moved from its new owner, and knows it by its old name", () => {
    const moved = identify("ghcr.io/devcontainers-contrib/features/act:1");
    expect(moved).toMatchObject({
      reference: { repository: "devcontainers-extra/features/act" },
      resource: "ghcr.io/devcontainers-contrib/features/act",
      namespace: "ghcr.io/devcontainers-extra/features",
    });
  });

  it.each([
    ["nonsense", "a short name that is not known"],
    ["owner/feature", "names no registry"],
    ["owner/repository/deep/feature", "names no registry"],
    ["ghcr.io/owner/feature:^1", '"^1" is not a tag'],
    ["ghcr.io/owner/feature@sha256:1", "is not a sha256 digest"],
    ["ghcr.io/owner//feature", "is not a repository's path"],
    ["ghcr.io/owner/my feature", "white space"],
    ["http://example.com/devcontainer-feature-a.tgz", "without TLS"],
    ["https://example.com/a.tgz", "devcontainer-feature-<name>.tgz"],
    ["https://[/devcontainer-feature-a.tgz", "devcontainer-feature-<name>.tgz"],
    ["/work/app/.devcontainer/hello", "an absolute path"],
    ["../hello", "is the folder hello, which is not below .devcontainer"],
    ["../../../etc", "is the folder /etc, which is not below .devcontainer"],
    ["../.devcontainers/hello", "which is not below .devcontainer"],
  ])("refuses %s", async (id, words) => {
    const error = await refusal(id);
    expect(error).toMatchObject({ code: "E_CONFIG", at: AT });
    expect(error.message).toContain(`The feature ${id} `);
    expect(error.message).toContain(words);
  });

  it("counts local paths from the configuration's folder, wherever that is", async () => {
    const atTop = { configFolder: "/work/app", workspace: "/work/app", checkout: "/work/app" };
    expect(identify("./.devcontainer/hello", atTop)).toMatchObject({ folder: "/work/app/.devcontainer/hello" });
    expect((await refusal("./hello", atTop)).message).toContain("not below");
  });
});
