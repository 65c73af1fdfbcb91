import { expect, test } from "vitest";
import { parseConfiguration, type Warning } from "../../src/devcontainer/parse.ts";
import { passedOverWarnings } from "../../src/devcontainer/passed-over.ts";
import { propertyNameWarnings } from "../../src/devcontainer/property-names.ts";

const FILE = ".devcontainer/devcontainer.json";
const told = (warnings: readonly Warning[]) => warnings.map(({ text, at }) => `${at.line}: ${text}`);
const named = (text: string) => told(propertyNameWarnings(parseConfiguration(text, FILE)));
const over = (text: string) => told(passedOverWarnings(parseConfiguration(text, FILE)));

test.each([
  ["feature", "features"],
  ["postCreateComand", "postCreateCommand"],
  ["containerEnvs", "containerEnv"],
  ["runArg", "runArgs"],
  ["remoteuser", "remoteUser"],
  ["dockerfile", "dockerFile"],
  ["images", "image"],
  ["costumizations", "customizations"],
  ["fowardPorts", "forwardPorts"],
])("%s", (written, meant) => {
  expect(named(`{\n"image": "a",\n"${written}": {}\n}`)).toEqual([
    `3: There is no property ${written}: it does nothing. Was ${meant} meant?`,
  ]);
});

test("in build and in hostRequirements too", () => {
  expect(named('{\n"build": {\n"dockerFile": "D",\n"arg": {} },\n"hostRequirements": { "cpu": 2 } }')).toEqual([
    "3: There is no property build.dockerFile: it does nothing. Was build.dockerfile meant?",
    "4: There is no property build.arg: it does nothing. Was build.args meant?",
    "5: There is no property hostRequirements.cpu: it does nothing. Was hostRequirements.cpus meant?",
  ]);
});

// https://containers.dev/implementors/json_reference/, and what tools have of their own.
test("nothing is said of what the specification knows, of what looks like none of it, and of what belongs to tools", () => {
  const known = `$schema name forwardPorts portsAttributes otherPortsAttributes containerEnv remoteEnv remoteUser containerUser
    updateRemoteUserUID userEnvProbe overrideCommand shutdownAction init privileged capAdd securityOpt mounts features
    overrideFeatureInstallOrder secrets customizations image build appPort workspaceMount workspaceFolder runArgs dockerComposeFile
    service runServices initializeCommand onCreateCommand updateContentCommand postCreateCommand postStartCommand postAttachCommand
    waitFor hostRequirements dockerFile context extensions settings devPort`;
  const foreign = "codespaces tasks env ports comment volumes gitpod _note id version description";
  const names = `${known} ${foreign}`.split(/\s+/);
  expect(named(JSON.stringify(Object.fromEntries(names.map((name) => [name, {}]))))).toEqual([]);
  expect(
    named('{ "customizations": { "feature": 1, "vscode": { "extension": [] } }, "containerEnv": { "imag": "" } }'),
  ).toEqual([]);
});

test.each([
  [
    '{\n"image": "a",\n"build": { "dockerfile": "D" } }',
    ["2: image counts for nothing beside build.dockerfile, as in the reference CLI's build"],
  ],
  ['{\n"image": "a",\n"dockerFile": "D" }', [/^2: image .* beside dockerFile,/]],
  ['{\n"image": "a",\n"dockerComposeFile": "c.yml" }', [/^2: image .* beside dockerComposeFile,/]],
  ['{\n"dockerComposeFile": "c.yml",\n"build": { "args": {} } }', [/^3: build .* beside dockerComposeFile,/]],
  ['{\n"dockerComposeFile": "c.yml",\n"dockerFile": "D" }', [/^2: dockerComposeFile .* beside dockerFile,/]],
  ['{\n"image": "a",\n"build": { "args": {} } }', [/^3: build .* beside image,/]],
  ['{\n"dockerFile": "D",\n"build": { "args": {},\n"context": ".." } }', [/^4: build\.context .* beside dockerFile,/]],
  ['{\n"context": "..",\n"build": { "dockerfile": "D" } }', [/^2: context .* beside build\.dockerfile,/]],
  ['{ "context": "..", "dockerFile": "D", "build": { "args": {} } }', []],
  ['{ "image": "a", "build": {} }', []],
  ['{ "image": "", "build": { "dockerfile": "D" } }', []],
  ['{ "image": "a", "service": "x" }', []],
])("what goes over what: %s", (text, expected) => {
  expect(over(text)).toEqual(expected.map((one) => (typeof one === "string" ? one : expect.stringMatching(one))));
});
