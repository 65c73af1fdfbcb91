import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { startCpuTime } from "../cpu-time.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";
import { budgetOf, timeOf } from "./budget.ts";
import * as hostile from "./hostile-texts.ts";

// Whole checkouts that strangers wrote: everything before the first request either ends with sources, or with a message, and soon.

const RUNS = 150;
/** Milliseconds of the processor for a checkout of a few files. */
const PATIENCE = 5000;

/** Usually what belongs there, so that checkouts get further than their first file. */
function mostly<T, U>(right: fc.Arbitrary<T>, other: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: 7, arbitrary: right }, other);
}

const texts = fc.dictionary(fc.constantFrom("A", "B", "constructor"), fc.constantFrom("a", "${localEnv:HOME}"), {
  maxKeys: 2,
});
const dockerfile = mostly(
  fc.constantFrom("FROM a\nCOPY . /\n", "FROM a AS b\nARG A\nRUN --mount=type=bind x\nFROM b\nCOPY fold* /\n"),
  hostile.dockerfile,
);

/** Names and lists that lead from one file to another, so that most checkouts get further than their first file. */
const build = fc.record(
  {
    dockerfile: mostly(fc.constant("Dockerfile"), fc.constantFrom("../Dockerfile", "link", ".")),
    context: mostly(fc.constantFrom(".", ".."), fc.constantFrom("../..", "link", "folder")),
    target: mostly(fc.constant(""), fc.constantFrom("b", "constructor", "2")),
    args: mostly(texts, hostile.value),
    options: fc.array(mostly(fc.constantFrom("--network=host", "--build-arg=A=b"), hostile.option), { maxLength: 3 }),
    cacheFrom: mostly(fc.constantFrom("a/b:c", ["a/b"]), hostile.value),
  },
  { requiredKeys: ["dockerfile"] },
);
const feature = mostly(
  fc.constantFrom("./f", "./g", "ghcr.io/a/b:1", "node", "gradle"),
  fc.constantFrom("../f", "constructor", "x:70000/a/b"),
);
const configuration = fc
  .record(
    {
      image: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom("debian:12", "x:70000/a", "A", "${localEnv:HOME}") },
        hostile.value,
      ),
      build: fc.oneof({ weight: 6, arbitrary: build }, hostile.value),
      dockerComposeFile: fc.constantFrom("c.yml", ["c.yml", "d.yml"], [], "../c.yml"),
      service: fc.constantFrom("app", "other", "constructor"),
      features: fc.dictionary(feature, mostly(texts, hostile.value), { maxKeys: 3 }),
      overrideFeatureInstallOrder: fc.array(feature, { maxLength: 3 }),
      containerEnv: mostly(texts, hostile.value),
      remoteUser: mostly(fc.constant("dev"), hostile.value),
      mounts: mostly(fc.constant(["source=a,target=/b"]), hostile.value),
      customizations: mostly(fc.constant({ vscode: {} }), hostile.value),
      workspaceFolder: mostly(fc.constant("dev"), hostile.value),
    },
    { requiredKeys: [] },
  )
  .chain((object) =>
    fc.constantFrom("", "", "image", "build", "dockerComposeFile").map((only) =>
      // One way to be built wins over the others: each has to have its turn.
      JSON.stringify(
        Object.fromEntries(
          Object.entries(object).filter(
            ([name]) => only === "" || name === only || !/^(?:image|build|docker)/.test(name),
          ),
        ),
      ),
    ),
  );
const service = fc.oneof(
  hostile.compose,
  fc.constant("services:\n  app:\n    image: debian\n"),
  fc
    .record(
      {
        image: fc.constantFrom("debian", "$A", "x:70000/a"),
        build: fc.oneof(
          fc.constantFrom(".", "..", "https://a/b.git"),
          fc.record(
            {
              context: mostly(fc.constant("."), fc.constantFrom("..", "link")),
              dockerfile_inline: dockerfile,
              args: mostly(fc.constant({}), hostile.value),
              additional_contexts: mostly(fc.constant({}), hostile.value),
              secrets: mostly(fc.constant([]), hostile.value),
              extra_hosts: mostly(fc.constant({}), hostile.value),
              ulimits: mostly(fc.constant({}), hostile.value),
            },
            { requiredKeys: [] },
          ),
        ),
        extends: fc.constantFrom("other", "app", { file: "d.yml", service: "app" }),
        user: fc.constantFrom("$A", "${B:-$A}", "${"),
      },
      { requiredKeys: [] },
    )
    .map((app) => JSON.stringify({ services: { app, other: app }, ...(app.user ? { include: ["d.yml"] } : {}) })),
);
const lock = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.dictionary(feature, hostile.value, { maxKeys: 3 }).map((features) => JSON.stringify({ features })),
);
const link: fc.Arbitrary<Content> = fc
  .constantFrom("Dockerfile", "..", ".", "link", "/etc/passwd", "../../..", "folder")
  .map((target) => ({ link: target }));

const metadata = fc
  .record({ id: fc.constant("f"), dependsOn: fc.dictionary(feature, texts, { maxKeys: 2 }) })
  .map((object) => JSON.stringify(object));

const FOLDER = ".devcontainer";
const checkout: fc.Arbitrary<Readonly<Record<string, Content>>> = fc.record(
  {
    [`${FOLDER}/devcontainer.json`]: fc.oneof({ weight: 5, arbitrary: configuration }, hostile.configuration),
    [`${FOLDER}/Dockerfile`]: dockerfile,
    [`${FOLDER}/Dockerfile.dockerignore`]: mostly(fc.constant("**/x*\n!folder\n"), hostile.ignoreFile),
    [`${FOLDER}/.dockerignore`]: mostly(fc.constant("**/x*\n!folder\n"), hostile.ignoreFile),
    [`${FOLDER}/c.yml`]: service,
    [`${FOLDER}/d.yml`]: service,
    [`${FOLDER}/.env`]: mostly(fc.constant("A=1\n"), hostile.envFile),
    [`${FOLDER}/f/devcontainer-feature.json`]: mostly(metadata, hostile.configuration),
    [`${FOLDER}/g/devcontainer-feature.json`]: mostly(metadata, hostile.configuration),
    [`${FOLDER}/devcontainer-lock.json`]: mostly(fc.constant('{"features": {}}'), lock),
    [`${FOLDER}/link`]: link,
    [`${FOLDER}/folder/a`]: fc.constant("x"),
    Dockerfile: dockerfile,
    "args.conf": mostly(fc.constant("A=1\n"), hostile.envFile),
    ".env": mostly(fc.constant("A=1\n"), hostile.envFile),
  },
  { requiredKeys: [`${FOLDER}/devcontainer.json`, `${FOLDER}/Dockerfile`, `${FOLDER}/c.yml`] },
);
const inputs = fc.record({
  "build-arg-files": fc.constantFrom("", "?args.conf", "?**/*.conf"),
  platforms: fc.constantFrom("", "linux/amd64,linux/arm64"),
  lockfile: fc.constantFrom("use", "ignore"),
  target: mostly(fc.constant(""), fc.constant("b")),
});

const example = (configuration: string, dockerfile: string): Readonly<Record<string, Content>> => ({
  [`${FOLDER}/devcontainer.json`]: configuration,
  [`${FOLDER}/Dockerfile`]: dockerfile,
  [`${FOLDER}/c.yml`]: "",
});
const NOTHING = { "build-arg-files": "", platforms: "", lockfile: "use", target: "" };
const BUILDS = '{ "build": { "dockerfile": "Dockerfile" } }';
/** One of each end that proves something: how often chance comes there is no promise. */
const EXAMPLES: [Readonly<Record<string, Content>>, typeof NOTHING, boolean][] = [
  [example(BUILDS, "FROM registry.test/base:1\n"), NOTHING, false],
  [example("{", "FROM registry.test/base:1\n"), NOTHING, false],
  [example(BUILDS, "RUN true\n"), NOTHING, false],
];

test(
  "a checkout becomes sources, or a message",
  async () => {
    const ends = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(checkout, inputs, fc.boolean(), async (content, given, isFork) => {
        const workspace = makeCheckout(content);
        const spent = startCpuTime();
        const host = hostOf(workspace, { HOME: "/root", A: "value" });
        let end = "sources";
        try {
          const { files } = openFiles(tmpdir());
          await readFrom(inputsOf({ workspace, images: {}, inputs: given }), {
            files,
            host: { ...host, event: { ...host.event, isFork } },
          });
        } catch (thrown) {
          if (!(thrown instanceof ActionError) || thrown.code === "E_BUG") throw thrown;
          expect(thrown.message.length).toBeLessThan(20_000);
          end = thrown.code;
        } finally {
          rmSync(workspace, { recursive: true });
        }
        ends.set(end, (ends.get(end) ?? 0) + 1);
        expect(spent()).toBeLessThan(PATIENCE);
      }),
      { ...budgetOf("checkouts", RUNS), examples: EXAMPLES },
    );
    process.stdout.write(`checkouts ended as ${JSON.stringify(Object.fromEntries(ends))}\n`);
    // A target that never gets anywhere proves nothing.
    expect([...ends.keys()]).toEqual(expect.arrayContaining(["sources", "E_CONFIG", "E_DOCKERFILE"]));
  },
  timeOf(RUNS),
);
