import fc from "fast-check";

// What strangers write: pieces that mean something where they stand, put together without sense, and now and then far too many of them.

/** Pieces one behind the other; sometimes one of them a few thousand times. */
function pieces(...words: readonly string[]): fc.Arbitrary<string> {
  const word = fc.constantFrom(...words);
  const few = fc.array(fc.oneof({ weight: 6, arbitrary: word }, fc.string({ maxLength: 4 })), { maxLength: 40 });
  const many = fc.tuple(word, word, fc.integer({ min: 100, max: 3000 }));
  return fc.oneof(
    { weight: 6, arbitrary: few.map((list) => list.join("")) },
    fc
      .tuple(few, many, few)
      .map(([before, [one, other, times], behind]) => [...before, (one + other).repeat(times), ...behind].join("")),
  );
}

/** What every object of JavaScript has. */
const MEMBERS = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];

const DOCKERFILE_LINES = [
  ...["FROM a\n", "FROM a AS b\n", "FROM b\n", "FROM $A\n", "FROM --platform=$BUILDPLATFORM a AS constructor\n"],
  ...["ARG A\n", "ARG A=$A\n", "ENV A=$A$A\n", "ENV $A=b\n", "ENV A b\n", "ARG constructor=1\n", "USER $A\n"],
  ...["RUN <<E\n", "E\n", "RUN --mount=from=b,source=$A x\n", 'RUN --mount=type="bind\n', "RUN x \\\n", "# c\n"],
  ...[
    "COPY a b /\n",
    "COPY --from=0 a /\n",
    "COPY *a*[b /\n",
    'COPY ["a", "b"]\n',
    "COPY <<E /\n",
    "ADD https://a /\n",
  ],
  ...["ONBUILD COPY a /\n", "ONBUILD ONBUILD RUN a\n", "ONBUILD\n", "# syntax=a\n", "# escape=`\n", "\n", "\uFEFF"],
];
const SHELL = [
  "${A:-",
  "${A//*a*/",
  "${A#*",
  "${A%%?",
  "}",
  '"',
  "'",
  "\\",
  "$",
  "${",
  "<<",
  "-E",
  " ",
  "\n",
  "a",
  "`",
];

export const dockerfile: fc.Arbitrary<string> = fc.oneof(
  pieces(...DOCKERFILE_LINES),
  pieces(...DOCKERFILE_LINES.slice(0, 12), ...SHELL).map((text) => `FROM a\nENV A=${text}`),
  pieces(...SHELL).map((text) => `ARG A=aaaabaaab\nFROM a\nARG A\nRUN ${text}\nCOPY ${text} /\n`),
);

export const ignoreFile: fc.Arbitrary<string> = pieces(
  ...["*", "**", "**/", "/", "a", "b", "!", "\n", "?", "[", "]", "[^", "[:alpha:]", "[:constructor:]", "-", "\\", "#"],
  ...["{1,3}", "{0,}", "{1000}", "|", "^", "$", "(", ")", ".", "+", " ", "é", "\\d", "\\x{10}", "..", "../"],
);

const SEGMENTS = ["a", "b", "aaaa", ".git", "é", "..", ".", "a b", "constructor"];
export const path: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...SEGMENTS), { minLength: 1, maxLength: 12 })
  .map((segments) => segments.join("/"));

const VARIABLES = ["${localEnv:HOME}", "${localEnv:X:d}", "${localEnv}", "${containerWorkspaceFolder}", "${", "}"];
const names = fc.constantFrom(
  ...["image", "build", "dockerfile", "dockerFile", "context", "args", "target", "options", "cacheFrom", "features"],
  ...["dockerComposeFile", "service", "workspaceFolder", "containerEnv", "remoteUser", "mounts", "customizations"],
  ...["overrideFeatureInstallOrder", "extensions", "settings", "devPort", "id", "dependsOn", "installsAfter"],
  ...[
    "legacyIds",
    "version",
    "default",
    "containerUser",
    "./f",
    "ghcr.io/a/b:1",
    "https://a/devcontainer-feature-a.tgz",
  ],
  ...MEMBERS,
);
const texts = fc.oneof(
  fc.constantFrom(
    "a",
    "Dockerfile",
    "docker-compose.yml",
    "app",
    ".",
    "..",
    "/",
    "~",
    "",
    "\n",
    "x:70000/a",
    ...MEMBERS,
  ),
  fc.array(fc.constantFrom(...VARIABLES, "a", ":"), { maxLength: 6 }).map((list) => list.join("")),
);

/** A value of a configuration, of the right shape or not. */
export const value: fc.Arbitrary<unknown> = fc.letrec<{ readonly any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    texts,
    fc.constantFrom(null, true, false, 0, -1, 1e300),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(names, tie("any"), { maxKeys: 5 }),
  ),
})).any;

/** An object as JSON, perhaps with a piece cut out or put in. */
export const configuration: fc.Arbitrary<string> = fc.oneof(
  fc.dictionary(names, value, { maxKeys: 6 }).map((object) => JSON.stringify(object)),
  fc
    .tuple(
      fc.dictionary(names, value, { maxKeys: 6 }).map((object) => JSON.stringify(object, undefined, 1)),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom("", "{", "}", "[", "]", '"', ":", ",", "/*", "//", "\n", "\0"))),
    )
    .map(([text, cuts]) =>
      cuts.reduce((t, [at, put]) => t.slice(0, at % (t.length + 1)) + put + t.slice((at % (t.length + 1)) + 1), text),
    ),
  pieces("{", "}", "[", "]", '"a"', ":", ",", "/*", "*/", "//", "\n", '"image"', '"__proto__"', "1", "null"),
);

export const option: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("--build-arg=A", "--build-arg", "A=b", "--target=x", "--build-context=a=./b", "--secret=id=a", "-f"),
  fc.constantFrom(...MEMBERS.flatMap((name) => [`--${name}`, `--${name}=a`]), "--ssh=default=/a", "--", "-", ""),
  fc.string({ maxLength: 8 }),
);

export const compose: fc.Arbitrary<string> = fc.oneof(
  pieces(
    ...["services:\n", "  app:\n", "    build:\n", "      args:\n", "        A: $A\n", "    image: a\n", "include:\n"],
    ...["    extends: app\n", "    extends: {file: c.yml, service: app}\n", "x: &x [1, 1]\n", "y: *x\n", "  <<: *x\n"],
    ...[
      "- ",
      "{",
      "}",
      "[",
      "]",
      ", ",
      ": ",
      "? ",
      "|\n",
      ">-\n",
      "---\n",
      "...\n",
      "'",
      '"',
      "#",
      "\t",
      "!reset ",
      "!!int ",
    ],
    ...[
      "$A",
      "${A:-",
      "${A:?",
      "}",
      "null",
      "5",
      "0x",
      "1e999",
      "2001-01-01",
      "constructor: a\n",
      "__proto__: a\n",
      "&a ",
      "*a",
    ],
  ),
  value.map((json) => JSON.stringify({ services: { app: json } })),
);

export const envFile: fc.Arbitrary<string> = pieces(
  ...["A=1\n", "A=$A$A\n", "A=", "export ", "A\n", "B: c\n", "=", "#", "'", '"', "\\", "\n", "$A", "${A:-", "}", "\r"],
  ...["constructor=1\n", "__proto__=1\n", "id=a,env=A\n", "a=B\n", "\0", "\uFFFD", " ", "\u0085", "[a]", "é"],
);

export const reference: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        "",
        "reg.io/",
        "reg.io:70000/",
        "localhost:5000/",
        "1.2.3.999/",
        "[::1]:5/",
        "0x7f.1/",
        "xn--a.b/",
        "A.b/",
      ),
      fc.constantFrom("a", "a/b", "a--b", "a__b", "A", "constructor", "a/", "/a", "a".repeat(300)),
      fc.constantFrom("", ":1", ":", "@sha256:0", `@sha256:${"0".repeat(64)}`, ":a@b", "?a=b&c", "#d"),
    )
    .map((parts) => parts.join("")),
  pieces("a", "-", "_", ".", "/", ":", "@", "linux", "arm", "v7", "[", "]", "1", "%41", "?", "=", "&", ...MEMBERS),
);

export const header: fc.Arbitrary<string> = pieces(
  ...["Bearer ", "Basic ", "Negotiate abc=", "realm", "=", '"', "\\", ",", " ", 'realm="https://a/t"', "scope=a", "\t"],
  ...MEMBERS,
);

export const mediaType: fc.Arbitrary<string> = fc.constantFrom(
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "text/html",
  "",
);

const element = fc.dictionary(
  fc.constantFrom("name", "SPDXID", "versionInfo", "externalRefs", "licenseDeclared", "primaryPackagePurpose", "x"),
  fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("NOASSERTION", "SOURCE"), fc.jsonValue({ maxDepth: 2 })),
);
export const spdx: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({
    spdxVersion: fc.constantFrom("SPDX-2.3", "SPDX-3.0", 2),
    name: fc.jsonValue({ maxDepth: 1 }),
    creationInfo: fc.jsonValue({ maxDepth: 2 }),
    packages: fc.oneof(fc.array(element, { maxLength: 6 }), fc.jsonValue({ maxDepth: 2 })),
    relationships: fc.oneof(fc.array(element, { maxLength: 4 }), fc.jsonValue({ maxDepth: 2 })),
    documentDescribes: fc.jsonValue({ maxDepth: 2 }),
  }),
  fc.jsonValue({ maxDepth: 3 }),
);
