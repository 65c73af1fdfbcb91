import type { Content } from "../checkout.ts";

/** A checkout that a stranger made to keep a runner busy, and one of the same size that nobody would think about. */
export type Row = {
  readonly name: string;
  readonly hostile: Readonly<Record<string, Content>>;
  readonly harmless: Readonly<Record<string, Content>>;
  /** How it ends, where it is refused. */
  readonly code?: string;
};

const CONFIGURATION = ".devcontainer/devcontainer.json";
const BUILT = JSON.stringify({ build: { dockerfile: "Dockerfile" } });

/** What comes behind it is compared at the end of a long way. */
const ALIKE = "ab".repeat(95);

function lines(count: number, line: (number: number) => string): string {
  return Array.from({ length: count }, (_, number) => `${line(number)}\n`).join("");
}

/** A text of at least the other one's size, made of a line that means nothing special. */
function likewise(size: number, start: string, line: string): string {
  return start + line.repeat(Math.max(0, Math.ceil((size - start.length) / line.length)));
}

type Named = Pick<Row, "name" | "code">;

function dockerfile({ name, code }: Named, text: string, more: Readonly<Record<string, Content>> = {}): Row {
  const around = { [CONFIGURATION]: BUILT, ...more };
  return {
    name,
    ...(code === undefined ? {} : { code }),
    hostile: { ...around, ".devcontainer/Dockerfile": text },
    harmless: { ...around, ".devcontainer/Dockerfile": likewise(text.length, "FROM a\n", "RUN make all\n") },
  };
}

function configuration({ name, code }: Named, text: string): Row {
  const start = '{"image": "a", "customizations": {"x": [\n';
  return {
    name,
    ...(code === undefined ? {} : { code }),
    hostile: { [CONFIGURATION]: text },
    harmless: { [CONFIGURATION]: `${likewise(text.length, start, '"a", 1, true,\n')}"a"]}}` },
  };
}

const COMPOSE = JSON.stringify({ dockerComposeFile: "c.yml", service: "app" });

function compose({ name, code }: Named, files: Readonly<Record<string, string>>): Row {
  const all = Object.entries(files).map(([file, text]) => [`.devcontainer/${file}`, text] as const);
  const start = "services:\n  app:\n    image: a\n    environment:\n";
  const size = all.reduce((sum, [, text]) => sum + text.length, 0);
  return {
    name,
    ...(code === undefined ? {} : { code }),
    hostile: { [CONFIGURATION]: COMPOSE, ...Object.fromEntries(all) },
    harmless: {
      [CONFIGURATION]: COMPOSE,
      ".devcontainer/c.yml": start + lines(Math.ceil(size / 20), (number) => `      NAME_${number}: value`),
    },
  };
}

const APP = "services:\n  app:\n    image: a\n";
const LOCK = `sha256:${"0".repeat(64)}`;

function manyFiles(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`.devcontainer/aaa${number}`, ""]));
}

export const ROWS: readonly Row[] = [
  dockerfile(
    { name: "a pattern of stars in a variable", code: "E_CONTEXT" },
    `ARG A=${"a".repeat(4000)}\nARG B=\${A//${"*a".repeat(500)}b/}\nFROM a\nARG B\nCOPY x$B /\n`,
    { ".devcontainer/x": "" },
  ),
  dockerfile(
    { name: "a pattern that fails late", code: "E_CONTEXT" },
    `ARG A=${"a".repeat(60_000)}\nARG B=\${A//?${"a".repeat(10)}b/}\nFROM a\n${"ARG A B\nCOPY ${A//*a*b/} /\n".repeat(100)}`,
    { ".devcontainer/x": "" },
  ),
  dockerfile({ name: "many ENV" }, `FROM a\n${lines(40_000, (number) => `ENV A${number}=1`)}`),
  dockerfile(
    { name: "stages on stages" },
    lines(299, (number) => `FROM ${number === 0 ? "a" : `s${number - 1}`} AS s${number}`).replaceAll(
      "\n",
      `\n${lines(60, (number) => `ENV A${number}=1`)}`,
    ),
  ),
  dockerfile(
    { name: "triggers of stages that cannot be told apart", code: "E_LIMIT" },
    `ARG U=$BUILDOS\n${`FROM $U\n${"ONBUILD RUN true\n".repeat(180)}`.repeat(290)}`,
  ),
  dockerfile(
    { name: "a long value in many variables", code: "E_LIMIT" },
    `FROM a\nENV A=${"a".repeat(60_000)}\n${lines(60_000, (number) => `ENV B${number}=$A`)}`,
  ),
  {
    name: "named contexts beside a long Dockerfile",
    hostile: {
      [CONFIGURATION]: JSON.stringify({
        build: {
          dockerfile: "Dockerfile",
          options: Array.from({ length: 4000 }, (_, number) => `--build-context=c${number}=.devcontainer/none`),
        },
      }),
      ".devcontainer/none/a": "",
      ".devcontainer/Dockerfile": `FROM a\n${lines(20_000, (number) => `COPY --from=c${number % 4000} a /${number}`)}`,
    },
    harmless: {
      [CONFIGURATION]: BUILT,
      ".devcontainer/Dockerfile": `FROM a\n${"RUN make all\n".repeat(60_000)}`,
    },
  },
  dockerfile(
    { name: "defaults that are almost plain, of args that are given" },
    `FROM a\nARG A=${"$aaaaaaaaaaaa".repeat(300)}'\n${`ARG A=${"$a".repeat(2000)}?\n`.repeat(200)}`,
    { [CONFIGURATION]: JSON.stringify({ build: { dockerfile: "Dockerfile", args: { A: "1" } } }) },
  ),
  dockerfile({ name: "one ARG again and again" }, `FROM a\n${"ARG A\n".repeat(100_000)}`),
  dockerfile({ name: "here-documents" }, `FROM a\n${"RUN <<A\nA\n".repeat(50_000)}`),
  dockerfile({ name: "defaults in defaults", code: "E_DOCKERFILE" }, `FROM a\nRUN <<E ${"${A:-".repeat(60_000)}\nE\n`),
  dockerfile({ name: "a mount with everything in it" }, `FROM a\nRUN ${"--mount=from=b ".repeat(40_000)}true\n`),
  dockerfile(
    { name: "mounts from anywhere" },
    `FROM a AS a\n${"FROM a\n".repeat(290)}${"RUN --mount=from=b true\n".repeat(10_000)}`,
  ),
  dockerfile(
    { name: "stages called nearly alike" },
    `${lines(290, (number) => `FROM a AS ${ALIKE}-b${number}`)}FROM a\n${lines(2000, (number) => `COPY --from=${ALIKE}-c${number} /a /a`)}`,
  ),
  dockerfile({ name: "args called nearly alike" }, `FROM a\n${lines(100, (number) => `ARG ${ALIKE}${number}`)}`, {
    [CONFIGURATION]: JSON.stringify({
      build: {
        dockerfile: "Dockerfile",
        args: Object.fromEntries(Array.from({ length: 100 }, (_, number) => [`${ALIKE}A${number}`, "1"])),
      },
    }),
  }),
  dockerfile(
    { name: "mounts from a variable, which no builder takes", code: "E_DOCKERFILE" },
    `FROM a AS a\n${"FROM a\n".repeat(290)}${"RUN --mount=from=$A true\n".repeat(20_000)}`,
  ),
  dockerfile(
    { name: "thousands of patterns to copy", code: "E_LIMIT" },
    `FROM a\n${lines(40_000, (number) => `COPY *x*${number} /`)}`,
    manyFiles(1000),
  ),
  dockerfile(
    { name: "a source of thousands of folders", code: "E_CONTEXT" },
    `FROM a\nCOPY ${"a/".repeat(30_000)}b /\n`,
  ),
  dockerfile(
    { name: "a pattern no file is long enough for" },
    `FROM a\nCOPY ${"*a".repeat(30_000)}b /\n`,
    manyFiles(100),
  ),
  {
    name: "thousands of patterns to ignore",
    hostile: {
      [CONFIGURATION]: BUILT,
      ".devcontainer/Dockerfile": "FROM a\nCOPY . /\n",
      ".devcontainer/.dockerignore": lines(20_000, (number) => `**/*a*${number}x`),
      ...manyFiles(1000),
    },
    harmless: {
      [CONFIGURATION]: BUILT,
      ".devcontainer/Dockerfile": "FROM a\nCOPY . /\n",
      ".devcontainer/.dockerignore": lines(20_000, (number) => `folder/${number}`),
      ...manyFiles(1000),
    },
  },
  ...[
    { name: "an endless pattern to ignore", pattern: `${"*a".repeat(250_000)}b` },
    { name: "a bracket to ignore that never ends", pattern: `[${"[:a".repeat(150_000)}]` },
    { name: "a pattern to ignore that counts", pattern: `${"[a]{1000}".repeat(400)}b` },
  ].map(({ name, pattern }): Row => {
    const around = { [CONFIGURATION]: BUILT, ".devcontainer/Dockerfile": "FROM a\nCOPY . /\n", ...manyFiles(100) };
    return {
      name,
      ...(pattern.length > 4096 ? { code: "E_DOCKERFILE" } : {}),
      hostile: { ...around, ".devcontainer/.dockerignore": pattern },
      harmless: { ...around, ".devcontainer/.dockerignore": likewise(pattern.length, "", "folder/file\n") },
    };
  }),
  configuration({ name: "variables that never end" }, JSON.stringify({ image: "a", name: "${".repeat(250_000) })),
  configuration(
    { name: "args with a variable of the environment", code: "E_CONFIG" },
    JSON.stringify({
      build: {
        dockerfile: "Dockerfile",
        args: Object.fromEntries(Array.from({ length: 20_000 }, (_, number) => [`A${number}`, "${localEnv:HOME}"])),
      },
    }),
  ),
  configuration(
    { name: "a folder that is named again and again", code: "E_CONFIG" },
    JSON.stringify({
      image: "a",
      workspaceFolder: `/${"a".repeat(400_000)}`,
      name: "${containerWorkspaceFolder}".repeat(15_000),
    }),
  ),
  configuration(
    { name: "a list deep in objects" },
    `${'{"image": "a", "x": '.repeat(190)}[${"1,".repeat(400_000)}1]${"}".repeat(190)}`,
  ),
  configuration(
    { name: "a long list below a long name" },
    `{"image": "a", "${"x".repeat(300_000)}": [${"1,".repeat(150_000)}1]}`,
  ),
  configuration({ name: "lists in lists", code: "E_CONFIG" }, `{"image": "a", "x": ${"[".repeat(500_000)}`),
  configuration({ name: "a text of megabytes", code: "E_LIMIT" }, `{"image": "a", "x": "${"x".repeat(2_000_000)}"}`),
  configuration(
    { name: "thousands of features", code: "E_CONFIG" },
    JSON.stringify({
      image: "a",
      features: Object.fromEntries(
        Array.from({ length: 20_000 }, (_, number) => [`reg.io/a/f${number}`, { a: "${localEnv:HOME}" }]),
      ),
    }),
  ),
  configuration(
    { name: "a feature with an endless name", code: "E_CONFIG" },
    JSON.stringify({ image: "a", features: { [`https://a/${"devcontainer-feature-".repeat(40_000)}`]: {} } }),
  ),
  {
    name: "local features that all depend on one another",
    code: "E_FEATURE",
    hostile: {
      [CONFIGURATION]: JSON.stringify({ image: "a", features: { "./f0": {} } }),
      ...Object.fromEntries(
        Array.from({ length: 200 }, (_, number) => [
          `.devcontainer/f${number}/devcontainer-feature.json`,
          JSON.stringify({
            id: `f${number}`,
            version: "1.0.0",
            dependsOn: Object.fromEntries(
              Array.from({ length: 200 }, (_, other) => [`./f${other}`, { from: `${number}` }]),
            ),
          }),
        ]),
      ),
    },
    harmless: {
      [CONFIGURATION]: JSON.stringify({
        image: "a",
        features: Object.fromEntries(Array.from({ length: 200 }, (_, number) => [`./f${number}`, {}])),
      }),
      ...Object.fromEntries(
        Array.from({ length: 200 }, (_, number) => [
          `.devcontainer/f${number}/devcontainer-feature.json`,
          JSON.stringify({ id: `f${number}`, version: "1.0.0", description: "x".repeat(5000) }),
        ]),
      ),
    },
  },
  {
    name: "a lockfile of thousands",
    hostile: {
      [CONFIGURATION]: JSON.stringify({
        image: "a",
        features: Object.fromEntries(Array.from({ length: 400 }, (_, number) => [`reg.io/a/f${number}`, {}])),
      }),
      ".devcontainer/devcontainer-lock.json": JSON.stringify({
        features: Object.fromEntries(
          Array.from({ length: 9000 }, (_, number) => [`reg.io/a/g${number}`, { integrity: LOCK }]),
        ),
      }),
    },
    harmless: {
      [CONFIGURATION]: JSON.stringify({ image: "a" }),
      "data.json": "x".repeat(1_000_000),
    },
  },
  compose(
    { name: "services that extend one another", code: "E_CONFIG" },
    {
      "c.yml": `services:\n${lines(8000, (number) => `  ${number === 0 ? "app" : `s${number}`}:\n    extends: s${number + 1}`)}  s8000:\n    image: a`,
    },
  ),
  compose(
    { name: "one document for each service", code: "E_CONFIG" },
    {
      "c.yml": APP + lines(8000, (number) => `---\nservices:\n  s${number}:\n    image: a`),
    },
  ),
  compose(
    { name: "one file included again and again", code: "E_LIMIT" },
    {
      "c.yml": `include:\n${"  - ./i.yml\n".repeat(900)}${APP}`,
      "i.yml": `services:\n${lines(4000, (number) => `  s${number}:\n    image: a`)}`,
    },
  ),
  compose(
    { name: "anchors in anchors", code: "E_CONFIG" },
    {
      "c.yml": `x0: &x0 [a, a, a, a, a, a, a, a, a]\n${lines(9, (number) => `x${number + 1}: &x${number + 1} [${Array(9).fill(`*x${number}`).join(", ")}]`)}${APP}`,
    },
  ),
  compose(
    { name: "variables in one line" },
    {
      "c.yml": `${APP}    user: "${"${A:-x}".repeat(60_000)}"\n`,
    },
  ),
  compose(
    { name: "lines that double one another", code: "E_CONFIG" },
    {
      "c.yml": APP,
      ".env": `A=aaaaaaaaaaaaaaaa\n${"A=$A$A\n".repeat(1000)}`,
    },
  ),
  compose(
    { name: "lines without a value that double one another" },
    {
      "c.yml": `${APP}    user: $A\n`,
      ".env": `A=$B\n${"A=$A$A\n".repeat(1000)}`,
    },
  ),
  compose(
    { name: "a long value in many lines", code: "E_LIMIT" },
    {
      "c.yml": APP,
      ".env": `A=${"a".repeat(300_000)}\n${lines(40_000, (number) => `B${number}=$A`)}`,
    },
  ),
  compose(
    { name: "a long value in many args", code: "E_LIMIT" },
    {
      "c.yml": `services:\n  app:\n    build:\n      context: .\n      args:\n${lines(10_000, (number) => `        A${number}: $A`)}`,
      ".env": `A=${"a".repeat(300_000)}\n`,
    },
  ),
  compose({ name: "brackets in brackets", code: "E_CONFIG" }, { "c.yml": `x: ${"[".repeat(200_000)}` }),
  compose({ name: "names that go on in one another", code: "E_CONFIG" }, { "c.yml": "    build:\n*a".repeat(20_000) }),
  compose({ name: "nothing but errors", code: "E_CONFIG" }, { "c.yml": "}\n".repeat(100_000) }),
];
