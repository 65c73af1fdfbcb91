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

const reasons = ({ outputs }: Told): readonly string[] =>
  JSON.parse(outputs["miss-reasons"] ?? "[]").map(({ text }: { readonly text: string }) => text);

const cacheOf = (build: Build | undefined, option: string): readonly string[] =>
  (build?.args ?? []).flatMap((arg, at, args) =>
    args[at - 1] === option ? (/:(layers-[^,]+)/.exec(arg)?.[1] ?? []) : [],
  );

const aliases = (): readonly string[] => registry.tags("team/app").filter((tag) => tag.startsWith("branch-"));

test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
  ["args", { "build-args": "GREETING=one" }, { "build-args": "GREETING=two" }],
  ["files of args", { "build-arg-files": "one.conf" }, { "build-arg-files": "two.conf" }],
  ["target", { target: "one" }, { target: "two" }],
])(
  "two legs that differ by %s keep their own alias and layers, and each is told its own reason",
  async (_, one, two) => {
    put(workspace, "one.conf", "GREETING=one\n");
    put(workspace, "two.conf", "GREETING=two\n");
    put(
      workspace,
      ".devcontainer/Dockerfile",
      `FROM ${registry.host}/base/os:1 AS one\nARG GREETING\nCOPY setup.sh /setup.sh\nFROM one AS two\nRUN two\n`,
    );
    const legs = [await run(one), await run(two)];
    expect(legs.map(({ outputs }) => outputs.result)).toEqual(["built", "built"]);
    const [first, second] = legs.map(({ builds }) => cacheOf(builds[0], "--cache-to"));
    expect(first).toHaveLength(1);
    expect(second).toHaveLength(1);
    expect(first).not.toEqual(second);
    put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
    for (const [leg, layers] of [
      [one, first],
      [two, second],
    ] as const) {
      const told = await run(leg);
      expect(reasons(told)).toEqual([".devcontainer/setup.sh changed"]);
      expect(cacheOf(told.builds[0], "--cache-from")[0]).toBe(layers?.[0]);
    }
  },
);

test("a variant that is seen for the first time is compared with what all share, and finds its layers", async () => {
  await run({ "build-args": "GREETING=one" });
  const told = await run({ "build-args": "GREETING=two" });
  expect(told.log).toContain("build arg GREETING changed");
  expect(cacheOf(told.builds[0], "--cache-from")).toContain("layers-branch-main-7e268f37-linux-amd64");
  expect(aliases()).toHaveLength(3);
});

test("what does not count makes no variant: the names stay", async () => {
  await run({ "build-args": "UNDECLARED=1" });
  await run({ "build-args": "GREETING=one", "ignore-args": "GREETING", force: "true" });
  expect(aliases()).toEqual(["branch-main-7e268f37"]);
});

test("a run that has checked out another branch moves that one's alias, and leaves main's", async () => {
  await run();
  const before = registry.manifest("team/app", "branch-main-7e268f37");
  put(workspace, ".git/HEAD", "ref: refs/heads/release/1.x\n");
  put(workspace, ".devcontainer/setup.sh", { script: "echo release\n" });
  const env = { GITHUB_EVENT_NAME: "schedule" };
  const told = await run({}, { env });
  expect(told.log).toContain("Compared with branch-main-7e268f37");
  expect(registry.manifest("team/app", "branch-main-7e268f37")).toEqual(before);
  expect(aliases()).toEqual(["branch-main-7e268f37", expect.stringMatching(/^branch-release-1\.x-[0-9a-f]{8}$/)]);
  expect(cacheOf(told.builds[0], "--cache-to")).toEqual([expect.stringMatching(/^layers-branch-release-1\.x-/)]);
  put(workspace, ".devcontainer/setup.sh", { script: "echo release two\n" });
  expect((await run({ "on-miss": "fail" }, { env })).log).toMatch(/Compared with branch-release-1\.x-/);
});
