import type { Place } from "../errors.ts";
import type { Platform } from "../oci/platform.ts";
import type { Effort } from "../world.ts";
import { type Expanded, expandWord, type Lookup, type Value } from "./expand.ts";
import type { NamedContexts } from "./named-contexts.ts";
import type { Dockerfile } from "./parse.ts";
import { argWords } from "./words.ts";

/** What a build is told from outside. Without a platform the target's own variables are unknown. */
export type Scope = {
  readonly args: ReadonlyMap<string, string>;
  readonly platform: Platform | undefined;
  /** Named build contexts: each stands in the place of the image of that name, as another image or, `undefined`, as a folder. */
  readonly contexts?: NamedContexts;
  /** The environment of the base image, for who asks about the stages on that base alone. Without it, what the base could set is unknown. */
  readonly baseEnvironment?: ReadonlyMap<string, string>;
  /** Told of what variables put in, and of instructions that triggers repeat. */
  readonly effort?: Effort;
};

export const UNSET: Value = { kind: "unset" };
export const UNKNOWN: Value = { kind: "unknown" };

/** What the builder says of itself: nobody knows it beforehand. */
export const BUILDERS_OWN: readonly string[] = [
  "BUILDPLATFORM",
  "BUILDOS",
  "BUILDOSVERSION",
  "BUILDARCH",
  "BUILDVARIANT",
];

/** What newer frontends call the arg that holds the name of the stage that is built. */
export const STAGE_NAME = "TARGETSTAGE";

/** The names that a platform has in FROM without being declared: a build arg of that name is told there in its place, declared or not. */
export const PLATFORM_ARGS: readonly string[] = [
  ...BUILDERS_OWN,
  ...["TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", STAGE_NAME],
];

/**
 * What variables stand for in FROM: the platform's own, the ARGs before the first FROM, and the build args that override both.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/platform.go (defaultArgs), convert.go (buildMetaArgs)
 */
export function globalLookup(dockerfile: Dockerfile, scope: Scope): Lookup {
  const values = new Map(platformArgs(scope).map(([name, value]) => [name, givenValue(name, scope) ?? value]));
  const known: Lookup = (name) => values.get(name) ?? UNSET;
  for (const { rest, escape: escapeChar, line } of dockerfile.globalArgs) {
    const lookup = counted(known, scope, { file: dockerfile.file, line });
    for (const { name, value } of argWords(rest, escapeChar)) {
      const given = givenValue(name, scope);
      // Without a default and not given it leaves everything as it was.
      if (given) values.set(name, given);
      else if (value !== undefined) values.set(name, defaultValue(name, expandWord(value, lookup, dockerfile.escape)));
    }
  }
  return known;
}

/** A look-up that tells of the characters it puts in: a long value that is used again and again is as large as all its uses. */
export function counted(lookup: Lookup, { effort }: Scope, at: Place): Lookup {
  if (!effort) return lookup;
  return (name) => {
    const value = lookup(name);
    effort.spend(value.kind === "value" ? GROWTH * value.value.length : 1, at);
    return value;
  };
}

/** A character that is put in is copied, compared with patterns, and copied again. */
const GROWTH = 4;

/** The value that a build arg has from outside. */
export function givenValue(name: string, { args }: Scope): Value | undefined {
  const given = args.get(name);
  return given === undefined ? undefined : settle(name, given);
}

function defaultValue(name: string, expanded: Expanded): Value {
  return expanded.kind === "text" ? settle(name, expanded.text) : UNKNOWN;
}

/**
 * Newer frontends take the name of a stage or context for SOURCE_DATE_EPOCH and put a time in its place; older ones do not.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/epoch.go
 */
function settle(name: string, value: string): Value {
  if (name === "SOURCE_DATE_EPOCH" && !/^(?:|0|-?[1-9][0-9]{0,17})$/.test(value)) return UNKNOWN;
  return { kind: "value", value };
}

function platformArgs({ platform }: Scope): readonly (readonly [string, Value])[] {
  const told = (value: string): Value => (platform === undefined ? UNKNOWN : { kind: "value", value });
  const { os = "", architecture = "", variant } = platform ?? {};
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  return [
    ...BUILDERS_OWN.map((name): [string, Value] => [name, UNKNOWN]),
    ["TARGETPLATFORM", told(parts.join("/"))],
    ["TARGETOS", told(os)],
    ["TARGETOSVERSION", os === "linux" ? told("") : UNKNOWN],
    ["TARGETARCH", told(architecture)],
    ["TARGETVARIANT", told(variant ?? "")],
    // The scope does not say which stage is built, and older frontends do not know the name.
    [STAGE_NAME, UNKNOWN],
  ];
}
