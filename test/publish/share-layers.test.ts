import { expect, test } from "vitest";
import { shareLayers } from "../../src/publish/share-layers.ts";
import type { Registry } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf, registryOf } from "../plan-of.ts";

const BASE = { "registry.test/base:1": indexOf({ "linux/amd64": "base" }) };
const LAYERS = indexOf({ "linux/amd64": "layers" });

async function share(moved: readonly string[], there: readonly string[]): Promise<readonly string[]> {
  const workspace = makeCheckout({ ".devcontainer/devcontainer.json": '{ "image": "registry.test/base:1" }' });
  const { sources } = await planOf({ workspace, images: BASE });
  const put: string[] = [];
  const registry: Registry = {
    ...registryOf(Object.fromEntries(there.map((tag) => [`cache.test/team/app:${tag}`, LAYERS]))),
    putManifest: async (_, bytes, __, tag) => {
      expect(bytes).toBe(LAYERS.bytes);
      put.push(tag ?? "");
      return { kind: "found", value: LAYERS.descriptor };
    },
  };
  const platforms = sources.wanted.platforms.map(({ platform }) => platform);
  await shareLayers({ ...sources, branches: { moved, known: [] } }, platforms, registry);
  return put;
}

test.each<[string, readonly string[], readonly string[], readonly string[]]>([
  ["a variant's", ["own", "shared"], ["layers-own-linux-amd64"], ["layers-shared-linux-amd64"]],
  ["where none were exported", ["own", "shared"], [], []],
  ["without a variant", ["own"], ["layers-own-linux-amd64"], []],
  ["a run that moves nothing", [], ["layers-own-linux-amd64"], []],
])("layers stand under the name that all variants share: %s", async (_, moved, there, put) => {
  expect(await share(moved, there)).toEqual(put);
});
