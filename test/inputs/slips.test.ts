import { describe, expect, test } from "vitest";
import { ActionError } from "../../src/errors.ts";
import { readInputs } from "../../src/inputs/read-inputs.ts";

// Slips that have a form: a value of another input's kind, or what YAML, a shell or a template has left in it.

const read = (inputs: Readonly<Record<string, string>>) =>
  readInputs((name) => inputs[name] ?? "", { cacheRepository: "ghcr.io/team/app/devcontainer", isFork: false });

function refusal(inputs: Readonly<Record<string, string>>): string {
  try {
    read(inputs);
  } catch (error) {
    if (error instanceof ActionError) return `${error.code} ${error.message} ${error.fix}`;
    throw error;
  }
  return "taken";
}

const LISTS = [
  ...["allowed-sources", "runners", "ignore-args", "ssh", "build-contexts", "labels", "ignore-labels", "add-hosts"],
  ...["builders", "registry-mirrors", "allowed-images"],
];
const NAMES = ["cache-repo", "fallback-image", "buildkit-image", "previous-image", "tags", "release", "sbom-dir"];
const BOTH = ["cache-from", "cache-to", "local-env"];

describe("the word of a switch is no name of anything", () => {
  test.each([...LISTS, ...NAMES, ...BOTH])("%s", (name) => {
    for (const word of ["true", "TRUE", "yes", "on", "none", "null", ...(BOTH.includes(name) ? [] : ["false", "off"])])
      expect(refusal({ [name]: word })).toMatch(new RegExp(`^E_INPUT The input ${name} (?:is|holds) "${word}"`));
  });

  test("but where it is one: false for none, auto", () => {
    for (const name of BOTH) expect(refusal({ [name]: "false" })).toBe("taken");
    expect(refusal({ release: "auto" })).toBe("taken");
    expect(refusal({ release: "false" })).toContain("${{ condition && 'latest' || '' }}");
    expect(refusal({ "ignore-args": "ON\nALL" })).toBe("taken");
  });
});

test.each([
  [{ labels: "a,b" }, /without commas/],
  [{ "build-contexts": "a=x,b=y" }, /several contexts stand on one line.*without commas/],
  [{ "ignore-labels": "a,b" }, /without commas/],
  [{ "ignore-args": "A,B" }, /without commas/],
  [{ "add-hosts": "a:1.2.3.4,b:1.2.3.4" }, /without commas/],
  [{ runners: "linux/arm64=a,linux/amd64=b" }, /several platforms stand on one line/],
  [{ builders: "linux/arm64=a,linux/amd64=b" }, /without commas/],
  [{ "registry-mirrors": "docker.io=a.test,ghcr.io=b.test" }, /without commas/],
  [{ "allowed-sources": "https://a.test/*,https://b.test/*" }, /without commas/],
  [{ "on-miss": '"build"' }, /quotation marks are part of the value.*Allowed: build/],
  [{ platforms: "'linux/amd64'" }, /quotation marks are part of the value/],
  [{ platforms: '["linux/amd64"]' }, /JSON is not read here/],
  [{ platforms: "- linux/amd64" }, /dash is part of the value/],
  [{ "allowed-images": "- debian" }, /dash is part of the value/],
  [{ "on-miss": "${{ inputs.on-miss }}" }, /has not replaced the expression/],
  [{ "cache-repo": "ghcr.io\\team\\app" }, /written with \//],
  [{ "cache-repo": "${{ vars.REPO }}" }, /has not replaced the expression/],
  [{ "cache-repo": "ghcr.io/${{ github.repository }}/x" }, /has not replaced the expression/],
  [
    { "cache-repo": "ghcr.io/$GITHUB_REPOSITORY/x" },
    /Variables of a shell are not replaced in an input: write \$\{\{ env/,
  ],
  [{ "cache-repo": "ghcr.io//devcontainer" }, /a part of it is empty, as where a variable has no value/],
  [{ "cache-repo": "ghcr.io/team/app/" }, /a part of it is empty/],
  [{ "cache-repo": "ghcr.io/team/app\u200b" }, /A character in it \(U\+200B\) cannot be seen/],
  [{ "cache-repo": "ghcr.io/te\u0430m/app" }, /The character \u0430 in it \(U\+0430\) is not one of ASCII/],
  [{ tags: "\u{1F680}" }, /\(U\+1F680\) is not one of ASCII/],
  [{ "cache-to": "type=registy,ref=x" }, /no layer cache of the type registy.*Correct it: one item a line\.$/],
  [{ insecure: "http://r.test" }, /starts with a scheme/],
  [{ insecure: "a.test:1,b.test" }, /several stand on one line/],
  [{ insecure: "r.test/x" }, /it has a path/],
  [{ "registry-mirrors": "docker.io=https://m.test" }, /there is a scheme in it; leave that out/],
  [{ "git-url": "https://github.com/team/app/tree/main" }, /address of a page.*git-ref/],
  [{ "git-url": "https://git.test/team/app/src/branch/main" }, /address of a page/],
  [{ "git-url": "https://git.test/group/team/app/lib" }, /^taken$/],
  [{ "fallback-image": "latest" }, /a tag alone/],
  [{ "cache-from": "type=registry" }, /it is empty\. Correct it: one item a line\.$/],
  [{ "fallback-image": "ghcr.io" }, /a registry without a repository/],
  [{ "fallback-image": `sha256:${"0".repeat(64)}` }, /a digest alone/],
  [{ "previous-image": `sha256:${"0".repeat(64)}` }, /a digest alone/],
  [{ "buildkit-image": "https://a.test/b" }, /starts with a scheme.*Allowed: an image's name/],
])("told in words: %j", (inputs, words) => {
  expect(refusal(inputs)).toMatch(words);
});

test.each([
  "type=gha,ghtoken=s3cr3t",
  "type=gha,gh_token=s3cr3t",
  "type=s4,secret_access_key=s3cr3t",
  'type=s4,"session_token=s3cr3t,s3cr3t"',
  'type=s3,token=s3cr3t,"',
])("what a secret of a layer cache is, no message tells: %s", (line) => {
  expect(refusal({ "cache-from": line })).toMatch(/^(?!.*s3cr3t).*=…/);
});

test("labels on one line are one label, and a warning tells", () => {
  expect(read({ labels: "a=1,b=2" }).noticed).toMatchObject([{ text: expect.stringContaining("which is one label") }]);
  expect(read({ labels: "a=1, 2 and 3\nb=2" }).noticed).toEqual([]);
});
