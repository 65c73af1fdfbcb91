// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of devcontainer.json
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { baseEntries, metadataLabel, pickLabel } from "../../src/devcontainer/label.ts";

/** https://containers.dev/implementors/json_reference/: every property, so that one that goes to the wrong side is seen. */
const FULL = {
  name: "x",
  image: "a",
  build: {},
  features: {},
  runArgs: ["x"],
  workspaceFolder: "/w",
  workspaceMount: "x",
  appPort: 1,
  initializeCommand: "x",
  secrets: {},
  $schema: "x",
  hostRequirements: { cpus: 1 },
  updateRemoteUserUID: false,
  shutdownAction: "none",
  forwardPorts: [1],
  otherPortsAttributes: {},
  portsAttributes: {},
  overrideCommand: false,
  remoteEnv: { A: null },
  userEnvProbe: "none",
  remoteUser: "me",
  securityOpt: [],
  capAdd: [],
  privileged: false,
  init: false,
  containerUser: "root",
  containerEnv: { A: "${localEnv:A}" },
  mounts: [],
  customizations: {},
  waitFor: "postCreateCommand",
  postAttachCommand: "5",
  postStartCommand: "4",
  postCreateCommand: "3",
  updateContentCommand: "2",
  onCreateCommand: "1",
};
const NEVER = [
  "name",
  "image",
  "build",
  "features",
  "runArgs",
  "workspaceFolder",
  "workspaceMount",
  "appPort",
  "initializeCommand",
  "secrets",
  "$schema",
];

it("of a configuration carries what the reference carries", () => {
  expect(Object.keys(pickLabel(FULL)).sort()).toEqual(
    Object.keys(FULL)
      .filter((name) => !NEVER.includes(name))
      .sort(),
  );
});

type Row = { name: string; base?: string; raw: { [name: string]: string | boolean | null }; label: string | undefined };

describe("the label", () => {
  const rows: readonly Row[] = [
    { name: "of a base without one", raw: { remoteUser: "me" }, label: '[ {"remoteUser":"me"} ]' },
    { name: "of nothing to say", raw: { image: "a" }, label: undefined },
    { name: "of a list and nothing to say", base: '[{"init":true}]', raw: {}, label: '[ {"init":true} ]' },
    {
      name: "goes behind the base's list",
      base: '[{"id":"x"},{"remoteUser":"a"}]',
      raw: { remoteUser: "b" },
      label: '[ {"id":"x"}, {"remoteUser":"a"}, {"remoteUser":"b"} ]',
    },
    {
      name: "goes behind a single entry",
      base: '{"id":"x"}',
      raw: { init: true },
      label: '[ {"id":"x"}, {"init":true} ]',
    },
    { name: "leaves empty entries out", base: '[{},{"id":"x"},{}]', raw: {}, label: '[ {"id":"x"} ]' },
    { name: "leaves out what is no entry", base: '[null,1,"x",[1],{"id":"x"}]', raw: {}, label: '[ {"id":"x"} ]' },
    { name: "ignores an invalid one", base: "[{", raw: { init: true }, label: '[ {"init":true} ]' },
    { name: "ignores a text", base: '"x"', raw: { init: true }, label: '[ {"init":true} ]' },
    { name: "ignores an empty one", base: "", raw: { init: true }, label: '[ {"init":true} ]' },
    {
      name: "is in the reference's order",
      raw: { remoteUser: "me", init: true, waitFor: "x" },
      label: '[ {"waitFor":"x","init":true,"remoteUser":"me"} ]',
    },
    { name: "keeps null", raw: { remoteUser: null }, label: '[ {"remoteUser":null} ]' },
    {
      name: "keeps quotes, dollars and backslashes",
      raw: { postCreateCommand: "printf $'a\\tb' \"$$\"" },
      label: '[ {"postCreateCommand":"printf $\'a\\\\tb\' \\"$$\\""} ]',
    },
  ];
  it.each(rows)("$name", ({ base, raw, label }) => {
    expect(metadataLabel({ base, raw })).toBe(label);
  });

  it("is read back as it was written, over any base", () => {
    const entries = fc.array(fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.jsonValue({ maxDepth: 2 })));
    const clean = entries.filter((list) => !JSON.stringify(list).includes("__proto__"));
    fc.assert(
      fc.property(clean, fc.record({ remoteUser: fc.string() }), (base, raw) => {
        const label = metadataLabel({ base: JSON.stringify(base), raw });
        const kept = base.filter((entry) => Object.keys(entry).length > 0);
        expect(baseEntries(label)).toEqual(JSON.parse(JSON.stringify([...kept, raw])));
      }),
    );
  });

  it("says nothing rather than fail, whatever the base carries", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (base) => {
        expect(Array.isArray(baseEntries(base))).toBe(true);
      }),
    );
  });
});
