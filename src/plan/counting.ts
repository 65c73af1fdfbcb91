import type { ImageNames } from "../dockerfile/image-names.ts";
import type { Instruction } from "../dockerfile/parse.ts";
import { declaredBy, usedGlobalArgs } from "../dockerfile/reach.ts";
import { declaredArgs, declaredNames, declaresAny } from "../dockerfile/stages.ts";
import { actsUndeclared } from "../dockerfile/undeclared.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { stagesOf } from "../sources/scopes.ts";
import type { Gathered } from "../sources/sources.ts";
import { namesDeclared } from "./onbuild-args.ts";

/** The ARGs before the first FROM that the stages for a platform may use, or what an ONBUILD trigger declares in one of them. */
export function globalArgsThatCount(gathered: Gathered, platform: Platform): readonly Instruction[] {
  return usedGlobalArgs(gathered.dockerfile, stagesOf(gathered, platform), namesTriggered(gathered, platform));
}

/** Of these the ones that count as they are written: what others stand for is told in the names of bases. */
export function globalArgsTold(gathered: Gathered, platform: Platform, { bases }: ImageNames): readonly Instruction[] {
  return usedGlobalArgs(gathered.dockerfile, stagesOf(gathered, platform), namesTriggered(gathered, platform), bases);
}

/** The names that ONBUILD triggers of what the stages are built on declare, as far as these are known. */
export function namesTriggered({ triggers }: Gathered, platform: Platform): readonly string[] {
  return namesDeclared(triggers.get(formatPlatform(platform)) ?? []);
}

/** The build args that count for a platform: one that only other stages declare changes nothing in those that it needs. */
export function argumentsThatCount(gathered: Gathered, platform: Platform): Readonly<Record<string, string>> {
  const { dockerfile, arguments: told } = gathered;
  const globals = globalArgsThatCount(gathered, platform).flatMap(declaredNames);
  const stages = stagesOf(gathered, platform);
  if (declaresAny(stages)) return told.args;
  const used = new Set([...declaredBy(stages), ...globals]);
  const declared = declaredArgs(dockerfile);
  return Object.fromEntries(
    Object.entries(told.args).filter(([name]) => used.has(name) || !declared.has(name) || actsUndeclared(name)),
  );
}

/** What a base may declare with ONBUILD: its config says. A stage that this target does not need may declare the same name. */
export function undeclaredArguments(
  gathered: Gathered,
  platforms: readonly Platform[],
): Readonly<Record<string, string>> {
  const { args, undeclared } = gathered.arguments;
  const counting = platforms.map((platform) => argumentsThatCount(gathered, platform));
  const others = Object.entries(args).filter(([name]) => counting.some((some) => !Object.hasOwn(some, name)));
  return { ...undeclared, ...Object.fromEntries(others) };
}
