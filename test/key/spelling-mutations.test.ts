import { expect, test } from "vitest";
import { put } from "../checkout.ts";
import { indexOf } from "../plan-of.ts";
import { type Before, movedBy, toldOf } from "./around.ts";

// One image written in two ways has one key; what differs in one character that counts has two. The real builder makes one image of the
// first: test/e2e/same-key.test.ts.

const IMAGES = {
  "registry.test/base:1": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "base arm64" }),
  "registry.test/tools:1": indexOf({ "linux/amd64": "tools amd64" }),
};
const BEFORE: Before = { files: {}, images: IMAGES, inputs: { "build-args": "GIVEN=1\nEMPTY=" } };
const ALL = ["key", "own", "source", "unlabelled"];
const BASE = "registry.test/base:1";

const SAME: readonly (readonly [one: string, other: string])[] = [
  ["ENV A=b", 'ENV A="b"'],
  ["ENV A=b", "ENV A='b'"],
  ["ENV A=b", "ENV A b"],
  ["ENV A=b", "env  A=b"],
  ['ENV A="b c"', "ENV A b c"],
  ['ENV A="b c" B=d', "ENV  A='b c'   B=\"d\""],
  ['ENV A=""', "ENV A="],
  ["ENV PATH=/x:$PATH", 'ENV PATH="/x:$PATH"'],
  ["ENV PATH=/x:$PATH", "ENV PATH /x:$PATH"],
  ["LABEL a.b=c", 'LABEL a.b="c"'],
  ["LABEL a.b=c", "LABEL a.b c"],
  ["ARG A=b", 'ARG A="b"'],
  ["ARG GIVEN=b", "ARG GIVEN=c"],
  ["ARG GIVEN=b", "ARG GIVEN"],
  ["ARG GIVEN=$A", "ARG GIVEN"],
  ['ARG EMPTY="b c"', "ARG EMPTY"],
  ["ARG GIVEN=b A=c", "ARG GIVEN=d A='c'"],
  ['RUN ["a", "b"]', 'RUN [ "a","b" ]'],
  ['CMD ["a", "b"]', 'CMD ["a","\\u0062"]'],
  ['ENTRYPOINT ["a", "b"]', 'ENTRYPOINT ["a" , "b"]'],
  ['SHELL ["a", "b"]', 'SHELL ["a","b"]'],
  ['VOLUME ["/a", "/b"]', 'VOLUME ["/a","/b"]'],
  ['COPY ["x", "/y"]', 'COPY ["x","/y"]'],
  ['COPY ["x", "/y"]', "COPY x  /y"],
  ["EXPOSE 80 443", "EXPOSE 80  443"],
  ["EXPOSE 80 443/udp 9000-9010", "EXPOSE 9000-9010 443/udp 80 80"],
  [`FROM ${BASE} AS a`, `# check=error=true\nFROM ${BASE} AS a`],
  ["COPY x /y", "COPY \"x\" '/y'"],
  ['COPY ["x", "/y"]', "COPY 'x' /y"],
  ["COPY --chown=1 --chmod=755 x /y", "COPY --chmod=755 --chown=1 x /y"],
  ["COPY --link x /y", "COPY --link=true x /y"],
  ["COPY --exclude=a --exclude=b x /y", "COPY --exclude=b --exclude=a --exclude=b x /y"],
  ["ENV A=$B C=d", "ENV A=${B} C=d"],
  ["ENV PATH=/x:$PATH", 'ENV PATH="/x:${PATH}"'],
  ["ENV A $B c", "ENV A ${B} c"],
  ["LABEL a=$B-c", "LABEL a=${B}-c"],
  ['LABEL "a.b"="c"', 'LABEL "a.b"=c'],
  ["ARG A=$B", "ARG A=${B}"],
  ["ARG B=1\nCOPY x /$B/c", "ARG B=1\nCOPY x /${B}/c"],
  ["ARG B=x\nCOPY $B /y", 'ARG B=x\nCOPY ["${B}", "/y"]'],
  ['ARG B=x\nCOPY "$B" /y', 'ARG B=x\nCOPY "${B}" /y'],
  ["ARG B=1\nCOPY --chown=$B:$B x /y", "ARG B=1\nCOPY --chown=${B}:$B x /y"],
  ["WORKDIR /$B/c", "WORKDIR /${B}/c"],
  ["USER $B:$C", "USER ${B}:${C}"],
  ["EXPOSE $B 80", "EXPOSE ${B} 80"],
  ["STOPSIGNAL $B", "STOPSIGNAL ${B}"],
  ["VOLUME $B /c", "VOLUME ${B} /c"],
  ["COPY --link=false x /y", "COPY x /y"],
  ["RUN --network=none --mount=type=cache,target=/m x", "RUN --mount=type=cache,target=/m --network=none x"],
  ["HEALTHCHECK --interval=5s --timeout=3s CMD x", "HEALTHCHECK --timeout=3s --interval=5s CMD x"],
  ['HEALTHCHECK CMD ["a", "b"]', 'HEALTHCHECK cmd  ["a","b"]'],
  ["RUN a && \\\n  # a comment\n  b", "RUN a && \\\n  b"],
  [`FROM ${BASE} AS one\nRUN x\nFROM one`, `FROM ${BASE} as two\nRUN x\nFROM two`],
  [
    `FROM ${BASE} AS one\nFROM ${BASE}\nCOPY --from=one /a /`,
    `FROM ${BASE} AS two\nFROM ${BASE}\nCOPY --from=TWO /a /`,
  ],
  [
    `FROM ${BASE} AS one\nFROM ${BASE}\nCOPY --from=one /a /`,
    `FROM ${BASE} AS n\nFROM ${BASE} AS one\nFROM ${BASE}\nCOPY --from=1 /a /`,
  ],
  [
    `FROM ${BASE} AS one\nFROM ${BASE}\nRUN --mount=type=bind,from=one,target=/m x`,
    `FROM ${BASE} AS two\nFROM ${BASE}\nRUN --mount=type=bind,from=two,target=/m x`,
  ],
  [`FROM ${BASE} AS last`, `FROM ${BASE}`],
  [`FROM --platform=$TARGETPLATFORM ${BASE} AS a`, `FROM ${BASE} AS a`],
  [`FROM --platform=linux/amd64 ${BASE} AS a`, `FROM ${BASE} AS a`],
];

const OTHER: readonly (readonly [one: string, other: string])[] = [
  ["ENV A=b", "ENV A=c"],
  ["ENV A=b", "ENV B=b"],
  ["ENV A=$B", "ENV A='$B'"],
  ["ENV A=$B", "ENV A=\\$B"],
  ['ENV A="$B"', "ENV A=$C"],
  ['ENV A="b c"', 'ENV A="b  c"'],
  ["ENV A b c", "ENV A b  c"],
  ["ENV A=b B=c", "ENV B=c A=b"],
  ["ENV A=b B=c", 'ENV A="b B=c"'],
  ["ENV A=b", "LABEL A=b"],
  ["ENV A=$'b'", "ENV A=b"],
  ["ENV A=\uFEFFb", 'ENV A="\uFEFFb"'],
  ["LABEL a=b", "LABEL a=B"],
  ["ARG A=b", "ARG A"],
  ["ARG A=b", "ARG A=c"],
  ["ARG A=", "ARG A"],
  ["ARG GIVEN=b", "ARG A=b"],
  ["ARG GIVEN=${A:?no}", "ARG GIVEN"],
  ['RUN ["a", "b"]', 'RUN ["a b"]'],
  ['RUN ["a", "b"]', "RUN [ 'a', 'b' ]"],
  ['RUN ["a", "b"]', "RUN a b"],
  ["RUN a  b", "RUN a b"],
  ['CMD ["a", "b"]', "CMD a b"],
  ['COPY ["x y", "/z"]', "COPY x y /z"],
  ["COPY --link x /y", "COPY x /y"],
  ["EXPOSE 80", "EXPOSE 80/udp"],
  ["EXPOSE $B 80", "EXPOSE 80 $B"],
  ["COPY x y /z/", "COPY y x /z/"],
  ["RUN x", "ARG BUILDKIT_SBOM_SCAN_STAGE=true\nRUN x"],
  ['COPY "x" "/$y"', "COPY x '/$y'"],
  ["COPY --chown=1 x /y", "COPY --chown=2 x /y"],
  ["COPY --exclude=a --exclude=!b x /y", "COPY --exclude=!b --exclude=a x /y"],
  ["COPY --exclude=a --exclude=$B x /y", "COPY --exclude=$B --exclude=a x /y"],
  // The image's history says so.
  ["COPY --chmod=755 x /y", "COPY --chmod=0755 x /y"],
  ["COPY x /y", "COPY ./x /y"],
  ["ENV A='$B'", "ENV A='${B}'"],
  ["ENV A=$Bc", "ENV A=${B}c"],
  ["ENV A=$$B", "ENV A=$${B}"],
  ["ENV A=$B\u00e9", "ENV A=${B}\u00e9"],
  ["ENV A=\\$B", "ENV A=\\${B}"],
  ["ENV A=${B:-$C}", "ENV A=${B:-}"],
  ["RUN $B", "RUN ${B}"],
  ["CMD $B", "CMD ${B}"],
  ["HEALTHCHECK CMD $B", "HEALTHCHECK CMD ${B}"],
  ["ONBUILD RUN x", "ONBUILD RUN x "],
  ["ONBUILD USER $B", "ONBUILD USER ${B}"],
  [
    "RUN --mount=type=cache,target=/m --mount=type=tmpfs,target=/m/n x",
    "RUN --mount=type=tmpfs,target=/m/n --mount=type=cache,target=/m x",
  ],
  ["HEALTHCHECK CMD a  b", "HEALTHCHECK CMD a b"],
  ["HEALTHCHECK CMD a", "HEALTHCHECK NONE"],
  ["ONBUILD RUN x", "ONBUILD run x"],
  ["ONBUILD COPY --from=one /a /", "ONBUILD COPY --from=two /a /"],
  [`FROM ${BASE} AS one\nRUN x\nFROM one`, `FROM ${BASE} AS one\nRUN x\nFROM ${BASE}`],
  [`FROM ${BASE} AS one\nARG TARGETSTAGE`, `FROM ${BASE} AS two\nARG TARGETSTAGE`],
  [`FROM ${BASE} AS one\nARG A=$TARGETSTAGE`, `FROM ${BASE} AS two\nARG A=$TARGETSTAGE`],
  [`FROM --platform=$BUILDPLATFORM ${BASE} AS a`, `FROM ${BASE} AS a`],
  [`FROM --platform=linux/arm64 ${BASE} AS a`, `FROM ${BASE} AS a`],
  [
    `FROM ${BASE} AS one\nRUN 1\nFROM ${BASE} AS two\nRUN 2\nFROM ${BASE}\nCOPY --from=one /a /b\nCOPY --from=two /a /c`,
    `FROM ${BASE} AS two\nRUN 1\nFROM ${BASE} AS one\nRUN 2\nFROM ${BASE}\nCOPY --from=one /a /b\nCOPY --from=two /a /c`,
  ],
  [
    `FROM ${BASE} AS one\nFROM ${BASE}\nCOPY --from=one /a /`,
    `FROM ${BASE} AS two\nFROM ${BASE}\nCOPY --from=registry.test/tools:1 /a /`,
  ],
  [
    `FROM ${BASE} AS one\nRUN 1\nFROM ${BASE}\nCOPY --from=-0 /a /`,
    `FROM ${BASE} AS one\nRUN 2\nFROM ${BASE}\nCOPY --from=-0 /a /`,
  ],
  [
    `FROM ${BASE} AS one\nFROM ${BASE} AS two\nRUN 2\n${takesBoth("one", "two")}\nRUN --mount=\\"from=one\\",target=/m x`,
    `FROM ${BASE} AS two\nFROM ${BASE} AS one\nRUN 2\n${takesBoth("two", "one")}\nRUN --mount=\\"from=one\\",target=/m x`,
  ],
];

function takesBoth(first: string, second: string): string {
  return `FROM ${BASE}\nCOPY --from=${first} /a /b\nCOPY --from=${second} /a /c`;
}

const moved = (one: string, other: string) => {
  const written = (instructions: string): string => {
    const isWhole = /^(?:#.*\n)?FROM .* AS /.test(instructions);
    return `${isWhole ? "" : `FROM ${BASE}\n`}${instructions}\n`;
  };
  const files = {
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/x": "x\n",
    ".devcontainer/y": "y\n",
    ".devcontainer/x y": "x y\n",
    ".devcontainer/Dockerfile": written(one),
  };
  const edit = (root: string): void => put(root, ".devcontainer/Dockerfile", written(other));
  return movedBy({ name: "", from: files, edit }, BEFORE);
};

test.each(SAME)("one image: %j, %j", async (one, other) => {
  expect(await moved(one, other)).toEqual([]);
  expect(await moved(other, one)).toEqual([]);
});

test.each(OTHER)("two images: %j, %j", async (one, other) => {
  expect(await moved(one, other)).toEqual(expect.arrayContaining(["key", "own", "source"]));
});

test("a frontend that nobody knows here may see a difference", async () => {
  const images = { ...IMAGES, "registry.test/frontend:1": indexOf({ "linux/amd64": "frontend" }) };
  const files = (text: string) => ({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile": `# syntax=registry.test/frontend:1\nFROM ${BASE}\n${text}\n`,
  });
  const edit = (root: string): void =>
    put(root, ".devcontainer/Dockerfile", files('ENV A="b"')[".devcontainer/Dockerfile"]);
  expect(await movedBy({ name: "", from: files("ENV A=b"), edit }, { ...BEFORE, images })).toEqual(ALL);
});

/** Two targets with the same stages: each is another image. */
test("the target, where stages are told by their places", async () => {
  const files = (first: string, second: string) => ({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "target": "dev" } }',
    ".devcontainer/Dockerfile": `FROM ${BASE} AS ${first}\nCOPY --from=${second} /a /\nFROM ${BASE} AS ${second}\nRUN x\n`,
  });
  const edit = (root: string): void =>
    put(root, ".devcontainer/Dockerfile", `FROM ${BASE} AS x\nCOPY --from=dev /a /\nFROM ${BASE} AS dev\nRUN x\n`);
  expect(await movedBy({ name: "", from: files("dev", "x"), edit }, BEFORE)).toEqual(ALL);
});

const targeted = (target: string | undefined, dockerfile: string) => ({
  ".devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile", target } }, undefined, 2),
  ".devcontainer/Dockerfile": dockerfile,
  ".devcontainer/x": "x\n",
});
const movedTo = async (from: Readonly<Record<string, string>>, to: Readonly<Record<string, string>>) => {
  const edit = (root: string): void => {
    for (const [path, text] of Object.entries(to)) put(root, path, text);
  };
  return {
    keys: await movedBy({ name: "", from, edit }, BEFORE),
    told: await toldOf({ name: "", from, edit }, BEFORE),
  };
};
const dev = (name: string, rest: string) => `FROM ${BASE} AS ${name}\nRUN x\n${rest}`;

test("what the target is called, where stages are told by their places, is no reason for a miss", async () => {
  const behind = `FROM ${BASE} AS last\nRUN y\n`;
  for (const rest of ["", behind, `FROM ${BASE}\nCOPY --from=dev /a /\n`]) {
    const from = targeted("dev", dev("dev", rest));
    const to = targeted("development", dev("development", rest.replace("dev", "development")));
    expect(await movedTo(from, to)).toEqual({ keys: ["own", "source"], told: [] });
  }
  expect((await movedTo(targeted("dev", dev("dev", "")), targeted(undefined, dev("dev", "")))).keys).toEqual([
    "own",
    "source",
  ]);
});

test.each([
  ["an arg that holds it", `ARG TARGETSTAGE\n`],
  ["a trigger, by which it cannot be told who is meant", `ONBUILD RUN y\n`],
])("what the target is called counts beside %s", async (_, rest) => {
  const { keys } = await movedTo(targeted("dev", dev("dev", rest)), targeted("prod", dev("prod", rest)));
  expect(keys).toEqual(ALL);
});

test("of a target that is called otherwise its instructions are told, of another one its name", async () => {
  const from = targeted("dev", dev("dev", `FROM ${BASE} AS prod\nRUN y\n`));
  const renamed = targeted("new", dev("new", `RUN z\nFROM ${BASE} AS prod\nRUN y\n`));
  expect((await movedTo(from, renamed)).told).toEqual([
    ".devcontainer/Dockerfile:3 RUN is new @ .devcontainer/Dockerfile:3",
  ]);
  const another = targeted("prod", from[".devcontainer/Dockerfile"]);
  expect((await movedTo(from, another)).told).toEqual(["build target dev → prod @ .devcontainer/devcontainer.json:4"]);
});

test("a stage that nothing takes, where SOURCE_DATE_EPOCH is empty", async () => {
  const files = (text: string) => ({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile": `FROM ${BASE} AS one\n${text}\nFROM ${BASE}\n`,
  });
  const edit = (root: string): void =>
    put(root, ".devcontainer/Dockerfile", files("RUN 2")[".devcontainer/Dockerfile"] ?? "");
  const before: Before = { ...BEFORE, inputs: { "build-args": "SOURCE_DATE_EPOCH=" } };
  expect(await movedBy({ name: "", from: files("RUN 1"), edit }, before)).toEqual([]);
});

/** Newer frontends put the time of what that stage adds into the image, whether or not anything else takes it. */
test.each<[name: string, text: (first: string, second: string) => string]>([
  [
    "among others",
    (first, second) => `FROM ${BASE} AS ${first}\nFROM ${BASE} AS ${second}\n${takesBoth(first, second)}\n`,
  ],
  ["that nothing takes", (_, second) => `FROM scratch AS one\nADD ${second} /\nFROM ${BASE}\n`],
])("a stage that SOURCE_DATE_EPOCH names: %s", async (_, text) => {
  const given: Before = { ...BEFORE, inputs: { "build-args": "SOURCE_DATE_EPOCH=one" } };
  const files = (head: string, first: string, second: string) => ({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile": `${head}${text(first, second)}`,
    ".devcontainer/one": "one",
    ".devcontainer/two": "two",
  });
  const movedUnder = (head: string, before: Before) => {
    const edit = (root: string): void =>
      put(root, ".devcontainer/Dockerfile", files(head, "two", "one")[".devcontainer/Dockerfile"] ?? "");
    return movedBy({ name: "", from: files(head, "one", "two"), edit }, before);
  };
  expect(await movedUnder("ARG SOURCE_DATE_EPOCH=one\n", BEFORE)).toEqual(ALL);
  expect(await movedUnder("", given)).toEqual(ALL);
});

test.each<[name: string, one: readonly string[], other: readonly string[], isSame: boolean]>([
  ["labels", ["--label=a=1", "--label=b=2"], ["--label=b=2", "--label=a=1"], true],
  ["a label twice", ["--label=a=1", "--label=a=2"], ["--label", "a=2"], true],
  ["a label twice, the other way round", ["--label=a=1", "--label=a=2"], ["--label=a=2", "--label=a=1"], false],
  ["limits", ["--ulimit=nofile=1", "--ulimit=core=2"], ["--ulimit=core=2", "--ulimit=nofile=1"], true],
  ["different options", ["--network=none", "--label=a=1"], ["--label=a=1", "--network=none"], true],
  ["hosts", ["--add-host=a:1.1.1.1", "--add-host=b:1.1.1.2"], ["--add-host=b:1.1.1.2", "--add-host=a:1.1.1.1"], false],
])("the order of build options: %s", async (_, one, other, isSame) => {
  const files = (options: readonly string[]) => ({
    ".devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile", options } }),
    ".devcontainer/Dockerfile": `FROM ${BASE}\n`,
  });
  const edit = (root: string): void =>
    put(root, ".devcontainer/devcontainer.json", files(other)[".devcontainer/devcontainer.json"]);
  expect(await movedBy({ name: "", from: files(one), edit }, BEFORE)).toEqual(isSame ? [] : ALL);
});

test.each<[name: string, one: object, other: object]>([
  ["dockerFile", { build: { dockerfile: "Dockerfile" } }, { dockerFile: "Dockerfile" }],
  ["the context", { build: { dockerfile: "Dockerfile" } }, { build: { dockerfile: "./Dockerfile", context: "." } }],
  [
    "context beside it",
    { build: { dockerfile: "Dockerfile", context: ".." } },
    { dockerFile: "Dockerfile", context: "../" },
  ],
  [
    "compose",
    { dockerComposeFile: "compose.yml", service: "app" },
    { dockerComposeFile: ["./compose.yml"], service: "app", runServices: ["app"], workspaceFolder: "/w" },
  ],
  [
    "what runs it",
    { image: BASE },
    { image: BASE, runArgs: ["--init"], workspaceMount: "x", workspaceFolder: "/w", name: "n" },
  ],
])("equal spellings in devcontainer.json: %s", async (_, one, other) => {
  const files = (configuration: object) => ({
    ".devcontainer/devcontainer.json": JSON.stringify(configuration),
    ".devcontainer/Dockerfile": `FROM ${BASE}\nCOPY x /\n`,
    ".devcontainer/x": "x\n",
    ".devcontainer/compose.yml": "services:\n  app:\n    build: { context: ., labels: { a: b, c: d } }\n",
    x: "another x\n",
  });
  const edit = (root: string): void =>
    put(root, ".devcontainer/devcontainer.json", files(other)[".devcontainer/devcontainer.json"]);
  expect(await movedBy({ name: "", from: files(one), edit }, BEFORE)).toEqual([]);
});

test.each<[one: string, other: string]>([
  ["    build: .", "    build: { context: ./, dockerfile: ./Dockerfile }"],
  ["    build: .", "    build: { context: . }\n    image: app:1\n    environment: [A=b]\n    command: sleep infinity"],
  ["    build: { context: ., args: [A=1] }", '    build: { context: ., args: { A: "${A}" } }'],
  ["    build: { context: ., labels: [a=1, b=2] }", '    build: { context: ., labels: { b: "2", a: "1" } }'],
  ["    build: { context: ., cache_from: [x] }", "    build: { context: ., tags: [y], pull: true }"],
  [
    "    build: { context: . }",
    "    extends: { service: base }\n  base:\n    build: { context: . }\nvolumes: { a: {} }",
  ],
])("equal spellings in a compose file: %j, %j", async (one, other) => {
  const files = (service: string) => ({
    ".devcontainer/devcontainer.json": '{ "dockerComposeFile": "compose.yml", "service": "app" }',
    ".devcontainer/Dockerfile": `FROM ${BASE}\nARG A\nCOPY x /\n`,
    ".devcontainer/x": "x\n",
    ".devcontainer/.env": "A=1\n",
    ".devcontainer/compose.yml": `services:\n  app:\n${service}\n`,
  });
  const edit = (root: string): void =>
    put(root, ".devcontainer/compose.yml", files(other)[".devcontainer/compose.yml"]);
  expect(await movedBy({ name: "", from: files(one), edit }, BEFORE)).toEqual([]);
});

test("a long default takes time that grows with it", async () => {
  const long = "$aaaaaaaaaaaaaaaa".repeat(200);
  expect(await moved(`ARG GIVEN=${long}?`, `ARG GIVEN=${long}b?`)).toEqual(ALL);
});
