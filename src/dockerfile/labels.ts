import { openScopes } from "./environment.ts";
import { expandWord } from "./expand.ts";
import { stageReplacement } from "./named-contexts.ts";
import type { Dockerfile } from "./parse.ts";
import type { Scope } from "./scope.ts";
import { stagesBelow } from "./stages.ts";
import { envWords } from "./words.ts";

/**
 * The names that LABEL sets in the target and in the stages below it. A name that only the build knows is not among them.
 * @throws ActionError E_DOCKERFILE where there is no such target.
 * @see https://docs.docker.com/reference/dockerfile/#label
 */
export function writtenLabels(dockerfile: Dockerfile, target: string | undefined, scope: Scope): ReadonlySet<string> {
  const running = stagesBelow(dockerfile, target, scope).filter((stage) => !stageReplacement(scope, stage));
  const labels = running
    .flatMap(openScopes(dockerfile, scope))
    .filter(({ instruction }) => instruction.keyword === "LABEL");
  return new Set(
    labels.flatMap(({ instruction: { rest, escape: escapeChar }, lookup }) =>
      envWords(rest, escapeChar).flatMap(({ name }) => {
        const expanded = expandWord(name, lookup, dockerfile.escape);
        return expanded.kind === "text" ? [expanded.text] : [];
      }),
    ),
  );
}
