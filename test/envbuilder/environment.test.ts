import { describe, expect, test } from "vitest";
import { computeEnvironment } from "../../src/envbuilder/environment.ts";
import { isSecretOption, type Options } from "../../src/envbuilder/options.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

type Row = {
  readonly name: string;
  readonly attributes?: Options;
  readonly extra?: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
  readonly warnings?: readonly RegExp[];
};

const MODE = "ENVBUILDER_REMOTE_REPO_BUILD_MODE=true";

const compute = ({ attributes = {}, extra = {} }: Pick<Row, "attributes" | "extra">) =>
  computeEnvironment(attributes, new Map(Object.entries(extra)));

// What 18 applies of the real provider 446bafa showed, and its source.
test.each<Row>([
  { name: "nothing set: the one default of the provider's own", lines: [MODE] },
  {
    name: "the three that are required; the builder image is no variable",
    attributes: { ENVBUILDER_CACHE_REPO: "r.test/c", ENVBUILDER_GIT_URL: "https://g.test/a.git" },
    lines: ["ENVBUILDER_CACHE_REPO=r.test/c", "ENVBUILDER_GIT_URL=https://g.test/a.git", MODE],
  },
  {
    name: "what is false, 0 or empty is left out",
    attributes: {
      ENVBUILDER_REMOTE_REPO_BUILD_MODE: false,
      ENVBUILDER_INSECURE: false,
      ENVBUILDER_CACHE_TTL_DAYS: 0n,
      ENVBUILDER_IGNORE_PATHS: [],
      ENVBUILDER_FALLBACK_IMAGE: "",
    },
    lines: [],
  },
  {
    name: "a text that reads false or 0 is left out as well",
    attributes: { ENVBUILDER_GIT_USERNAME: "false", ENVBUILDER_GIT_PASSWORD: "0" },
    lines: [MODE],
  },
  {
    name: "flags and numbers as text",
    attributes: { ENVBUILDER_VERBOSE: true, ENVBUILDER_GIT_CLONE_DEPTH: 12n },
    lines: ["ENVBUILDER_GIT_CLONE_DEPTH=12", MODE, "ENVBUILDER_VERBOSE=true"],
  },
  {
    name: "a list is joined without quoting",
    attributes: { ENVBUILDER_IGNORE_PATHS: ["/a", "/b,c", '/d"e'] },
    lines: ['ENVBUILDER_IGNORE_PATHS=/a,/b,c,/d"e', MODE],
  },
  {
    name: "extra_env over an attribute, with a warning",
    attributes: { ENVBUILDER_CACHE_TTL_DAYS: 3n },
    extra: { ENVBUILDER_CACHE_TTL_DAYS: "7" },
    lines: ["ENVBUILDER_CACHE_TTL_DAYS=7", MODE],
    warnings: [/CACHE_TTL_DAYS in extra-env says something else than the input cache-ttl-days, and counts/],
  },
  {
    name: "extra_env over the default is no overriding",
    extra: { ENVBUILDER_REMOTE_REPO_BUILD_MODE: "0" },
    lines: [],
  },
  {
    name: "extra_env cannot move the repository or the sources",
    attributes: { ENVBUILDER_CACHE_REPO: "r.test/c", ENVBUILDER_GIT_URL: "https://g.test/a" },
    extra: { ENVBUILDER_CACHE_REPO: "r.test/other", ENVBUILDER_GIT_URL: "https://g.test/b" },
    lines: ["ENVBUILDER_CACHE_REPO=r.test/c", "ENVBUILDER_GIT_URL=https://g.test/a", MODE],
    warnings: [
      /CACHE_REPO in extra-env does nothing: set the input cache-repo/,
      /GIT_URL in extra-env does nothing: set the input git-url/,
    ],
  },
  {
    name: "what extra_env only repeats is nothing to be told",
    attributes: { ENVBUILDER_GIT_URL: "https://g.test/a", ENVBUILDER_VERBOSE: true, ENVBUILDER_CACHE_TTL_DAYS: 3n },
    extra: { ENVBUILDER_GIT_URL: "https://g.test/a", ENVBUILDER_VERBOSE: "T", ENVBUILDER_CACHE_TTL_DAYS: "+3" },
    lines: ["ENVBUILDER_CACHE_TTL_DAYS=3", "ENVBUILDER_GIT_URL=https://g.test/a", MODE, "ENVBUILDER_VERBOSE=true"],
  },
  {
    name: "options that have no attribute",
    extra: { ENVBUILDER_INIT_SCRIPT: "sleep 1\nexec sh", ENVBUILDER_PUSH_IMAGE: "T", ENVBUILDER_FORCE_SAFE: "True" },
    lines: [
      "ENVBUILDER_FORCE_SAFE=true",
      "ENVBUILDER_INIT_SCRIPT=sleep 1\nexec sh",
      "ENVBUILDER_PUSH_IMAGE=true",
      MODE,
    ],
  },
  {
    name: "a list in extra_env is one CSV record in the place of the attribute's",
    attributes: { ENVBUILDER_IGNORE_PATHS: ["/a"] },
    extra: { ENVBUILDER_IGNORE_PATHS: '"/x,1","/""y",/z\n/not' },
    lines: ['ENVBUILDER_IGNORE_PATHS=/x,1,/"y,/z', MODE],
    warnings: [/IGNORE_PATHS in extra-env says something else than the input ignore-paths/],
  },
  {
    name: "an empty list in extra_env takes the attribute's away",
    attributes: { ENVBUILDER_IGNORE_PATHS: ["/a"] },
    extra: { ENVBUILDER_IGNORE_PATHS: "" },
    lines: [MODE],
    warnings: [/IGNORE_PATHS in extra-env says something else than the input ignore-paths/],
  },
  {
    name: "an empty flag is false",
    attributes: { ENVBUILDER_VERBOSE: true },
    extra: { ENVBUILDER_VERBOSE: "" },
    lines: [MODE],
    warnings: [/VERBOSE in extra-env says something else than the input verbose/],
  },
  {
    name: "an option that came after the provider vanishes",
    extra: { ENVBUILDER_GIT_CLONE_THINPACK: "true" },
    lines: [MODE],
    warnings: [/GIT_CLONE_THINPACK in extra-env is of a later envbuilder/],
  },
  {
    name: "an old name overrides without a warning, and stays",
    attributes: { ENVBUILDER_CACHE_TTL_DAYS: 3n, ENVBUILDER_CACHE_REPO: "r.test/c" },
    extra: { CACHE_TTL_DAYS: "+007", CACHE_REPO: "r.test/old" },
    lines: [
      "CACHE_REPO=r.test/old",
      "CACHE_TTL_DAYS=+007",
      "ENVBUILDER_CACHE_REPO=r.test/old",
      "ENVBUILDER_CACHE_TTL_DAYS=7",
      MODE,
    ],
  },
  {
    name: "the agent's options have no prefix and go in as they are",
    extra: { CODER_AGENT_TOKEN: "t0ken", CODER_AGENT_URL: "https://c.test", CODER_AGENT_SUBSYSTEM: '"a"' },
    lines: ['CODER_AGENT_SUBSYSTEM="a"', "CODER_AGENT_TOKEN=t0ken", "CODER_AGENT_URL=https://c.test", MODE],
  },
  {
    name: "any other variable goes in as it is, false and empty ones too, sorted by bytes",
    extra: { "\u{1F600}": "1", "\uFF5E": "2", b: "false", B: "", _: "0", ENVBUILDER: "x" },
    lines: ["B=", "ENVBUILDER=x", MODE, "_=0", "b=false", "\uFF5E=2", "\u{1F600}=1"],
  },
])("$name", ({ lines, warnings = [], ...given }) => {
  const computed = compute(given);
  expect([...computed.variables].map(([name, value]) => `${name}=${value}`)).toEqual(lines);
  expect(computed.warnings).toEqual(warnings.map((warning) => expect.stringMatching(warning)));
});

test("the options are what they are after extra_env", () => {
  const { options } = compute({
    attributes: { ENVBUILDER_CACHE_TTL_DAYS: 3n, ENVBUILDER_INSECURE: true },
    extra: { ENVBUILDER_CACHE_TTL_DAYS: "9", DEVCONTAINER_DIR: "d" },
  });
  expect(options).toEqual({
    ENVBUILDER_CACHE_TTL_DAYS: 9n,
    ENVBUILDER_INSECURE: true,
    ENVBUILDER_DEVCONTAINER_DIR: "d",
    ENVBUILDER_REMOTE_REPO_BUILD_MODE: true,
  });
});

describe("refused", () => {
  test.each<Omit<Row, "lines"> & { readonly words: RegExp }>([
    {
      name: "an unknown option",
      extra: { ENVBUILDER_CACHE_REPOS: "x" },
      words: /ENVBUILDER_CACHE_REPOS.*no such option\. Was ENVBUILDER_CACHE_REPO meant\?$/,
    },
    { name: "another tool's", extra: { ENVBUILDER_WHATEVER: "x" }, words: /has no such option\.$/ },
    { name: "a flag that is none", extra: { ENVBUILDER_INSECURE: "yes" }, words: /ENVBUILDER_INSECURE to "yes"/ },
    { name: "a number that is none", extra: { ENVBUILDER_CACHE_TTL_DAYS: "1_0" }, words: /CACHE_TTL_DAYS to "1_0"/ },
    { name: "an empty number", extra: { ENVBUILDER_GIT_CLONE_DEPTH: "" }, words: /GIT_CLONE_DEPTH to ""/ },
    { name: "a number past 64 bits", extra: { ENVBUILDER_GIT_CLONE_DEPTH: "9223372036854775808" }, words: /DEPTH to/ },
    { name: "a list that is no CSV", extra: { ENVBUILDER_IGNORE_PATHS: 'a"b' }, words: /IGNORE_PATHS to "a"b"/ },
    { name: "a list of nothing but a line", extra: { ENVBUILDER_IGNORE_PATHS: "\n" }, words: /IGNORE_PATHS/ },
    { name: "an old name with a value that cannot be", extra: { INSECURE: "yes" }, words: /sets INSECURE to "yes"/ },
    {
      name: "both names of one option",
      extra: { VERBOSE: "1", ENVBUILDER_VERBOSE: "1" },
      words: /two names of one option/,
    },
    {
      name: "two ssh keys, one in extra_env",
      attributes: { ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH: "/k" },
      extra: { ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64: "aw==" },
      words: /one ssh key/,
    },
  ])("$name", async ({ words, ...given }) => {
    const { code, message } = await refusalOf(() => compute(given));
    expect([code, message]).toEqual(["E_INPUT", expect.stringMatching(words)]);
  });

  test("a secret's value is not told", async () => {
    const { message } = await refusalOf(() => compute({ extra: { ENVBUILDER_BUILD_SECRETS: 'FOO=s3cr"t' } }));
    expect(message).not.toContain("s3cr");
  });
});

test.each([
  ["ENVBUILDER_GIT_PASSWORD", true],
  ["GIT_PASSWORD", true],
  ["CODER_AGENT_TOKEN", true],
  ["ENVBUILDER_GIT_USERNAME", false],
  ["PATH", false],
])("%s is a secret: %s", (name, secret) => {
  expect(isSecretOption(name)).toBe(secret);
});
