import { describe, expect, test } from "vitest";
import { readBuild } from "../../src/envbuilder/build.ts";
import { type Context, DIRECTIVES, withMagic } from "../../src/envbuilder/context.ts";
import type { ReadLayers } from "../../src/envbuilder/copied.ts";
import { md5Of } from "../../src/envbuilder/hashes.ts";
import { EMPTY_DESCRIPTOR } from "../../src/envbuilder/image-json.ts";
import { computeKeys } from "../../src/envbuilder/keys.ts";
import { imagesOf, recorded } from "./recorded.ts";

const request = (dockerfile: string, buildArgs: readonly string[] = []) => ({
  text: dockerfile + DIRECTIVES,
  file: "Dockerfile",
  buildArgs,
  root: "/workspaces/app",
});

const [run] = recorded;
const base = run && [...imagesOf(run).values()][0];

const LAYER = { ...EMPTY_DESCRIPTOR, mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", size: 7 };

/** A context of a few files, each with its path for content. */
function contextOf(files: readonly string[]): Context {
  const folders = new Set(
    files.flatMap((file) => file.split("/").map((_name, at, all) => all.slice(0, at).join("/") || ".")),
  );
  const context: Context = {
    stat: async (path) => {
      if (folders.has(path)) return { kind: "directory", mode: 0o755 };
      if (path === "pipe") return { kind: "other" };
      if (path === "elsewhere") return { kind: "unknown" };
      return files.includes(path) ? { kind: "file", mode: 0o644 } : undefined;
    },
    list: async (folder) => {
      const start = folder === "." ? "" : `${folder}/`;
      const inside = files.filter((file) => file.startsWith(start));
      return [...new Set(inside.map((file) => file.slice(start.length).split("/")[0] ?? ""))];
    },
    md5: async (path, before) => md5Of(before + path),
  };
  return withMagic(context, { binaryMd5: "binary", user: "" });
}

type Rest = {
  readonly files?: readonly string[];
  readonly ignore?: string;
  readonly config?: object;
  readonly layers?: Awaited<ReturnType<ReadLayers>>;
  /** Whether every layer is there; else none is. */
  readonly isKept?: true;
};

async function walk(dockerfile: string, { files = ["a", "b", "d/x"], ignore, config, layers, isKept }: Rest = {}) {
  const build = await readBuild(request(dockerfile));
  if (build.kind === "unprobeable" || !base) return build;
  const image = config ? { ...base, config: JSON.stringify({ config }) } : base;
  return computeKeys(build, {
    images: new Map([...build.images.keys()].map((name) => [name, image])),
    context: contextOf(files),
    ignore: ignore === undefined ? undefined : { text: ignore, file: ".dockerignore" },
    platform: "linux/amd64",
    readLayers: async () => layers,
    readKept: async (steps) =>
      isKept || steps.every(({ layer }) => layer !== "kept")
        ? new Map(steps.map(({ key }) => [key, { kind: "layer", diffId: `sha256:${key}`, descriptor: LAYER }]))
        : undefined,
  });
}

describe("what cannot be probed is told with its line, before anything is asked for", () => {
  test.each([
    ["ADD of an address", "FROM x\nADD a HTTPS://x.test/a /a/", 2, "ADD fetches HTTPS://x.test/a"],
    ["ADD of an absolute path", "FROM x\nADD /a.tar /a/", 2, "absolute path"],
    ["ADD of a here-document", "FROM x\nADD <<EOT /a\nx\nEOT", 2, "fails at ADD"],
    ["a stage on its own name", "FROM x AS x", 1, "the name of its own base"],
    ["a stage on its own name, through an argument", "ARG B=ONE\nFROM $B AS one", 2, "the name of its own base"],
    ["a stage called scratch", "FROM x AS scratch", 1, "scratch"],
    ["a here-document that is copied", "FROM x\nCOPY <<EOT /a\nx\nEOT", 2, "here-document"],
    ["a here-document in store", "FROM x\nONBUILD RUN <<EOT\nx\nEOT", 2, "here-document"],
    ["a here-document in JSON", `FROM x\nCOPY ["<<EOT", "/a"]`, 2, "here-document"],
    ["COPY --from a stage that comes later", "FROM x\nCOPY --from=1 /a /a\nFROM x", 2, "no stage before"],
    ["COPY --from the stage itself", "FROM x AS me\nCOPY --from=ME /a /a", 2, "no stage before"],
    ["COPY --from a variable", "FROM x\nCOPY --from=$Y /a /a", 2, "no variables there"],
    ["COPY --from nothing at all", "FROM x\nCOPY --from=scratch /a /a", 2, "neither a stage nor an image"],
    ["another escape character", "# escape=`\nFROM x", 1, "escape"],
    ["quotation marks of an argument", `ARG A="b'\nFROM x`, 1, "quotation marks"],
    ["a name without an end", "FROM x${A", 1, "The builder stops"],
    ["no name", "FROM $A", 1, "empty"],
    ["a line beyond Go's scanner", `FROM x\nRUN ${"a".repeat(65536)}`, 2, "longer"],
    ["more stages than anybody writes", "FROM x\n".repeat(101), 101, "more than 100 stages"],
    ["more instructions than anybody writes", `FROM x\n${"RUN a\n".repeat(1001)}`, 1001, "more than 1000"],
  ])("%s", async (_name, dockerfile, line, reason) => {
    const build = await readBuild(request(dockerfile));
    expect(build).toMatchObject({ kind: "unprobeable", at: { file: "Dockerfile", line } });
    expect(build).toHaveProperty("reason", expect.stringContaining(reason));
  });
});

test("images that are copied from are asked for, and are not without number", async () => {
  const copies = (count: number) => Array.from({ length: count }, (_, at) => `COPY --from=i${at} /a /a\n`).join("");
  expect(await readBuild(request(`FROM x AS one\nFROM y\nCOPY --from=one /a /a\n${copies(2)}`))).toMatchObject({
    images: new Map(["x", "y", "i0", "i1"].map((image, at) => [image, { file: "Dockerfile", line: [1, 2, 4, 5][at] }])),
  });
  expect(await readBuild(request(`FROM x\n${copies(100)}`))).toMatchObject({
    kind: "unprobeable",
    reason: "It takes from more than 100 images.",
  });
});

describe("what envbuilder's parser refuses is an error with its line", () => {
  test.each([
    ["flags of a newer BuildKit", "FROM x\nCOPY --parents a /a", 2, "--parents"],
    ["excluded files", "FROM x\nCOPY --exclude=b a /a", 2, "--exclude"],
    ["a flag twice", "FROM x\nCOPY --chown=1 --chown=2 a /a", 2, "stands twice"],
    ["a flag without its value", "FROM x\nCOPY --from a /a", 2, "no value"],
    ["no boolean", "FROM x\nCOPY --link=yes a /a", 2, "no value"],
    ["one argument", "FROM x\nCOPY a", 2, "at least two"],
    ["an unknown instruction", "FROM x\nRUNN a", 2, "RUNN"],
    ["an instruction in front", "RUN a\nFROM x", 1, "first FROM"],
    ["a stage's name", "FROM x AS 1st", 1, "invalid name"],
    ["too many words", "FROM x y", 1, "one or three"],
    ["ENV without a value", "FROM x\nENV A", 2, "name=value"],
    ["ENV, the second without a value", "FROM x\nENV A=1 B", 2, "name=value"],
    ["ENV without a name", "FROM x\nENV =1", 2, "blank"],
    ["LABEL without anything", "FROM x\nLABEL", 2, "at least one"],
    ["ARG without a name", "FROM x\nARG =1", 2, "blank"],
    ["SHELL without JSON", "FROM x\nSHELL /bin/sh -c", 2, "JSON"],
    ["SHELL of nothing", "FROM x\nSHELL []", 2, "JSON"],
    ["numbers in JSON", "FROM x\nCMD [1]", 2, "else than texts"],
    ["ONBUILD ONBUILD", "FROM x\nONBUILD ONBUILD RUN a", 2, "trigger"],
    ["ONBUILD alone", "FROM x\nONBUILD", 2, "at least one"],
    ["HEALTHCHECK of another kind", "FROM x\nHEALTHCHECK RUN a", 2, "NONE or CMD"],
    ["HEALTHCHECK without a command", "FROM x\nHEALTHCHECK CMD", 2, "lacks a command"],
    ["HEALTHCHECK NONE with more", "FROM x\nHEALTHCHECK NONE a", 2, "no arguments"],
    ["an interval that is too short", "FROM x\nHEALTHCHECK --interval=1us CMD a", 2, "interval"],
    ["an interval without a unit", "FROM x\nHEALTHCHECK --timeout=5 CMD a", 2, "interval"],
    ["retries below nought", "FROM x\nHEALTHCHECK --retries=-1 CMD a", 2, "retries"],
    ["USER with a flag", "FROM x\nUSER --a b", 2, "--a"],
    ["WORKDIR of nothing", "FROM x\nWORKDIR", 2, "exactly one"],
    ["an empty volume", `FROM x\nVOLUME [" "]`, 2, "empty"],
  ])("%s", async (_name, dockerfile, line, words) => {
    await expect(readBuild(request(dockerfile))).rejects.toMatchObject({
      code: "E_DOCKERFILE",
      message: expect.stringContaining(words),
      at: { file: "Dockerfile", line },
    });
  });
});

describe("where the builder would stop, or may see something else, nothing is told", () => {
  test.each<[string, string, number, string, Rest?]>([
    ["a port with another protocol", "FROM x\nEXPOSE 7/TCP", 2, "tcp and udp"],
    ["a signal that is none", "FROM x\nSTOPSIGNAL SIGNONE", 2, "no signal"],
    ["signal nought", "FROM x\nSTOPSIGNAL 0", 2, "no signal"],
    ["a label that is wrong when read again", `FROM x\nLABEL b="x\\"y"`, 2, "double quote"],
    ["a variable that has to be set", "FROM x\nENV A=${B:?no}", 2, "The builder stops"],
    ["a file that is not there", "FROM x\nCOPY nothing /a", 2, "There is no nothing"],
    ["a file outside of the context", "FROM x\nCOPY ../a /a", 2, "outside of the build context"],
    ["a pattern that is wrong", "FROM x\nCOPY [] /a/", 2, "stops at the pattern"],
    ["several files into what may be no folder", "FROM x\nCOPY a b /a", 2, "does not end in a slash"],
    ["a pattern for several files into what may be no folder", "FROM x\nCOPY [ab] /a", 2, "does not end in a slash"],
    ["a pattern for nothing", "FROM x\nCOPY z* /a/", 2, "It takes nothing"],
    ["an address", "FROM x\nCOPY http://x.test/a /a", 2, "address"],
    ["a pipe", "FROM x\nCOPY pipe /a", 2, "no file, folder or link"],
    ["what the builder sees otherwise", "FROM x\nCOPY elsewhere /a", 2, "what the builder sees"],
    ["the clone's own history", "FROM x\nCOPY . /a", 2, ".git", { files: ["a", ".git/HEAD"] }],
    ["everything ignored, envbuilder's own as well", "FROM x", 2, "It takes nothing", { ignore: "*" }],
    ["a base's variable without a value", "FROM x\nENV A=1", 2, "without a value", { config: { Env: ["A"] } }],
    [
      "a base with an address in store",
      "FROM x",
      1,
      "ADD fetches https://x.test/a",
      { config: { OnBuild: ["ADD https://x.test/a /a"] } },
    ],
    ["ADD of an address in a variable", "FROM x\nENV A=http:\nADD $A//x.test/a /a", 3, "is an address"],
    ["a stage on nothing", "FROM scratch AS one\nFROM one", 2, "has no layer"],
    ["a stage on one with ADD", "FROM x AS one\nADD a /a\nFROM one", 3, "not even the builder finds them"],
    ["a stage on one with a volume", "FROM x AS one\nVOLUME /v\nFROM one", 3, "not even the builder finds them"],
    ["COPY --from a stage with ADD", "FROM x AS one\nADD a /a\nFROM x\nCOPY --from=one /a /", 4, "does not keep"],
    [
      "a stage on one whose base has triggers, and that copies from another image",
      "FROM x AS one\nFROM one\nCOPY --from=x /a /",
      2,
      "has triggers",
      { config: { OnBuild: ["ENV A=1"] } },
    ],
    ["a base that cannot be read", "FROM x", 1, "It cannot be told", { config: { Env: "A" } }],
    [
      "a layer that cannot be read",
      "FROM x\nCOPY --from=y /a /a",
      2,
      "it is too large",
      { layers: { unread: "it is too large" } },
    ],
    ["a file that no layer has", "FROM x\nCOPY --from=y /a /a", 2, "There is no /a", { layers: [] }],
    ["a pattern for a whole image", "FROM x\nCOPY --from=y /a* /a/", 2, "pattern through all of one"],
    ["a pattern that finds nothing", "FROM x\nCOPY --from=y /a/* /a/", 2, "It takes nothing", { layers: [] }],
    [
      "a pattern that is none",
      "FROM x\nCOPY --from=y /a/[ /a/",
      2,
      "stops at the pattern",
      { layers: [{ entries: [{ path: "a", kind: "directory", md5: "" }] }] },
    ],
    [
      "a pattern for several files into what may be no folder",
      "FROM x\nCOPY --from=y /a/* /c",
      2,
      "does not end in a slash",
      {
        layers: [
          {
            entries: ["a", "a/1", "a/2"].map((path) => ({ path, kind: path === "a" ? "directory" : "file", md5: "" })),
          },
        ],
      },
    ],
    ["a whole image", "FROM x\nCOPY --from=y / /a/", 2, "a whole image"],
    [
      "two files of an image into what may be no folder",
      "FROM x\nCOPY --from=y /a /b /c",
      2,
      "does not end in a slash",
    ],
    [
      "what an earlier stage's argument names",
      "FROM x\nARG A=a\nFROM x\nCOPY --from=0 /$A/b /c",
      4,
      "other files than it copies",
    ],
    [
      "a trigger that copies from another image",
      "FROM x",
      1,
      "copies from another image",
      { config: { OnBuild: ["COPY --from=y /a /a"] } },
    ],
    ["a pattern that is no expression", "FROM x", 1, "pattern", { ignore: "[b-a]" }],
  ])("%s", async (_name, dockerfile, line, reason, rest) => {
    const walked = await walk(dockerfile, rest).catch((thrown: Error) => ({ reason: thrown.message }));
    expect(walked).toHaveProperty("reason", expect.stringContaining(reason));
    if ("at" in walked) expect(walked.at).toMatchObject({ line });
  });

  test("WORKDIR and a shell of three words raise doubts, each with its line", async () => {
    const walked = await walk(`FROM x\nWORKDIR /new\nSHELL ["a","b","c"]\nCMD echo`);
    expect(walked).toMatchObject({ kind: "keyed", doubts: [{ at: { line: 2 } }, { at: { line: 4 } }] });
    const there = "FROM x\nWORKDIR /\nWORKDIR /.envbuilder/features/a-1\nCMD echo";
    expect(await walk(there)).toMatchObject({ kind: "keyed", doubts: [] });
  });

  test("what is no layer of its own, nor certainly none, is known as such", async () => {
    const dockerfile = "FROM x AS one\nENV A=1\nVOLUME /v\nRUN a\nFROM x\nENV B=1\nADD a /a\nRUN b\nWORKDIR /new";
    const walked = await walk(dockerfile);
    if (walked.kind !== "keyed") throw new Error(walked.kind);
    expect(walked.steps.slice(0, 7).map(({ text, layer }) => `${layer} ${text}`)).toEqual([
      "unkept ENV A=1",
      "unkept VOLUME /v",
      "kept RUN a",
      "unsure ENV B=1",
      "unkept ADD a /a",
      "kept RUN b",
      "unsure WORKDIR /new",
    ]);
  });

  test("a here-document that is run is a loss, with its line", async () => {
    const build = await readBuild(request("FROM x\n\nRUN cat <<EOT > /a\nx\nEOT"));
    expect(build).toMatchObject({ losses: [{ at: { line: 3 }, what: expect.stringContaining("RUN cat <<EOT > /a") }] });
  });

  test.each(["FROM x\nCOPY --from=y /a /a", "FROM x AS one\nRUN a\nFROM one"])(
    "a layer that is not there ends it all: %s",
    async (dockerfile) => {
      expect(await walk(dockerfile)).toMatchObject({ kind: "interrupted" });
    },
  );

  test("a doubt of a stage counts for those that stand on it, and for no other", async () => {
    const doubts = async (dockerfile: string) => {
      const walked = await walk(dockerfile, { isKept: true });
      return walked.kind === "keyed" ? walked.doubts.map(({ at }) => at.line) : walked;
    };
    expect(await doubts("FROM x AS one\nWORKDIR /new\nFROM one\nWORKDIR sub")).toEqual([2, 4]);
    expect(await doubts("FROM x AS one\nWORKDIR /new\nFROM x")).toEqual([]);
    expect(await doubts("FROM x AS one\nVOLUME /v\nFROM x\nENV A=1")).toEqual([3]);
  });

  test("the clone's history may be ignored", async () => {
    const files = ["a", ".git/HEAD", ".git/objects/1/2"];
    expect(await walk("FROM x\nCOPY . /a", { files, ignore: ".git" })).toMatchObject({ kind: "keyed" });
  });
});
