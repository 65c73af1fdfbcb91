import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/devcontainer/json.ts";
import { fetchFeatureContent, type InstalledFeature } from "../../src/features/install.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { RegistryError } from "../../src/world.ts";
import { FILE } from "../devcontainer/configured.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { packFeature, publish } from "./published.ts";
import { HOST, openPorts, orderOf, published, resolve } from "./resolving.ts";

const id = (name: string): string => `${HOST}/t/${name}`;
const digestFor = (publication: Parameters<typeof publish>[0]): string => digestOf(publish(publication).manifest);

async function installed(...asked: Parameters<typeof resolve>): Promise<readonly InstalledFeature[]> {
  const resolved = await resolve(...asked);
  if (resolved.kind !== "resolved") throw new Error(resolved.error.words);
  return resolved.features;
}

describe("requests", () => {
  const base = published("t/base");
  const tools = ["a", "b", "c", "d", "e"].map((name) =>
    published(`t/${name}`, { dependsOn: { [id("base")]: {} }, installsAfter: [id("z")] }),
  );

  it("asks in two waves where dependencies are one deep, and for nothing twice", async () => {
    const { ports, requests, waves } = openPorts([base, ...tools, published("t/z")]);
    await orderOf(Object.fromEntries(tools.map(({ path }) => [`${HOST}/${path}`, {}])), ports);
    expect(waves.map((wave) => wave.length)).toEqual([5, 2]);
    expect(new Set(requests).size).toBe(requests.length);
  });

  it("asks in three waves where what is asked for does not show its metadata", async () => {
    const { ports, waves } = openPorts([
      base,
      published("t/a", { dependsOn: { [id("base")]: {} } }, { annotation: null }),
    ]);
    await orderOf({ [id("a")]: {} }, ports);
    expect(waves).toEqual([
      [expect.stringContaining("t/a@latest")],
      [expect.stringContaining("t/a@sha256")],
      [expect.stringContaining("t/base@latest")],
    ]);
  });

  it("asks for one feature with two sets of options once", async () => {
    const { ports, requests } = openPorts([base]);
    expect(
      await orderOf(
        { [id("base")]: {}, [id("base:latest")]: "1", [`${HOST.toUpperCase()}/t/base`]: { a: "b" } },
        ports,
      ),
    ).toHaveLength(3);
    expect(requests).toEqual([`GET ${id("base")}@latest`]);
  });

  it("keeps two names of one place apart, and asks there once", async () => {
    const { ports, requests } = openPorts([published("devcontainers-extra/features/act")]);
    const [now, before] = ["extra", "contrib"].map((owner) => `${HOST}/devcontainers-${owner}/features/act`);
    const resolved = await resolve({ [`${now}`]: {}, [`${before}`]: "1" }, ports, { override: [before] });
    expect(resolved).toMatchObject({ features: [{ asked: { id: before } }, { asked: { id: now } }] });
    expect(requests).toHaveLength(1);
  });

  it("asks for no archive, no preference and no target of a preference that is not published", async () => {
    const after = published("t/after", { installsAfter: ["./local", "https://x.test/devcontainer-feature-y.tgz"] });
    const { ports, requests } = openPorts([after]);
    await orderOf({ [id("after")]: {} }, ports, { override: [id("base")] });
    expect(requests).toEqual([`GET ${id("after")}@latest`]);
  });

  it("asks for nothing where there are no features", async () => {
    const { ports, requests } = openPorts([], { ".devcontainer/devcontainer-lock.json": "not even read" });
    expect(await orderOf({}, ports, { lockfile: "require" })).toEqual([]);
    expect(requests).toEqual([]);
  });
});

describe("answers that could not be had", () => {
  const denied: RegistryError = { kind: "denied", request: "GET x", words: "no", status: 403 };
  const base = published("t/base");
  const withPort = (part: "manifest" | "blob") => {
    const { ports } = openPorts([base, published("t/a", { installsAfter: [id("base")] }, { annotation: null })]);
    return { ...ports, registry: { ...ports.registry, [part]: async () => denied } };
  };

  it("hands back what the registry said of a manifest, with the feature and its line", async () => {
    const doubt = await resolve({ [id("base")]: {} }, withPort("manifest"));
    const at = { file: FILE, line: 3 };
    expect(doubt).toEqual({ kind: "registry", what: `feature ${id("base")} (${FILE}:3)`, error: denied, at });
  });

  it("hands back what it said of an archive", async () => {
    expect(await resolve({ [id("a")]: {} }, withPort("blob"))).toMatchObject({ kind: "registry", error: denied });
  });

  it.each(["limited", "unavailable", "malformed"] as const)("hands back %s", async (kind) => {
    const { ports } = openPorts([]);
    const failing = { ...ports, registry: { ...ports.registry, manifest: async () => ({ ...denied, kind }) } };
    expect(await resolve({ [id("a")]: {} }, failing)).toMatchObject({ kind: "registry", error: { kind } });
  });

  it("hands back what could not be told of a dependency and of what comes before", async () => {
    for (const relation of [{ dependsOn: { [id("x")]: {} } }, { installsAfter: [id("x")] }]) {
      const { ports } = openPorts([published("t/a", relation)]);
      const { manifest } = ports.registry;
      const partly = {
        ...ports,
        registry: {
          ...ports.registry,
          manifest: (reference: Parameters<typeof manifest>[0]) =>
            reference.repository === "t/x" ? Promise.resolve(denied) : manifest(reference),
        },
      };
      expect(await resolve({ [id("a")]: {} }, partly)).toMatchObject({
        what: `feature ${id("x")}, on which ${id("a")} depends (${FILE}:3)`,
      });
    }
  });

  it("hands back that a tarball could not be had, and says where one is not there", async () => {
    const url = "https://x.test/devcontainer-feature-y.tgz";
    const { ports } = openPorts([]);
    expect(await resolve({ [url]: {} }, { ...ports, download: async () => denied })).toMatchObject({ error: denied });
    const error = await refusalOf(() => resolve({ [url]: {} }, ports));
    expect(error).toMatchObject({ code: "E_FEATURE", at: { file: FILE, line: 3 } });
  });
});

describe("mistakes", () => {
  const shelf = [
    published("t/base", { options: { version: { default: "1" } } }),
    published("t/ring-1", { dependsOn: { [id("ring-2")]: {} } }),
    published("t/ring-2", { installsAfter: [id("ring-3")], dependsOn: { [id("ring-3")]: {} } }),
    published("t/ring-3", { dependsOn: { [id("ring-1")]: {} } }),
    published("t/into", { dependsOn: { [id("ring-2")]: {} } }),
    published("t/needs", { dependsOn: { [id("nowhere")]: {} } }),
    published("t/needs-null", { dependsOn: { [id("base")]: null } }),
    published("t/needs-owner", { dependsOn: { "owner/feature": {} } }),
    published("t/env", { containerEnv: { A: true } }),
    published("t/odd", { extensions: ["a"], customizations: { vscode: "b" } }),
    published("t/deep", {}, { annotation: `{"a": ${"[".repeat(5000)}` }),
    published("t/image", {}, { configType: "application/vnd.oci.image.config.v1+json" }),
    published("t/bare", {}, { annotation: null, metadata: "[]" }),
  ];

  it.each<[string, object, string, string]>([
    [
      "a name that is not there",
      { [id("nowhere")]: {} },
      "E_FEATURE",
      `The feature ${id("nowhere")} is not there: GET ${id("nowhere")}@latest was answered "not found".`,
    ],
    [
      "a dependency that is not there",
      { [id("needs")]: {} },
      "E_FEATURE",
      `The feature ${id("nowhere")}, on which ${id("needs")} depends, is not there`,
    ],
    [
      "a ring",
      { [id("ring-1")]: {} },
      "E_FEATURE",
      `comes after the next: ${["ring-1", "ring-2", "ring-3", "ring-1"].map(id).join(" → ")}`,
    ],
    [
      "what leads into a ring",
      { [id("into")]: {} },
      "E_FEATURE",
      `comes after the next: ${["ring-2", "ring-3", "ring-1", "ring-2"].map(id).join(" → ")}`,
    ],
    ["null", { [id("base")]: null }, "E_CONFIG", "has null where its options should be"],
    ["a list", { [id("base")]: ["1"] }, "E_CONFIG", "has a list where its options should be"],
    ["null for an option", { [id("base")]: { version: null } }, "E_CONFIG", 'has null as its option "version"'],
    [
      "an object for an option",
      { [id("base")]: { version: { major: 1 } } },
      "E_CONFIG",
      'has something nested as its option "version"',
    ],
    [
      "a list in a list",
      { [id("base")]: { version: [[1]] } },
      "E_CONFIG",
      'has something nested as its option "version"',
    ],
    [
      "null for a dependency",
      { [id("needs-null")]: {} },
      "E_FEATURE",
      `The feature ${id("base")}, on which ${id("needs-null")} depends, has null`,
    ],
    ["a dependency without a registry", { [id("needs-owner")]: {} }, "E_FEATURE", "names no registry"],
    ["environment that is no text", { [id("env")]: {} }, "E_FEATURE", "has a containerEnv.A that is not a text"],
    ["old properties without a place to go", { [id("odd")]: {} }, "E_FEATURE", "has vscode that is not an object"],
    ["metadata without a bottom", { [id("deep")]: {} }, "E_FEATURE", "is nested beyond reason"],
    [
      "an image",
      { [id("image")]: {} },
      "E_FEATURE",
      "is no feature: what registry.test/t/image:latest names is of type application/vnd.oci.image.config.v1+json",
    ],
    ["no metadata", { [id("bare")]: {} }, "E_FEATURE", "has no devcontainer-feature.json with a JSON object"],
    ["an old release", { "owner/repository/feature": {} }, "E_CONFIG", "is one of the old ones"],
  ])("%s", async (_, features, code, words) => {
    const error = await refusalOf(() => resolve(features, openPorts(shelf).ports));
    expect(error.message).toContain(words);
    expect(error).toMatchObject({ code, at: { file: FILE, line: 3 }, fix: expect.any(String) });
  });

  it("tells the first mistake in the file, whichever answer comes first", async () => {
    const { ports } = openPorts([
      published("t/slow", { containerEnv: { A: 1 } }),
      published("t/fast", { dependsOn: [] as object }),
    ]);
    const { manifest } = ports.registry;
    const slowly = {
      ...ports,
      registry: {
        ...ports.registry,
        manifest: async (reference: Parameters<typeof manifest>[0]) => {
          if (reference.repository === "t/slow") await new Promise((done) => setTimeout(done, 20));
          return manifest(reference);
        },
      },
    };
    const error = await refusalOf(() => resolve({ [id("slow")]: {}, [id("fast")]: {} }, slowly));
    expect(error.message).toContain("containerEnv.A");
  });

  it("stops at a chain that never ends", async () => {
    const endless = Array.from({ length: 600 }, (_, at) =>
      published(`t/f${at}`, { dependsOn: { [id(`f${at + 1}`)]: {} } }),
    );
    const error = await refusalOf(() => resolve({ [id("f0")]: {} }, openPorts(endless).ports));
    expect(error.message).toContain("more than 500");
  });

  it("names no line for what an input adds", async () => {
    const error = await refusalOf(() => resolve({}, openPorts([]).ports, { additional: { [id("x")]: {} } }));
    expect(error).toMatchObject({ code: "E_FEATURE", at: undefined });
  });

  it.each([
    ["a text", "x"],
    ["a number in it", [1]],
  ])("an order that is %s", async (_, override) => {
    const error = await refusalOf(() => resolve({ [id("base")]: {} }, openPorts(shelf).ports, { override }));
    expect(error.message).toContain("overrideFeatureInstallOrder is not a list of features");
  });
});

describe("warnings", () => {
  it("tells deprecated features and preferences for what is not installed", async () => {
    const { ports } = openPorts([published("t/base", { deprecated: true })]);
    const resolved = await resolve({ [id("base")]: {} }, ports, { override: [id("base:7"), id("other")] });
    expect(resolved).toMatchObject({
      warnings: [
        { text: `The feature ${id("base")} is deprecated: it will not be updated any more`, at: { line: 3 } },
        { text: `overrideFeatureInstallOrder names ${id("other")}, which is not installed`, at: { line: 7 } },
      ],
    });
  });
});

describe("the lockfile", () => {
  const PATH = ".devcontainer/devcontainer-lock.json";
  const old = published("t/base", { version: "0.9.0" }, { tags: ["0.9"] });
  const base = published("t/base");
  const entry = (publication = base) => ({
    version: "1.0.0",
    resolved: `${id("base")}@${digestFor(publication)}`,
    integrity: digestFor(publication),
  });
  const ask = (lock: object | string | undefined, features: object, lockfile: "use" | "require") => {
    const text = typeof lock === "object" ? JSON.stringify({ features: lock }) : lock;
    return installed(features, openPorts([old, base], text === undefined ? {} : { [PATH]: text }).ports, { lockfile });
  };

  it("decides over tags", async () => {
    const [feature] = await ask({ [id("base")]: { integrity: digestFor(old) } }, { [id("base")]: {} }, "use");
    expect(feature?.canonical).toBe(`${id("base")}@${digestFor(old)}`);
    expect(feature?.metadata.version).toBe("0.9.0");
  });

  it("is enough when it is required and says what is installed", async () => {
    expect(await ask({ [id("base")]: entry() }, { [id("base")]: {} }, "require")).toHaveLength(1);
  });

  it.each<[string, object | string | undefined, string]>([
    ["missing", undefined, `The lockfile ${PATH} is missing, and so is the feature ${id("base")} in it.`],
    ["empty", "", `The lockfile ${PATH} does not lock the feature ${id("base")}.`],
    ["locking another tag", { [id("base:1")]: entry() }, `does not lock the feature ${id("base")}.`],
    [
      "telling another version",
      { [id("base")]: { ...entry(), version: "2.0.0" } },
      `is stale: its version of the feature ${id("base")} is not "1.0.0".`,
    ],
    [
      "telling another place",
      { [id("base")]: { ...entry(), resolved: "x" } },
      `is stale: its resolved of the feature ${id("base")} is not`,
    ],
    [
      "telling another dependency",
      { [id("base")]: { ...entry(), dependsOn: ["x"] } },
      `is stale: its dependsOn of the feature ${id("base")}`,
    ],
    [
      "locking more",
      { [id("base")]: entry(), [id("other")]: entry() },
      `is stale: the feature ${id("other")} in it is not used.`,
    ],
  ])("is refused where it is required and is %s", async (_, lock, words) => {
    const error = await refusalOf(() => ask(lock, { [id("base")]: {} }, "require"));
    expect(error).toMatchObject({ code: "E_CONFIG", at: { file: PATH } });
    expect(error.message).toContain(words);
  });

  it.each<[string, object | string]>([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["without features", "{}"],
    ["with something else than an entry", { [id("base")]: 1 }],
    ["with something else than a digest", { [id("base")]: { integrity: "sha256:1" } }],
  ])("is refused where it is %s", async (_, lock) => {
    const error = await refusalOf(() => ask(lock, { [id("base")]: {} }, "use"));
    expect(error).toMatchObject({ code: "E_CONFIG", at: { file: PATH } });
  });

  it("does not have its text told where it is no JSON", async () => {
    const error = await refusalOf(() => ask("root:x:0:0:", { [id("base")]: {} }, "use"));
    expect(`${error.message} ${error.fix} ${String(error.cause)}`).not.toContain("root:x");
  });
});

describe("options that a feature does not have", () => {
  const tool = published("t/tool", { options: { version: { default: "1" }, installZsh: { default: true } } });
  const at = (line: number) => ({ file: FILE, line });
  const told = async (options: unknown, additional?: JsonObject) => {
    const { ports } = openPorts([tool]);
    const asked = additional ? {} : { [id("tool")]: options };
    const resolved = await resolve(asked, ports, additional ? { additional } : {});
    return resolved.kind === "resolved" ? resolved.warnings : resolved;
  };

  it("are warned of with their line and the name that was meant", async () => {
    expect(await told({ verison: "2", installZhs: false })).toEqual([
      { text: `The feature ${id("tool")} has no option verison. Was version meant?`, at: at(4) },
      { text: `The feature ${id("tool")} has no option installZhs. Was installZsh meant?`, at: at(5) },
    ]);
  });

  it("are warned of with the input that adds the feature", async () => {
    expect(await told({}, { [id("tool")]: { versions: "2" } })).toEqual([
      { text: `The feature ${id("tool")} (the input additional-features) has no option versions. Was version meant?` },
    ]);
  });

  it("are passed over where they look like none, or are the same variable", async () => {
    expect(await told({ debug: true, INSTALLZSH: false, "install-zsh": 1, version: "3" })).toMatchObject([
      { text: expect.stringContaining("no option install-zsh. Was installZsh") },
    ]);
    expect(await told("2")).toEqual([]);
  });
});

describe("content", () => {
  const base = published(
    "t/base",
    { containerEnv: { A: "1" }, options: { version: { default: "9" } }, init: true },
    { annotation: { id: "base" } },
  );

  it("brings what only the archive tells, and leaves out what the build writes itself", async () => {
    const { ports } = openPorts([
      { ...base, files: { "devcontainer-features.env": "x", "devcontainer-features-install.sh": "x" } },
    ]);
    const [seen] = await installed({ [id("base")]: "2" }, ports);
    if (seen?.source.kind !== "oci") throw new Error("not there");
    expect(seen).toMatchObject({ environmentFile: "", label: { id: id("base") } });
    const content = await fetchFeatureContent({ ...seen, source: seen.source }, ports);
    expect(content).toMatchObject({
      kind: "content",
      feature: {
        canonical: seen.canonical,
        environmentFile: 'VERSION="2"',
        label: { id: id("base"), init: true },
      },
      entries: [{ path: "devcontainer-feature.json" }, { path: "install.sh" }],
    });
  });

  it("is refused where a tarball is another one by now", async () => {
    const url = "https://x.test/devcontainer-feature-y.tgz";
    const { ports } = openPorts([]);
    const bodies = [packFeature(base), packFeature(published("t/base", { version: "2" }))];
    const changing = {
      ...ports,
      download: async () => ({ kind: "found" as const, value: bodies.shift() ?? new Uint8Array() }),
    };
    const [seen] = await installed({ [url]: {} }, changing);
    if (seen?.source.kind !== "tarball") throw new Error("not there");
    const { source } = seen;
    expect(seen.canonical).toBe(`${url}@${digestOf(packFeature(base))}`);
    expect(await refusalOf(() => fetchFeatureContent({ ...seen, source }, changing))).toMatchObject({
      code: "E_CHANGED",
      at: seen.asked.at,
    });
    expect(seen.asked.at).toBeDefined();
  });
});
