import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseArgumentFile, parseArgumentInput } from "../../src/arguments/parse.ts";
import { parseSecrets } from "../../src/arguments/secrets.ts";
import { readDotenv } from "../../src/compose/dotenv.ts";
import { readYaml } from "../../src/compose/yaml.ts";
import { mergeMetadata, metadataJson } from "../../src/devcontainer/merge.ts";
import { readBuildOptions } from "../../src/devcontainer/options.ts";
import { parseConfiguration } from "../../src/devcontainer/parse.ts";
import { substitute } from "../../src/devcontainer/substitute.ts";
import { parseIgnoreFile } from "../../src/dockerfile/ignore.ts";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { reachableStages } from "../../src/dockerfile/reach.ts";
import { contextReads, requiredFiles } from "../../src/dockerfile/reads.ts";
import { declaredArgs, imageUses, remoteAdds } from "../../src/dockerfile/stages.ts";
import { assembleImage } from "../../src/envbuilder/assemble.ts";
import { readBuild } from "../../src/envbuilder/build.ts";
import type { Context } from "../../src/envbuilder/context.ts";
import { md5Of } from "../../src/envbuilder/hashes.ts";
import { computeKeys } from "../../src/envbuilder/keys.ts";
import { ActionError } from "../../src/errors.ts";
import { readArchive } from "../../src/features/archive.ts";
import { askedFeatures } from "../../src/features/asked.ts";
import { identifyFeature } from "../../src/features/identify.ts";
import { parseMetadata } from "../../src/features/metadata.ts";
import { gunzip } from "../../src/host/unpack.ts";
import { readManifest } from "../../src/oci/manifest.ts";
import { OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { formatReference, parseReference } from "../../src/oci/reference.ts";
import { parseChallenges } from "../../src/registry/challenge.ts";
import { parsePurl } from "../../src/sbom/purl.ts";
import { readSpdx } from "../../src/sbom/spdx.ts";
import { startCpuTime } from "../cpu-time.ts";
import { type Packed, paxRecord, writeTar } from "../features/tar-writer.ts";
import { budgetOf, timeOf } from "./budget.ts";
import * as hostile from "./hostile-texts.ts";

// Whatever a stranger writes: it is read, or refused with a message, and soon.

const AT = { file: "f", line: 1 };
const ASKED = { id: "x", options: {}, neededBy: undefined, at: AT };
const FOLDERS = { configFolder: "/w/.devcontainer", workspace: "/w", checkout: "/w" };
const effort = { spend: () => undefined };
const SCOPE = { args: new Map([["A", "value"]]), platform: { os: "linux", architecture: "amd64" } };

const HASH = `sha256:${"a".repeat(64)}`;
const EMPTY_IMAGE = {
  mediaType: OCI_MANIFEST,
  manifest: `{"schemaVersion":2,"config":{"mediaType":"c","size":1,"digest":"${HASH}"},"layers":[]}`,
  config: `{"config":{"Env":["A=a"],"OnBuild":["ENV B=$A"]}}`,
};
/** Two files, a folder and a link. */
const CONTEXT: Context = {
  stat: async (path) => ({
    kind: path === "." || path === "b" ? "directory" : path === "l" ? "link" : "file",
    mode: 0o644,
  }),
  list: async (path) => (path === "." ? ["a", "b", "l"] : ["c"]),
  md5: async (path, before) => md5Of(before + path),
};

const RUNS = 200;
/** Milliseconds of the processor for one text of a few thousand characters. */
const PATIENCE = 3000;

type Target = { readonly name: string; readonly texts: fc.Arbitrary<unknown>; readonly read: (text: never) => unknown };

function target<T>(name: string, texts: fc.Arbitrary<T>, read: (text: T) => unknown): Target {
  return { name, texts, read };
}

const TARGETS: readonly Target[] = [
  target("Dockerfile", hostile.dockerfile, (text) => {
    const dockerfile = parseDockerfile(text, "Dockerfile");
    declaredArgs(dockerfile);
    const stages = reachableStages(dockerfile, undefined, SCOPE);
    imageUses(dockerfile, stages, SCOPE);
    remoteAdds(dockerfile, stages, SCOPE);
    contextReads(dockerfile, stages, SCOPE);
    requiredFiles(dockerfile, undefined, SCOPE);
  }),
  target("dockerignore", fc.tuple(hostile.ignoreFile, hostile.path), ([text, path]) => {
    const rules = parseIgnoreFile(text);
    rules.isIgnored(path);
    rules.canPrune(path);
  }),
  target("envbuilder", fc.tuple(hostile.dockerfile, hostile.ignoreFile), async ([text, ignore]) => {
    const build = await readBuild({ text, file: "Dockerfile", buildArgs: ["A=b"], root: "/w" });
    if (build.kind === "unprobeable") return expect(build.reason.length).toBeLessThan(1000);
    const keyed = await computeKeys(build, {
      images: new Map([...build.images.keys()].map((name) => [name, EMPTY_IMAGE])),
      context: CONTEXT,
      ignore: { text: ignore, file: ".dockerignore" },
      platform: "linux/amd64",
      readKept: async () => new Map(),
      readLayers: async ({ paths }) => [{ entries: paths.map((path) => ({ path, kind: "file", md5: "" })) }],
    });
    if (keyed.kind === "keyed") assembleImage(keyed, new Map());
    else if (keyed.kind === "unprobeable") expect(keyed.reason.length).toBeLessThan(1000);
  }),
  target("devcontainer.json", hostile.configuration, (text) => {
    const configuration = substitute(parseConfiguration(text, "d"), {
      localEnv: { HOME: "/root" },
      localWorkspaceFolder: "/w",
    });
    for (const asked of askedFeatures(configuration)) identifyFeature(asked, FOLDERS);
  }),
  target("build.options", fc.array(hostile.option, { maxLength: 8 }), (options) =>
    readBuildOptions(options.map((text) => ({ text, at: AT }))),
  ),
  target("metadata label", fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 4 }), (entries) => {
    const objects = entries.filter((entry) => typeof entry === "object" && entry !== null && !Array.isArray(entry));
    metadataJson(mergeMetadata(JSON.parse(JSON.stringify(objects))));
  }),
  target("feature metadata", hostile.configuration, (text) => parseMetadata(text, ASKED)),
  target("compose file", hostile.compose, (text) =>
    readYaml({ file: "c.yml", text, folder: "/w", variables: new Map([["A", "value"]]), effort }),
  ),
  target("env file", hostile.envFile, (text) => readDotenv({ text, file: ".env" }, new Map([["A", "value"]]))),
  target("build-arg file", hostile.envFile, (text) => parseArgumentFile(text, "args")),
  target("build-args", hostile.envFile, (text) => parseArgumentInput(text)),
  target("build-secrets", hostile.envFile, (text) => parseSecrets(text)),
  target("reference", hostile.reference, (text) => {
    const reference = parseReference(text);
    // What is one has an address, whatever is asked of it later.
    if (!("wrong" in reference)) {
      expect(URL.canParse(`https://${reference.registry}/`)).toBe(true);
      expect(parseReference(formatReference(reference))).toEqual(reference);
    }
  }),
  target("platform", hostile.reference, (text) => parsePlatform(text)),
  target("challenge", fc.array(hostile.header, { maxLength: 3 }), (headers) => parseChallenges(headers)),
  target("manifest", fc.tuple(fc.jsonValue({ maxDepth: 5 }), hostile.mediaType), ([json, type]) =>
    readManifest(json, type),
  ),
  target("SPDX", hostile.spdx, (json) => readSpdx(json)),
  target("purl", hostile.reference, (text) => parsePurl(`pkg:${text}`)),
];

async function survives(read: () => unknown): Promise<void> {
  const spent = startCpuTime();
  try {
    await read();
  } catch (thrown) {
    if (!(thrown instanceof ActionError) || thrown.code === "E_BUG") throw thrown;
    expect(thrown.message.length).toBeLessThan(20_000);
  }
  expect(spent()).toBeLessThan(PATIENCE);
}

test.each(TARGETS)(
  "$name: read, or refused with a message",
  async ({ name, texts, read }) => {
    await fc.assert(
      fc.asyncProperty(texts, (text) => survives(() => read(text as never))),
      budgetOf(`parser ${name}`, RUNS),
    );
  },
  timeOf(RUNS),
);

/** Names that are nearly paths. */
const memberName = fc.oneof(
  hostile.path,
  fc.constantFrom("../a", "/a", "./", "a/../b", "a//b", "link/x", "a\0b", "x".repeat(300)),
);
const member: fc.Arbitrary<Packed> = fc.record(
  {
    name: memberName,
    text: fc.oneof(
      fc.string({ maxLength: 30 }),
      fc
        .tuple(fc.constantFrom("path", "linkpath", "size", "GNU.sparse.name", ""), fc.string({ maxLength: 20 }))
        .map(([key, value]) => paxRecord(key, value)),
    ),
    link: memberName,
    type: fc.constantFrom("0", "1", "2", "3", "5", "7", "x", "g", "L", "K", "\0", "S"),
  },
  { requiredKeys: ["name"] },
);

test(
  "tar: unpacked within its folder, or refused with a message",
  async () => {
    const cuts = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 });
    const refuse = (what: string) => new ActionError("E_FEATURE", { what });
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 8 }), cuts, async (members, changes) => {
        const bytes = new Uint8Array(writeTar(members));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        await survives(async () => {
          const { entries } = await readArchive(bytes, { gunzip, refuse });
          for (const { path } of entries) expect(join(tmpdir(), path).startsWith(`${tmpdir()}/`)).toBe(true);
        });
      }),
      budgetOf("parser tar", RUNS),
    );
  },
  timeOf(RUNS),
);
