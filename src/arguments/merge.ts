import { LONGEST_ARGUMENT } from "../buildx/args.ts";
import { tellSome } from "../errors.ts";
import { nearestName } from "../nearest.ts";
import { type Argument, type NamePattern, type Origin, refuse, tellOrigin, type Warning, warn } from "./argument.ts";
import { compileGlob } from "./glob.ts";
import { tellLikeSecret } from "./like-secret.ts";

/** Build args from everywhere, weakest first, and what decides about them. */
export type Given = {
  /** The proxies of Docker's own configuration: docker gives them to every build. */
  readonly machine: readonly Argument[];
  readonly configuration: readonly Argument[];
  readonly files: readonly Argument[];
  readonly input: readonly Argument[];
  readonly environment: Readonly<Record<string, string>>;
  /** Those that fit are told the build and do not count for the key. */
  readonly ignore: readonly NamePattern[];
  /** The names that ARG declares anywhere in the Dockerfile. */
  readonly declared: { readonly has: (name: string) => boolean; readonly keys: () => Iterable<string> };
  /** The names that act although nothing declares them: no pattern takes them out of the key. */
  readonly actsUndeclared: (name: string) => boolean;
  /** Whether the frontend acts on whatever it is told. It hears of the build arg BUILDKIT_SYNTAX, which may choose another one. */
  readonly takesAll: (syntax: string | undefined) => boolean;
  /** How messages name the Dockerfile; nothing where none is built. */
  readonly dockerfile: string | undefined;
  /** What to say of a variable that a commit's files may not read, though it is set. */
  readonly withheld: (name: string) => string | undefined;
  /** Tells whether a value is, or holds, one of the run's secrets. */
  readonly isSecret: (value: string) => boolean;
};

/**
 * A build arg as the build is told it. `counts`: it is part of the key. `isUndeclared`: the Dockerfile does not declare it, and a base may
 * do that with ONBUILD: then it counts too.
 */
export type MergedArgument = {
  readonly value: string;
  readonly origin: Origin;
  readonly counts: boolean;
  readonly isUndeclared: boolean;
  /** Only its name is written, and the variable of that name gives the value. */
  readonly isVariable: boolean;
};

export type MergedArguments = {
  /** Sorted by name. */
  readonly values: ReadonlyMap<string, MergedArgument>;
  /** By name, what to say of those that the Dockerfile does not declare, unless a base does that. */
  readonly undeclared: ReadonlyMap<string, Warning>;
  readonly warnings: readonly Warning[];
};

/**
 * Reads one item of these inputs: a name, or a pattern with `*`, `?` and `[…]`.
 * @returns the pattern, or a sentence that says what is wrong.
 */
export function parseNamePattern(written: string): NamePattern | { readonly wrong: string } {
  if (!/^[\w*?[\]!^-]+$/.test(written)) return { wrong: "it is neither a name nor a pattern like CI_*" };
  return { written, matches: compileGlob(written) };
}

/**
 * Decides which build args the build is told: the input over files over devcontainer.json, later over earlier. A name whose variable is
 * not set changes nothing, as with docker.
 * @throws E_INPUT, or E_CONFIG where it stands in devcontainer.json, for a value that holds a secret or that no program can be given.
 * No message holds a value.
 */
export function mergeArguments(asked: Given): MergedArguments {
  const { chosen, warnings } = chooseValues(asked);
  const takesAll = asked.takesAll(chosen.get("BUILDKIT_SYNTAX")?.value);
  const given = takesAll ? { ...asked, declared: chosen } : asked;
  const values = [...chosen].map(([name, arg]) => [name, { ...arg, ...role(name, given) }] as const);
  for (const [name, argument] of values) refuseValue(name, argument, given);
  return {
    values: new Map(values.sort(([a], [b]) => (a < b ? -1 : 1))),
    undeclared: new Map(tellUndeclared(chosen, given)),
    warnings: [
      ...warnings,
      ...tellJoined(chosen, given),
      ...[...chosen].flatMap(([name, one]) => tellLikeSecret(name, one)),
      ...tellIdlePatterns(chosen, given),
    ],
  };
}

type Chosen = Pick<MergedArgument, "value" | "origin" | "isVariable">;

function chooseValues({ machine, configuration, files, input, environment, declared, withheld }: Given): {
  readonly chosen: ReadonlyMap<string, Chosen>;
  readonly warnings: readonly Warning[];
} {
  const chosen = new Map<string, Chosen>();
  const warnings: Warning[] = [];
  // Who does not declare it has the proxy all the same, and nothing of it in the image: docker tells it to the builder by itself.
  const proxies = machine.filter(({ name }) => declared.has(name));
  for (const { name, value, origin } of [...proxies, ...configuration, ...files, ...input]) {
    const why = value.kind === "text" || origin.kind === "input" ? undefined : withheld(name);
    const text = value.kind === "text" ? value.text : Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (why !== undefined) warnings.push(warn(origin, `Build arg ${name} (${tellOrigin(origin)}) reads ${why}`));
    else if (text !== undefined) chosen.set(name, { value: text, origin, isVariable: value.kind === "environment" });
    else
      warnings.push(
        warn(
          origin,
          `Build arg ${name} (${tellOrigin(origin)}) has no value: the step has no variable ${name}. It is left out`,
        ),
      );
  }
  return { chosen, warnings };
}

/** Docker's own: usable without being declared, and left out of its cache keys for the same reason as of ours. */
const PROXY = /^(HTTPS?|FTP|NO|ALL)_PROXY$/i;

function role(
  name: string,
  { declared, actsUndeclared, ignore }: Given,
): Pick<MergedArgument, "counts" | "isUndeclared"> {
  if (actsUndeclared(name)) return { counts: true, isUndeclared: false };
  const isIgnored = ignore.some(({ matches }) => matches(name));
  const isDeclared = declared.has(name);
  return { counts: isDeclared && !isIgnored, isUndeclared: !isDeclared && !isIgnored };
}

function refuseValue(name: string, { value, origin }: Chosen, { isSecret }: Given): void {
  const subject = `The value of build arg ${name} (${tellOrigin(origin)})`;
  if (name.includes("="))
    throw refuse(
      origin,
      `${tellOrigin(origin)} names the build arg ${JSON.stringify(name)}: docker would take what stands behind the = for the value of another one.`,
      "Take the = out of the name.",
    );
  if (origin.kind !== "docker" && isSecret(value))
    throw refuse(
      origin,
      `${subject} holds a secret, and whoever can pull the image can read its build args.`,
      "Pass it through the input build-secrets, and read it with RUN --mount=type=secret.",
    );
  if (`${name}${value}`.includes("\0"))
    throw refuse(origin, `${subject} holds a character 0, which no program can be told.`, "Take it out.");
  if (new TextEncoder().encode(`${name}=${value}`).length >= LONGEST_ARGUMENT)
    throw refuse(
      origin,
      `${subject} is longer than the system lets a program be told: 128 KiB with its name.`,
      "Put it into a file of the build context, and COPY that.",
    );
}

function tellUndeclared(
  chosen: ReadonlyMap<string, Chosen>,
  { declared, actsUndeclared, dockerfile }: Given,
): readonly (readonly [string, Warning])[] {
  const why = dockerfile === undefined ? "has no Dockerfile to go to" : `is not an ARG of ${dockerfile}`;
  const open = [...declared.keys()].filter((name) => !chosen.has(name)).slice(0, MOST_COMPARED);
  return [...chosen]
    .filter(([name]) => !declared.has(name) && !actsUndeclared(name) && !PROXY.test(name))
    .map(([name, { origin }], at) => {
      const meant = at < MOST_COMPARED ? nearestName(name, open) : undefined;
      const hint = meant === undefined ? "" : `. Was ${meant} meant?`;
      const text = `Build arg ${name} (${tellOrigin(origin)}) ${why}: it does nothing, and does not count for the key${hint}`;
      return [name, warn(origin, text)] as const;
    });
}

/** Each is compared with each, and nobody has more of them that are wrong. */
const MOST_COMPARED = 100;

/** Line breaks stand between build args here; other inputs of lists take commas as well, and a shell's command line blanks. */
function tellJoined(chosen: ReadonlyMap<string, Chosen>, { declared }: Given): readonly Warning[] {
  return [...chosen].flatMap(([name, { value, origin }]) => {
    if (origin.kind !== "input" && origin.kind !== "file") return [];
    const inside = [...value.matchAll(/(?:,\s*|\s)([A-Za-z_]\w*)=/g)];
    const meant = inside.filter(([, other = ""]) => declared.has(other) && !chosen.has(other));
    const [first] = meant;
    if (first === undefined) return [];
    const separator = first[0].startsWith(",") ? "comma" : "blank";
    const names = tellSome(meant.flatMap(([, other]) => other ?? []));
    const text = `Build arg ${name} (${tellOrigin(origin)}) has a ${separator} and ${names}= in its value, which the Dockerfile declares: build args stand one on each line`;
    return [warn(origin, text)];
  });
}

/** A typo here would have every build miss. */
function tellIdlePatterns(chosen: ReadonlyMap<string, Chosen>, { ignore }: Given): readonly Warning[] {
  return ignore
    .filter(({ matches }) => ![...chosen.keys()].some(matches))
    .map(({ written }) => ({ text: `The input ignore-args names ${written}, and there is no such build arg` }));
}
