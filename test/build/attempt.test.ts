import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { userDockerfile } from "../../src/build/attempt.ts";
import { layOutBuild } from "../../src/build/layout.ts";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";
import { featureOf, indexOf, planOf } from "../plan-of.ts";

test("of a Dockerfile that goes on behind the target only the lines in front of what is added are the user's", async () => {
  const tool = "registry.test/f/tool:1";
  const own = ["FROM registry.test/base:1 AS dev", "RUN a", "FROM dev AS last", ...Array(9).fill("RUN b")];
  const written = (features: object) =>
    makeCheckout({
      ".devcontainer/devcontainer.json": JSON.stringify({
        build: { dockerfile: "Dockerfile", target: "dev" },
        features,
      }),
      ".devcontainer/Dockerfile": own.join("\n"),
    });
  const lastLine = async (features: object): Promise<number | undefined> => {
    const images = { "registry.test/base:1": indexOf({ "linux/amd64": "base" }), [tool]: featureOf({ id: "tool" }) };
    const { sources, probed } = await planOf({ workspace: written(features), images });
    const { files, removeTemporaryFolders } = openFiles(tmpdir());
    const layout = await layOutBuild(
      {
        gathered: sources.build,
        platforms: sources.wanted.platforms.map(({ platform }) => platform),
        bases: new Map([["linux/amd64", { user: "", env: {}, labels: {}, triggers: [] }]]),
        features: (probed.plan?.features ?? []).map((feature) => ({ feature, entries: [] })),
        bindings: [],
        pins: [],
      },
      files,
    );
    removeTemporaryFolders();
    return userDockerfile(sources, layout)?.lastLine;
  };
  expect(await lastLine({ [tool]: {} })).toBe(2);
  expect(await lastLine({})).toBe(own.length);
});
