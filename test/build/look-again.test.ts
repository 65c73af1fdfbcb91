import { beforeAll, expect, test } from "vitest";
import { lookAgain } from "../../src/build/look-again.ts";
import type { BuildTask } from "../../src/build/task.ts";
import type { Plan, PlannedPlatform } from "../../src/plan/keyed.ts";
import type { Sources } from "../../src/plan/plan.ts";
import type { Registry } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf, registryOf } from "../plan-of.ts";

const BASES = { "registry.test/base:1": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "base arm64" }) };

let sources: Sources;
let plan: Plan;
let amd64: PlannedPlatform;

beforeAll(async () => {
  const workspace = makeCheckout({ ".devcontainer/devcontainer.json": '{ "image": "registry.test/base:1" }' });
  const made = await planOf({ workspace, images: BASES, inputs: { platforms: "linux/amd64,linux/arm64" } });
  const [first] = made.probed.plan?.platforms ?? [];
  if (!made.probed.plan || !first) throw new Error("no plan");
  [sources, plan, amd64] = [made.sources, made.probed.plan, first];
});

type Asked = Pick<BuildTask, "rebuild"> & { readonly kind: "push" | "load"; readonly opening: number };

/** What was asked of the registry while builders are found, and when the platform is about to be built. */
async function looksOf({ rebuild, kind, opening }: Asked): Promise<readonly string[][]> {
  const asked: string[] = [];
  const registry: Registry = {
    ...registryOf({}),
    manifest: async ({ tag = "" }) => {
      asked.push(tag);
      return { kind: "absent", request: "GET x", words: "manifest unknown" };
    },
  };
  let now = 0;
  const output =
    kind === "push"
      ? ({ kind, onBuilt: () => undefined, onPushed: () => undefined } as const)
      : ({ kind, name: "x" } as const);
  const again = lookAgain(
    { sources, plan, platforms: [amd64.platform], rebuild, output },
    { registry, clock: () => now },
  );
  const before = asked.splice(0);
  now = opening;
  expect(await again(amd64)).toBeUndefined();
  return [before, asked];
}

test.each<[string, Asked, readonly [before: number, after: number]]>([
  ["it is looked while builders are found", { rebuild: "no", kind: "push", opening: 400 }, [1, 0]],
  ["it is looked anew where that took long", { rebuild: "no", kind: "push", opening: 30_000 }, [1, 1]],
  ["nobody is asked for what is built over", { rebuild: "cached", kind: "push", opening: 30_000 }, [0, 0]],
  ["nobody is asked for what is not pushed", { rebuild: "no", kind: "load", opening: 30_000 }, [0, 0]],
])("%s", async (_, asked, [before, after]) => {
  const tags = (count: number) => Array.from({ length: count }, () => amd64.tag);
  expect(await looksOf(asked)).toEqual([tags(before), tags(after)]);
});
