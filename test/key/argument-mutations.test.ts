import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Served } from "../../src/oci/manifest.ts";
import { type Content, makeCheckout, put } from "../checkout.ts";
import { baseWith, indexOf, planOf } from "../plan-of.ts";
import { type Before, type Mutation, movedBy, toldOfAll } from "./around.ts";

const ONBUILD = baseWith("registry.test/onbuild:1", [
  "ARG FLAVOUR=plain",
  "ARG OTHER COLOUR",
  'ARG "SHAPE"',
  "RUN echo $FLAVOUR > /flavour",
]);
const PLAIN = baseWith("registry.test/plain:1", []);
const PROXY = baseWith("registry.test/proxied:1", ["ARG http_proxy", "ENV http_proxy=$http_proxy"]);

const IMAGES: Readonly<Record<string, Served>> = {
  ...ONBUILD.images,
  ...PLAIN.images,
  ...PROXY.images,
  "registry.test/either:1": indexOf({ "linux/amd64": "either amd64", "linux/arm64": "either arm64" }),
};

const devcontainer = (args: Readonly<Record<string, string>>): string =>
  JSON.stringify({ build: { dockerfile: "Dockerfile", context: "../app", args } });

const from = (dockerfile: string, args: Readonly<Record<string, string>> = {}): Readonly<Record<string, Content>> => ({
  ".devcontainer/devcontainer.json": devcontainer(args),
  ".devcontainer/Dockerfile": dockerfile,
  "app/file": "",
});
const give = (args: Readonly<Record<string, string>>) => (root: string) =>
  put(root, ".devcontainer/devcontainer.json", devcontainer(args));

const ON_ONBUILD = "FROM registry.test/onbuild:1\n";
const ON_PLAIN = "FROM registry.test/plain:1\nRUN make\n";
const PROXIED = `${ON_PLAIN}ARG HTTP_PROXY\nENV http_proxy=$HTTP_PROXY\n`;

/** A folder with Docker's configuration: `DOCKER_CONFIG` names it. */
function dockerFolder(proxies: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), "docker-"));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ proxies }));
  return folder;
}
const proxied = (value: string) => ({ DOCKER_CONFIG: dockerFolder({ default: { httpProxy: value } }) });
const otherEngines = dockerFolder({
  default: { httpProxy: "http://one.test" },
  "tcp://engine.test:2376": { httpProxy: "http://two.test" },
});

const BEFORE: Before = {
  files: from(ON_ONBUILD),
  images: IMAGES,
  blobs: { ...ONBUILD.blobs, ...PLAIN.blobs, ...PROXY.blobs },
};

/** What only the config of a base says is no part of the source key, which is known before any request. */
const ONBUILD_ARGS: readonly Mutation[] = [
  { name: "an arg that a base's ONBUILD declares", edit: give({ FLAVOUR: "sweet" }) },
  { name: "its value", from: from(ON_ONBUILD, { FLAVOUR: "sweet" }), edit: give({ FLAVOUR: "sour" }) },
  { name: "the second arg of such a trigger", edit: give({ COLOUR: "red" }) },
  { name: "an arg whose name such a trigger has in quotes", edit: give({ SHAPE: "round" }) },
  { name: "such an arg by the input", inputs: { "build-args": "FLAVOUR=sweet" } },
  {
    name: "a proxy that a base's ONBUILD declares",
    from: from("FROM registry.test/proxied:1\n"),
    edit: give({ http_proxy: "http://one.test" }),
  },
  {
    name: "such an arg where an image is used as it is",
    from: { ".devcontainer/devcontainer.json": '{ "image": "registry.test/onbuild:1" }' },
    inputs: { "build-args": "FLAVOUR=sweet" },
  },
  {
    name: "such an arg of a stage between",
    from: from(`${ON_ONBUILD.trim()} AS below\nFROM registry.test/plain:1\nCOPY --from=below /flavour /\n`),
    edit: give({ FLAVOUR: "sweet" }),
  },
];

const YOURS: readonly Mutation[] = [
  ...["TARGETPLATFORM=linux/arm64", "TARGETARCH=arm64", "TARGETOS=linux", "TARGETVARIANT=v3", "TARGETSTAGE=x"].map(
    (text): Mutation => ({
      name: `an undeclared ${text}`,
      from: from("FROM registry.test/either:1\n"),
      inputs: { "build-args": text },
    }),
  ),
  ...["BUILDPLATFORM=linux/arm64", "BUILDARCH=arm64", "BUILDOS=linux", "BUILDVARIANT=v3"].map(
    (text): Mutation => ({
      name: `an undeclared ${text}`,
      from: from("FROM --platform=$BUILDPLATFORM registry.test/either:1\n"),
      inputs: { "build-args": text },
    }),
  ),
  {
    name: "an undeclared arg, where the frontend is not Docker's",
    from: from(`# syntax=registry.test/plain:1\n${ON_PLAIN}`),
    edit: give({ WORD: "one" }),
  },
  {
    name: "an undeclared arg, where another arg chooses such a frontend",
    from: from(ON_PLAIN, { BUILDKIT_SYNTAX: "registry.test/plain:1" }),
    edit: give({ BUILDKIT_SYNTAX: "registry.test/plain:1", WORD: "one" }),
  },
  { name: "a declared proxy of Docker's configuration", from: from(PROXIED), env: proxied("http://one.test") },
  {
    name: "a declared proxy of another engine's",
    from: from(PROXIED),
    env: { DOCKER_CONFIG: otherEngines, DOCKER_HOST: "tcp://engine.test:2376" },
  },
];

/** Older builders read the name of an ARG in a stage as a word: without quotes and escapes, variables replaced. */
const SPELLED: readonly Mutation[] = ['"WORD"', "WO'RD'", "WO\\RD", "$WO", '"WORD"=none'].flatMap((name) => {
  const declaring = `${ON_PLAIN}ARG WO=WORD\nARG ${name}\nRUN echo $WORD`;
  return [
    { name: `the value of ARG ${name}`, from: from(declaring, { WORD: "one" }), edit: give({ WORD: "two" }) },
    {
      name: `the value of ARG ${name}, where a stage that is not built declares the same`,
      from: from(`${ON_PLAIN}ARG WORD\n${declaring}`, { WORD: "one" }),
      edit: give({ WORD: "two" }),
    },
  ];
});

const targeting = (name: string): Readonly<Record<string, Content>> => ({
  ".devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile", target: name } }),
  ".devcontainer/Dockerfile": `FROM registry.test/plain:1 AS ${name}\nARG TARGET"STAGE"\nRUN echo $TARGETSTAGE\n`,
});
const SPELLED_ELSEWHERE: readonly Mutation[] = [
  {
    name: "what the target is called, where ARG takes that name in quotes",
    from: targeting("one"),
    edit: (root) => {
      for (const [path, content] of Object.entries(targeting("two"))) put(root, path, content);
    },
  },
  ...['"WORD"', "$WO"].map((name): Mutation => {
    const text = (word: string) => `ARG WORD=${word}\n${ON_PLAIN}ARG WO=WORD\nARG ${name}\nRUN echo $WORD\n`;
    return {
      name: `the default before FROM that ARG ${name} takes`,
      from: from(text("one")),
      edit: (root) => put(root, ".devcontainer/Dockerfile", text("two")),
    };
  }),
  {
    name: "a file that is copied by what such an ARG says",
    from: { ...from('FROM scratch\nARG "WORD"=le\nCOPY fi$WORD /\n'), "app/fi": "" },
    edit: (root) => put(root, "app/file", "changed"),
  },
];

const NOTHING: readonly Mutation[] = [
  { name: "an arg that no ONBUILD declares either", edit: give({ TASTE: "sweet" }) },
  { name: "an arg of that name on a base without ONBUILD", from: from(ON_PLAIN), edit: give({ FLAVOUR: "sweet" }) },
  {
    name: "an arg that the ONBUILD of a copied image declares",
    from: from(`${ON_PLAIN}COPY --from=registry.test/onbuild:1 /a /a\n`),
    edit: give({ FLAVOUR: "sweet" }),
  },
  { name: "such an arg, ignored", inputs: { "build-args": "FLAVOUR=sweet", "ignore-args": "FLAVOUR" } },
  { name: "an undeclared proxy of Docker's configuration", from: from(ON_PLAIN), env: proxied("http://one.test") },
  {
    name: "a declared proxy of Docker's configuration, ignored",
    from: from(PROXIED),
    env: proxied("http://one.test"),
    inputs: { "ignore-args": "HTTP_PROXY" },
  },
  {
    name: "a declared proxy of an engine that docker does not speak to",
    from: from(PROXIED),
    env: { DOCKER_CONFIG: dockerFolder({ "tcp://engine.test:2376": { httpProxy: "http://two.test" } }) },
  },
];

test.each(ONBUILD_ARGS)("must move all but the source key: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own", "unlabelled"]);
});

test.each(YOURS)("must move all keys: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own", "source", "unlabelled"]);
});

test.each([...SPELLED, ...SPELLED_ELSEWHERE])("must move all keys: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own", "source", "unlabelled"]);
});

test.each(NOTHING)("must move no key: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual([]);
});

test("who gives no undeclared arg waits for no config of a base", async () => {
  const asked: string[] = [];
  const workspace = makeCheckout(from(ON_ONBUILD));
  const counting = (inputs?: Readonly<Record<string, string>>) =>
    planOf({ ...BEFORE, workspace, ...(inputs ? { inputs } : {}), onRequest: (request) => asked.push(request) });
  await counting();
  expect(asked.filter((request) => /sha256/.test(request))).toEqual([]);
  await counting({ "build-args": "FLAVOUR=sweet" });
  expect(asked.filter((request) => /sha256/.test(request))).toHaveLength(2);
});

test("a base whose config cannot be read leaves open what counts, and nothing older stands in", async () => {
  const workspace = makeCheckout(from(ON_ONBUILD, { FLAVOUR: "sweet" }));
  const error = { kind: "limited", request: "GET the config", status: 429, words: "too many" } as const;
  const { probed } = await planOf({ ...BEFORE, workspace, blobError: error });
  expect(probed.plan).toBeUndefined();
  expect(probed.verdict).toMatchObject({
    kind: "unknown",
    doubt: { what: expect.stringContaining("onbuild:1"), error },
  });
});

test("each change is told, and once", async () => {
  expect(await toldOfAll([...ONBUILD_ARGS, ...YOURS], BEFORE)).toMatchInlineSnapshot(`
    {
      "a declared proxy of Docker's configuration": [
        "build arg HTTP_PROXY is new (Docker's own configuration)",
      ],
      "a declared proxy of another engine's": [
        "build arg HTTP_PROXY is new (Docker's own configuration)",
      ],
      "a proxy that a base's ONBUILD declares": [
        "build arg http_proxy is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "an arg that a base's ONBUILD declares": [
        "build arg FLAVOUR is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "an arg whose name such a trigger has in quotes": [
        "build arg SHAPE is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "an undeclared BUILDARCH=arm64": [
        "build arg BUILDARCH is new (line 1 of the input build-args)",
      ],
      "an undeclared BUILDOS=linux": [
        "build arg BUILDOS is new (line 1 of the input build-args)",
      ],
      "an undeclared BUILDPLATFORM=linux/arm64": [
        "build arg BUILDPLATFORM is new (line 1 of the input build-args)",
      ],
      "an undeclared BUILDVARIANT=v3": [
        "build arg BUILDVARIANT is new (line 1 of the input build-args)",
      ],
      "an undeclared TARGETARCH=arm64": [
        "build arg TARGETARCH is new (line 1 of the input build-args)",
      ],
      "an undeclared TARGETOS=linux": [
        "build arg TARGETOS is new (line 1 of the input build-args)",
      ],
      "an undeclared TARGETPLATFORM=linux/arm64": [
        "build arg TARGETPLATFORM is new (line 1 of the input build-args)",
      ],
      "an undeclared TARGETSTAGE=x": [
        "build arg TARGETSTAGE is new (line 1 of the input build-args)",
      ],
      "an undeclared TARGETVARIANT=v3": [
        "build arg TARGETVARIANT is new (line 1 of the input build-args)",
      ],
      "an undeclared arg, where another arg chooses such a frontend": [
        "build arg WORD is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "an undeclared arg, where the frontend is not Docker's": [
        "build arg WORD is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "its value": [
        "build arg FLAVOUR changed (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "such an arg by the input": [
        "build arg FLAVOUR is new (line 1 of the input build-args)",
      ],
      "such an arg of a stage between": [
        "build arg FLAVOUR is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
      "such an arg where an image is used as it is": [
        "build arg FLAVOUR is new (line 1 of the input build-args)",
      ],
      "the second arg of such a trigger": [
        "build arg COLOUR is new (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
      ],
    }
  `);
});
