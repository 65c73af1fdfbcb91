import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { FeatureToInstall } from "../src/build/feature-build.ts";
import { layOutBuild, type PlatformLayout } from "../src/build/layout.ts";
import { METADATA_LABEL } from "../src/devcontainer/label.ts";
import { openFiles } from "../src/host/files.ts";
import { RECIPE } from "../src/key/ingredients.ts";
import type { ImageConfig } from "../src/oci/config.ts";
import type { Served } from "../src/oci/manifest.ts";
import { formatPlatform } from "../src/oci/platform.ts";
import { type Content, makeCheckout } from "./checkout.ts";
import { featureOf, indexOf, planOf } from "./plan-of.ts";

/** A dev container whose generated text and whose key are written down. */
export type Golden = {
  readonly name: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly dockerfile?: string;
  readonly base?: Partial<ImageConfig>;
  readonly inputs?: Readonly<Record<string, string>>;
};

const TOOL = "registry.test/f/tool:1";
const lines = (...text: readonly string[]): string => `${text.join("\n")}\n`;
const built = (build: Readonly<Record<string, unknown>> = {}) => ({
  build: { dockerfile: "Dockerfile", context: "../app", ...build },
  features: { [TOOL]: {} },
});

export const GOLDEN: readonly Golden[] = [
  {
    name: "an image without features",
    json: { image: "registry.test/base:1", remoteUser: "dev", containerEnv: { A: "1" }, postCreateCommand: "make" },
    base: { labels: { [METADATA_LABEL]: '[{"id":"of-the-base"}]' } },
  },
  {
    name: "an image with two features",
    json: {
      image: "registry.test/base:1",
      features: { "./local": { mode: "it's $HOME" }, [TOOL]: { version: "2" } },
      remoteUser: "dev",
      postCreateCommand: "make",
    },
    base: { labels: { [METADATA_LABEL]: '[{"id":"of-the-base","remoteUser":"root","containerUser":"other"}]' } },
  },
  {
    name: "a target in the middle and another escape character",
    json: built({ target: "Middle" }),
    dockerfile: lines(
      "# escape=`",
      "FROM registry.test/base:1 AS first",
      "FROM first AS Middle",
      "RUN echo a && `",
      "    echo b",
      "# a comment behind it",
      "",
      "FROM first AS last",
      "RUN echo last",
    ),
  },
  {
    name: "a heredoc at the end",
    json: built(),
    dockerfile: "FROM registry.test/base:1 AS dev\nRUN <<EOF\nUSER nobody\nFROM nothing\nEOF",
  },
  {
    name: "FROM without a name over two lines",
    json: built(),
    dockerfile: lines("FROM \\", "  # which one", "  registry.test/base:1  ", "USER dev"),
  },
  {
    name: "line ends of Windows",
    json: built(),
    dockerfile: "FROM registry.test/base:1\r\nRUN echo a\r\nUSER dev\r\n",
  },
  {
    name: "a user with a group",
    json: built(),
    dockerfile: lines("FROM registry.test/base:1 AS dev", "ARG WHO=dev", 'USER "$WHO":staff'),
  },
  {
    name: "the base's own user",
    json: built(),
    dockerfile: lines("FROM registry.test/base:1"),
    base: { user: "1000:1000" },
  },
  {
    name: "containerEnv with quotes, dollars and backslashes",
    json: {
      ...built(),
      features: { "registry.test/f/environment:1": {} },
      containerEnv: { OWN: 'a "b" $HOME ${PATH} \\ c\' `d`', EMPTY: "" },
    },
    dockerfile: lines("FROM registry.test/base:1 AS dev"),
  },
  {
    name: "the same with another escape character",
    json: {
      ...built(),
      features: { "registry.test/f/environment:1": {} },
      containerEnv: { OWN: 'a "b" $HOME ${PATH} \\ c\' `d`' },
    },
    dockerfile: lines("# escape=`", "FROM registry.test/base:1 AS dev"),
  },
  {
    name: "an image whose user gets another uid",
    json: { image: "registry.test/base:1", containerEnv: { A: "1" } },
    base: { user: "vscode:staff", labels: { [METADATA_LABEL]: '[{"remoteUser":"vscode"}]' } },
    inputs: { "remote-user-uid": "1001" },
  },
  {
    name: "features, and another uid for a name with quotes",
    json: { ...built(), remoteUser: 'it\'s "me" $HOME' },
    dockerfile: lines("# escape=`", "FROM registry.test/base:1", 'SHELL ["/bin/false"]', "USER dev"),
    inputs: { "remote-user-uid": "1001" },
  },
  {
    name: "another uid for root",
    json: { image: "registry.test/base:1", remoteUser: "root" },
    base: { user: "vscode", labels: { "dev-container-cache.remote-user-uid": "vscode:1000" } },
    inputs: { "remote-user-uid": "1001" },
  },
];

const PUBLISHED = featureOf({
  id: "tool",
  version: "1.0.0",
  options: { version: { default: "1" }, "with-dash": { default: true } },
  containerEnv: { PATH: "/opt/tool:${PATH}" },
  capAdd: ["SYS_PTRACE"],
  postCreateCommand: "tool",
});

const IMAGES: Readonly<Record<string, Served>> = {
  "registry.test/base:1": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "base arm64" }),
  [TOOL]: PUBLISHED,
  "registry.test/f/tool:latest": PUBLISHED,
  "registry.test/f/environment:1": featureOf({
    id: "environment",
    containerEnv: { LIVE: 'a "b" ${PATH} $HOME \\ c\' `d`', ESCAPED: "\\${PATH}" },
  }),
};

const FILES: Readonly<Record<string, Content>> = {
  "app/file.txt": "app\n",
  ".devcontainer/local/devcontainer-feature.json": JSON.stringify({
    id: "local",
    options: { mode: { default: "slow" } },
    installsAfter: ["registry.test/f/tool"],
  }),
  ".devcontainer/local/install.sh": "echo local\n",
  ".devcontainer/local/current": { link: "install.sh" },
};

/** The checkout, made for real; whoever asks removes it. */
export function checkOut({ json, dockerfile }: Golden): string {
  return makeCheckout({
    ...FILES,
    ".devcontainer/devcontainer.json": JSON.stringify(json),
    ...(dockerfile === undefined ? {} : { ".devcontainer/Dockerfile": dockerfile }),
  });
}

export async function keyOfGolden(golden: Golden): Promise<string> {
  const workspace = checkOut(golden);
  const { probed } = await planOf({ workspace, images: IMAGES, ...(golden.inputs ? { inputs: golden.inputs } : {}) });
  rmSync(workspace, { recursive: true });
  return probed.plan?.key ?? "there is no key";
}

/** Everything that a builder is given of ours, as one text: Dockerfile, label, contexts, and what is laid out of features. */
export async function layOutGolden(golden: Golden): Promise<string> {
  const workspace = checkOut(golden);
  const { sources, probed } = await planOf({
    workspace,
    images: IMAGES,
    ...(golden.inputs ? { inputs: golden.inputs } : {}),
  });
  if (!probed.plan) throw new Error(JSON.stringify(probed.verdict));
  const { files, removeTemporaryFolders } = openFiles(tmpdir());
  const base: ImageConfig = { user: "", env: {}, labels: {}, triggers: [], ...golden.base };
  const [platform] = sources.wanted.platforms.map((one) => one.platform);
  if (!platform) throw new Error("no platform");
  const layout = await layOutBuild(
    {
      gathered: sources.build,
      platforms: [platform],
      bases: new Map([[formatPlatform(platform), base]]),
      features: probed.plan.features.map(withContent),
      bindings: [],
      pins: [],
    },
    files,
  );
  const [laidOut] = layout.platforms.values();
  const text = laidOut ? tell(layout.folder, laidOut) : "nothing";
  removeTemporaryFolders();
  rmSync(workspace, { recursive: true });
  return text;
}

function withContent(feature: FeatureToInstall["feature"]): FeatureToInstall {
  const content = new TextEncoder().encode(`echo ${feature.id}\n`);
  const entries = [{ path: "install.sh", kind: "file", content }] as const;
  return { feature, entries: feature.source.kind === "local" ? undefined : entries };
}

function tell(folder: string, { dockerfile, ownLines, target, contexts, label, ownLabels }: PlatformLayout): string {
  const named = Object.entries(contexts).map(([name, where]) => `${name} = ${where.replace(folder, "<build>")}`);
  const text = readFileSync(dockerfile, "utf8").replaceAll("\r", "␍");
  return [
    `recipe ${RECIPE}`,
    `ours from line ${ownLines + 1}, target ${target ?? "(the last one)"}`,
    ...named,
    `label ${label ?? "(none)"}`,
    ...Object.entries(ownLabels).map(([name, value]) => `label ${name}=${value}`),
    `── Dockerfile\n${text}`,
    ...readdirSync(folder)
      .filter((name) => name.startsWith("features-"))
      .flatMap((name) => tellFolder(join(folder, name))),
  ].join("\n");
}

function tellFolder(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true }).sort((a, b) =>
    join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
  );
  return paths.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isSymbolicLink()) return [`── ${name} → ${readlinkSync(path)}\n`];
    if (!entry.isFile()) return [];
    return [`── ${name} ${(statSync(path).mode & 0o777).toString(8)}\n${readFileSync(path, "utf8")}`];
  });
}
