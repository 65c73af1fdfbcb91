import { isRecord } from "../oci/manifest.ts";
import {
  type Difference,
  hashPrivate,
  inBrackets,
  type Known,
  memberOf,
  type Origins,
  type Places,
  type Source,
  tellSource,
} from "./difference.ts";
import type { PlatformPlan } from "./ingredients.ts";

/** What holds something of the environment, by its name. */
type Private = {
  readonly contexts: ReadonlySet<string>;
  readonly options: ReadonlySet<string>;
  readonly folder: boolean;
  readonly salt: string;
};

const MOST_LINES = 500;

/** Where everything stands now, to be told when it is gone. */
export function originsOf(places: Places, hidden: Private): Origins {
  const isOpen = (name: string): boolean => !hidden.contexts.has(name);
  const { dockerfile, target } = places;
  const named = <T>(record: Readonly<Record<string, T>>, name: (key: string) => string) =>
    Object.entries(record).map(([key, value]) => [name(key), value] as const);
  const contexts = Object.entries(places.contexts).filter(([name]) => isOpen(name));
  return {
    ...(dockerfile === undefined || hidden.folder ? {} : { dockerfile, context: places.context }),
    ...(places.ignoring.lines.length === 0 || hidden.folder
      ? {}
      : { ignoring: { file: places.ignoring.file, lines: hashLines(places.ignoring.lines, hidden.salt) } }),
    folders: Object.fromEntries(
      contexts.flatMap(([name, { folder }]) => (folder === undefined ? [] : [[name, folder] as const])),
    ),
    sources: Object.fromEntries([
      ...(target ? [["target", target] as const] : []),
      ...named(places.arguments, (name) => `build arg ${name}`),
      ...Object.entries(places.options).flatMap(([option, source]) =>
        hidden.options.has(option) ? [] : [[nameOption(option), source] as const],
      ),
      ...contexts.map(([name, { source }]) => [`build context ${name}`, source] as const),
      ...named(places.features, (id) => `feature ${id}`),
      ...named(places.secrets, (id) => `secret ${id}`),
    ]),
  };
}

function hashLines(lines: readonly string[], salt: string): readonly string[] {
  return lines.slice(0, MOST_LINES).map((line) => hashPrivate(line, salt));
}

/** The earlier ignore file, and whether a line that it had is gone; nothing where there was none. */
export function earlierIgnoring({
  origins,
  ignoring,
  salt,
}: Pick<Known, "origins" | "ignoring" | "salt">): { readonly file: string; readonly hasLost: boolean } | undefined {
  const stored: unknown = membersOf(origins).ignoring;
  if (!isRecord(stored) || typeof stored.file !== "string" || !Array.isArray(stored.lines)) return undefined;
  const now = new Set(ignoring.lines.map((line) => hashPrivate(line, salt)));
  return { file: stored.file, hasLost: stored.lines.some((line) => typeof line !== "string" || !now.has(line)) };
}

/** Where something that is gone stood in the sources of an earlier image, which may have stored anything. */
export function originIn(origins: Origins | undefined, name: string): Source | undefined {
  const source: unknown = memberOf(membersOf(origins?.sources), name);
  if (!isRecord(source)) return undefined;
  const line = typeof source.line === "number" ? { line: source.line } : {};
  if (typeof source.file === "string") return { file: source.file, ...line };
  if (typeof source.input === "string") return { input: source.input, ...line };
  return typeof source.elsewhere === "string" ? { elsewhere: source.elsewhere } : undefined;
}

type Gone = Pick<Places, "configuration" | "dockerfile" | "composeFiles" | "properties">;

/**
 * What is told of something that is gone: where it stood, and as its place the file, where that is one of those that still count; where it
 * is a compose file that does not, what names these.
 */
export function tellGone(
  origins: Origins | undefined,
  name: string,
  { configuration, dockerfile, composeFiles, properties }: Gone,
): { readonly note: string; readonly at?: NonNullable<Difference["at"]> } {
  const source = originIn(origins, name);
  if (source === undefined) return { note: "" };
  const note = inBrackets([`before: ${tellSource(source)}`]);
  if (!("file" in source)) return { note };
  const { file } = source;
  if (file === configuration || file === dockerfile || composeFiles.has(file)) return { note, at: { file } };
  const { dockerComposeFile } = properties;
  return { note, ...(dockerComposeFile === undefined ? {} : { at: dockerComposeFile }) };
}

/** A path that an earlier image has stored of its Dockerfile, its context or one of its named contexts. */
export function pathIn(origins: Origins | undefined, what: "dockerfile" | "context"): string | undefined {
  const path: unknown = isRecord(origins) ? origins[what] : undefined;
  return typeof path === "string" ? path : undefined;
}

export function folderIn(origins: Origins | undefined, context: string): string | undefined {
  const folder: unknown = memberOf(membersOf(origins?.folders), context);
  return typeof folder === "string" ? folder : undefined;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

/** What a person calls an option of the build as it stands in a plan. */
export function nameOption(option: string): string {
  const label = /^--label=([^=]+)=/.exec(option)?.[1];
  if (label !== undefined) return `label ${label}`;
  const name = /^--[^=]+/.exec(option)?.[0];
  return name === undefined ? "a build option that holds a value of the environment" : `build option ${name}`;
}

/** The names of the build args that count in one of two plans alone, for only one of these is given them: the other has their ARGs, too. */
export function argumentsGiven(before: PlatformPlan, now: PlatformPlan, places: Known): ReadonlySet<string> {
  const [was, is] = [before.yours.arguments, now.yours.arguments];
  const isGiven = (name: string): boolean =>
    originIn(places.origins, `build arg ${name}`) !== undefined && memberOf(places.arguments, name) !== undefined;
  return new Set(
    [...Object.keys(was), ...Object.keys(is)].filter(
      (name) => Object.hasOwn(was, name) !== Object.hasOwn(is, name) && !isGiven(name),
    ),
  );
}
