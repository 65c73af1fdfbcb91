import { describe, expect, test } from "vitest";
import { readInputs } from "../../src/inputs/read-inputs.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const DEFAULTS = { cacheRepository: "ghcr.io/team/app/devcontainer", isFork: false };
const GIVEN = { dialect: "envbuilder", "builder-image": "ghcr.io/coder/envbuilder:1.3.0", "on-miss": "fail" };

const read = (inputs: Readonly<Record<string, string>>) => {
  const all: Readonly<Record<string, string>> = { ...GIVEN, ...inputs };
  return readInputs((name) => all[name] ?? "", DEFAULTS);
};
const variablesOf = (inputs: Readonly<Record<string, string>>) =>
  Object.fromEntries(read(inputs).envbuilder?.environment.variables ?? []);

const KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\n${"a".repeat(40)}\n-----END OPENSSH PRIVATE KEY-----\n`;

test("nothing but what is required: what the resource computes of it", () => {
  expect(variablesOf({})).toEqual({
    ENVBUILDER_CACHE_REPO: "ghcr.io/team/app/devcontainer",
    ENVBUILDER_REMOTE_REPO_BUILD_MODE: "true",
  });
});

test("every attribute of the resource has an input of its name", () => {
  const config = btoa('{"auths":{}}');
  const attributes = {
    "cache-repo": "r.test/cache",
    "git-url": "https://git.test/team/app.git#refs/heads/main",
    "base-image-cache-dir": "/base",
    "build-context-path": "sub",
    "cache-ttl-days": "14",
    "devcontainer-dir": "conf",
    "devcontainer-json-path": "dev.json",
    "dockerfile-path": "sub/Dockerfile",
    "docker-config-base64": config,
    "exit-on-build-failure": "true",
    "fallback-image": "debian:12",
    "git-clone-depth": "3",
    "git-clone-single-branch": "true",
    "git-http-proxy-url": "http://proxy.test:3128",
    "git-password": "s3cret",
    "git-username": "robot",
    "git-ssh-private-key-base64": btoa(KEY),
    "ignore-paths": "/a\n/b",
    insecure: "true",
    "remote-repo-build-mode": "true",
    verbose: "true",
    "workspace-folder": "/workspaces/other",
  };
  const expected = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      `ENVBUILDER_${name.toUpperCase().replaceAll("-", "_")}`,
      value.replace("\n", ","),
    ]),
  );
  expect(variablesOf(attributes)).toEqual(expected);
});

test("what is set to false is left out, where the provider's default is true as well", () => {
  expect(variablesOf({ "remote-repo-build-mode": "false", verbose: "false", insecure: "false" })).toEqual({
    ENVBUILDER_CACHE_REPO: "ghcr.io/team/app/devcontainer",
  });
});

describe("extra-env", () => {
  test("what says the same as an input, and git's options where nothing is cloned here, are handed on", () => {
    const config = btoa('{"auths":{}}');
    const said = `DOCKER_CONFIG_BASE64=${config}\nGIT_URL=https://g.test/a\nENVBUILDER_GIT_USERNAME=me`;
    expect(variablesOf({ "docker-config-base64": config, "extra-env": said })).toMatchObject({
      ENVBUILDER_DOCKER_CONFIG_BASE64: config,
      ENVBUILDER_GIT_URL: "https://g.test/a",
      ENVBUILDER_GIT_USERNAME: "me",
    });
  });
  test("one variable a line", () => {
    expect(variablesOf({ "extra-env": "A=1\n  B = x=y\nENVBUILDER_INIT_SCRIPT=sleep 1" })).toMatchObject({
      A: "1",
      "B ": " x=y",
      ENVBUILDER_INIT_SCRIPT: "sleep 1",
    });
  });
  test("a JSON object, with values of several lines", () => {
    expect(variablesOf({ "extra-env": '{"A":"1\\n2"}' })).toMatchObject({ A: "1\n2" });
  });
});

test("the same without the dialect is none of its inputs", () => {
  expect(readInputs(() => "", DEFAULTS).envbuilder).toBeUndefined();
});

describe("refused before any work", () => {
  test.each<{
    readonly name: string;
    readonly inputs: Readonly<Record<string, string>>;
    readonly words: RegExp;
  }>([
    { name: "no builder image", inputs: { "builder-image": "" }, words: /builder-image is not set/ },
    { name: "a builder image that is none", inputs: { "builder-image": "A B" }, words: /builder-image is "A B"/ },
    { name: "several platforms", inputs: { platforms: "linux/amd64,linux/arm64" }, words: /platforms is/ },
    {
      name: "an input of the other dialect",
      inputs: { "build-args": "A=1" },
      words: /build-args is set and dialect is envbuilder/,
    },
    { name: "another one with a default", inputs: { sbom: "true" }, words: /sbom is set and dialect is envbuilder/ },
    {
      name: "an input of this dialect in the other",
      inputs: { dialect: "", "builder-image": "", "extra-env": "A=1" },
      words: /extra-env is set and dialect is devcontainer/,
    },
    { name: "a dialect that nobody knows", inputs: { dialect: "nix" }, words: /dialect is "nix"/ },
    {
      name: "an option that does not exist",
      inputs: { "extra-env": "ENVBUILDER_CACHE_REPOS=x" },
      words: /ENVBUILDER_CACHE_REPOS/,
    },
    {
      name: "an option of the wrong type",
      inputs: { "extra-env": "ENVBUILDER_INSECURE=yes" },
      words: /ENVBUILDER_INSECURE to "yes"/,
    },
    { name: "a line without =", inputs: { "extra-env": "s3cret" }, words: /has a line that is not written/ },
    { name: "a variable twice", inputs: { "extra-env": "A=1\nA=2" }, words: /sets A twice/ },
    { name: "JSON that is none", inputs: { "extra-env": "{A=1" }, words: /starts like a JSON object/ },
    { name: "JSON with a number", inputs: { "extra-env": '{"A":1}' }, words: /else than a text as A/ },
    {
      name: "another cache by the old name",
      inputs: { "extra-env": "CACHE_REPO=r.test/x" },
      words: /CACHE_REPO to another repository/,
    },
    {
      name: "another program",
      inputs: { "extra-env": "ENVBUILDER_BINARY_PATH=/x" },
      words: /ENVBUILDER_BINARY_PATH, and it is the program/,
    },
    ...["DOCKER_CONFIG_BASE64=eyJhdXRocyI6e319", "ENVBUILDER_SSL_CERT_BASE64=eA==", "INSECURE=true"].map((line) => ({
      name: `what this action would not use: ${line}`,
      inputs: { "extra-env": line },
      words: new RegExp(
        `sets ENVBUILDER_\\S+ or ${line.replace(/^ENVBUILDER_|=.*/g, "")}, which this action would not use`,
      ),
    })),
    ...[
      "GIT_URL=https://g.test/b",
      "ENVBUILDER_GIT_USERNAME=me",
      "GIT_PASSWORD=s3cret",
      "GIT_HTTP_PROXY_URL=http://p.test",
    ].map((line) => ({
      name: `what the clone would not be made with: ${line}`,
      inputs: { "git-url": "https://g.test/a", "extra-env": line },
      words: /would not use itself/,
    })),
    { name: "layers in a folder", inputs: { "extra-env": "ENVBUILDER_LAYER_CACHE_DIR=/l" }, words: /LAYER_CACHE_DIR/ },
    { name: "a registry that is insecure by name", inputs: { insecure: "r.test" }, words: /insecure is "r.test"/ },
    { name: "a certificate that is none", inputs: { "ssl-cert-base64": "eA==" }, words: /ssl-cert-base64/ },
    {
      name: "a key that is none",
      inputs: { "git-url": "ssh://git@g.test/a", "git-ssh-private-key-base64": "eA==" },
      words: /git-ssh-private-key-base64/,
    },
    {
      name: "a builder image that is not allowed",
      inputs: { "allowed-images": "debian" },
      words: /builder-image asks for/,
    },
  ])("$name", async ({ inputs, words }) => {
    const error = await refusalOf(() => read(inputs));
    expect([error.code, error.message]).toEqual(["E_INPUT", expect.stringMatching(words)]);
    expect(error.message).not.toContain("s3cret");
  });
});
