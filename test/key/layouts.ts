import type { Served } from "../../src/oci/manifest.ts";
import type { Content } from "../checkout.ts";
import { featureOf, indexOf } from "../plan-of.ts";

type Files = Readonly<Record<string, Content>>;

/** What the files of a layout say, where rows have to write it differently. */
export type Values = {
  readonly target: string;
  readonly args: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly dockerfile: string;
  readonly options: readonly string[];
  readonly features: Readonly<Record<string, unknown>>;
};

/** One of the usual ways in which a dev container lies in a repository. */
export type Layout = {
  readonly name: string;
  /** The folder of the build context, with a slash at its end, or empty; nothing where no Dockerfile is built. */
  readonly context: string | undefined;
  readonly hasFeatures: boolean;
  /** What depends on the values. */
  readonly write: (values: Values) => Files;
};

const DOCKERFILE = `# syntax=docker/dockerfile:1
# a comment
ARG VARIANT=11
FROM registry.test/base:\${VARIANT} AS dev
ARG WORD=one
ARG REVISION
COPY --from=registry.test/tools:1 /bin/tool /bin/tool
COPY src/ /src/
COPY scripts/*.sh link.txt links*.txt /scripts/
COPY through/inner.txt ignored/kept.txt /
RUN <<EOF
echo one
EOF
RUN echo a && \\
    echo b
FROM registry.test/base:11 AS unused
RUN echo unused
FROM dev AS last
RUN echo last
`;

export const VALUES: Values = {
  target: "dev",
  args: { VARIANT: "12", UNDECLARED: "1" },
  properties: {
    containerEnv: { EDITOR: "vi" },
    remoteUser: "dev",
    customizations: { vscode: { extensions: ["a.b"] } },
    postCreateCommand: "make setup",
    forwardPorts: [3000],
  },
  dockerfile: DOCKERFILE,
  options: [],
  features: { "registry.test/f/tool:1": { version: "1" }, "registry.test/f/other:1": {}, "./local": {} },
};

/** One of everything that an instruction can take, and of what none takes. */
const SOURCES: Files = {
  ".dockerignore": "ignored\n!ignored/kept.txt\n",
  "src/main.c": "int main;\n",
  "src/sub/deep.txt": "deep\n",
  "scripts/setup.sh": { script: "echo setup\n" },
  "link.txt": { link: "src/sub/deep.txt" },
  "links1.txt": { link: "behind/matched.txt" },
  through: { link: "behind" },
  "behind/inner.txt": "inner\n",
  "behind/matched.txt": "matched\n",
  "ignored/gone.txt": "gone\n",
  "ignored/kept.txt": "kept\n",
  "other/notes.txt": "other\n",
};

const CONFIGURATION = ".devcontainer/devcontainer.json";

const configured = (json: unknown): Files => ({
  [CONFIGURATION]: `// a comment\n${JSON.stringify(json, undefined, 2)}\n`,
});

function building(name: string, where: { readonly folder: string; readonly context: string }): Layout {
  const { folder, context } = where;
  return {
    name,
    context: folder,
    hasFeatures: false,
    write: ({ target, args, properties, dockerfile, options }) => ({
      ...configured({ build: { dockerfile: "Dockerfile", context, target, args, options }, ...properties }),
      ".devcontainer/Dockerfile": dockerfile,
    }),
  };
}

export const LAYOUTS: readonly Layout[] = [
  building("a Dockerfile in its own context", { folder: ".devcontainer/", context: "." }),
  building("the context ..", { folder: "", context: ".." }),
  {
    name: "features",
    context: "",
    hasFeatures: true,
    write: ({ target, args, properties, dockerfile, options, features }) => ({
      ...configured({
        build: { dockerfile: "Dockerfile", context: "..", target, args, options },
        features,
        ...properties,
      }),
      ".devcontainer/Dockerfile": dockerfile,
    }),
  },
  {
    name: "compose",
    context: "app/",
    hasFeatures: false,
    write: ({ target, args, properties, dockerfile }) => ({
      ...configured({ dockerComposeFile: "compose.yml", service: "app", ...properties }),
      ".devcontainer/compose.yml": JSON.stringify({
        services: { app: { build: { context: "../app", dockerfile: "../docker/Dockerfile", target, args } } },
      }),
      "docker/Dockerfile": dockerfile,
    }),
  },
  {
    name: "an image",
    context: undefined,
    hasFeatures: false,
    write: ({ properties }) => configured({ image: "registry.test/base:12", ...properties }),
  },
];

/** A checkout in that layout. */
export function filesOf(layout: Layout, values: Partial<Values> = {}): Files {
  const sources = Object.entries(SOURCES).map(
    ([path, content]) => [`${layout.context ?? ""}${path}`, content] as const,
  );
  return {
    ".git/HEAD": "ref: refs/heads/main\n",
    ".devcontainer/local/devcontainer-feature.json": '{ "id": "local" }',
    ".devcontainer/local/install.sh": { script: "echo\n" },
    ...Object.fromEntries(sources),
    ...layout.write({ ...VALUES, ...values }),
  };
}

export const IMAGES: Readonly<Record<string, Served>> = {
  "registry.test/base:11": indexOf({ "linux/amd64": "11 amd64", "linux/arm64": "11 arm64" }),
  "registry.test/base:12": indexOf({ "linux/amd64": "12 amd64", "linux/arm64": "12 arm64" }),
  "registry.test/tools:1": indexOf({ "linux/amd64": "tools amd64", "linux/arm64": "tools arm64" }),
  "docker.io/docker/dockerfile:1": indexOf({ "linux/amd64": "frontend amd64" }),
  "docker.io/docker/dockerfile:2": indexOf({ "linux/amd64": "frontend 2 amd64" }),
  "registry.test/f/tool:1": featureOf({ id: "tool", options: { version: { default: "1" } } }),
  "registry.test/f/other:1": featureOf({ id: "other" }),
};
