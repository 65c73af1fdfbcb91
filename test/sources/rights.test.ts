import { expect, test } from "vitest";
import { grantedOptions, refusedRights, rightsIn } from "../../src/sources/rights.ts";

const at = { file: ".devcontainer/devcontainer.json", line: 4 };
const option = (name: string, value: string | undefined, fromEnvironment = false) => ({
  name,
  value,
  at,
  fromEnvironment,
});

test.each<[string, string | undefined, isRight: boolean]>([
  ["allow", "security.insecure", true],
  ["allow", "network.host", true],
  ["allow", "device", true],
  ["network", "host", true],
  ["network", "container:db", true],
  ["network", undefined, true],
  ["network", "none", false],
  ["network", "default", false],
  ["security-opt", "seccomp=unconfined", true],
  ["cgroup-parent", "/", true],
  ["isolation", "process", true],
  ["privileged", undefined, true],
  ["gpus", "all", true],
  ["add-host", "db=10.0.0.1", false],
  ["label", "a=b", false],
  ["annotation", "a=b", false],
  ["shm-size", "1g", false],
  ["ulimit", "nofile=1024:1024", false],
])("--%s %s gives a right on the machine: %s", (name, value, isRight) => {
  const asked = option(name, value);
  expect(rightsIn([asked])).toEqual(isRight ? [asked] : []);
});

test("what the inputs ask for stays, though the configuration asks for the same", () => {
  const [configured, input] = [option("network", "host"), option("network", "host")];
  const build = { definition: { counted: [configured, input] }, refused: rightsIn([configured]) };
  expect(grantedOptions(build)).toEqual([input]);
});

test("a warning names the option and its place, and no value of the environment", () => {
  const told = refusedRights([option("allow", "security.insecure"), option("security-opt", "s3cret", true)]);
  expect(told).toEqual([
    { text: expect.stringMatching(/^--allow=security.insecure is left out of the build: .*a fork's/), at },
    { text: expect.stringMatching(/^--security-opt is left out/), at },
  ]);
});
