import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CacheEntry, type CacheRequest, cacheArguments, parseCacheEntry } from "../../src/buildx/cache.ts";

const BESIDE = { repository: "ghcr.io/team/app", own: "branch-topic-01234567", others: ["branch-main-89abcdef"] };
const REQUEST: CacheRequest = {
  platform: { os: "linux", architecture: "arm64" },
  from: undefined,
  to: undefined,
  beside: BESIDE,
  mayExport: true,
  isFresh: false,
  env: {},
};

function entry(line: string): CacheEntry {
  const parsed = parseCacheEntry(line, line.includes("src=") ? "src" : "dest");
  if ("wrong" in parsed) throw new Error(parsed.wrong);
  return parsed;
}

const ACTIONS = { ACTIONS_RUNTIME_TOKEN: "t", ACTIONS_RESULTS_URL: "https://results.test/" };
const OWN = "type=registry,ref=ghcr.io/team/app:layers-branch-topic-01234567-linux-arm64";
const MAIN = "type=registry,ref=ghcr.io/team/app:layers-branch-main-89abcdef-linux-arm64";
const exported = (ref: string): string =>
  `type=registry,image-manifest=true,oci-mediatypes=true,ignore-error=true,ref=${ref}`;

describe("the cache beside the image", () => {
  test.each<[string, Partial<CacheRequest>, readonly string[], readonly string[]]>([
    ["a push to a branch", {}, [OWN, MAIN], [exported("ghcr.io/team/app:layers-branch-topic-01234567-linux-arm64")]],
    ["a pull request", { mayExport: false }, [OWN, MAIN], []],
    ["no branch", { beside: { ...BESIDE, own: undefined } }, [MAIN], []],
    [
      "the default branch itself",
      { beside: { ...BESIDE, own: "branch-main-89abcdef" } },
      [MAIN],
      [exported("ghcr.io/team/app:layers-branch-main-89abcdef-linux-arm64")],
    ],
    [
      "an image past its time",
      { isFresh: true },
      [],
      [exported("ghcr.io/team/app:layers-branch-topic-01234567-linux-arm64")],
    ],
    ["both inputs turned off", { from: [], to: [] }, [], []],
  ])("%s", (_, request, from, to) => {
    const { args, warnings } = cacheArguments({ ...REQUEST, ...request });
    expect(args).toEqual([
      ...from.flatMap((one) => ["--cache-from", one]),
      ...to.flatMap((one) => ["--cache-to", one]),
    ]);
    expect(warnings).toEqual([]);
  });
});

describe("each platform has a cache of its own", () => {
  test.each<[string, string, readonly string[], string]>([
    [
      "a reference alone",
      "ghcr.io/team/app:cache",
      ["type=registry,ref=ghcr.io/team/app:cache-linux-arm64", "type=registry,ref=ghcr.io/team/app:cache"],
      exported("ghcr.io/team/app:cache-linux-arm64"),
    ],
    [
      "a registry with a port and no tag",
      "type=registry,ref=reg.test:5000/app",
      ["type=registry,ref=reg.test:5000/app:latest-linux-arm64", "type=registry,ref=reg.test:5000/app"],
      exported("reg.test:5000/app:latest-linux-arm64"),
    ],
    [
      "what is written counts before what is usual",
      "type=registry,ref=r.test/a:c,mode=max,ignore-error=false,image-manifest=false",
      [
        "type=registry,ref=r.test/a:c-linux-arm64,mode=max,ignore-error=false,image-manifest=false",
        "type=registry,ref=r.test/a:c,mode=max,ignore-error=false,image-manifest=false",
      ],
      "type=registry,oci-mediatypes=true,ref=r.test/a:c-linux-arm64,mode=max,ignore-error=false,image-manifest=false",
    ],
    [
      "a folder",
      "type=local,src=/cache,dest=/cache",
      ["type=local,src=/cache/linux-arm64,dest=/cache", "type=local,src=/cache,dest=/cache"],
      "type=local,ignore-error=true,src=/cache/linux-arm64,dest=/cache",
    ],
    [
      "a folder to write to",
      "type=local,dest=/cache",
      ["type=local,dest=/cache/linux-arm64", "type=local,dest=/cache"],
      "type=local,ignore-error=true,dest=/cache/linux-arm64",
    ],
    [
      "Actions",
      "type=gha,mode=max",
      ["type=gha,mode=max,scope=buildkit-linux-arm64", "type=gha,mode=max"],
      "type=gha,ignore-error=true,mode=max,scope=buildkit-linux-arm64",
    ],
    [
      "Actions with a scope",
      "type=gha,scope=app",
      ["type=gha,scope=app-linux-arm64", "type=gha,scope=app"],
      "type=gha,ignore-error=true,scope=app-linux-arm64",
    ],
    [
      "S3",
      "type=s3,bucket=b,name=app",
      ["type=s3,bucket=b,name=app-linux-arm64", "type=s3,bucket=b,name=app"],
      "type=s3,ignore-error=true,bucket=b,name=app-linux-arm64",
    ],
    ["in the image", "type=inline", ["type=inline"], "type=inline"],
    [
      "a comma in a value",
      'type=s3,"bucket=a,b"',
      ['type=s3,"bucket=a,b",name=buildkit-linux-arm64', 'type=s3,"bucket=a,b"'],
      'type=s3,ignore-error=true,"bucket=a,b",name=buildkit-linux-arm64',
    ],
  ])("%s", (_, line, from, to) => {
    const { args } = cacheArguments({ ...REQUEST, from: [entry(line)], to: [entry(line)], env: ACTIONS });
    expect(args).toEqual([...from.flatMap((one) => ["--cache-from", one]), "--cache-to", to]);
  });

  test("a digest is the same for all", () => {
    const line = `r.test/a@sha256:${"0".repeat(64)}`;
    expect(cacheArguments({ ...REQUEST, from: [entry(line)], mayExport: false }).args).toEqual([
      "--cache-from",
      `type=registry,ref=${line}`,
    ]);
  });
});

test.each([
  ["no token", { ACTIONS_RESULTS_URL: "https://results.test/" }],
  ["no address", { ACTIONS_RUNTIME_TOKEN: "t" }],
  ["neither", {}],
])("with %s the cache of Actions is left out and that is told", (_, env) => {
  const request = { ...REQUEST, from: [entry("type=gha"), entry("r.test/a:c")], to: [entry("type=gha")], env };
  const { args, warnings } = cacheArguments(request);
  expect(args).toEqual([
    ...["--cache-from", "type=registry,ref=r.test/a:c-linux-arm64"],
    ...["--cache-from", "type=registry,ref=r.test/a:c"],
  ]);
  expect(warnings).toEqual([expect.stringMatching(/ACTIONS_RUNTIME_TOKEN/)]);
});

test("the cache of Gitea's runner counts, and one that is not used is not warned of", () => {
  const gitea = { ACTIONS_RUNTIME_TOKEN: "t", ACTIONS_CACHE_URL: "http://10.0.0.2/" };
  expect(cacheArguments({ ...REQUEST, from: [entry("type=gha")], env: gitea }).warnings).toEqual([]);
  expect(cacheArguments({ ...REQUEST, to: [entry("type=gha")], mayExport: false }).warnings).toEqual([]);
});

test.each([
  ["", "its reference cannot be used: it is empty"],
  ["Team/App", "its reference cannot be used"],
  ["type=registry,mode=max", "its reference cannot be used: it is empty"],
  ["ref=r.test/a", "it does not say its type"],
  ["type=,ref=r.test/a", "it does not say its type"],
  ["r.test/a,r.test/b", "several references"],
  ["type=registry,r.test/a", '"r.test/a" in it is not written as name=value'],
  ["type=s3,=x", '"=x" in it'],
  ['type=registry,"ref=r.test/a', "quotation mark"],
  ["type=s3,secret_access_key=s3cr3t", "AWS_SECRET_ACCESS_KEY"],
  ["type=s3,Session_Token=s3cr3t", "AWS_SESSION_TOKEN"],
  ["type=gha,token=s3cr3t", "ACTIONS_RUNTIME_TOKEN"],
  ["type=gha,ghtoken=s3cr3t", "it holds ghtoken, which everybody on the machine could read; leave it out"],
  ["type=gha,gh-token=s3cr3t", "it holds gh-token, which everybody on the machine could read; leave it out"],
  ["gha", "it is a type alone, which is written type=gha"],
  ["type=gha,mode=maximum", 'its mode is "maximum", and can be min, max'],
  ["type=gha,mode=", 'its mode is "", and can be min, max'],
  [
    "type=registry,ref=r.test/a,compression=gz",
    'its compression is "gz", and can be uncompressed, gzip, estargz, zstd',
  ],
  ["type=registry,ref=r.test/a,compression-level=high", "can be a whole number"],
  ["type=registry,ref=r.test/a,image-manifest=yes", 'its image-manifest is "yes", and can be true, false'],
  ["type=gha,ignore-error=on", 'its ignore-error is "on", and can be true, false'],
  ["type=registry,ref=r.test/a,image_manifest=true", "image_manifest of a layer cache; image-manifest was probably"],
  ["type=gha,scop=main", "no attribute scop of a layer cache; scope was probably meant"],
  ["type=local,dest=/a", "it does not name its folder, like type=local,src="],
])("refused: %s", (line, words) => {
  const parsed = parseCacheEntry(line);
  expect(parsed).toEqual({ wrong: expect.stringContaining(words) });
  expect(JSON.stringify(parsed)).not.toContain("s3cr3t");
});

test("what a later BuildKit may know stays, and a cache to write to names where", () => {
  const line = "type=s3,region=eu,bucket=b,brand-new-thing=1,mode=max,compression=zstd,compression-level=3";
  expect(entry(line).attributes.get("brand-new-thing")).toBe("1");
  expect(parseCacheEntry("type=local,src=/a", "dest")).toEqual({ wrong: expect.stringContaining("type=local,dest=") });
  expect(parseCacheEntry("type=local,dest=/a", "dest")).not.toHaveProperty("wrong");
});

test("whatever is written is read or refused, and what was read keeps its words", () => {
  const line = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'type=regsty,f:/.@" ') }));
  fc.assert(
    fc.property(line, (text) => {
      const parsed = parseCacheEntry(text);
      if ("wrong" in parsed) return;
      const { args } = cacheArguments({ ...REQUEST, from: [parsed], mayExport: false, env: ACTIONS });
      const again = parseCacheEntry(args.at(-1) ?? "");
      expect(again).toEqual(parsed);
    }),
  );
});
