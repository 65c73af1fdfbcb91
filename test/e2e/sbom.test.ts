import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { POLICY_VARIABLE, sourcePolicy } from "../../src/buildx/policy.ts";
import { readUsedImages } from "../../src/buildx/provenance.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { imageFor } from "../../src/oci/manifest.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { parseReference, parseRepository, type Repository } from "../../src/oci/reference.ts";
import { type ImageInIndex, listStatements, lookForAttestations, seek } from "../../src/sbom/attestations.ts";
import { type PlatformSbom, readSboms } from "../../src/sbom/read.ts";
import { makeCheckout } from "../checkout.ts";
import { type Ended, REGISTRY, runAction, runImage, unique } from "./harness.ts";
import { openClient } from "./registries.ts";
import { build, contextOf, makeDebian, makeScanner } from "./sbom-images.ts";

const PLATFORMS = ["linux/amd64", "linux/arm64"];

let debian: string;
let scanner: string;

beforeAll(async () => {
  [debian, scanner] = await Promise.all([makeDebian(), makeScanner()]);
});

type Pushed = {
  readonly repository: Repository;
  readonly image: string;
  readonly found: readonly ImageInIndex[];
  readonly sboms: readonly PlatformSbom[];
};

const registry = openClient();

/** Builds a Dockerfile with the real buildx, and reads back what the registry has of it. */
async function push(dockerfile: string, platforms: readonly string[], ...options: readonly string[]): Promise<Pushed> {
  const name = unique("e2e/sbom");
  const repository = parseRepository(`${REGISTRY}/${name}`);
  if ("wrong" in repository) throw new Error(repository.wrong);
  const image = `${REGISTRY}/${name}:1`;
  await build(contextOf(dockerfile), image, `--platform=${platforms.join(",")}`, ...options);
  const answer = await registry.manifest({ ...repository, tag: "1" });
  if (answer.kind !== "found") throw new Error(answer.words);
  const found = platforms.flatMap((text): ImageInIndex[] => {
    const [platform, index] = [parsePlatform(text), answer.value];
    if ("wrong" in platform) throw new Error(platform.wrong);
    const manifest = index.body.kind === "index" ? imageFor(index.body, platform)?.digest : index.descriptor.digest;
    return manifest ? [{ platform, manifest, index }] : [];
  });
  return { repository, image, found, sboms: await readSboms({ repository, found }, registry) };
}

/** Name and version of what dpkg itself calls installed. */
async function installed(image: string, platform: string): Promise<string[]> {
  const lines = (await runImage(image, platform, "dpkg", "-l")).split("\n").filter((line) => line.startsWith("ii "));
  return lines
    .map((line) => line.split(/\s+/))
    .map(([, name = "", version]) => `${name.replace(/:.*/, "")} ${version}`);
}

test("each platform's SBOM holds what dpkg says inside the image", async () => {
  const more =
    "Package: only-here\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: all\\nVersion: 2:1-1\\nDescription: x\\n";
  const { image, sboms, repository, found } = await push(
    `FROM ${debian}\nARG TARGETARCH\nRUN [ $TARGETARCH = amd64 ] || printf '\\n${more}' >> /var/lib/dpkg/status\n`,
    PLATFORMS,
    `--sbom=generator=${scanner}`,
  );
  const counts: number[] = [];
  for (const [index, platform] of PLATFORMS.entries()) {
    const sbom = sboms[index];
    const packages = sbom?.kind === "sbom" ? sbom.packages : [];
    const dpkg = await installed(image, platform);
    expect(packages.map(({ name, version }) => `${name} ${version}`).sort(), platform).toEqual(dpkg.sort());
    expect(new Set(packages.map(({ type }) => type))).toEqual(new Set(["deb"]));
    counts.push(dpkg.length);
  }
  for (const one of found)
    expect(
      await lookForAttestations({ repository, image: one, required: ["sbom", "provenance"], blobs: true }, registry),
    ).toEqual({ kind: "there" });
  expect(counts[0]).toBeGreaterThan(10);
  expect(counts[1]).toBe((counts[0] ?? 0) + 1);
});

// Engines before 28 know no such form, and write the other one.
test("attestations as OCI artifacts read the same", async () => {
  const { repository, found, sboms } = await push(
    `FROM ${debian}\n`,
    ["linux/amd64"],
    `--sbom=generator=${scanner}`,
    "--output=type=image,oci-artifact=true",
  );
  expect(sboms).toMatchObject([
    { kind: "sbom", packages: expect.arrayContaining([expect.objectContaining({ name: "libc6" })]) },
  ]);
  const demand = {
    repository,
    image: found[0] ?? expect.unreachable(),
    required: ["sbom", "provenance"],
    blobs: true,
  } as const;
  expect(await lookForAttestations(demand, registry)).toEqual({ kind: "there" });
});

test("of the SBOMs of stages, context and image, the image's is given", async () => {
  const { sboms } = await push(
    `ARG BUILDKIT_SBOM_SCAN_STAGE=true\nARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nFROM ${debian} AS builder\nRUN : > /x\nFROM scratch\nCOPY --from=builder /x /x\n`,
    ["linux/amd64"],
    `--sbom=generator=${scanner}`,
  );
  expect(sboms).toMatchObject([{ kind: "sbom", packages: [] }]);
});

test("a generator that writes nothing is no SBOM, though the build ends well", async () => {
  const { repository, found, sboms } = await push(
    `FROM ${debian}\nRUN : > /SCANNER_WRITES_NOTHING\n`,
    ["linux/amd64"],
    `--sbom=generator=${scanner}`,
  );
  expect(sboms).toMatchObject([{ kind: "none" }]);
  const demand = { repository, image: found[0] ?? expect.unreachable(), blobs: true } as const;
  expect(await lookForAttestations({ ...demand, required: ["provenance"] }, registry)).toEqual({ kind: "there" });
  expect(await lookForAttestations({ ...demand, required: ["provenance", "sbom"] }, registry)).toEqual({
    kind: "missing",
    what: "linux/amd64 has no SBOM: the index lists none for it",
  });
});

test("a generator that fails fails the build", async () => {
  const failing = push(`FROM ${debian}\nRUN : > /SCANNER_FAILS\n`, ["linux/amd64"], `--sbom=generator=${scanner}`);
  await expect(failing).rejects.toThrow(/generating sbom using .*\n[\s\S]*this scanner fails/);
});

test("without attestations there is a bare manifest, and no SBOM", async () => {
  const { found, sboms } = await push(`FROM ${debian}\n`, ["linux/amd64"], "--provenance=false");
  expect(found).toMatchObject([{ index: { body: { kind: "manifest" } } }]);
  expect(sboms).toMatchObject([{ kind: "none" }]);
});

test("a generator whose tag has moved: a source policy binds it like a base, and the provenance names what was used", async () => {
  const generator = await makeScanner();
  const reference = parseReference(generator);
  if ("wrong" in reference) throw new Error(reference.wrong);
  const digestOfTag = async (): Promise<Digest> => {
    const answer = await registry.describe(reference);
    return answer.kind === "found" ? answer.value.digest : expect.unreachable(answer.words);
  };
  const probed = await digestOfTag();
  await makeScanner(generator, "2");
  expect(await digestOfTag()).not.toBe(probed);
  const context = contextOf("");
  writeFileSync(join(context, "policy.json"), sourcePolicy([{ reference: generator, digest: probed }], []));
  vi.stubEnv(POLICY_VARIABLE, join(context, "policy.json"));
  const { repository, found, sboms } = await push(`FROM ${debian}\n`, ["linux/amd64"], `--sbom=generator=${generator}`);
  vi.unstubAllEnvs();
  expect(sboms).toMatchObject([{ kind: "sbom" }]);
  const statements = await listStatements(repository, found[0] ?? expect.unreachable(), registry);
  const sought = seek("provenance", statements);
  const layer = sought.kind === "there" ? sought.layers[0] : undefined;
  const blob = await registry.blob(repository, layer ?? expect.unreachable());
  const used = blob.kind === "found" ? readUsedImages(new TextDecoder().decode(blob.value)) : undefined;
  expect(used).toHaveLength(2);
  expect(used).toContain(probed);
});

/** A configuration on Debian; for arm64 its dpkg calls one more package installed. */
function checkout(more = ""): string {
  const status =
    "Package: only-here\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: all\\nVersion: 1\\nDescription: x\\n";
  return makeCheckout({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "args": { "GREETING": "shown" } } }',
    ".devcontainer/Dockerfile": `FROM ${debian}\nARG TARGETARCH\nARG GREETING\nRUN [ $TARGETARCH = amd64 ] || printf '\\n${status}' >> /var/lib/dpkg/status\n${more}`,
  });
}

type Run = (inputs?: Readonly<Record<string, string>>) => Promise<Ended>;

function actionOn(workspace: string): Run {
  const repository = `${REGISTRY}/${unique("e2e/sbom")}`;
  return (inputs = {}) =>
    runAction({ workspace, inputs: { "cache-repo": repository, platforms: PLATFORMS.join(","), ...inputs } });
}

test("through the action: the packages that are counted are those of dpkg, when built and when found", async () => {
  const run = actionOn(checkout());
  const built = await run({ sbom: scanner });
  expect(built.outputs.result, built.log).toBe("built");
  const hit = await run({ sbom: scanner });
  expect(hit.outputs, hit.log).toMatchObject({ result: "hit", image: built.outputs.image });
  const dpkg = await Promise.all(PLATFORMS.map((platform) => installed(built.outputs.image ?? "", platform)));
  expect(dpkg[1]?.length).toBe((dpkg[0]?.length ?? 0) + 1);
  const counts = dpkg.map(({ length }, index) => [PLATFORMS[index], { total: length, types: { deb: length } }]);
  for (const { outputs, summary } of [built, hit]) {
    expect(JSON.parse(outputs["sbom-packages"] ?? "")).toEqual(Object.fromEntries(counts));
    const paths: Readonly<Record<string, string>> = JSON.parse(outputs["sbom-paths"] ?? "");
    const documents = PLATFORMS.map((platform) => JSON.parse(readFileSync(paths[platform] ?? "", "utf8")));
    expect(documents).toMatchObject([{ spdxVersion: "SPDX-2.3" }, { spdxVersion: "SPDX-2.3" }]);
    expect(summary).toContain(`| linux/arm64 | ${dpkg[1]?.length} | ${dpkg[1]?.length} |`);
  }
});

test("through the action: an image without an SBOM is built again where one is required, and has one then", async () => {
  const run = actionOn(checkout());
  const without = await run({ platforms: "linux/amd64" });
  expect(without.outputs, without.log).toMatchObject({ result: "built", "sbom-packages": "{}" });
  const demanding = { platforms: "linux/amd64", sbom: scanner, require: "sbom, provenance", provenance: "max" };
  const again = await run(demanding);
  expect(again.outputs, again.log).toMatchObject({ result: "built", key: without.outputs.key });
  expect(again.log).toContain("publishes the values of the build args to whoever can pull: GREETING");
  const hit = await run(demanding);
  expect(hit.outputs, hit.log).toMatchObject({ result: "hit", image: again.outputs.image });
  expect(hit.outputs["sbom-packages"]).toBe(again.outputs["sbom-packages"]);
});

test("through the action: a generator that writes nothing, or fails, is told, and nothing is found afterwards", async () => {
  for (const [file, words] of [
    ["SCANNER_WRITES_NOTHING", /the SBOM generator \S+ wrote nothing.*\[E_BUILD\]/],
    ["SCANNER_FAILS", /the SBOM generator failed[\s\S]*this scanner fails[\s\S]*\[E_BUILD\]/],
  ] as const) {
    const run = actionOn(checkout(`RUN : > /${file}\n`));
    const told = await run({ platforms: "linux/amd64", sbom: scanner });
    expect(told).toMatchObject({ code: 1, outputs: { result: "failed", "sbom-paths": "{}" } });
    expect(told.log).toMatch(words);
    expect(await run({ platforms: "linux/amd64", "on-miss": "continue" })).toMatchObject({
      outputs: { result: "miss" },
    });
  }
});
