import { ActionError, type Place } from "../errors.ts";

/** One option of `build.options`, its value split off: `--network=host` and `--network`, `host` are the same. */
export type BuildOption = { readonly name: string; readonly value: string | undefined; readonly at: Place };

/** What the options of a build come to, each part in the order of the file. */
export type BuildOptions = {
  /** `--build-arg`; a value of `undefined` is the environment's. */
  readonly args: readonly BuildOptionPair[];
  readonly target: BuildOption | undefined;
  /** `--build-context name=source`. */
  readonly contexts: readonly BuildOptionPair[];
  readonly cacheFrom: readonly BuildOption[];
  /** They change the image's bytes and go into the key and to buildx as they are. */
  readonly counted: readonly BuildOption[];
  /** buildx is told, and the key is not: they change how an image is built and not what is in it. */
  readonly uncounted: readonly BuildOption[];
  /** Left out, because this action decides it: with what it says instead. */
  readonly overruled: readonly { readonly option: BuildOption; readonly why: string }[];
  /** Nobody here knows what they do: they count as text. */
  readonly unknown: readonly BuildOption[];
};

export type BuildOptionPair = { readonly name: string; readonly value: string | undefined; readonly at: Place };

type Meaning =
  | { readonly kind: "arg" | "target" | "context" | "cache-from" | "counted" | "uncounted" }
  | { readonly kind: "overruled" | "refused"; readonly why: string };

const counted: Meaning = { kind: "counted" };
const uncounted: Meaning = { kind: "uncounted" };
const overruled = (why: string): Meaning => ({ kind: "overruled", why });
const refused = (why: string): Meaning => ({ kind: "refused", why });

const ITS_OWN = "the action sets that itself";
const NO_IMAGE = "it makes no image";

/**
 * The options with a value that buildx and the classic builder know.
 * @see https://docs.docker.com/reference/cli/docker/buildx/build/
 */
const WITH_VALUE: Readonly<Record<string, Meaning>> = {
  "build-arg": { kind: "arg" },
  target: { kind: "target" },
  "build-context": { kind: "context" },
  "cache-from": { kind: "cache-from" },
  "add-host": counted,
  allow: counted,
  annotation: counted,
  "cgroup-parent": counted,
  isolation: counted,
  label: counted,
  network: counted,
  "security-opt": counted,
  "shm-size": counted,
  ulimit: counted,
  "cpu-period": uncounted,
  "cpu-quota": uncounted,
  "cpu-shares": uncounted,
  "cpuset-cpus": uncounted,
  "cpuset-mems": uncounted,
  memory: uncounted,
  "memory-swap": uncounted,
  "no-cache-filter": uncounted,
  secret: uncounted,
  ssh: uncounted,
  attest: overruled(ITS_OWN),
  builder: overruled(ITS_OWN),
  "cache-to": overruled(ITS_OWN),
  iidfile: overruled(ITS_OWN),
  "metadata-file": overruled(ITS_OWN),
  output: overruled(ITS_OWN),
  platform: overruled("the input platforms says for what is built"),
  progress: overruled(ITS_OWN),
  provenance: overruled(ITS_OWN),
  sbom: overruled(ITS_OWN),
  tag: overruled("the action makes its own tags"),
  call: refused(NO_IMAGE),
  file: refused("build.dockerfile names the Dockerfile"),
  invoke: refused(NO_IMAGE),
};

const WITHOUT_VALUE: Readonly<Record<string, Meaning>> = {
  compress: uncounted,
  "force-rm": uncounted,
  "no-cache": uncounted,
  pull: uncounted,
  rm: uncounted,
  debug: overruled(ITS_OWN),
  load: overruled(ITS_OWN),
  push: overruled(ITS_OWN),
  quiet: overruled(ITS_OWN),
  squash: overruled("only the classic builder of Docker knows it"),
  check: refused(NO_IMAGE),
};

/** The long names of all options. */
export const OPTION_NAMES: readonly string[] = [...Object.keys(WITH_VALUE), ...Object.keys(WITHOUT_VALUE)];

const SHORT: Readonly<Record<string, string>> = {
  D: "debug",
  c: "cpu-shares",
  f: "file",
  m: "memory",
  o: "output",
  q: "quiet",
  t: "tag",
};

/**
 * Reads `build.options` as Docker's command line does, and tells what each of them means to the image.
 * @param written the option texts in order, with their places.
 * @throws ActionError E_CONFIG for a text that is no option, an option without its value, and one with which there would be no image.
 */
export function readBuildOptions(written: readonly { readonly text: string; readonly at: Place }[]): BuildOptions {
  const sorted = splitOptions(written).map((option) => ({ option, meaning: meaningOf(option.name) }));
  for (const { option, meaning } of sorted) if (meaning?.kind === "refused") throw refusal(option, meaning.why);
  const of = (kind: Meaning["kind"] | undefined): BuildOption[] =>
    sorted.flatMap(({ option, meaning }) => (meaning?.kind === kind ? [option] : []));
  return {
    args: of("arg").map(splitPair),
    target: of("target").at(-1),
    contexts: of("context").map(splitPair),
    cacheFrom: of("cache-from"),
    counted: of("counted"),
    uncounted: of("uncounted"),
    overruled: sorted.flatMap(({ option, meaning }) =>
      meaning?.kind === "overruled" ? [{ option, why: meaning.why }] : [],
    ),
    unknown: of(undefined),
  };
}

/** An option as buildx takes it, in one text. */
export function formatOption({ name, value }: Pick<BuildOption, "name" | "value">): string {
  return value === undefined ? `--${name}` : `--${name}=${value}`;
}

/** Of these buildx makes a map: the last one of a name counts, and their order says nothing. */
const NAMED: ReadonlySet<string> = new Set(["label", "ulimit"]);

/** Options in one order. Those of one name keep theirs where it means something, as that of hosts does. */
export function orderOptions<T extends Pick<BuildOption, "name" | "value">>(options: readonly T[]): readonly T[] {
  const members = new Map<string, T[]>();
  for (const option of options) {
    const { name, value } = option;
    const member = NAMED.has(name) ? `${name} ${value?.replace(/=.*$/s, "")}` : name;
    members.set(member, NAMED.has(name) ? [option] : [...(members.get(member) ?? []), option]);
  }
  return [...members].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, some]) => some);
}

function splitOptions(written: readonly { readonly text: string; readonly at: Place }[]): BuildOption[] {
  const options: BuildOption[] = [];
  for (let at = 0; at < written.length; at++) {
    const item = written[at];
    if (item === undefined) break;
    const { name, value } = splitOption(item);
    const takesNext = value === undefined && takesValue(name, written[at + 1]?.text);
    if (takesNext) at++;
    const next = takesNext ? written[at]?.text : value;
    if (takesNext && next === undefined) throw withoutValue({ name, value, at: item.at });
    options.push({ name, value: next, at: item.at });
  }
  return options;
}

function splitOption({ text, at }: { readonly text: string; readonly at: Place }): Pick<BuildOption, "name" | "value"> {
  const long = /^--([A-Za-z][A-Za-z0-9-]*)(?:=(.*))?$/s.exec(text);
  if (long?.[1] !== undefined) return { name: long[1], value: long[2] };
  const [, letter = "", rest = ""] = /^-([A-Za-z])=?(.*)$/s.exec(text) ?? [];
  const name = SHORT[letter];
  if (name !== undefined) return { name, value: rest === "" ? undefined : rest };
  throw new ActionError("E_CONFIG", {
    what: `build.options holds "${text}", which is no option of docker build.`,
    fix: 'Write each option as one text, like "--network=host", or an option and its value one after the other.',
    at,
  });
}

/** What stands behind an option that nobody knows is taken for its value, unless it looks like the next option. */
function takesValue(name: string, next: string | undefined): boolean {
  if (Object.hasOwn(WITH_VALUE, name)) return true;
  return !Object.hasOwn(WITHOUT_VALUE, name) && next !== undefined && !next.startsWith("-");
}

function meaningOf(name: string): Meaning | undefined {
  if (Object.hasOwn(WITH_VALUE, name)) return WITH_VALUE[name];
  return Object.hasOwn(WITHOUT_VALUE, name) ? WITHOUT_VALUE[name] : undefined;
}

function splitPair(option: BuildOption): BuildOptionPair {
  const { value = "", at } = option;
  const split = value.indexOf("=");
  const name = split < 0 ? value : value.slice(0, split);
  if (name === "") throw withoutValue(option);
  return { name, value: split < 0 ? undefined : value.slice(split + 1), at };
}

function withoutValue({ name, at }: BuildOption): ActionError {
  return new ActionError("E_CONFIG", {
    what: `build.options holds --${name} without a value.`,
    fix: `Write "--${name}=<value>".`,
    at,
  });
}

function refusal(option: BuildOption, why: string): ActionError {
  return new ActionError("E_CONFIG", {
    what: `build.options holds ${formatOption(option)}, with which nothing can be cached: ${why}.`,
    fix: "Take the option out.",
    at: option.at,
  });
}
