import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Build, type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs, ...more });

const labels = (build: Build | undefined): readonly string[] =>
  (build?.args ?? []).flatMap((arg, at, args) => {
    const label = arg.startsWith("--label=")
      ? arg.slice("--label=".length)
      : args[at - 1] === "--label"
        ? arg
        : undefined;
    return label === undefined || label.startsWith("devcontainer.metadata=") ? [] : [label];
  });

/** As docker/metadata-action writes them. */
const metadata = (run: number): string =>
  [
    `org.opencontainers.image.created=2026-01-0${run}T00:00:00.000Z`,
    "org.opencontainers.image.description=An app",
    "org.opencontainers.image.licenses=MIT",
    `org.opencontainers.image.revision=${String(run).repeat(40)}`,
    "org.opencontainers.image.source=https://github.test/team/app",
    "org.opencontainers.image.title=app",
    "org.opencontainers.image.url=https://github.test/team/app",
    `org.opencontainers.image.version=pr-${run}`,
  ].join("\n");

test("labels of docker/metadata-action are set, and another run finds the image of the first", async () => {
  const first = await run({ labels: metadata(1) });
  expect([...labels(first.builds[0])].sort()).toEqual(metadata(1).split("\n"));
  const second = await run({ labels: metadata(2) });
  expect(second).toMatchObject({ docker: [], outputs: { result: "hit", image: first.outputs.image } });
});

test("another label is a miss that names it and its input, and ignore-labels takes it out", async () => {
  const of = (run: number) => ({ labels: `team.run=${run}\nteam=a` });
  await run(of(1));
  const missed = await run({ ...of(2), "on-miss": "fail" });
  expect(JSON.parse(missed.outputs["miss-reasons"] ?? "")).toEqual([
    {
      part: "yours",
      ingredient: "option",
      text: "label team.run changed (the input labels; ignore-labels takes it out of the key)",
    },
  ]);
  const ignored = { "ignore-labels": "team.*" };
  const built = await run({ ...of(2), ...ignored });
  expect(labels(built.builds[0])).toContain("team.run=2");
  expect(await run({ ...of(3), ...ignored })).toMatchObject({ docker: [], outputs: { result: "hit" } });
  expect((await run({ ...of(3), "ignore-labels": "tema" })).log).toContain(
    "ignore-labels names tema, and there is no such label",
  );
});

test("a layer cache that the configuration names is read for nobody else's image", async () => {
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    JSON.stringify({
      build: {
        dockerfile: "Dockerfile",
        cacheFrom: "registry.test/one",
        options: ["--cache-from=type=registry,ref=registry.test/two"],
      },
    }),
  );
  const pushed = await run();
  expect(pushed.builds).toHaveLength(1);
  expect(JSON.stringify(pushed.builds[0]?.args)).not.toContain("registry.test/");
  expect(pushed.log).toContain("(cacheFrom) are not read for an image that is pushed");
  const loaded = await run({ push: "false", "cache-version": "2" });
  expect(loaded.builds).toHaveLength(1);
  expect(loaded.builds[0]?.args).toEqual(
    expect.arrayContaining(["type=registry,ref=registry.test/one", "type=registry,ref=registry.test/two"]),
  );
  expect(loaded.log).not.toContain("cacheFrom");
  const named = await run({ "cache-version": "3", "cache-from": "type=registry,ref=registry.test/three" });
  expect(named.builds[0]?.args).toContain("type=registry,ref=registry.test/three");
});
