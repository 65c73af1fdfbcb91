import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";

const { files, removeTemporaryFolders } = openFiles(tmpdir());
const folders: string[] = [];
afterAll(() => {
  removeTemporaryFolders();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

type Files = Readonly<Record<string, string>>;
type Texts = Readonly<Record<string, string>>;

const ALLOWED = "good.test/**";

/** What the story reads before any request: what is refused here no registry hears of. */
async function read(checkout: Files, inputs: Texts = {}, allowed = ALLOWED) {
  const workspace = makeCheckout({ ".devcontainer/Dockerfile": "FROM good.test/os:1\n", ...checkout });
  folders.push(workspace);
  const all = inputsOf({ workspace, images: {}, inputs: { "allowed-images": allowed, ...inputs } });
  return readFrom(all, { files, host: hostOf(workspace) });
}

const CONFIG = ".devcontainer/devcontainer.json";
const COMPOSE = ".devcontainer/compose.yml";
const DOCKERFILE = ".devcontainer/Dockerfile";
const config = (value: object): Files => ({ [CONFIG]: JSON.stringify(value, undefined, 1) });
const built = (build: object = {}): Files => config({ build: { dockerfile: "Dockerfile", ...build } });
const dockerfile = (text: string, build: object = {}): Files => ({ ...built(build), [DOCKERFILE]: text });
const compose = (text: string): Files => ({
  ...config({ dockerComposeFile: "compose.yml", service: "app" }),
  [COMPOSE]: text,
});

describe("allowed-images covers every reference that anything fetches", () => {
  test.each<[string, Files, at: string, words: RegExp]>([
    ["image", config({ image: "evil.test/os:1" }), `${CONFIG}:2`, /evil\.test\/os:1/],
    ["FROM", dockerfile("FROM evil.test/os:1\n"), `${DOCKERFILE}:1`, /evil\.test/],
    ["FROM with an arg", dockerfile("ARG B\nFROM $B\n", { args: { B: "evil.test/os:1" } }), `${DOCKERFILE}:2`, /\$B/],
    ["COPY --from", dockerfile("FROM good.test/os:1\nCOPY --from=evil.test/os:1 /a /a\n"), `${DOCKERFILE}:2`, /evil/],
    [
      "RUN --mount",
      dockerfile("FROM good.test/os:1\nRUN --mount=from=evil.test/os:1,target=/a true\n"),
      `${DOCKERFILE}:2`,
      /evil/,
    ],
    ["a frontend", dockerfile("# syntax=evil.test/frontend:1\nFROM good.test/os:1\n"), `${DOCKERFILE}:1`, /evil/],
    ["BUILDKIT_SYNTAX", built({ args: { BUILDKIT_SYNTAX: "evil.test/frontend:1" } }), `${DOCKERFILE}:1`, /evil/],
    [
      "a named context in the place of a base",
      built({ options: ["--build-context=good.test/os:1=docker-image://evil.test/os:1"] }),
      `${DOCKERFILE}:1`,
      /good\.test\/os:1/,
    ],
    [
      "a named context that nothing uses",
      built({ options: ["--build-context=c=docker-image://evil.test/os:1"] }),
      `${CONFIG}:5`,
      /evil\.test\/os:1 of the build context c/,
    ],
    ["build.cacheFrom", built({ cacheFrom: "evil.test/cache" }), `${CONFIG}:4`, /evil\.test\/cache of a layer cache/],
    [
      "build.cacheFrom, in full",
      built({ cacheFrom: ["type=registry,ref=good.test/c", "type=registry,ref=evil.test/c"] }),
      `${CONFIG}:6`,
      /evil\.test\/c of/,
    ],
    [
      "--cache-from",
      built({ options: ["--cache-from=type=registry,ref=evil.test/cache"] }),
      `${CONFIG}:5`,
      /evil\.test\/cache/,
    ],
    ["a compose image", compose("services:\n  app:\n    image: evil.test/os:1\n"), `${COMPOSE}:3`, /evil/],
    [
      "a compose context",
      compose("services:\n  app:\n    build:\n      additional_contexts: ['c=docker-image://evil.test/os:1']\n"),
      `${COMPOSE}:4`,
      /evil\.test\/os:1 of the build context c/,
    ],
    [
      "a compose cache",
      compose("services:\n  app:\n    build:\n      cache_from: ['evil.test/cache']\n"),
      `${COMPOSE}:4`,
      /evil\.test\/cache/,
    ],
    [
      "a Dockerfile in a compose file",
      compose("services:\n  app:\n    build:\n      dockerfile_inline: FROM evil.test/os:1\n"),
      `${COMPOSE}:4`,
      /evil/,
    ],
    [
      "a feature",
      config({ image: "good.test/os:1", features: { "evil.test/f/f:1": {} } }),
      `${CONFIG}:4`,
      /evil\.test\/f\/f:1/,
    ],
    [
      "a proxy, through which all comes",
      built({ args: { https_proxy: "http://evil.test:3128" } }),
      `${CONFIG}:5`,
      /names a proxy \(https_proxy\)/,
    ],
    [
      "what cannot be told",
      dockerfile("FROM good.test/os:$BUILDARCH\n"),
      `${DOCKERFILE}:1`,
      /cannot be told before the build, so that nobody can say whether the input allowed-images/,
    ],
    [
      "what is read from an address",
      compose("services:\n  app:\n    build:\n      additional_contexts: ['c=https://evil.test/x.tar']\n"),
      `${COMPOSE}:4`,
      /cannot be told/,
    ],
  ])("%s", async (_, checkout, at, words) => {
    const refusal = await refusalOf(() =>
      read({ [DOCKERFILE]: "FROM good.test/os:1\n", Dockerfile: "FROM good.test/os:1\n", ...checkout }),
    );
    expect(refusal).toMatchObject({ code: "E_INPUT", message: expect.stringMatching(words) });
    expect(`${refusal.at?.file}:${refusal.at?.line}`).toBe(at);
    await expect(
      read(checkout, {}, "good.test/**\nevil.test/**").then(
        () => "read",
        (error) => error.message,
      ),
    ).resolves.toMatch(/^read$|proxy|cannot be told/);
  });

  test.each<[string, Texts, RegExp]>([
    ["sbom", { sbom: "evil.test/scanner:1" }, /input sbom asks for evil\.test\/scanner:1/],
    ["buildkit-image", { "buildkit-image": "evil.test/buildkit:1" }, /input buildkit-image/],
    ["fallback-image", { "fallback-image": "evil.test/os:1" }, /input fallback-image/],
    ["build-contexts", { "build-contexts": "c=docker-image://evil.test/os:1" }, /input build-contexts/],
    ["cache-from", { "cache-from": "type=registry,ref=evil.test/cache" }, /input cache-from/],
    ["additional-features", { "additional-features": '{ "evil.test/f/f:1": {} }' }, /feature evil\.test\/f\/f:1/],
  ])("the input %s", async (_, inputs, words) => {
    const refusal = await refusalOf(() => read(built(), inputs));
    expect(refusal).toMatchObject({ code: "E_INPUT", message: expect.stringMatching(words) });
  });

  test("what the patterns name is read", async () => {
    const options = ["--build-context=c=docker-image://good.test/os:2", "--cache-from=good.test/cache"];
    const { build } = await read(built({ options, cacheFrom: ["good.test/a"] }), {
      "buildkit-image": "good.test/buildkit:1",
      "build-args": "HTTP_PROXY=http://proxy.test",
    });
    expect(build.definition.cacheFrom).toHaveLength(2);
  });
});

test("a configuration's layer cache comes from a registry only: for others buildx sends the job's logins where the entry says", async () => {
  const cacheFrom = [
    "type=gha,url_v2=https://evil.test/",
    "type=s3,endpoint_url=https://evil.test,bucket=b,region=r",
    "type=local,src=/root",
    "type=registry",
  ];
  const { build, warnings } = await read(built({ cacheFrom }), {}, "");
  expect(build.definition.cacheFrom).toEqual([]);
  expect(warnings.map(({ text, at }) => `${at?.line} ${text}`)).toEqual(
    [5, 6, 7, 8].map((line) =>
      expect.stringMatching(new RegExp(`^${line} A layer cache \\(cacheFrom\\) is left out: .*input cache-from`)),
    ),
  );
});
