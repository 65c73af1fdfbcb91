import type { Shared, Difference as Told } from "../differences/row.ts";

/** What `docker compose config` says of a service, paths as seen from the workspace, without what does not concern the image. */
export type Said = {
  readonly image?: string;
  readonly user?: string;
  readonly platform?: string;
  readonly build?: Readonly<Record<string, unknown>>;
};

/** A compose project: unit tests hold ours against `says`, end-to-end tests the real compose too. */
export type Row = {
  readonly name: string;
  /** By their path in the workspace. A text alone is `compose.yml`. */
  readonly files: string | Readonly<Record<string, string>>;
  /** What `dockerComposeFile` names; `compose.yml` when nothing is said. */
  readonly compose?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly says: Said | "refused";
};

/** A service `app` with these lines. */
const app = (...lines: readonly string[]): string =>
  `services:\n  app:\n${lines.map((line) => `    ${line}\n`).join("")}`;
const build = (...lines: readonly string[]): string => app("build:", ...lines.map((line) => `  ${line}`));
const built = (more: object = {}, service: Said = {}): Said => ({
  ...service,
  build: { context: ".", dockerfile: "Dockerfile", ...more },
});

export const ROWS: readonly Row[] = [
  // The forms of a service
  { name: "an image", files: app("image: debian:12"), says: { image: "debian:12" } },
  {
    name: "an image with user and platform",
    files: app("image: debian:12", 'user: "1000:1000"', "platform: linux/arm64"),
    says: { image: "debian:12", user: "1000:1000", platform: "linux/arm64" },
  },
  {
    name: "a build by its folder",
    files: app("build: ./docker"),
    says: built({ context: "docker", dockerfile: "docker/Dockerfile" }),
  },
  { name: "a build with an image for its name", files: app("image: mine:1", "build: ."), says: built() },
  { name: "a build with nothing but a target", files: build("target: dev"), says: built({ target: "dev" }) },
  { name: "an empty context is the project's folder", files: build('context: ""'), says: built() },
  { name: "an empty target is none", files: build('target: ""'), says: built() },
  {
    name: "a Dockerfile counts from its context",
    files: build("context: src", "dockerfile: ../docker/Dockerfile.dev"),
    says: { build: { context: "src", dockerfile: "docker/Dockerfile.dev" } },
  },
  {
    name: "a Dockerfile in the file",
    files: build("dockerfile_inline: |", "  FROM debian:12", "  RUN echo $$HOME"),
    says: { build: { context: ".", dockerfile_inline: "FROM debian:12\nRUN echo $HOME\n" } },
  },
  { name: "both kinds of a Dockerfile", files: build("dockerfile: a", "dockerfile_inline: FROM a"), says: "refused" },
  { name: "neither image nor build", files: app("user: me"), says: "refused" },
  { name: "no such service", files: "services:\n  web:\n    image: a\n", says: "refused" },
  { name: "no services", files: "services:\n", says: "refused" },
  { name: "an empty service", files: "services:\n  app:\n", says: "refused" },
  { name: "an empty file", files: "# nothing\n", says: "refused" },
  { name: "a file that is a list", files: "- a\n", says: "refused" },
  { name: "an image that is a number", files: app("image: 5"), says: "refused" },
  { name: "a user that is a number", files: app("image: a", "user: 1000"), says: "refused" },
  { name: "an empty image beside a build", files: app('image: ""', "build: ."), says: built() },
  { name: "a build that is empty", files: app("build:"), says: "refused" },
  { name: "a property twice", files: app("image: a", "image: b"), says: "refused" },

  // Values
  {
    name: "numbers and booleans as arguments",
    files: build(
      "args:",
      "  OCTAL: 0777",
      "  OCTAL12: 0o17",
      "  HEX: 0x1F",
      "  BINARY: -0b11",
      "  LONG: 1_000",
      "  BIG: 9007199254740993",
      "  HUGE: 123456789012345678901234",
      "  DECIMAL: 1.10",
      "  EIGHT: 08",
      "  POINT: .5",
      "  SMALL: 0.00001",
      "  EXPONENT: 1e3",
      "  LARGE: 1e21",
      "  MILLION: 1e6",
      "  ALMOST: 999999.5",
      "  ENDLESS: .inf",
      "  MINUS: -0.0",
      "  PLUS: +5",
      "  BOOLEAN: True",
      "  YES: yes",
      "  OFF: off",
      "  VERSION: 1.2.3",
      "  TEXT: '0777'",
      "  TAGGED: !!str 0777",
    ),
    says: built({
      args: {
        OCTAL: "511",
        OCTAL12: "15",
        HEX: "31",
        BINARY: "-3",
        LONG: "1000",
        BIG: "9007199254740993",
        HUGE: "1.2345678901234569e+23",
        DECIMAL: "1.1",
        EIGHT: "8",
        POINT: "0.5",
        SMALL: "1e-05",
        EXPONENT: "1000",
        LARGE: "1e+21",
        MILLION: "1e+06",
        ALMOST: "999999.5",
        ENDLESS: "+Inf",
        MINUS: "-0",
        PLUS: "5",
        BOOLEAN: "true",
        YES: "yes",
        OFF: "off",
        VERSION: "1.2.3",
        TEXT: "0777",
        TAGGED: "0777",
      },
    }),
  },
  { name: "a date as argument", files: build("args:", "  D: 2020-01-01"), says: "refused" },
  { name: "no date", files: build("args:", "  D: 2020-13-01"), says: built({ args: { D: "2020-13-01" } }) },
  { name: "a list as argument", files: build("args:", "  A: [x]"), says: "refused" },
  { name: "a name that is a number", files: build("args:", "  1: x"), says: "refused" },
  {
    name: "arguments as a list",
    files: build("args: [A=1, B=, 'C=x=y', A=2]"),
    says: built({ args: { A: "2", B: "", C: "x=y" } }),
  },
  { name: "an argument with a blank behind its name", files: build('args: ["A =1"]'), says: "refused" },
  {
    name: "arguments from the environment",
    files: build("args:", "  SET:", "  UNSET:", '  EMPTY: ""'),
    env: { SET: "yes" },
    says: built({ args: { SET: "yes", EMPTY: "" } }),
  },
  {
    name: "arguments from the environment, as a list",
    files: build("args: [SET, UNSET, EMPTY=]"),
    env: { SET: "yes" },
    says: built({ args: { SET: "yes", EMPTY: "" } }),
  },
  {
    name: "arguments from .env",
    files: { "compose.yml": build("args: [A]"), ".env": "A=dot\n" },
    says: built({ args: { A: "dot" } }),
  },
  { name: "no arguments", files: build("args: {}"), says: built() },
  { name: "arguments left empty", files: build("args:"), says: "refused" },
  {
    name: "labels in both forms",
    files: { "compose.yml": build("labels: {a: 1, b: , c: true}"), "over.yml": build("labels: [a=2, d]") },
    compose: ["compose.yml", "over.yml"],
    says: built({ labels: { a: "2", b: "", c: "true", d: "" } }),
  },
  {
    name: "everything else of a build",
    files: build(
      "network: host",
      "shm_size: 64mb",
      "no_cache: true",
      'pull: "yes"',
      "privileged: true",
      "entitlements: [network.host]",
      "cache_from: [a, 'type=registry,ref=b']",
      "platforms: [linux/amd64, linux/arm64]",
      "ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}",
      "extra_hosts: {a: 1.1.1.1, b: [2.2.2.2, '[::1]']}",
      "tags: [x]",
      "x-own: anything",
    ),
    says: built({
      network: "host",
      shm_size: 67108864,
      no_cache: true,
      pull: true,
      privileged: true,
      entitlements: ["network.host"],
      cache_from: ["a", "type=registry,ref=b"],
      platforms: ["linux/amd64", "linux/arm64"],
      ulimits: { nofile: { soft: 5, hard: 5 }, nproc: { soft: 1, hard: 2 } },
      extra_hosts: ["a=1.1.1.1", "b=2.2.2.2", "b=::1"],
    }),
  },
  { name: "a size in bytes", files: build("shm_size: 65536"), says: built({ shm_size: 65536 }) },
  { name: "a size with a fraction", files: build("shm_size: 1.5gb"), says: built({ shm_size: 1610612736 }) },
  { name: "a size in no known unit", files: build("shm_size: 1x"), says: "refused" },
  { name: "a size that is a fraction of a byte", files: build("shm_size: 1.5"), says: "refused" },
  { name: "no_cache neither true nor false", files: build("no_cache: maybe"), says: "refused" },
  { name: "a limit without its other half", files: build("ulimits: {nofile: {soft: 1}}"), says: "refused" },
  { name: "a limit that is a text", files: build('ulimits: {nofile: "5"}'), says: "refused" },
  {
    name: "hosts as a list",
    files: build("extra_hosts: [a=1.1.1.1, 'b:2.2.2.2', 'c=1.1.1.1,2.2.2.2', 'd:::1']"),
    says: built({ extra_hosts: ["a=1.1.1.1", "b=2.2.2.2", "c=1.1.1.1", "c=2.2.2.2", "d=::1"] }),
  },
  { name: "a host without an address", files: build("extra_hosts: [a]"), says: "refused" },
  { name: "a source of cache that is no list", files: build("cache_from: a"), says: "refused" },
  { name: "a target that is a number", files: build("target: 1"), says: "refused" },
  {
    name: "a platform that the build has not",
    files: app("build: {platforms: [linux/amd64]}", "platform: linux/arm64"),
    says: "refused",
  },
  {
    name: "additional contexts",
    files: build(
      "additional_contexts:",
      "  one: ./one",
      "  two: docker-image://debian:12",
      "  three: https://example.com/x.git",
    ),
    says: built({
      additional_contexts: { one: "one", two: "docker-image://debian:12", three: "https://example.com/x.git" },
    }),
  },
  {
    name: "additional contexts as a list",
    files: {
      "compose.yml": build("additional_contexts: [a=./a, b=./b]"),
      "over.yml": build("additional_contexts: {a: ./c}"),
    },
    compose: ["compose.yml", "over.yml"],
    says: built({ additional_contexts: { a: "c", b: "b" } }),
  },
  { name: "an additional context without a path", files: build("additional_contexts: [a]"), says: "refused" },
  {
    name: "secrets",
    files: `${build("secrets: [token, {source: netrc, target: rc}, {source: other}]")}secrets:\n  token: {environment: TOKEN}\n  netrc: {file: ./netrc}\n  other: {environment: OTHER}\n`,
    says: built({
      secrets: [
        { id: "token", environment: "TOKEN" },
        { id: "rc", file: "netrc" },
        { id: "other", environment: "OTHER" },
      ],
    }),
  },
  { name: "a secret that is not defined", files: build("secrets: [x]"), says: "refused" },

  // Variables
  {
    name: "the forms of a variable",
    files: build(
      "args:",
      "  PLAIN: $SET-${SET}",
      "  UNSET: a${UNSET}b",
      "  DEFAULT: ${UNSET:-d} ${EMPTY:-d} ${SET:-d}",
      "  HARD: ${UNSET-d} ${EMPTY-d} ${SET-d}",
      "  OTHER: ${UNSET:+o}|${EMPTY:+o}|${SET:+o}",
      "  HARDOTHER: ${UNSET+o}|${EMPTY+o}|${SET+o}",
      "  NEEDED: ${SET:?no} ${EMPTY?no}",
      "  DOLLAR: $$SET $${SET} $1 $ 5$",
      "  NESTED: ${UNSET:-${EMPTY:-${SET}}} ${UNSET-{x}}",
      "  BRACE: ${UNSET:-a}}b",
      "  ONCE: ${DOLLARS}",
      "  SEPARATORS: ${UNSET:-a:-b?c+d}",
    ),
    env: { SET: "s", EMPTY: "", DOLLARS: "${SET} $$" },
    says: built({
      args: {
        PLAIN: "s-s",
        UNSET: "ab",
        DEFAULT: "d d s",
        HARD: "d  s",
        OTHER: "||o",
        HARDOTHER: "|o|o",
        NEEDED: "s ",
        DOLLAR: "$SET ${SET} $1 $ 5$",
        NESTED: "s {x}",
        BRACE: "a}b",
        ONCE: "${SET} $$",
        SEPARATORS: "a:-b?c+d",
      },
    }),
  },
  { name: "a variable that has to be set", files: app("image: ${X:?words}"), says: "refused" },
  { name: "a variable that has to be set and is empty", files: app("image: ${X:?}"), env: { X: "" }, says: "refused" },
  { name: "one in a default that is not needed", files: app("image: ${A:-${X:?}}"), env: { A: "a" }, says: "refused" },
  { name: "no form of a variable", files: app("image: ${X!y}"), says: "refused" },
  { name: "a brace that is not closed", files: app("image: ${X"), says: "refused" },
  { name: "a default over two lines", files: app('image: "${X:-a\\nb}"'), says: "refused" },
  { name: "braces in a default before another variable", files: app('image: "${X-{}}${Y:-y}"'), says: "refused" },
  {
    name: "names of properties keep their dollar",
    files: build("args:", "  $A: x"),
    env: { A: "B" },
    says: built({ args: { $A: "x" } }),
  },
  {
    name: "variables in folded text",
    files: app("image: >-", "  ${A}/", "  b"),
    env: { A: "a" },
    says: { image: "a/ b" },
  },
  {
    name: "the environment before .env",
    files: { "compose.yml": app("image: $A:$B"), ".env": "A=dot\nB=dot\n" },
    env: { A: "env" },
    says: { image: "env:dot" },
  },
  {
    name: ".env lies beside the first file",
    files: {
      "sub/compose.yml": app("image: $A"),
      "over.yml": app("user: $A"),
      "sub/.env": "A=sub\n",
      ".env": "A=top\n",
    },
    compose: ["sub/compose.yml", "over.yml"],
    says: { image: "sub", user: "sub" },
  },
  {
    name: "COMPOSE_ENV_FILES",
    files: { "compose.yml": app("image: $A:$B:$C"), ".env": "C=no\n", "one.env": "A=1\nB=1\n", "two.env": "B=2$A\n" },
    env: { COMPOSE_ENV_FILES: "one.env,two.env" },
    says: { image: "1:21:" },
  },
  {
    name: "COMPOSE_DISABLE_ENV_FILE",
    files: { "compose.yml": app("image: x$A"), ".env": "A=dot\n" },
    env: { COMPOSE_DISABLE_ENV_FILE: "true" },
    says: { image: "x" },
  },
  {
    name: "an env file that is not there",
    files: app("image: a"),
    env: { COMPOSE_ENV_FILES: "no.env" },
    says: "refused",
  },
  {
    name: "what .env may hold",
    files: {
      "compose.yml": build(
        "args: [PLAIN, SINGLE, DOUBLE, COMMENT, HASH, YAML, EXPORT, REF, LINES, EMPTY, OCTAL, ESCAPED, BLANK]",
      ),
      ".env": [
        "\uFEFF# comment",
        "PLAIN=a b ",
        "SINGLE='$PLAIN \\n' # comment",
        'DOUBLE="$PLAIN\\t\\$PLAIN \\"q\\""',
        "COMMENT=x # comment",
        "HASH=x#y",
        "YAML: y",
        "export EXPORT=e",
        "REF=${PLAIN:-no}-${NONE:-d}",
        "LINES='one",
        "two'",
        "EMPTY=",
        'OCTAL="\\0101\\08\\c"',
        "ESCAPED='it\\'s'",
        "BLANK = z\r",
        "",
      ].join("\n"),
    },
    says: built({
      args: {
        PLAIN: "a b",
        SINGLE: "$PLAIN \\n",
        DOUBLE: 'a b\t$PLAIN "q"',
        COMMENT: "x",
        HASH: "x#y",
        YAML: "y",
        EXPORT: "e",
        REF: "a b-d",
        LINES: "one\ntwo",
        EMPTY: "",
        OCTAL: "A\\8\\c",
        ESCAPED: "it's",
        BLANK: "z",
      },
    }),
  },
  { name: ".env with a quote left open", files: { "compose.yml": app("image: a"), ".env": "A='x\n" }, says: "refused" },
  {
    name: ".env with a name of two words",
    files: { "compose.yml": app("image: a"), ".env": "A B=x\n" },
    says: "refused",
  },
  {
    name: ".env with a line of something else",
    files: { "compose.yml": app("image: a"), ".env": "A!=x\n" },
    says: "refused",
  },
  {
    name: "the name of the project",
    files: `name: My_$A\n${app("image: a:${COMPOSE_PROJECT_NAME}")}`,
    env: { A: "X.y" },
    says: { image: "a:my_xy" },
  },
  {
    name: "the name of the project from the environment",
    files: `name: mine\n${app("image: a:${COMPOSE_PROJECT_NAME}")}`,
    env: { COMPOSE_PROJECT_NAME: "theirs" },
    says: { image: "a:theirs" },
  },
  {
    name: "the name of the project from its folder",
    files: { "Sub-Dir.1/compose.yml": app("image: a:${COMPOSE_PROJECT_NAME}") },
    compose: ["Sub-Dir.1/compose.yml"],
    says: { image: "a:sub-dir1" },
  },

  {
    name: "the name of the project in two files",
    files: {
      "a.yml": `name: one\n${app("image: a:${COMPOSE_PROJECT_NAME}")}`,
      "b.yml": "name: two\n",
      "c.yml": 'name: ""\n',
    },
    compose: ["a.yml", "b.yml", "c.yml"],
    says: { image: "a:two" },
  },

  // YAML
  {
    name: "anchors and merge keys",
    files:
      "x-a: &a {image: one, user: u}\nx-b: &b {image: two, platform: linux/amd64}\nservices:\n  app:\n    <<: [*a, *b]\n    user: mine\n",
    says: { image: "one", user: "mine", platform: "linux/amd64" },
  },
  { name: "an alias of a value", files: `x-i: &i debian:12\n${app("image: *i")}`, says: { image: "debian:12" } },
  { name: "an alias without an anchor", files: app("image: *i"), says: "refused" },
  { name: "an anchor in itself", files: "services: &s\n  app: *s\n", says: "refused" },
  { name: "a merge key with something else", files: app("<<: a", "image: b"), says: "refused" },
  { name: "a merge key in quotes", files: build("args:", '  "<<": x'), says: built({ args: { "<<": "x" } }) },
  {
    name: "two documents in a file",
    files: `${app("image: a", "user: u")}---\n${app("image: b")}`,
    says: { image: "b", user: "u" },
  },
  { name: "no YAML", files: "services: {app: {image: a}\n", says: "refused" },
  { name: "a tab for indentation", files: "services:\n\tapp:\n", says: "refused" },
  {
    name: "YAML 1.1 by its directive",
    files: `%YAML 1.1\n---\n${build("args: {A: yes}")}`,
    says: built({ args: { A: "yes" } }),
  },

  {
    name: "a byte order mark and lines of Windows",
    files: "\uFEFFservices:\r\n  app:\r\n    image: a\r\n",
    says: { image: "a" },
  },

  // Several files
  {
    name: "a later file over an earlier one",
    files: { "compose.yml": app("image: a", "user: u"), "over.yml": app("image: b", "platform: linux/amd64") },
    compose: ["compose.yml", "over.yml"],
    says: { image: "b", user: "u", platform: "linux/amd64" },
  },
  {
    name: "paths count from the folder of the first file",
    files: { "one/compose.yml": build("args: [A=1]"), "two/over.yml": build("context: ./x", "dockerfile: D") },
    compose: ["one/compose.yml", "two/over.yml"],
    says: { build: { context: "one/x", dockerfile: "one/x/D", args: { A: "1" } } },
  },
  {
    name: "arguments of three files in different forms",
    files: {
      "a.yml": build("args: {A: 1, B: 1, N: }"),
      "b.yml": build("args: [B=2, C=2]"),
      "c.yml": build("args:", "  C: 3", "  D:"),
    },
    compose: ["a.yml", "b.yml", "c.yml"],
    env: { N: "n" },
    says: built({ args: { A: "1", B: "2", C: "3", N: "n" } }),
  },
  {
    name: "lists one behind the other",
    files: {
      "a.yml": build("cache_from: [a]", "platforms: [linux/amd64]", "extra_hosts: {a: 1.1.1.1}"),
      "b.yml": build("cache_from: [b]", "platforms: [linux/arm64]", "extra_hosts: [a=1.1.1.1, b=2.2.2.2]"),
    },
    compose: ["a.yml", "b.yml"],
    says: built({
      cache_from: ["a", "b"],
      platforms: ["linux/amd64", "linux/arm64"],
      extra_hosts: ["a=1.1.1.1", "b=2.2.2.2"],
    }),
  },
  {
    name: "a folder over a mapping",
    files: { "a.yml": build("context: x", "target: t"), "b.yml": app("build: y") },
    compose: ["a.yml", "b.yml"],
    says: { build: { context: "y", dockerfile: "y/Dockerfile", target: "t" } },
  },
  {
    name: "a list over a text",
    files: { "a.yml": build("cache_from: [a]"), "b.yml": build("cache_from: {a: b}") },
    compose: ["a.yml", "b.yml"],
    says: "refused",
  },
  {
    name: "a service that is empty later",
    files: { "a.yml": app("image: a"), "b.yml": "services:\n  app:\n" },
    compose: ["a.yml", "b.yml"],
    says: { image: "a" },
  },
  {
    name: "!reset",
    files: {
      "a.yml": app("image: a", "user: u", "build: {args: {A: 1, B: 1}, target: t}"),
      "b.yml": app("user: !reset null", "build:", "  args: {A: !reset null}", "  target: !reset x"),
    },
    compose: ["a.yml", "b.yml"],
    says: built({ args: { B: "1" } }),
  },
  {
    name: "!reset of an argument in a list has no effect",
    files: { "a.yml": build("args: [A=1, B=1]"), "b.yml": build("args: {A: !reset null}") },
    compose: ["a.yml", "b.yml"],
    says: built({ args: { A: "1", B: "1" } }),
  },
  {
    name: "!override",
    files: { "a.yml": build("args: {A: 1}", "target: t"), "b.yml": app("build: !override {args: {B: 2}}") },
    compose: ["a.yml", "b.yml"],
    says: built({ args: { B: "2" } }),
  },
  {
    name: "!override makes a text of everything",
    files: { "a.yml": build("args: {A: 1}"), "b.yml": build("args: {A: !override null, B: !override 0777}") },
    compose: ["a.yml", "b.yml"],
    says: built({ args: { A: "null", B: "0777" } }),
  },
  {
    name: "!override of a list",
    files: { "a.yml": build("cache_from: [a]"), "b.yml": build("cache_from: !override [b]") },
    compose: ["a.yml", "b.yml"],
    says: built({ cache_from: ["b"] }),
  },
  {
    name: "!reset over what is merged in",
    files: "x-a: &a {image: a, user: u}\nservices:\n  app:\n    <<: *a\n    user: !reset null\n",
    says: { image: "a", user: "u" },
  },

  // extends
  {
    name: "a service that extends another",
    files: "services:\n  base:\n    image: a\n    user: u\n  app:\n    extends: base\n    user: v\n",
    says: { image: "a", user: "v" },
  },
  {
    name: "a chain",
    files:
      "services:\n  one: {build: {args: {A: 1, B: 1, C: 1}}}\n  two: {extends: one, build: {args: {B: 2, C: 2}}}\n  app: {extends: {service: two}, build: {args: [C=3]}}\n",
    says: built({ args: { A: "1", B: "2", C: "3" } }),
  },
  {
    name: "a service of another file, whose paths count from there",
    files: {
      "compose.yml": app("extends: {service: base, file: common/base.yml}", "build: {args: {B: 2}}"),
      "common/base.yml":
        "services:\n  base:\n    build:\n      context: ./src\n      args: [A=1]\n      additional_contexts: {x: ../x}\n",
    },
    says: {
      build: {
        context: "common/src",
        dockerfile: "common/src/Dockerfile",
        args: { A: "1", B: "2" },
        additional_contexts: { x: "x" },
      },
    },
  },
  {
    name: "a build without a context in another file",
    files: {
      "compose.yml": app("extends: {service: base, file: common/base.yml}"),
      "common/base.yml": "services:\n  base:\n    build: {target: t}\n",
    },
    says: built({ target: "t" }),
  },
  {
    name: "a chain through two files",
    files: {
      "compose.yml": app("extends: {service: mid, file: one/mid.yml}"),
      "one/mid.yml": "services:\n  mid:\n    extends: {service: base, file: ../two/base.yml}\n    user: m\n",
      "two/base.yml": "services:\n  base:\n    build: ./ctx\n    user: b\n",
    },
    says: { user: "m", build: { context: "two/ctx", dockerfile: "two/ctx/Dockerfile" } },
  },
  {
    name: "a service of the same name in another file",
    files: {
      "compose.yml": app("extends: {service: app, file: base.yml}", "user: u"),
      "base.yml": app("image: $A"),
    },
    env: { A: "a" },
    says: { image: "a", user: "u" },
  },
  {
    name: "extends in a later file",
    files: {
      "compose.yml": app("image: a", "user: u"),
      "over.yml": "services:\n  base: {image: b, platform: linux/amd64, user: b}\n  app: {extends: base, image: a}\n",
    },
    compose: ["compose.yml", "over.yml"],
    says: { image: "a", user: "b", platform: "linux/amd64" },
  },
  {
    name: "extends and !reset",
    files:
      "services:\n  base: {image: a, user: u, build: {args: {A: 1, B: 1}}}\n  app: {extends: base, user: !reset null, build: {args: {A: !reset null}}}\n",
    says: built({ args: { B: "1" } }),
  },
  {
    name: "extends and !override",
    files: "services:\n  base: {build: {target: t}}\n  app: {extends: base, build: !override {args: [A=1]}}\n",
    says: built({ args: { A: "1" } }),
  },
  {
    name: "the tags of what is extended stay there",
    files: {
      "compose.yml": app("build: {args: {A: 1}}", "user: u"),
      "over.yml":
        "services:\n  base: {user: !reset null, build: {args: {A: !reset null, B: 2}}}\n  app: {extends: base}\n",
    },
    compose: ["compose.yml", "over.yml"],
    says: built({ args: { A: "1", B: "2" } }, { user: "u" }),
  },
  { name: "a circle", files: "services:\n  app: {extends: b}\n  b: {extends: app}\n", says: "refused" },
  { name: "a service that extends itself", files: "services:\n  app: {extends: app}\n", says: "refused" },
  { name: "extends a service that is not there", files: app("extends: b", "image: a"), says: "refused" },
  {
    name: "extends a file that is not there",
    files: app("extends: {service: b, file: b.yml}", "image: a"),
    says: "refused",
  },
  {
    name: "extends a service that is not in that file",
    files: { "compose.yml": app("extends: {service: b, file: b.yml}"), "b.yml": app("image: a") },
    says: "refused",
  },
  { name: "extends without a service", files: app("extends: {file: b.yml}", "image: a"), says: "refused" },

  // include
  {
    name: "an included service",
    files: { "compose.yml": "include: [sub/inc.yml]\n", "sub/inc.yml": app("build: ./x") },
    says: { build: { context: "sub/x", dockerfile: "sub/x/Dockerfile" } },
  },
  {
    name: "an included build without a context",
    files: { "compose.yml": "include: [sub/inc.yml]\n", "sub/inc.yml": build("target: t") },
    says: { build: { context: "sub", dockerfile: "sub/Dockerfile", target: "t" } },
  },
  {
    name: "include with all its properties",
    files: {
      "compose.yml":
        "include:\n  - path: [sub/inc.yml, over.yml]\n    project_directory: other\n    env_file: sub/x.env\n",
      "sub/inc.yml": app("build: ./x", "user: $A"),
      "over.yml": build("args: {B: $A}"),
      "sub/x.env": "A=sub\n",
      "other/Dockerfile": "FROM debian:12\n",
    },
    says: { user: "sub", build: { context: "other/x", dockerfile: "other/x/Dockerfile", args: { B: "sub" } } },
  },
  {
    name: ".env of an included project",
    files: {
      "compose.yml": "include: [sub/inc.yml]\n",
      "sub/inc.yml": app("image: $A:$B"),
      "sub/.env": "A=sub\nB=sub\n",
      ".env": "A=top\n",
    },
    says: { image: "top:sub" },
  },
  {
    name: "an argument without a value in an included file",
    files: {
      "compose.yml": "include: [sub/inc.yml]\n",
      "sub/inc.yml": build("args: [A, B]"),
      "sub/.env": "A=sub\n",
      ".env": "B=top\n",
    },
    says: { build: { context: "sub", dockerfile: "sub/Dockerfile", args: { B: "top" } } },
  },
  {
    name: "an included service changed by a later file",
    files: {
      "compose.yml": "include: [inc.yml]\n",
      "inc.yml": app("image: a", "user: u"),
      "over.yml": app("image: b"),
    },
    compose: ["compose.yml", "over.yml"],
    says: { image: "b", user: "u" },
  },
  {
    name: "an included service that is there already",
    files: { "compose.yml": `include: [inc.yml]\n${app("image: a")}`, "inc.yml": app("image: b") },
    says: "refused",
  },
  {
    name: "the very same service included",
    files: { "compose.yml": `include: [inc.yml]\n${app("image: a")}`, "inc.yml": app("image: a") },
    says: { image: "a" },
  },
  {
    name: "a file included on two ways",
    files: {
      "compose.yml": "include: [b.yml, c.yml]\n",
      "b.yml": "include: [d.yml]\n",
      "c.yml": "include: [d.yml]\n",
      "d.yml": app("image: d"),
    },
    says: { image: "d" },
  },
  {
    name: "includes in a circle",
    files: { "compose.yml": `include: [b.yml]\n${app("image: a")}`, "b.yml": "include: [compose.yml]\n" },
    says: "refused",
  },
  { name: "an included file that is not there", files: `include: [no.yml]\n${app("image: a")}`, says: "refused" },
  {
    name: "include as a text",
    files: { "compose.yml": `include: b.yml\n${app("image: a")}`, "b.yml": "services: {}\n" },
    says: "refused",
  },
  {
    name: "secrets of an included file",
    files: {
      "compose.yml": `include: [sub/inc.yml]\n${build("secrets: [s]")}`,
      "sub/inc.yml": "secrets: {s: {file: ./f}}\n",
    },
    says: built({ secrets: [{ id: "s", file: "sub/f" }] }),
  },
];

export type Difference = Omit<Row, "says"> &
  Told & {
    readonly theirs: Said | "refused";
    readonly ours: Said | "refused" | "unknown";
  };

const NOT_OURS: Shared = {
  what: "a mistake in another service, or in ports, volumes and the like",
  cli: "is refused",
  here: "is passed over",
  why: "it does not concern the image of the dev container",
};
const TAGS: Shared = {
  what: "tags that compose does not know, and `!reset` below `!override`",
  cli: "are passed over, or make a text of `null`",
  here: "cannot be told: `on-unknown` decides",
  why: "what was meant is not ours to guess",
};
const OUTSIDE: Shared = {
  what: "a context, or a secret's file, outside of the checkout",
  cli: "is built",
  here: "is refused",
  why: "a commit must not read the runner's files",
};

/** Here ours says something else than the real compose, on purpose. */
export const DIFFERENCES: readonly Difference[] = [
  {
    name: "a mistake in another service",
    ...NOT_OURS,
    files: `${app("image: a")}  web:\n    user: 1000\n    extends: nobody\n`,
    theirs: "refused",
    ours: { image: "a" },
  },
  {
    name: "a mistake in what does not concern the image",
    ...NOT_OURS,
    files: app("image: a", "ports: {a: b}", "enviroment: x"),
    theirs: "refused",
    ours: { image: "a" },
  },
  {
    name: "a property of `build` that nobody knows",
    cli: "is refused",
    here: "cannot be told: `on-unknown` decides",
    why: "a newer compose may know it",
    files: build("dockerFile: x"),
    theirs: "refused",
    ours: "unknown",
  },
  {
    name: "a remote context",
    cli: "is built",
    here: "cannot be told: `on-unknown` decides",
    why: "what it holds is not known without fetching it",
    files: app("build: https://github.com/owner/repo.git#main:sub"),
    theirs: {
      build: {
        context: "https://github.com/owner/repo.git#main:sub",
        dockerfile: "https://github.com/owner/repo.git#main:sub/Dockerfile",
      },
    },
    ours: "unknown",
  },
  {
    name: "another service's image as context",
    cli: "is built",
    here: "cannot be told: `on-unknown` decides",
    why: "that image would have to be built first",
    files: `${build("additional_contexts: {base: service:web}")}  web:\n    build: .\n`,
    theirs: built({ additional_contexts: { base: "service:web" } }),
    ours: "unknown",
  },
  {
    name: "a tag that compose does not know",
    ...TAGS,
    files: app("image: !mine a"),
    theirs: { image: "a" },
    ours: "unknown",
  },
  {
    name: "!reset below !override",
    ...TAGS,
    files: { "a.yml": build("target: t"), "b.yml": app("build: !override {target: !reset null}") },
    compose: ["a.yml", "b.yml"],
    theirs: built({ target: "null" }),
    ours: "unknown",
  },
  {
    name: "a context outside of the workspace",
    ...OUTSIDE,
    files: app("build: .."),
    theirs: { build: { context: "..", dockerfile: "../Dockerfile" } },
    ours: "refused",
  },
  {
    name: "a secret's file outside of the workspace",
    ...OUTSIDE,
    files: `${build("secrets: [s]")}secrets: {s: {file: ../s}}\n`,
    theirs: built({ secrets: [{ id: "s", file: "../s" }] }),
    ours: "refused",
  },
  {
    name: "a secret from outside of compose",
    cli: "is taken, and the build fails",
    here: "is refused",
    why: "no builder can get it",
    files: `${build("secrets: [s]")}secrets: {s: {external: true}}\n`,
    theirs: built({ secrets: [{ id: "s" }] }),
    ours: "refused",
  },
  {
    name: "an additional context that is empty",
    cli: "is taken, and the build fails",
    here: "is refused",
    why: "no builder takes it",
    files: build('additional_contexts: {a: ""}'),
    theirs: built({ additional_contexts: { a: "" } }),
    ours: "refused",
  },
];
