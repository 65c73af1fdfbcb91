import { nameContexts } from "../dockerfile/named-contexts.ts";
import type { Dockerfile, Stage } from "../dockerfile/parse.ts";
import { reachableStages } from "../dockerfile/reach.ts";
import type { Scope } from "../dockerfile/scope.ts";
import type { Platform } from "../oci/platform.ts";
import type { Effort } from "../world.ts";
import type { BuildArguments } from "./build-arguments.ts";
import type { Definition } from "./definition-shape.ts";

type Scoped = { readonly arguments: BuildArguments; readonly definition: Definition; readonly effort: Effort };

/** The stages that may take part in the build for one platform. */
export function stagesOf(gathered: Scoped & { readonly dockerfile: Dockerfile }, platform: Platform): readonly Stage[] {
  const { dockerfile, definition } = gathered;
  return reachableStages(dockerfile, definition.target?.value, scopeOf(gathered, platform));
}

/** What the Dockerfile's variables stand for, for one platform. */
export function scopeOf({ arguments: { args, uncounted }, definition, effort }: Scoped, platform: Platform): Scope {
  const contexts = [...definition.contexts].map(
    ([name, { kind, value }]) => [name, kind === "image" ? value : undefined] as const,
  );
  return {
    args: new Map(Object.entries({ ...uncounted, ...args })),
    platform,
    contexts: nameContexts(contexts),
    effort,
  };
}
