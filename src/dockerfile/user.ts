import { openScopes } from "./environment.ts";
import { expandWord } from "./expand.ts";
import { stageReplacement } from "./named-contexts.ts";
import { type Dockerfile, withTriggers } from "./parse.ts";
import type { Scope } from "./scope.ts";
import { stagesBelow } from "./stages.ts";

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
  const running = stagesBelow(dockerfile, target, scope).filter((stage) => !stageReplacement(scope, stage));
  const lowest = running.at(-1);
  const whole = lowest ? withTriggers(dockerfile, lowest.from.line, base.triggers) : dockerfile;
  const known = { ...scope, baseEnvironment: new Map(Object.entries(base.env)) };
  const scopes = openScopes(whole, known);
  for (const { index } of running) {
    const stage = whole.stages[index];
    const said = stage && scopes(stage).findLast(({ instruction }) => instruction.keyword === "USER");
    if (!said) continue;
    const { instruction, lookup } = said;
    const expanded = expandWord(instruction.rest, lookup, instruction.escape);
    if (expanded.kind === "unresolved") return { ...expanded, line: instruction.line };
    return { kind: "user", user: expanded.text === "" ? "root" : expanded.text };
  }
  return { kind: "user", user: base.user === "" ? "root" : base.user };
}
