import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServedImage } from "../../src/envbuilder/base-image.ts";
import { type Context, DIRECTIVES } from "../../src/envbuilder/context.ts";
import { md5Of } from "../../src/envbuilder/hashes.ts";

/** One run of the real kaniko with envbuilder's options: what it was given, what was in the cache, and what came of it. */
export type Recorded = {
  readonly case: string;
  readonly note: string;
  readonly platform: string;
  readonly dockerfile: string;
  readonly contextRootMode: string;
  readonly context: readonly {
    readonly path: string;
    readonly type: "file" | "dir" | "symlink";
    readonly mode: string;
    readonly base64?: string;
    readonly target?: string;
  }[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly images: Readonly<Record<string, ServedRecord>>;
  readonly cacheEntries: Readonly<Record<string, ServedRecord>>;
  readonly optimizeKeys: readonly { readonly command: string; readonly key: string }[];
  readonly expectedManifest: string;
  readonly expectedConfig: string;
  readonly expectedDigest: string;
  readonly coldBuildDigest: string;
};

type ServedRecord = { readonly contentType: string; readonly manifest: string; readonly config: string };

const FOLDER = "test/fixtures/kaniko";

export const recorded: readonly Recorded[] = readdirSync(FOLDER).map((name) =>
  JSON.parse(readFileSync(join(FOLDER, name), "utf8")),
);

/** A day after the recording. */
export const RECORDED_AT = Date.parse("2026-11-21T12:00:00Z");

export function dockerfileOf({ dockerfile }: Recorded): string {
  return dockerfile + DIRECTIVES;
}

export function imagesOf({ images }: Recorded): ReadonlyMap<string, ServedImage> {
  return new Map(
    Object.entries(images).map(([name, { contentType, ...image }]) => [name, { mediaType: contentType, ...image }]),
  );
}

export function ignoreOf({ context }: Recorded): { readonly text: string; readonly file: string } | undefined {
  const file = context.find(({ path }) => path === ".dockerignore");
  return file && { text: Buffer.from(file.base64 ?? "", "base64").toString(), file: ".dockerignore" };
}

const KINDS = { file: "file", dir: "directory", symlink: "link" } as const;

export function contextOf({ context, contextRootMode }: Recorded): Context {
  const entries = new Map(context.map((entry) => [entry.path, entry]));
  return {
    stat: async (path) => {
      if (path === ".") return { kind: "directory", mode: Number(contextRootMode) };
      const entry = entries.get(path);
      return entry && { kind: KINDS[entry.type], mode: Number(entry.mode) };
    },
    list: async (folder) =>
      context.flatMap(({ path }) => {
        const slash = path.lastIndexOf("/");
        return (slash < 0 ? "." : path.slice(0, slash)) === folder ? [path.slice(slash + 1)] : [];
      }),
    md5: async (path, before) => {
      const { base64 = "", target } = entries.get(path) ?? {};
      return md5Of(
        Buffer.concat([
          Buffer.from(before),
          target === undefined ? Buffer.from(base64, "base64") : Buffer.from(target),
        ]),
      );
    },
  };
}
