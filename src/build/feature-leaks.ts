import { formatPath } from "../devcontainer/json.ts";
import { type AskedFeature, nameFeature } from "../features/asked.ts";
import type { InstalledFeature } from "../features/install.ts";
import { judgeTexts, refuseToBuild, warningsOf } from "../plan/leaks.ts";
import { type PublishedText, textsOfJson } from "../plan/published.ts";
import type { Log } from "../world.ts";
import type { BuildTask } from "./task.ts";

/**
 * Judges what features bring along by themselves, which is known only once they were fetched, as everything else was judged before.
 * @throws ActionError E_FEATURE where a secret of this run would be pushed with the image.
 */
export function judgeFeatures(
  features: readonly InstalledFeature[],
  { inputs, sources, output }: Pick<BuildTask, "inputs" | "sources" | "output">,
  { warning }: Pick<Log, "warning">,
): void {
  const { leaks, warnings } = judgeTexts(features.flatMap(textsOfFeature), inputs, sources.build);
  for (const { text, at } of warnings) warning(text, at);
  refuseToBuild(leaks, { pushes: output.kind === "push" });
  for (const { text, at } of warningsOf(leaks)) warning(text, at);
}

function textsOfFeature({ asked, options, metadata, label }: InstalledFeature): readonly PublishedText[] {
  const place = (what: string) =>
    ({ leaves: "image", code: "E_FEATURE", tell: () => placeOfFeature(asked, what) }) as const;
  const texts = (what: string, pairs: Iterable<readonly [string, string]>): readonly PublishedText[] =>
    [...pairs].map(([name, value]) => ({ text: value, values: [value], ...place(`${what} ${name}`) }));
  return [
    ...texts("The option", options),
    ...texts("The variable", metadata.containerEnv),
    ...textsOfJson(label, [], (path) => place(`The property ${formatPath(path)}`)),
  ];
}

function placeOfFeature(asked: AskedFeature, what: string): ReturnType<PublishedText["tell"]> {
  return { what: `${what} of the ${nameFeature(asked)}`, ...(asked.at ? { at: asked.at } : {}) };
}
