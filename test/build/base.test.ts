import { expect, test } from "vitest";
import { readBaseImages } from "../../src/build/base.ts";
import { storePlan } from "../../src/plan/stored-plan.ts";
import type { Registry } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf, registryOf, sha } from "../plan-of.ts";

const IMAGES = { "registry.test/base:1": indexOf({ "linux/amd64": "base" }) };

test.each([
  ["what the probe has read of it is not asked for again", true, sha("base")],
  [
    "where it has not, it is read by the digest that was probed",
    false,
    IMAGES["registry.test/base:1"].descriptor.digest,
  ],
])("a base's user and label do not come from its tag, which may have moved: %s", async (_, isKept, first) => {
  const workspace = makeCheckout({ ".devcontainer/devcontainer.json": '{ "image": "registry.test/base:1" }' });
  const { sources, probed } = await planOf({ workspace, images: IMAGES });
  const asked: (string | undefined)[] = [];
  const registry: Registry = {
    ...registryOf(IMAGES),
    manifest: async (reference) => {
      asked.push(reference.digest);
      return { kind: "found", value: IMAGES["registry.test/base:1"] };
    },
  };
  const platforms = sources.wanted.platforms.map(({ platform }) => platform);
  const bindings = (probed.plan?.bindings ?? []).map(({ reference, digest, served }) => ({
    reference,
    digest,
    ...(isKept && served ? { served } : {}),
  }));
  await readBaseImages({ sources, platforms, bindings, bases: new Map() }, registry);
  expect(asked[0]).toBe(first);
});

test("a Dockerfile inside a compose file that a variable went into is stored as hashes", async () => {
  const canary = "canary-5e1f";
  const workspace = makeCheckout({
    ".devcontainer/devcontainer.json": '{ "dockerComposeFile": "compose.yml", "service": "app" }',
    ".devcontainer/compose.yml": `services:
  app:
    build:
      dockerfile_inline: |
        FROM registry.test/base:1
        RUN echo \${TOKEN}
`,
  });
  const { sources, probed } = await planOf({ workspace, images: IMAGES, env: { TOKEN: canary } });
  if (!probed.plan) throw new Error("no plan");
  const stored = JSON.stringify(storePlan({ sources, plan: probed.plan, salt: "salt", now: 0, seconds: {} }));
  expect(JSON.stringify(probed.plan)).toContain(canary);
  expect(stored).not.toContain(canary);
});
