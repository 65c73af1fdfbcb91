import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { fetchFeatures } from "../../src/build/feature-build.ts";
import { startCpuTime } from "../cpu-time.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { HOST, openPorts, published, resolve } from "./resolving.ts";
import { writeTar } from "./tar-writer.ts";

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `f${at}`);
const id = (name: string): string => `${HOST}/t/${name}`;

it("a graph in which everything depends on everything, with ever new options, ends", async () => {
  const all = names(200);
  const shelf = all.map((name) =>
    published(`t/${name}`, { dependsOn: Object.fromEntries(all.map((other) => [id(other), { from: name }])) }),
  );
  const { ports } = openPorts(shelf);
  const spent = startCpuTime();
  const error = await refusalOf(() => resolve({ [id("f0")]: { from: "me" } }, ports));
  expect([error.code, error.message]).toEqual([
    "E_FEATURE",
    expect.stringMatching(/is one too many: more than 500 would be installed, or they name one another more than 5000/),
  ]);
  expect(spent()).toBeLessThan(10_000);
});

it("one feature with ever new options ends", async () => {
  const many = published("t/many", {
    dependsOn: Object.fromEntries(names(501).map((name) => [`${id("tool")}:${name}`, { from: name }])),
  });
  const tool = published("t/tool", {}, { tags: names(501) });
  const error = await refusalOf(() => resolve({ [id("many")]: {} }, openPorts([many, tool]).ports));
  expect(error.code).toBe("E_FEATURE");
});

it("200 features that come after one another are put in order at once", async () => {
  const all = names(200);
  const options = Object.fromEntries(names(200).map((name) => [name, name]));
  const shelf = all.map((name, at) =>
    published(`t/${name}`, {
      ...(at === 0 ? {} : { dependsOn: { [id(`f${at - 1}`)]: options } }),
      installsAfter: all.slice(Math.max(0, at - 10), at).map(id),
    }),
  );
  const spent = startCpuTime();
  const resolved = await resolve({ [id("f199")]: options }, openPorts(shelf).ports);
  expect(resolved.kind === "resolved" && resolved.features.map((feature) => feature.id)).toEqual(all);
  expect(spent()).toBeLessThan(10_000);
});

it.each([
  { name: "options", features: { [id("f0")]: Object.fromEntries(names(251).map((name) => [name, "x"])) } },
  { name: "features", features: Object.fromEntries(names(501).map((name) => [id(name), {}])) },
  { name: "characters", features: { [id("x".repeat(1025))]: {} } },
])("nobody asks for that many $name", async ({ features }) => {
  const { ports, requests } = openPorts([]);
  expect((await refusalOf(() => resolve(features, ports))).code).toBe("E_CONFIG");
  expect(requests).toEqual([]);
});

/** Features that show nothing in their manifest, so that their archives have to be unpacked to know them. */
function hidden(count: number, size: number) {
  const content = "x".repeat(size);
  return names(count).map((name) => published(`t/${name}`, {}, { annotation: null, files: { large: content } }));
}

it("archives are unpacked two at a time, and only their metadata is kept", async () => {
  const { ports } = openPorts(hidden(16, 1000));
  let [open, most] = [0, 0];
  const watched = {
    ...ports,
    registry: {
      ...ports.registry,
      blob: async (...asked: Parameters<typeof ports.registry.blob>) => {
        most = Math.max(most, ++open);
        const answer = await ports.registry.blob(...asked);
        open--;
        return answer;
      },
    },
  };
  const features = Object.fromEntries(names(16).map((name) => [id(name), {}]));
  const resolved = await resolve(features, watched);
  expect(resolved.kind === "resolved" && resolved.features.length).toBe(16);
  expect(most).toBe(2);
});

it("what a build unpacks is bound in sum, and what is too much is not fetched", async () => {
  const shelf = hidden(5, 10);
  const { ports, requests } = openPorts(shelf);
  const resolved = await resolve(Object.fromEntries(names(5).map((name) => [id(name), {}])), ports);
  if (resolved.kind !== "resolved") throw new Error("not resolved");
  // 100 MB that take 100 kB on the way.
  const bomb = gzipSync(
    writeTar([
      { name: "./devcontainer-feature.json", text: JSON.stringify({ id: "f", version: "1.0.0" }) },
      { name: "./large", text: "x".repeat(100 * 1024 * 1024) },
    ]),
  );
  requests.length = 0;
  let fetched = 0;
  const bombing = {
    ...ports,
    registry: {
      ...ports.registry,
      blob: async () => {
        fetched++;
        return { kind: "found", value: bomb } as const;
      },
    },
  };
  const error = await refusalOf(() => fetchFeatures(resolved.features, bombing));
  expect([error.code, error.message]).toEqual(["E_FEATURE", expect.stringMatching(/together have more than 256 MiB/)]);
  expect(fetched).toBeLessThan(5);
});
