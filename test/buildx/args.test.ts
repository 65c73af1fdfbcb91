import { expect, test } from "vitest";
import { buildxArguments, LONGEST_ARGUMENT, tooLongArgument } from "../../src/buildx/args.ts";
import { readPushedDigest } from "../../src/buildx/metadata.ts";
import { sourcePolicy } from "../../src/buildx/policy.ts";

const digest = `sha256:${"a".repeat(64)}` as const;
const base = {
  builder: "b",
  platform: { os: "linux", architecture: "arm64" },
  contextFolder: "/t/context",
  dockerfile: "/t/Dockerfile",
  target: undefined,
  buildArgs: {},
  labels: {},
  cacheFrom: [],
  contexts: {},
  options: [],
  metadataFile: "/t/metadata.json",
} as const;

test("a push: one platform, under no name, OCI types, provenance without values", () => {
  const name = "cache.test/app";
  const output = {
    kind: "push",
    name,
    driver: "remote",
    kept: false,
    provenance: "min",
    generator: undefined,
  } as const;
  const args = buildxArguments({ ...base, output });
  expect(args.join(" ")).toBe(
    "build --builder b --progress rawjson --platform linux/arm64 --file /t/Dockerfile --metadata-file /t/metadata.json --provenance mode=min " +
      "--output type=image,name=cache.test/app,oci-mediatypes=true,push-by-digest=true,push=true,store=false /t/context",
  );
});

test("an engine is not told to push once more what BuildKit in it has pushed, and keeps the image only where that is asked for", () => {
  const output = { kind: "push", name: "n:1", driver: "docker", provenance: "min", generator: undefined } as const;
  const asked = (kept: boolean): string | undefined =>
    buildxArguments({ ...base, output: { ...output, kept } }).find((argument) => argument.startsWith("type="));
  expect(asked(false)).toBe("type=image,name=n:1,oci-mediatypes=true,push=,store=false");
  expect(asked(true)).toBe("type=image,name=n:1,oci-mediatypes=true,push=");
});

test("a push with an SBOM, and with provenance that tells all", () => {
  const generator = "docker.io/team/scanner:1";
  const output = { kind: "push", name: "n:1", driver: "remote", kept: false, provenance: "max", generator } as const;
  const args = buildxArguments({ ...base, output });
  expect(args.slice(args.indexOf("--provenance"), args.indexOf("--output"))).toEqual([
    ...["--provenance", "mode=max", "--attest", "type=sbom,generator=docker.io/team/scanner:1"],
  ]);
});

test("everything that may be told, values as single arguments whatever they hold", () => {
  const args = buildxArguments({
    ...base,
    target: "dev",
    buildArgs: { A: "one two", B: 'quote " and $HOME\nline' },
    labels: { "devcontainer.metadata": "[ {} ]" },
    cacheFrom: ["type=registry,ref=cache.test/app:cache"],
    contexts: { tools: "/t/named-0", base: "docker-image://debian:12" },
    options: ["--network=host"],
    output: { kind: "load", name: "local:tag" },
  });
  expect(args.slice(args.indexOf("--target"))).toEqual([
    ...["--target", "dev", "--build-arg", "A=one two", "--build-arg", 'B=quote " and $HOME\nline'],
    ...["--label", "devcontainer.metadata=[ {} ]", "--cache-from", "type=registry,ref=cache.test/app:cache"],
    ...["--build-context", "tools=/t/named-0", "--build-context", "base=docker-image://debian:12", "--network=host"],
    ...["--metadata-file", "/t/metadata.json", "--provenance", "false", "--load", "--tag", "local:tag", "/t/context"],
  ]);
});

test("an argument that the system would refuse is found by its first words", () => {
  expect(tooLongArgument(["short", `A=${"x".repeat(LONGEST_ARGUMENT)}`])).toMatch(/^A=xxx/);
  expect(tooLongArgument(["short"])).toBeUndefined();
});

test("the policy binds tags to indexes and addresses to a checksum where there is none, and leaves pinned references alone", () => {
  const policy = sourcePolicy(
    [
      { reference: "docker.io/library/node:20", digest },
      { reference: `docker.io/library/debian:12@${digest}`, digest },
    ],
    [{ address: "https://files.test/*?a=$1", digest }],
  );
  expect(JSON.parse(policy)).toEqual({
    version: 1,
    rules: [
      {
        action: "CONVERT",
        selector: { identifier: "docker-image://docker.io/library/node:20" },
        updates: { identifier: `docker-image://docker.io/library/node:20@${digest}` },
      },
      {
        action: "CONVERT",
        selector: {
          identifier: "https://files.test/*?a=$1",
          match_type: "EXACT",
          constraints: [{ key: "http.checksum", value: "", condition: "EQUAL" }],
        },
        updates: { identifier: "https://files.test/*?a=$1", attrs: { "http.checksum": digest } },
      },
    ],
  });
});

test.each([
  ["what buildx writes", JSON.stringify({ "buildx.build.ref": "a/b/c", "containerimage.digest": digest }), digest],
  ["no digest", "{}", undefined],
  ["another algorithm", JSON.stringify({ "containerimage.digest": "sha512:abc" }), undefined],
  ["an empty file", "", undefined],
  ["a list", "[]", undefined],
])("metadata file: %s", (_, text, expected) => {
  expect(readPushedDigest(text)).toBe(expected);
});
