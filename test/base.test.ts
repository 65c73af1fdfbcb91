import { expect, test } from "vitest";
import { readBaseImages } from "../src/base.ts";
import { storePlan } from "../src/publish.ts";
import type { Registry } from "../src/world.ts";
import { makeCheckout } from "./checkout.ts";
import { indexOf, planOf, registryOf } from "./plan-of.ts";

const IMAGES = { "registry.test/base:1": indexOf({ "linux/amd64": "base" }) };

test("a base's user and label are read from the digest that was probed, not from its tag, which may have moved", async () => {
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
  await readBaseImages({ sources, platforms, bindings: probed.plan?.bindings ?? [] }, registry);
  expect(asked[0]).toBe(IMAGES["registry.test/base:1"].descriptor.digest);
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
