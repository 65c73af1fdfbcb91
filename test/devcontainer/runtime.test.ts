import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/devcontainer/json.ts";
import { mergeMetadata, metadataJson } from "../../src/devcontainer/merge.ts";
import { runtimeEnvironment } from "../../src/devcontainer/runtime.ts";

const merged = (...entries: readonly JsonObject[]) => metadataJson(mergeMetadata(entries));

describe("metadata is merged", () => {
  it.each<[string, readonly JsonObject[], JsonObject]>([
    ["nothing", [], {}],
    ["a switch that one entry sets", [{ init: true }, { init: false }], { init: true }],
    ["capabilities, each once", [{ capAdd: ["A", "B"] }, { capAdd: ["B", "C"] }], { capAdd: ["A", "B", "C"] }],
    [
      "the last user",
      [{ remoteUser: "a", containerUser: "c" }, { remoteUser: "b" }],
      { remoteUser: "b", containerUser: "c" },
    ],
    [
      "an environment by name",
      [{ remoteEnv: { A: "1", B: "1" } }, { remoteEnv: { B: null } }],
      { remoteEnv: { A: "1", B: null } },
    ],
    [
      "hooks in order",
      [{ postCreateCommand: "a" }, {}, { postCreateCommand: ["b"] }],
      { postCreateCommands: ["a", ["b"]] },
    ],
    [
      "customizations as lists",
      [{ customizations: { x: { a: 1 } } }, { customizations: { x: { b: 2 } } }],
      { customizations: { x: [{ a: 1 }, { b: 2 }] } },
    ],
    [
      "the last mount for each target",
      [
        { mounts: ["source=a,target=/x,type=volume"] },
        { mounts: [{ source: "b", target: "/x", type: "volume" }, "target=/y,type=tmpfs"] },
      ],
      { mounts: [{ source: "b", target: "/x", type: "volume" }, "target=/y,type=tmpfs"] },
    ],
    [
      "the greatest requirement",
      [{ hostRequirements: { memory: "8gb", cpus: 2 } }, { hostRequirements: { memory: "900mb", cpus: 4 } }],
      { hostRequirements: { memory: "8589934592", cpus: 4 } },
    ],
    [
      "entry points of features",
      [{ entrypoint: "/a.sh" }, { entrypoint: "/b.sh" }],
      { entrypoints: ["/a.sh", "/b.sh"] },
    ],
    ["ports, each once", [{ forwardPorts: [80, "db:1"] }, { forwardPorts: [80] }], { forwardPorts: [80, "db:1"] }],
    ["what has only one value", [{ waitFor: "a" }, { waitFor: "b" }], { waitFor: "b" }],
  ])("%s", (_name, entries, wanted) => {
    expect(merged(...entries)).toEqual(wanted);
  });
});

describe("the environment of a container", () => {
  const variables = {
    localEnv: { HOME_URL: "https://a:1", EMPTY: "" },
    containerEnv: { PATH: "/bin", LANG: "C" },
    localWorkspaceFolder: "/work/app",
    containerWorkspaceFolder: { value: "/src/app", isPrivate: false },
  };
  const environment = (entry: JsonObject) => Object.fromEntries(runtimeEnvironment(mergeMetadata([entry]), variables));
  const open = (value: string) => ({ value, isPrivate: false });
  const hidden = (value: string) => ({ value, isPrivate: true });
  it.each<[string, JsonObject, object]>([
    ["a plain value", { containerEnv: { A: "1" } }, { A: open("1") }],
    [
      "a number and a switch, as texts",
      { containerEnv: { PORT: 3000, A: null, B: [] }, remoteEnv: { CI: true } },
      { PORT: open("3000"), CI: open("true") },
    ],
    ["the image's own variable", { remoteEnv: { PATH: "/x:${containerEnv:PATH}" } }, { PATH: open("/x:/bin") }],
    [
      "a variable that containerEnv sets",
      { containerEnv: { A: "1" }, remoteEnv: { B: "${containerEnv:A}2" } },
      { A: open("1"), B: open("12") },
    ],
    ["a variable of this machine, private", { remoteEnv: { A: "${localEnv:HOME_URL}" } }, { A: hidden("https://a:1") }],
    [
      "one that is not set, with a default",
      { remoteEnv: { A: "${localEnv:NO:x}", B: "${containerEnv:NO:y}" } },
      { A: hidden("x"), B: open("y") },
    ],
    [
      "what is private stays so on the way",
      { containerEnv: { A: "${localEnv:HOME_URL}" }, remoteEnv: { B: "${containerEnv:A}" } },
      { A: hidden("https://a:1"), B: hidden("https://a:1") },
    ],
    ["remoteEnv over containerEnv", { containerEnv: { A: "1" }, remoteEnv: { A: "2" } }, { A: open("2") }],
    ["remoteEnv that takes away", { containerEnv: { A: "1" }, remoteEnv: { A: null } }, {}],
    [
      "folders",
      { remoteEnv: { A: "${containerWorkspaceFolder}", B: "${localWorkspaceFolderBasename}" } },
      { A: open("/src/app"), B: open("app") },
    ],
    ["what nobody knows stays", { remoteEnv: { A: "${devcontainerId}" } }, { A: open("${devcontainerId}") }],
  ])("%s", (_name, entry, wanted) => {
    expect(environment(entry)).toEqual(wanted);
  });
});
