import { expandWord, type Lookup } from "./expand.ts";
import { type Dockerfile, type Stage, withTriggers } from "./parse.ts";
import { BUILDERS_OWN, globalLookup, parentStage, type Scope, stageScopes } from "./scope.ts";
import { targetStage } from "./stages.ts";

/** What the config of the image that the target stands on says: https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md */
export type BaseConfig = {
  /** Empty where the image names none. */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  /** `OnBuild`. */
  readonly triggers: readonly string[];
};

/** A user as the image will name it, or the variables in a USER instruction that nobody knows before the build. */
export type FinalUser =
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "unresolved"; readonly names: readonly string[]; readonly line: number };

/**
 * The user of the built image: the last USER of the target and of the stages below it, else the base image's own, else root.
 * @throws ActionError E_DOCKERFILE where there is no such target.
 */
export function finalUser(
  dockerfile: Dockerfile,
  target: string | undefined,
  scope: Scope,
  base: BaseConfig,
): FinalUser {
  const chain = chainOf(dockerfile, targetStage(dockerfile, target), globalLookup(dockerfile, scope));
  const lowest = chain.at(-1);
  const whole = lowest ? withTriggers(dockerfile, lowest.from.line, base.triggers) : dockerfile;
  for (const { index } of chain) {
    const stage = whole.stages[index];
    const said = stage && stageScopes(whole, stage, scope).findLast(({ instruction }) => instruction.keyword === "USER");
    if (!said) continue;
    const { instruction, lookup } = said;
    const expanded = expandWord(instruction.rest, withBaseEnvironment(lookup, base.env), instruction.escape);
    if (expanded.kind === "unresolved") return { ...expanded, line: instruction.line };
    return { kind: "user", user: expanded.text === "" ? "root" : expanded.text };
  }
  return { kind: "user", user: base.user === "" ? "root" : base.user };
}

/** The stage itself first, then those below it. */
function chainOf(dockerfile: Dockerfile, stage: Stage, outside: Lookup): Stage[] {
  const parent = parentStage(dockerfile, stage, outside);
  return parent ? [stage, ...chainOf(dockerfile, parent, outside)] : [stage];
}

/** What is unknown without the base image is known now, but for what the builder says of itself. */
function withBaseEnvironment(lookup: Lookup, env: BaseConfig["env"]): Lookup {
  return (name) => {
    const known = lookup(name);
    if (known.kind !== "unknown" || BUILDERS_OWN.includes(name)) return known;
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    return value === undefined ? { kind: "unset" } : { kind: "value", value };
  };
}
