import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { abilitiesOf, type Builder, describeBuilder, inspectBuilder, shortcomingOf } from "../../src/buildx/builder.ts";
import { meansFor, readInspection } from "../../src/buildx/builder-inspect.ts";
import { type Answers, failed, ok, programsOf } from "./programs.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };
const s390x = { os: "linux", architecture: "s390x" };

/** As buildx 0.13.1 prints it with Debian's engine 26.1.5. */
const DOCKER = `Name:          default
Driver:        docker
Last Activity: 2026-11-21 07:20:05 +0000 UTC

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.0.0+unknown
Platforms:        linux/amd64, linux/amd64/v2, linux/amd64/v3, linux/amd64/v4, linux/arm64
Labels:
 org.mobyproject.buildkit.worker.containerd.namespace: moby
 org.mobyproject.buildkit.worker.network:              host
`;

/** As buildx 0.29.1 prints it. */
const TWO_REMOTES = `Name:          two
Driver:        remote
Last Activity: 2026-11-21 07:45:03 +0000 UTC

Nodes:
Name:             two0
Endpoint:         tcp://127.0.0.1:12341
Status:           running
BuildKit version: v0.26.3
Platforms:        linux/amd64*, linux/amd64/v2, linux/386
Labels:
 org.mobyproject.buildkit.worker.hostname:         vm
GC Policy rule#0:
 All:            false
 Keep Duration:  48h0m0s

Name:             two1
Endpoint:         tcp://127.0.0.1:12342
Status:           running
BuildKit version: v0.12.5
Platforms:        linux/arm64*, linux/arm/v7
`;

const CONTAINER = `Name:          dc
Driver:        docker-container
Last Activity: 2026-11-21 07:45:03 +0000 UTC

Nodes:
Name:                  dc0
Endpoint:              unix:///var/run/docker.sock
Driver Options:        image="moby/buildkit:buildx-stable-1" network="host"
Status:                running
BuildKit daemon flags: --allow-insecure-entitlement=network.host
BuildKit version:      v0.26.3
Platforms:             linux/amd64, linux/amd64/v2, linux/arm64, linux/386
`;

describe("what buildx inspect prints", () => {
  test("one node of the engine", () => {
    expect(readInspection(DOCKER)).toEqual({
      name: "default",
      driver: "docker",
      nodes: [
        {
          name: "default",
          platforms: ["linux/amd64", "linux/amd64/v2", "linux/amd64/v3", "linux/amd64/v4", "linux/arm64"],
          buildkit: undefined,
          error: undefined,
        },
      ],
    });
  });

  test("two nodes", () => {
    expect(readInspection(TWO_REMOTES)).toMatchObject({
      name: "two",
      driver: "remote",
      nodes: [
        { name: "two0", platforms: ["linux/amd64", "linux/amd64/v2", "linux/386"], buildkit: [0, 26, 3] },
        { name: "two1", platforms: ["linux/arm64", "linux/arm/v7"], buildkit: [0, 12, 5] },
      ],
    });
  });

  test("a container with options", () => {
    expect(readInspection(CONTAINER)).toMatchObject({ driver: "docker-container", nodes: [{ buildkit: [0, 26, 3] }] });
  });

  test("what older ones call otherwise, a node that does not answer, and one that starts on demand", () => {
    const text =
      "Name: b\nDriver: kubernetes\n\nNodes:\nName: b0\nError: no pods\nName: b1\nBuildkit: v0.11.6\nPlatforms:\n";
    expect(readInspection(text)).toMatchObject({
      nodes: [
        { name: "b0", error: "no pods", platforms: [] },
        { name: "b1", error: undefined, platforms: [], buildkit: [0, 11, 6] },
      ],
    });
  });

  test.each(["", "Nodes:", "garbage"])("%j says nothing", (text) => {
    expect(readInspection(text)).toEqual({ name: "default", driver: "", nodes: [] });
  });
});

test.each([
  ["the engine's own", DOCKER, amd64, "native"],
  ["one that the engine emulates", DOCKER, arm64, "emulated"],
  ["a variant of the engine's own", DOCKER, { ...amd64, variant: "v3" }, "native"],
  ["one that it cannot", DOCKER, s390x, "missing"],
  ["one of a second node", TWO_REMOTES, arm64, "native"],
  ["the small kin of a node", TWO_REMOTES, { os: "linux", architecture: "arm", variant: "v7" }, "native"],
  ["one of a builder that lists nothing", "Name: c\nDriver: cloud\n\nNodes:\nName: c0\n", s390x, "unknown"],
])("a platform that is %s", (_, text, platform, means) => {
  expect(meansFor(readInspection(text), platform)).toBe(means);
});

test("no text that buildx could print makes the reading fail, and what is read is normalised", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom("Nodes:", "Name: b", "Platforms: linux/amd64*, linux/arm", "Error: x", "BuildKit version: v1.2.3"),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const { nodes } = readInspection(lines.join("\n"));
      for (const { platforms } of nodes)
        for (const platform of platforms) expect(platform).toMatch(/^(linux|windows)\/[a-z0-9]+(\/v[0-9]+)?$/);
    }),
  );
});

const BUILDX = { program: "docker", prefix: ["buildx"], version: undefined };
const ENGINE = { store: "classic", version: [28, 5, 2] } as const;

function inspect(answers: Answers, name?: string): ReturnType<typeof inspectBuilder> {
  return inspectBuilder(name, {
    buildx: BUILDX,
    engine: Promise.resolve(ENGINE),
    exec: programsOf(answers).exec,
    env: {},
  });
}

describe("inspecting", () => {
  test("a builder of the driver docker is the engine's", async () => {
    expect(await inspect({ "docker buildx inspect --bootstrap": ok(DOCKER) })).toMatchObject({
      name: "default",
      engine: ENGINE,
    });
  });

  test("a builder of another driver is not", async () => {
    expect(await inspect({ "docker buildx inspect --bootstrap two": ok(TWO_REMOTES) }, "two")).toMatchObject({
      name: "two",
      engine: undefined,
    });
  });

  const node = (name: string, more: string): string => `Name: ${name}\n${more}\n`;
  test.each<[string, Answers, object]>([
    ["one that is not there", { docker: failed('ERROR: no builder "b" found') }, { wrong: 'no builder "b" found' }],
    [
      "one whose only node is broken",
      { docker: ok(`Name: b\nDriver: remote\n\nNodes:\n${node("b0", "Error: connection refused")}`) },
      { wrong: "connection refused" },
    ],
    [
      "one with a working node beside a broken one",
      { docker: ok(`Name: b\nDriver: remote\n\nNodes:\n${node("b0", "Error: gone")}${node("b1", "Status: running")}`) },
      { name: "b" },
    ],
  ])("%s", async (_, answers, expected) => {
    expect(await inspect(answers, "b")).toMatchObject(expected);
  });
});

function builderOf(text: string, engine?: Builder["engine"]): Builder {
  return { ...readInspection(text), engine, ours: false };
}

describe("what a driver can do", () => {
  const all = { pushIndex: true, exportCache: true, rewriteTimestamps: true };
  test.each<[string, Builder, object]>([
    [
      "docker with the containerd store",
      builderOf(DOCKER, { store: "containerd", version: undefined }),
      { ...all, rewriteTimestamps: false },
    ],
    ["docker of which nothing is known", builderOf(DOCKER), { ...all, rewriteTimestamps: false }],
    [
      "docker with the classic store",
      builderOf(DOCKER, { store: "classic", version: undefined }),
      { pushIndex: false, exportCache: false, rewriteTimestamps: false },
    ],
    ["docker-container", builderOf(CONTAINER), all],
    ["remote", builderOf(TWO_REMOTES), all],
    ["one that nobody here knows", builderOf("Name: c\nDriver: cloud\n"), all],
  ])("%s", (_, builder, abilities) => {
    expect(abilitiesOf(builder)).toEqual(abilities);
  });

  test.each<[string, Builder, string]>([
    [
      "an engine that emulates",
      builderOf(DOCKER, { store: "containerd", version: [28, 5, 2] }),
      "Builder default (driver docker with the containerd image store) builds linux/amd64 natively, linux/arm64 under emulation, which is slow (builders names a native one); it cannot set the times inside layers.",
    ],
    [
      "native nodes",
      builderOf(TWO_REMOTES),
      "Builder two (driver remote) builds linux/amd64 natively, linux/arm64 natively.",
    ],
    [
      "one that lists nothing",
      builderOf("Name: c\nDriver: cloud\n"),
      "Builder c (driver cloud) builds linux/amd64, linux/arm64.",
    ],
  ])("in one line: %s", (_, builder, line) => {
    expect(describeBuilder(builder, [amd64, arm64])).toBe(line);
  });
});

describe("what stands in the way", () => {
  const old = CONTAINER.replace("v0.26.3", "v0.12.2");
  test.each<[string, Builder, boolean, RegExp, boolean]>([
    [
      "the classic store",
      builderOf(DOCKER, { store: "classic", version: [28, 5, 2] }),
      true,
      /classic image store/,
      true,
    ],
    [
      "an old engine",
      builderOf(DOCKER, { store: "containerd", version: [24, 0, 9] }),
      true,
      /24\.0\.9: 25\.0\.0/,
      true,
    ],
    [
      "an old engine that only loads",
      builderOf(DOCKER, { store: "classic", version: [20, 10, 24] }),
      false,
      /20\.10\.24/,
      true,
    ],
    ["an old daemon", builderOf(old), true, /BuildKit 0\.12\.2: 0\.12\.3 or newer/, true],
    ["an old second node", builderOf(TWO_REMOTES.replace("v0.12.5", "v0.11.6")), true, /BuildKit 0\.11\.6/, true],
  ])("%s", (_, builder, push, words, curable) => {
    expect(shortcomingOf(builder, [amd64], push)).toMatchObject({ what: expect.stringMatching(words), curable });
  });

  test("a platform without emulation, which a container would lack as well", () => {
    expect(shortcomingOf(builderOf(CONTAINER), [amd64, s390x], true)).toEqual({
      what: "The builder dc cannot build for linux/s390x; it can for linux/amd64, linux/amd64/v2, linux/arm64, linux/386.",
      fix: "Add docker/setup-qemu-action before this action, name a builder that can (builders: linux/s390x=NAME), or give the platform a runner of its kind (runners).",
      curable: false,
    });
  });

  test.each<[string, Builder, boolean]>([
    ["an engine with the containerd store", builderOf(DOCKER, { store: "containerd", version: [26, 1, 5] }), true],
    [
      "an engine with the classic store that only loads",
      builderOf(DOCKER, { store: "classic", version: [28, 5, 2] }),
      false,
    ],
    ["a container", builderOf(CONTAINER), true],
    ["a cloud that lists nothing", builderOf("Name: c\nDriver: cloud\n\nNodes:\nName: c0\n"), true],
  ])("nothing: %s", (_, builder, push) => {
    expect(shortcomingOf(builder, [amd64, arm64], push)).toBeUndefined();
  });
});
