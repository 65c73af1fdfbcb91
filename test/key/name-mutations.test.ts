import { expect, test } from "vitest";
import { indexOf } from "../plan-of.ts";
import { type Before, movedBy, toldOf } from "./around.ts";
import { built, type Files, image, openAround, service } from "./named-images.ts";

// One image has many names: with `latest` and without, with what stands for Docker Hub and without. They are one to the builder, which writes
// all of them out (https://github.com/distribution/reference/blob/v0.6.0/normalize.go), so they move nothing, not even the sources' key.
// That the real builder makes one image: test/e2e/same-key.test.ts.

const latest = indexOf({ "linux/amd64": "latest" });
const other = indexOf({ "linux/amd64": "other" });
const DIGEST = latest.descriptor.digest;
const IMAGES = {
  "docker.io/library/alpine:latest": latest,
  "docker.io/library/alpine:3.20": other,
  [`docker.io/library/alpine@${DIGEST}`]: latest,
  [`docker.io/library/alpine:latest@${DIGEST}`]: latest,
  "docker.io/team/tools:latest": other,
  "docker.io/library/scratch:latest": other,
  "docker.io/library/0:latest": other,
  "docker.io/localhost/x:latest": other,
  "localhost/x:latest": other,
  "registry.test/alpine:latest": latest,
  "registry-1.docker.io/library/alpine:latest": latest,
  "docker.io/docker/dockerfile:latest": other,
  "registry.test/syntax:latest": other,
};

const ALL = ["key", "own", "source", "unlabelled"];

const around = openAround(IMAGES);

const PLACES: Readonly<Record<string, (name: string) => Files>> = {
  FROM: (name) => built(`FROM ${name}\nRUN x`),
  "FROM with a name": (name) => built(`FROM ${name} AS a\nRUN x\nFROM a`),
  "FROM beside a trigger": (name) => built(`FROM ${name} AS a\nONBUILD RUN x\nFROM a`),
  "a stage that is called as the image is": (name) => built(`FROM ${name} AS alpine\nRUN x\nFROM alpine`),
  "COPY --from": (name) => built(`FROM team/tools\nCOPY --from=${name} /a /`),
  "a mount": (name) => built(`FROM team/tools\nRUN --mount=from=${name},target=/m x`),
  "a named context": (name) => ({
    ...built("FROM base"),
    ".devcontainer/devcontainer.json": JSON.stringify({
      build: { dockerfile: "Dockerfile", options: [`--build-context=base=docker-image://${name}`] },
    }),
  }),
  "the image of the configuration": image,
  "the image of a service": service,
};
const SPELLINGS: readonly (readonly string[])[] = [
  ["alpine", "alpine:latest", "docker.io/alpine", "docker.io/library/alpine", "index.docker.io/library/alpine:latest"],
  ["alpine:3.20", "library/alpine:3.20", "docker.io/library/alpine:3.20", "index.docker.io/alpine:3.20"],
];

test.each(Object.entries(PLACES))("how an image is called moves no key: %s", async (_, files) => {
  for (const [first = "", ...others] of SPELLINGS)
    for (const spelled of others) {
      const edit = around(files(first), files(spelled));
      expect({ spelled, moved: await movedBy(...edit), told: await toldOf(...edit) }).toEqual({
        spelled,
        moved: [],
        told: [],
      });
    }
});

test.each<[one: string, other: string]>([
  ["FROM alpine:3.20", "ARG T=3.20\nFROM alpine:$T"],
  ["ARG T=3.20\nFROM alpine:$T", "ARG TAG='3.20'\nFROM alpine:${TAG}"],
  ["FROM alpine:3.20", "ARG N=alpine\nARG I=${N:-x}:3.20\nFROM docker.io/$I AS a"],
  ["FROM alpine:3.20 AS a\nRUN x\nFROM a", "ARG S=a\nFROM alpine:3.20 AS a\nRUN x\nFROM $S"],
  [
    "FROM alpine:3.20 AS a\nONBUILD RUN x\nFROM a\nONBUILD RUN x",
    "ARG S=a\nARG T=3.20\nFROM alpine:$T AS a\nONBUILD RUN x\nFROM $S\nONBUILD RUN x",
  ],
  ["ARG T\nFROM alpine$T", "ARG T\nFROM alpine${T}"],
])("what the Dockerfile itself says of a name moves no key: %j, %j", async (one, other) => {
  expect(await movedBy(...around(built(one), built(other)))).toEqual([]);
  expect(await toldOf(...around(built(one), built(other)))).toEqual([]);
});

const GIVEN = { inputs: { "build-args": "T=latest" } };

test.each<[name: string, one: string, other: string, more?: Partial<Before>]>([
  ["another default", "ARG T=3.20\nFROM alpine:$T", "ARG T=latest\nFROM alpine:$T"],
  ["a default that a stage uses too", "ARG T=3.20\nFROM alpine:$T\nARG T\nRUN $T", "FROM alpine:3.20\nARG T\nRUN $T"],
  ["a default that triggers may use", "ARG T=3.20\nFROM alpine:$T\nONBUILD ARG T", "FROM alpine:3.20\nONBUILD ARG T"],
  [
    "what is given and not counted",
    "ARG T=3.20\nFROM alpine:$T",
    "FROM alpine:3.20",
    { inputs: { ...GIVEN.inputs, "ignore-args": "T" } },
  ],
  ["what is given", "ARG T=3.20\nFROM alpine:$T", "FROM alpine:3.20", GIVEN],
  [
    "what an arg that is given stands behind",
    "ARG T=3.20\nARG N=alpine:$T\nFROM $N",
    "ARG N=alpine:3.20\nFROM $N",
    GIVEN,
  ],
  ["what the platform says", "ARG TARGETOS=alpine\nFROM $TARGETOS", "FROM alpine"],
])("what else decides moves all keys: %s", async (_, one, other, more) => {
  expect(await movedBy(...around(built(one), built(other), more))).toEqual(ALL);
});

test("the default of an arg that is given moves no key", async () => {
  const defaults = ["ARG T=3.20\nFROM alpine:$T", "ARG T=latest\nFROM alpine:$T"].map((text) => built(text));
  expect(await movedBy(...around(defaults[0] ?? {}, defaults[1] ?? {}, GIVEN))).toEqual([]);
});

test("another default is told by the names that it leads to, and what moved by its name", async () => {
  const tagged = (tag: string) => built(`ARG T=${tag}\nFROM alpine:$T`);
  expect(await toldOf(...around(tagged("3.20"), tagged("latest")))).toEqual([
    ".devcontainer/Dockerfile:2 FROM alpine:3.20 → FROM alpine:latest @ .devcontainer/Dockerfile:2",
  ]);
  const [mutation, before] = around(tagged("3.20"), {});
  const images = { ...IMAGES, "docker.io/library/alpine:3.20": latest };
  expect(await toldOf({ ...mutation, images }, before)).toEqual([
    expect.stringMatching(/^base docker.io\/library\/alpine:3.20 sha256:\w{12}… → .* @ .devcontainer\/Dockerfile:2$/),
  ]);
});

test("the frontend's names move no key", async () => {
  const files = (name: string) => built(`# syntax=${name}\nFROM alpine`);
  for (const name of ["docker/dockerfile:latest", "docker.io/docker/dockerfile", "index.docker.io/docker/dockerfile"])
    expect(await movedBy(...around(files("docker/dockerfile"), files(name)))).toEqual([]);
});

test("a digest behind another spelling moves the keys of the sources alone", async () => {
  const pins = [`alpine@${DIGEST}`, `docker.io/library/alpine:latest@${DIGEST}`];
  for (const pinned of pins) {
    expect(await movedBy(...around(built("FROM alpine"), built(`FROM ${pinned}`)))).toEqual(["own", "source"]);
    expect(await movedBy(...around(built("FROM alpine AS alpine"), built(`FROM ${pinned} AS alpine`)))).toEqual([
      "own",
      "source",
    ]);
  }
  expect(await movedBy(...around(built(`FROM ${pins[0]}`), built(`FROM ${pins[1]}`)))).toEqual([]);
});

const onAlpine = (text: string): Files => built(`FROM alpine:3.20 AS alpine\nRUN x\n${text}`);

test.each<[name: string, from: Files, to: Files, more?: Partial<Before>]>([
  ["a tag", built("FROM alpine"), built("FROM alpine:3.20")],
  ["another registry", built("FROM alpine"), built("FROM registry.test/alpine")],
  ["another host of Docker Hub's", built("FROM alpine"), built("FROM registry-1.docker.io/library/alpine")],
  ["a repository that is called as a host is", built("FROM localhost/x"), built("FROM docker.io/localhost/x")],
  ["nothing, and an image that is called so", built("FROM scratch\nENV A=b"), built("FROM scratch:latest\nENV A=b")],
  ["a stage, and the image that is called so", onAlpine("FROM alpine"), onAlpine("FROM docker.io/library/alpine")],
  [
    "a stage that is copied from",
    onAlpine("FROM x\nCOPY --from=alpine /a /"),
    onAlpine("FROM x\nCOPY --from=alpine:latest /a /"),
  ],
  [
    "a stage that is copied from, beside a trigger",
    onAlpine("FROM alpine:latest\nONBUILD RUN x\nCOPY --from=alpine /a /"),
    onAlpine("FROM alpine:latest\nONBUILD RUN x\nCOPY --from=docker.io/alpine /a /"),
  ],
  [
    "a stage by its number",
    built("FROM alpine\nFROM alpine\nCOPY --from=0 /a /"),
    built("FROM alpine\nFROM alpine\nCOPY --from=docker.io/library/0 /a /"),
  ],
  [
    "what a build context stands in place of",
    built("FROM alpine:3.20"),
    built(`FROM alpine`),
    { inputs: { "build-contexts": "alpine=docker-image://team/tools" } },
  ],
  [
    "a frontend that nobody knows",
    built("# syntax=registry.test/syntax\nFROM alpine"),
    built("# syntax=registry.test/syntax\nFROM alpine:latest"),
  ],
])("what is another image moves all keys: %s", async (_, from, to, more = {}) => {
  const { images, ...others } = more;
  expect(
    await movedBy(
      ...around(from, to, { images: { ...IMAGES, ...images, "docker.io/library/x:latest": latest }, ...others }),
    ),
  ).toEqual(ALL);
});

test("what moved is told by the name that is written", async () => {
  const images = { ...IMAGES, "docker.io/library/alpine:latest": other };
  for (const written of ["alpine", "docker.io/alpine", "index.docker.io/library/alpine:latest"]) {
    const [mutation, before] = around(built(`FROM ${written}`), {});
    expect(await toldOf({ ...mutation, images }, before)).toEqual([
      expect.stringMatching(
        new RegExp(`^base ${written} sha256:\\w{12}… → sha256:\\w{12}… @ \\.devcontainer/Dockerfile:1$`),
      ),
    ]);
  }
});

test("of another image its name is told, and of the same one nothing beside what changed", async () => {
  expect(await toldOf(...around(built("FROM alpine"), built("FROM docker.io/library/alpine:3.20")))).toEqual([
    ".devcontainer/Dockerfile:1 FROM alpine:latest → FROM alpine:3.20 @ .devcontainer/Dockerfile:1",
  ]);
  expect(await toldOf(...around(built("FROM alpine\nRUN x"), built("FROM docker.io/library/alpine\nRUN y")))).toEqual([
    ".devcontainer/Dockerfile:2 RUN changed @ .devcontainer/Dockerfile:2",
  ]);
  expect(await toldOf(...around(image("alpine"), image("index.docker.io/library/alpine:3.20")))).toEqual([
    "image alpine:latest → alpine:3.20 @ .devcontainer/devcontainer.json:1",
  ]);
});
