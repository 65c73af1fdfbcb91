import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { openFiles } from "../../src/host/files.ts";
import { layOutContext } from "../../src/sources/context.ts";
import { readUsedContext } from "../../src/sources/used-context.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { docker, makeBase } from "./harness.ts";

// What the key knows of a context is all that a build can take of it: the real builder makes the same of it as of the whole folder.

/** How long new ones are thought out, in milliseconds. */
const TIME = Number(process.env.NARROW_TIME ?? 90_000);

const { files } = openFiles(tmpdir());

const name = fc.constantFrom("a", "b", "ab", "c.txt", "d.txt", ".e");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
const content: fc.Arbitrary<Content> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("one\n", "two\n", "") },
  { weight: 1, arbitrary: fc.constant({ script: "#!/bin/sh\n" }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom("", "", "../", "/", "./", "../../"), path)
      .map(([to, at]) => ({ link: to + at })),
  },
);
const tree = fc.dictionary(path, content, { minKeys: 4, maxKeys: 14 }).map(withoutFilesAsFolders);

/** A path cannot lie below a file; below a link it would lie elsewhere. */
function withoutFilesAsFolders(made: Record<string, Content>): Record<string, Content> {
  const paths = Object.keys(made);
  return Object.fromEntries(
    Object.entries(made).filter(([one]) => !paths.some((other) => one.startsWith(`${other}/`))),
  );
}

/** Turns segments of a path into patterns for it, or leads around. */
const bend = fc.array(fc.constantFrom("same", "same", "same", "star", "start", "mark", "set", "dot", "up"), {
  minLength: 6,
  maxLength: 6,
});
function bent(written: string, ways: readonly string[]): string {
  const segments = written.split("/").map((segment, at) => {
    switch (ways[at]) {
      case "star":
        return "*";
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

const kinds = ["COPY", "COPY", "COPY", "ADD", "variable", "JSON", "mount", "below", "whole"] as const;
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

const made = (base: string): fc.Arbitrary<Made> =>
  fc
    .tuple(tree, fc.array(instruction, { minLength: 1, maxLength: 5 }), ignore)
    .map(([files, instructions, ignored]) => {
      const paths = Object.keys(files);
      const stages: string[][] = [[], [], []];
      for (const [number, { kind, at, deeper, ways, stage }] of instructions.entries()) {
        const whole = paths[at % Math.max(paths.length, 1)] ?? ".";
        const segments = whole.split("/");
        const cut = kind === "below" ? segments.slice(0, 1 + (at % segments.length)) : segments;
        // Behind a link to a folder.
        const source = typeof files[whole] === "object" && deeper !== null ? `${whole}/${deeper}` : cut.join("/");
        stages[stage]?.push(write(kind, bent(source, kind === "mount" ? [] : ways), number));
      }
      const dockerfile = [
        `FROM ${base} AS s0`,
        ...(stages[0] ?? []),
        `FROM ${base} AS s1`,
        ...(stages[1] ?? []),
        `FROM ${base} AS s2`,
        ...(stages[2] ?? []),
        // The second stage is not needed.
        "FROM scratch",
        "COPY --from=s0 /ou[t] /s0/",
        "COPY --from=s2 /ou[t] /s2/",
      ].join("\n");
      return {
        tree: { ...files, ...(ignored === null ? {} : { ".dockerignore": `${ignored.join("\n")}\n` }) },
        dockerfile,
      };
    });

/** What a build makes: every path with its kind, mode and content; that it fails, where it does. */
async function builtFrom(context: string, dockerfile: string): Promise<unknown> {
  const to = await files.temporaryFolder("built");
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
    rmSync(to, { recursive: true, force: true });
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
  const { entries } = await readUsedContext(files, {
    root,
    checkout: root,
    dockerfilePath: join(root, "Dockerfile"),
    dockerfile: parseDockerfile(text, "Dockerfile"),
    target: undefined,
    platforms: new Map([["linux/amd64", { scope, triggers: [] }]]),
  });
  const list = entries.get("linux/amd64") ?? [];
  const folder = join(await files.temporaryFolder("narrow"), "context");
  mkdirSync(folder);
  await layOutContext(files, root, list, folder);
  return { folder, taken: list.length };
}

test("the narrowed context makes the very image that the whole folder makes", { timeout: TIME + 120_000 }, async () => {
  const { image } = await makeBase();
  const seen = { built: 0, failed: 0, taken: 0, all: 0 };
  await fc.assert(
    fc.asyncProperty(made(image), async ({ tree, dockerfile }) => {
      const root = makeCheckout({ ...tree, Dockerfile: dockerfile });
      const beside = makeCheckout({ Dockerfile: dockerfile, "Dockerfile.dockerignore": "# nothing\n" });
      const whole = await builtFrom(root, join(root, "Dockerfile"));
      const part = await narrowed(root, dockerfile).then(
        async ({ folder, taken }) => {
          seen.taken += taken;
          return builtFrom(folder, join(beside, "Dockerfile"));
        },
        (error) => (error.code === "E_CONTEXT" ? { failed: true } : Promise.reject(error)),
      );
      seen.all += readdirSync(root, { recursive: true }).length;
      seen[Array.isArray(whole) ? "built" : "failed"]++;
      rmSync(root, { recursive: true });
      rmSync(beside, { recursive: true });
      expect(part).toEqual(whole);
    }),
    { numRuns: 10_000, interruptAfterTimeLimit: TIME, markInterruptAsFailure: false },
  );
  // It would say nothing if hardly anything were built, or nothing left out.
  expect(seen.built).toBeGreaterThan(seen.failed / 4);
  expect(seen.taken).toBeLessThan(seen.all);
});
