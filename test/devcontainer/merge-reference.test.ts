import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/devcontainer/json.ts";
import { baseEntries, metadataLabel } from "../../src/devcontainer/label.ts";
import { mergeMetadata, metadataJson } from "../../src/devcontainer/merge.ts";
import { inWorkspace, readMerged } from "./oracle.ts";
import { DEFAULT } from "./reference-rows.ts";

/** Of the configuration itself, and not of the image. */
const NOT_OF_THE_IMAGE = ["image", "configFilePath", "name"];

/** Empty parts are left out here, and the two rights that nobody asks for. */
function withoutEmpty(merged: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isSaid = ([name, value]: readonly [string, unknown]): boolean =>
    !NOT_OF_THE_IMAGE.includes(name) &&
    !((name === "init" || name === "privileged") && value === false) &&
    !(typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(merged).filter(isSaid));
}

/** The image's entries, then the configuration's own. */
const ROWS: readonly (readonly [string, readonly JsonObject[], JsonObject])[] = [
  [
    "switches whose default is true",
    [{ overrideCommand: true }],
    { overrideCommand: false, updateRemoteUserUID: false },
  ],
  ["a switch that is no switch", [{ overrideCommand: false }], { overrideCommand: "yes" }],
  ["init and privileged of any entry", [{ init: true, privileged: true }], { init: false, privileged: false }],
  ["rights that are texts", [{ init: "true" }], {}],
  [
    "ports, by whatever name",
    [{ forwardPorts: [80, "db:1", "localhost:9"] }],
    { forwardPorts: ["localhost:80", 9, 9] },
  ],
  [
    "hooks that say nothing",
    [{ postCreateCommand: "", onCreateCommand: "a" }],
    { postCreateCommand: [], onCreateCommand: {} },
  ],
  [
    "values that say nothing",
    [{ waitFor: "postCreateCommand", shutdownAction: "none" }],
    { waitFor: "", shutdownAction: "" },
  ],
  [
    "what a machine has to have",
    [{ hostRequirements: { cpus: 4, memory: "8gb", storage: "32gb" } }],
    { hostRequirements: { cpus: 2, memory: "900mb", storage: "1tb" } },
  ],
  [
    "sizes that are none",
    [{ hostRequirements: { memory: "8 gb", storage: "9GB" } }],
    { hostRequirements: { memory: "12" } },
  ],
  ["a wish for a GPU", [], { hostRequirements: { gpu: "optional" } }],
  ["two wishes for a GPU", [{ hostRequirements: { gpu: "optional" } }], { hostRequirements: { gpu: "optional" } }],
  ["no GPU after all", [{ hostRequirements: { gpu: true } }], { hostRequirements: { gpu: false } }],
  ["one has to have a GPU", [{ hostRequirements: { gpu: "optional" } }], { hostRequirements: { gpu: true } }],
  [
    "the greatest GPU",
    [{ hostRequirements: { gpu: { cores: 2, memory: "2gb" } } }],
    { hostRequirements: { gpu: { cores: 1, memory: "4gb" } } },
  ],
  ["requirements that say nothing", [{ hostRequirements: {} }], { hostRequirements: { cpus: 0 } }],
  [
    "mounts, the last for each target",
    [{ mounts: ["src=a,dst=/x", { source: "b", target: "/y", type: "volume" }] }],
    { mounts: ["source=c,target=/x"] },
  ],
  ["capabilities", [{ capAdd: ["A", "B"], securityOpt: ["x"] }], { capAdd: ["B"], securityOpt: ["x", "y"] }],
  ["environments", [{ containerEnv: { A: "1" }, remoteEnv: { B: "1", C: "1" } }], { remoteEnv: { B: null } }],
  ["customizations", [{ customizations: { vscode: { a: 1 } } }], { customizations: { vscode: { b: 2 }, other: {} } }],
  [
    "ports' attributes",
    [{ portsAttributes: { "80": { label: "a" } } }],
    { portsAttributes: { "81": {} }, otherPortsAttributes: { onAutoForward: "ignore" } },
  ],
  ["users", [{ remoteUser: "a", containerUser: "b" }], { remoteUser: "", userEnvProbe: "none" }],
  ["entry points", [{ entrypoint: "/a.sh" }, { entrypoint: "" }, { entrypoint: "/b.sh" }], {}],
];

describe("metadata is merged as the reference CLI merges it", () => {
  it.concurrent.each(ROWS)("%s", async (_, image, own) => {
    const config = { image: "debian:12", ...own };
    const sample = { files: { [DEFAULT]: JSON.stringify(config) }, env: {}, baseLabel: JSON.stringify(image) };
    const reference = await inWorkspace(sample, (workspace) => readMerged(sample, workspace));
    const label = metadataLabel({ base: sample.baseLabel, raw: config });
    expect(metadataJson(mergeMetadata(baseEntries(label)))).toEqual(withoutEmpty(reference));
  });
});
