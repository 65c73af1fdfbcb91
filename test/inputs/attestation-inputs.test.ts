import { expect, test } from "vitest";
import { ActionError } from "../../src/errors.ts";
import type { Inputs } from "../../src/inputs/inputs.ts";
import { readInputs } from "../../src/inputs/read-inputs.ts";
import { formatReference } from "../../src/oci/reference.ts";

const read = (inputs: Readonly<Record<string, string>>): Inputs =>
  readInputs((name) => inputs[name] ?? "", { cacheRepository: "ghcr.io/team/app", isFork: false });

test("nothing set: no SBOM, provenance without values, nothing demanded", () => {
  expect(read({}).attestations).toEqual({ generator: undefined, provenance: "min", required: [], folder: undefined });
});

const DIGEST = `sha256:${"a".repeat(64)}`;

test.each<[string, string | undefined]>([
  ["false", undefined],
  ["FALSE", undefined],
  ["true", "docker.io/docker/buildkit-syft-scanner:stable-1"],
  ["True", "docker.io/docker/buildkit-syft-scanner:stable-1"],
  ["docker/buildkit-syft-scanner", "docker.io/docker/buildkit-syft-scanner"],
  ["mirror.example/tools/scanner:2", "mirror.example/tools/scanner:2"],
  [`ghcr.io/team/scanner@${DIGEST}`, `ghcr.io/team/scanner@${DIGEST}`],
])("sbom: %s", (sbom, expected) => {
  const { generator } = read({ sbom }).attestations;
  expect(generator && formatReference(generator)).toBe(expected);
});

test.each<[string, string, readonly string[]]>([
  ["commas", "sbom,provenance", ["sbom", "provenance"]],
  ["lines, blanks, twice, another order", "provenance\n sbom \n\nprovenance,", ["sbom", "provenance"]],
  ["one", "provenance", ["provenance"]],
])("require: %s", (_, require, expected) => {
  expect(read({ require, sbom: "true" }).attestations.required).toEqual(expected);
});

test.each<[string, Readonly<Record<string, string>>]>([
  ["an SBOM is made", { sbom: "true" }],
  ["nothing is built", { "on-miss": "fail", "on-drift": "use" }],
  ["nothing is built, whatever happens", { "on-miss": "continue", "on-drift": "fail", "on-unknown": "continue" }],
])("require: sbom is fine where %s", (_, inputs) => {
  expect(read({ require: "sbom", ...inputs }).attestations.required).toEqual(["sbom"]);
});

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ["an sbom that is a word", { sbom: "yes" }, /sbom is "yes".*/],
  ["an sbom that is no image", { sbom: "team/Scanner:1" }, /sbom is "team\/Scanner:1"/],
  ["a generator with options", { sbom: "generator=team/scanner" }, /sbom is "generator=team\/scanner"/],
  ["no provenance", { provenance: "false" }, /provenance is false, and without provenance nothing shows/],
  ["no provenance, in capitals", { provenance: " False " }, /provenance is false/],
  ["a provenance that nobody knows", { provenance: "full" }, /provenance is "full"/],
  ["a demand that nobody knows", { require: "sbom, signature" }, /require is "signature"/],
  [
    "require: sbom and a build without one",
    { require: "sbom" },
    /require names sbom, on-miss is build and sbom is false/,
  ],
  [
    "require: sbom and a build without one, after a drift",
    { require: "sbom", "on-miss": "fail" },
    /require names sbom, on-drift is build and sbom is false/,
  ],
  [
    "require: sbom and a build without one, where nobody knows",
    { require: "sbom", "on-miss": "fail", "on-drift": "use", "on-unknown": "build" },
    /require names sbom, on-unknown is build/,
  ],
  [
    "docker's own generator where only others' images are allowed",
    { sbom: "true", "allowed-images": "ghcr.io/team/**" },
    /docker\.io\/docker\/buildkit-syft-scanner:stable-1, which is not among allowed-images/,
  ],
])("refused before any work: %s", (_, inputs, words) => {
  expect(() => read(inputs)).toThrow(words);
  try {
    read(inputs);
  } catch (error) {
    expect(error).toBeInstanceOf(ActionError);
    expect(error).toMatchObject({ code: "E_INPUT", fix: expect.stringMatching(/\w/) });
  }
});

test("a generator that allowed-images names", () => {
  const { attestations } = read({ sbom: "true", "allowed-images": "docker.io/docker/*" });
  expect(attestations.generator?.repository).toBe("docker/buildkit-syft-scanner");
});
