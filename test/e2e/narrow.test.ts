import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { ActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import { layOutContext } from "../../src/sources/context.ts";
import { openEffort } from "../../src/sources/effort.ts";
import { readUsedContext } from "../../src/sources/used-context.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { docker, makeBase } from "./harness.ts";

// What the key knows of a context is all that a build can take of it: the real builder makes the same of it as of the whole folder.

/** How long new ones are thought out, in milliseconds. */
const TIME = Number(process.env.NARROW_TIME ?? 40_000);

const { files } = openFiles(tmpdir());

const name = fc.constantFrom("a", "b", "ab", "c.txt", "d.txt", ".e");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
const file: fc.Arbitrary<Content> = fc.constantFrom<Content>("one\n", "two\n", "", { script: "#!/bin/sh\n" });
const style = fc.constantFrom("relative", "relative", "absolute", "above", "nowhere");
const link = fc.record({ at: path, to: fc.nat(), style, cut: fc.boolean() });

/** Files, and links that mostly lead to one of them, to a folder of one, or to another link. */
const tree = fc
  .tuple(fc.dictionary(path, file, { minKeys: 3, maxKeys: 9 }), fc.array(link, { maxLength: 6 }))
  .map(([written, links]) => {
    const made: Record<string, Content> = withoutFilesAsFolders(written);
    for (const { at, to, style, cut } of links) {
      const paths = Object.keys(made);
      const whole = paths[to % paths.length] ?? "a";
      const target = cut && whole.includes("/") ? dirname(whole) : whole;
      if (paths.some((other) => other === at || other.startsWith(`${at}/`) || at.startsWith(`${other}/`))) continue;
      const text = {
        relative: relative(dirname(at), target),
        absolute: `/${target}`,
        above: `../../../${target}`,
        nowhere: "gone",
      };
      made[at] = { link: text[style] || "." };
    }
    return made;
  });

/** A path cannot lie below a file; below a link it would lie elsewhere. */
function withoutFilesAsFolders(made: Record<string, Content>): Record<string, Content> {
  const paths = Object.keys(made);
  return Object.fromEntries(
    Object.entries(made).filter(([one]) => !paths.some((other) => one.startsWith(`${other}/`))),
  );
}

/** Turns segments of a path into patterns for it, or leads around. */
const bend = fc.array(fc.constantFrom("same", "same", "same", "star", "start", "mark", "set", "dot", "up", "deep"), {
  minLength: 6,
  maxLength: 6,
});
function bent(written: string, ways: readonly string[]): string {
  const segments = written.split("/").map((segment, at) => {
    switch (ways[at]) {
      case "star":
        return "*";
      case "deep":
        return "**";
      case "start":
        return `${segment.slice(0, 1)}*`;
      case "mark":
        return segment.replace(/.$/, "?");
      case "set":
        return segment.replace(/[a-z]/, (char) => `[${char}x]`);
      case "dot":
        return `./${segment}`;
      case "up":
        return `${segment}/../${segment}`;
      default:
        return segment;
    }
  });
  return segments.join("/");
}

type Made = { readonly tree: Readonly<Record<string, Content>>; readonly dockerfile: string };

/** NEW_BUILDER=true: with what only a newer builder knows. */
const PARENTS = process.env.NEW_BUILDER === "true" ? (["parents", "parents", "parents"] as const) : [];
const kinds = ["COPY", "COPY", "COPY", "ADD", "variable", "JSON", "mount", "below", "whole", ...PARENTS] as const;
const instruction = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(),
  deeper: fc.option(name),
  ways: bend,
  stage: fc.nat(2),
});

function write(kind: (typeof kinds)[number], source: string, at: number): string {
  const to = `/out/${at}/`;
  switch (kind) {
    case "variable":
      return `ARG V${at}=${source}\nCOPY $V${at} ${to}`;
    case "JSON":
      return `COPY ${JSON.stringify([source, to])}`;
    case "mount":
      return `RUN --mount=type=bind,source=${source},target=/m mkdir -p ${to} && cp -a /m ${to}`;
    case "parents":
      return `COPY --parents ${source} ${to}`;
    case "whole":
      return `COPY . ${to}`;
    default:
      return `${kind === "ADD" ? "ADD" : "COPY"} ${source} ${to}`;
  }
}

const ignore = fc.option(
  fc.array(
    fc.tuple(fc.constantFrom("", "", "!", "**/"), path, bend).map(([mark, at, ways]) => mark + bent(at, ways)),
    {
      maxLength: 4,
    },
  ),
);

type Drawn = {
  readonly kind: (typeof kinds)[number];
  readonly at: number;
  readonly deeper: string | null;
  readonly ways: readonly string[];
  readonly stage: number;
};

/** A path that is there, or a folder of one, or something behind a link; every second one is a link. */
function sourceOf(tree: Readonly<Record<string, Content>>, { kind, at, deeper, ways }: Drawn): string {
  const paths = Object.keys(tree);
  const links = paths.filter((one) => isLink(tree[one]));
  const among = at % 2 === 0 && links.length > 0 ? links : paths;
  const whole = among[at % among.length] ?? ".";
  if (isLink(tree[whole]) && deeper !== null) return `${whole}/${deeper}`;
  const segments = whole.split("/");
  const cut = kind === "below" ? segments.slice(0, 1 + (at % segments.length)) : segments;
  return bent(cut.join("/"), kind === "mount" ? [] : ways);
}

function isLink(what: Content | undefined): boolean {
  return typeof what === "object" && "link" in what;
}

const made = (base: string): fc.Arbitrary<Made> =>
  fc.tuple(tree, fc.array(instruction, { minLength: 1, maxLength: 5 }), ignore).map(([tree, instructions, ignored]) => {
    const written = (stage: number): string[] => [
      `FROM ${base} AS s${stage}`,
      "COPY <<E /out/e\ne\nE",
      ...instructions.flatMap((one, at) => (one.stage === stage ? [write(one.kind, sourceOf(tree, one), at)] : [])),
    ];
    // The second stage is not needed.
    const copied = [0, 2].map((stage) => `COPY --from=s${stage} /out /s${stage}/`);
    return {
      tree: { ...tree, ...(ignored === null ? {} : { ".dockerignore": `${ignored.join("\n")}\n` }) },
      dockerfile: [...[0, 1, 2].flatMap(written), "FROM scratch", ...copied].join("\n"),
    };
  });

/** One of every way to a file. */
const EVERYTHING: Made = {
  tree: {
    ".dockerignore": "*.log\nout\n!out/kept\n",
    "dir/file": "file\n",
    "dir/sub/deep": "deep\n",
    "dir/inside": { link: "../elsewhere/far" },
    "elsewhere/far": "far\n",
    "link-file": { link: "elsewhere/far" },
    "link-dir": { link: "behind" },
    "link-link": { link: "link-file" },
    "link-absolute": { link: "/elsewhere/far" },
    "link-above": { link: "../../../elsewhere/far" },
    "link-around": { link: "link-dir/../elsewhere/far" },
    "behind/inner/file": "inner\n",
    "behind/script": { script: "#!/bin/sh\n" },
    other: "other\n",
    "a.log": "log\n",
    "out/kept": "kept\n",
    "out/gone": "gone\n",
  },
  dockerfile: [
    ...["FROM scratch AS unused", "COPY gone /"],
    "FROM scratch",
    ...["dir/file", "dir", "dir/*", "d*/f*", "d?r/fil[e]", "link-file", "link-link", "link-absolute", "link-above"],
    ...["link-dir", "link-dir/inner/file", "link-[df]*", "b*/inner", "out", "link-file other/../other"],
  ]
    .map((line, at) => (/^(?:FROM|COPY)/.test(line) ? line : `COPY ${line} /o${at}/`))
    .join("\n"),
};

test.each([
  ["all at once", EVERYTHING.dockerfile],
  ["a link that goes back over a link", "FROM scratch\nCOPY link-around /o/"],
  ["a link that is ignored", "FROM scratch\nCOPY *.log other /o/"],
])("the narrowed context makes what the whole folder makes: %s", async (_, dockerfile) => {
  const { whole, part, taken, all } = await bothWays({ tree: EVERYTHING.tree, dockerfile });
  expect(part).toEqual(whole);
  if (dockerfile === EVERYTHING.dockerfile) expect(whole).toContainEqual(expect.stringMatching(/^o13\/file /));
  expect(taken).toBeLessThanOrEqual(all);
});

/** What a build makes: every path with its kind, mode and content; that it fails, where it does. */
async function builtFrom(context: string, dockerfile: string): Promise<unknown> {
  const temporary = await files.temporaryFolder("built");
  const to = join(temporary, "built");
  const args = [
    "buildx",
    "build",
    "--quiet",
    "--provenance=false",
    "--file",
    dockerfile,
    `--output=type=local,dest=${to}`,
    context,
  ];
  try {
    await docker(...args);
    return listed(to, "");
  } catch (error) {
    return {
      failed:
        /not found|no such file|lstat|not a directory|too many|failed to|no matches/i.exec(String(error)) !== null,
    };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function listed(root: string, folder: string): string[] {
  return readdirSync(join(root, folder))
    .sort()
    .flatMap((entry) => {
      const at = join(folder, entry);
      const stats = lstatSync(join(root, at));
      if (stats.isSymbolicLink()) return [`${at} -> ${readlinkSync(join(root, at))}`];
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isDirectory()) return [`${at}/ ${mode}`, ...listed(root, at)];
      return [
        `${at} ${mode} ${createHash("sha256")
          .update(readFileSync(join(root, at)))
          .digest("hex")}`,
      ];
    });
}

async function narrowed(root: string, text: string): Promise<{ readonly folder: string; readonly taken: number }> {
  const scope = { args: new Map(), platform: { os: "linux", architecture: "amd64" } };
  const { effort, end } = openEffort(Date.now);
  const user = {
    root,
    checkout: root,
    dockerfilePath: join(root, "Dockerfile"),
    dockerfile: parseDockerfile(text, "Dockerfile"),
    target: undefined,
    platforms: new Map([["linux/amd64", { scope, triggers: [] }]]),
  };
  const { entries } = await readUsedContext(files, user, effort);
  end();
  const list = entries.get("linux/amd64") ?? [];
  const folder = join(await files.temporaryFolder("narrow"), "context");
  mkdirSync(folder);
  await layOutContext(files, root, list, folder);
  return { folder, taken: list.length };
}

async function bothWays({ tree, dockerfile }: Made) {
  const root = makeCheckout({ ...tree, Dockerfile: dockerfile });
  const beside = makeCheckout({ Dockerfile: dockerfile, "Dockerfile.dockerignore": "# nothing\n" });
  const all = readdirSync(root, { recursive: true }).length;
  const narrow = async () => {
    try {
      const { folder, taken } = await narrowed(root, dockerfile);
      return { part: await builtFrom(folder, join(beside, "Dockerfile")), taken };
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== "E_CONTEXT") throw error;
      return { part: { failed: true }, taken: 0 };
    }
  };
  const [whole, { part, taken }] = await Promise.all([builtFrom(root, join(root, "Dockerfile")), narrow()]);
  rmSync(root, { recursive: true });
  rmSync(beside, { recursive: true });
  return { whole, part, taken, all };
}

test("the narrowed context makes the very image that the whole folder makes", { timeout: TIME + 600_000 }, async () => {
  const { image } = await makeBase();
  const seen = { built: 0, failed: 0, taken: 0, all: 0 };
  const property = fc.asyncProperty(made(image), async (one) => {
    const { whole, part, taken, all } = await bothWays(one);
    expect(part).toEqual(whole);
    seen.taken += taken;
    seen.all += all;
    seen[Array.isArray(whole) ? "built" : "failed"]++;
  });
  const end = Date.now() + TIME;
  // It would say nothing if hardly anything were built, or nothing left out: a slow machine goes on until there is enough.
  while (Date.now() < end || seen.built < 2 || seen.taken >= seen.all) await fc.assert(property, { numRuns: 1 });
  console.log(`${seen.built} built, ${seen.failed} not, ${seen.taken} of ${seen.all} entries taken`);
});
