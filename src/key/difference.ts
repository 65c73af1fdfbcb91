import { digestOf } from "../oci/digest.ts";

type Place = { readonly file: string; readonly line?: number };

/** One reason why the image is not there, in the user's words, with the place in the user's files where there is one. */
export type Difference = {
  /** `cache`: what the cache repository holds is the reason, and no plan. */
  readonly part: "yours" | "upstream" | "label" | "recipe" | "cache";
  readonly ingredient:
    | "platform"
    | "configuration"
    | "dockerfile"
    | "context"
    | "argument"
    | "option"
    | "base"
    | "frontend"
    | "address"
    | "feature"
    | "label"
    | "recipe"
    | "age"
    | "image"
    | "doubt";
  readonly text: string;
  readonly at?: Place;
};

/** Where something is asked for: in a file, by an input, of which `line` counts from 1, or where no line can be named. */
export type Source = Place | { readonly input: string; readonly line?: number } | { readonly elsewhere: string };

/** A variable of the environment that a value reads, and the line of the env file that sets it; nothing for one of the step's own. */
export type Reading = { readonly name: string; readonly at?: Place };

/** Where in the user's files the current ingredients stand; files as seen from the repository's root. */
export type Places = {
  readonly configuration: string;
  readonly dockerfile: string | undefined;
  /** The compose files that count; none where there is no compose. */
  readonly composeFiles: ReadonlySet<string>;
  /** Where the Dockerfile and the context's folder are asked for; nothing where nobody asks for them. */
  readonly asked: { readonly dockerfile?: Source; readonly context?: Source };
  /** Of the `# syntax=` or the build arg that names the frontend. */
  readonly frontend: Source | undefined;
  /** Of the image that is used as it is, and of the stage that is built. */
  readonly image: Source | undefined;
  readonly target: Source | undefined;
  /** What stages of the Dockerfile are called. */
  readonly stages: ReadonlySet<string>;
  /** Of devcontainer.json, by name; of one in `containerEnv` by `containerEnv.NAME`. */
  readonly properties: Readonly<Record<string, Place>>;
  /** The variables of the environment that a property or a build arg (`build.args.NAME`) names; none where only that it names some is known. */
  readonly variables: Readonly<Record<string, readonly Reading[]>>;
  /** By platform, the lines of the Dockerfile's instructions that count, in the shape of `Yours["dockerfile"]["stages"]`. */
  readonly instructions: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly arguments: Readonly<Record<string, Source>>;
  /** By what is written; `name` is what its variables stand for, where that may be told. */
  readonly bases: Readonly<Record<string, { readonly source: Source; readonly name?: string }>>;
  /** What ADD names, by the address that is fetched. */
  readonly addresses: Readonly<Record<string, { readonly written: string; readonly at: Place }>>;
  /** The context's folder, relative to the repository; `.` for the repository itself. */
  readonly context: string;
  /** Of named contexts, where each is asked for, and its folder where it is one. */
  readonly contexts: Readonly<Record<string, { readonly source: Source; readonly folder?: string }>>;
  /** The ignore file that counts, or would, its lines, and which of them leaves a path of the context out. */
  readonly ignoring: {
    readonly file: string;
    readonly lines: readonly string[];
    readonly leftOutBy: (path: string) => number | undefined;
  };
  /** The lines of the Dockerfile's instructions that can take a path of the context; nothing where that is not clear. */
  readonly takers: (path: string) => readonly number[] | undefined;
  /**
   * The line of an ignore file that would leave out a path of the context, where such a path is seldom needed, with `advice` where it is
   * taken only with everything else. `at`: the instruction that takes what no commit has.
   */
  readonly ignorable: (
    path: string,
  ) => { readonly line: string; readonly advice: string | undefined; readonly at: Place | undefined } | undefined;
  /** Of secrets and ssh keys by their ids, as they stand in the plan. */
  readonly secrets: Readonly<Record<string, Source>>;
  /** Build args and labels that are given and that inputs take out of the key. */
  readonly ignored: { readonly arguments: ReadonlySet<string>; readonly labels: ReadonlySet<string> };
  /** Options of the build, as they stand in the plan. */
  readonly options: Readonly<Record<string, Source>>;
  /** By id, as it is written. */
  readonly features: Readonly<Record<string, Source>>;
  /** Of those of the configuration, by id and name. */
  readonly featureOptions: Readonly<Record<string, Readonly<Record<string, Place>>>>;
  /** The lockfile, or the input that leaves it out; nothing where there is none. By id, its entries. */
  readonly lockfile: Source | undefined;
  readonly locks: Readonly<Record<string, Place>>;
};

/** Where everything stands, where it stood, and what private values of both are hashed with. */
export type Known = Places & { readonly origins: Origins | undefined; readonly salt: string };

/** A private value as it is stored. */
export function hashPrivate(value: string, salt: string): string {
  return `salted:${digestOf(`${salt}\n${value}`)}`;
}

/** Which of the values that stand in the sources now is stored as that. */
export function privateValue(stored: string, values: readonly string[], salt: string): string | undefined {
  return stored.startsWith("salted:") ? values.find((value) => hashPrivate(value, salt) === stored) : undefined;
}

/** What stands in the sources and is no part of the key: where it stood is told of what is gone. Nothing in it holds a value. */
export type Origins = {
  /** As seen from the repository's root; nothing where something of the environment took part. */
  readonly dockerfile?: string;
  readonly context?: string;
  /** The ignore file, and its lines as salted hashes. */
  readonly ignoring?: { readonly file: string; readonly lines: readonly string[] };
  /** The folders of named contexts. */
  readonly folders: Readonly<Record<string, string>>;
  /** By `target`, and by what reasons begin with: `build arg NAME`, `label NAME`, `build option --NAME`, `build context NAME`, `feature ID`. */
  readonly sources: Readonly<Record<string, Source>>;
};

/** A member of its own: whoever writes `ARG constructor` does not mean what every object of JavaScript has by that name. */
export function memberOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** `args.conf:3`, `line 2 of the input build-args`. */
export function tellSource(source: Source): string {
  if ("elsewhere" in source) return source.elsewhere;
  const { line } = source;
  if ("input" in source) return `${line === undefined ? "" : `line ${line} of `}the input ${source.input}`;
  return line === undefined ? source.file : `${source.file}:${line}`;
}

/** A person opens a file; an input has none. */
export function placeOf(source: Source | undefined): { readonly at?: Place } {
  return source && "file" in source ? { at: source } : {};
}

/** What is not stored in clear stands in a plan as a hash. */
export function told(value: string | undefined): string {
  if (value === undefined) return "(not set)";
  return value.startsWith("salted:") ? "(a value of the environment)" : value;
}

/** In brackets behind what is told. */
export function inBrackets(notes: readonly (string | undefined)[]): string {
  const all = notes.filter((note) => note !== undefined);
  return all.length === 0 ? "" : ` (${all.join("; ")})`;
}

/** With whose values something is another one, though nobody has written it differently. */
export function tellVariables({ variables }: Places, property: string): string | undefined {
  const readings = memberOf(variables, property);
  if (readings === undefined) return undefined;
  if (readings.length === 0) return "a variable is in it";
  const names = readings.map(({ name, at }) => (at === undefined ? name : `${name} of ${tellSource(at)}`));
  return `it reads the variable${names.length === 1 ? "" : "s"} ${names.join(", ")}`;
}
