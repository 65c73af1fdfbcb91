import { formatPath, isJsonObject, type JsonPath } from "./json.ts";
import { type Configuration, placeOf, type Warning } from "./parse.ts";

/** What only counts where no other way to say what is built goes over it, the strongest way first. */
const WAYS: readonly { readonly by: JsonPath; readonly over: readonly JsonPath[] }[] = [
  {
    by: ["dockerFile"],
    over: [["build", "dockerfile"], ["build", "context"], ["dockerComposeFile"], ["image"]],
  },
  { by: ["build", "dockerfile"], over: [["context"], ["dockerComposeFile"], ["image"]] },
  { by: ["dockerComposeFile"], over: [["build"], ["image"]] },
  { by: ["image"], over: [["build"]] },
];

/**
 * Warns of what stands beside a way to say what is built that goes over it: a Dockerfile over compose, compose over an image.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/devContainersSpecCLI.ts (doBuild)
 */
export function passedOverWarnings(configuration: Pick<Configuration, "raw" | "lines" | "file">): readonly Warning[] {
  const isThere = ([name = "", inner]: JsonPath): boolean => {
    const value = configuration.raw[name];
    if (!isJsonObject(value)) return inner === undefined && Boolean(value);
    return inner === undefined ? Object.keys(value).length > 0 : Boolean(value[inner]);
  };
  const way = WAYS.find(({ by }) => isThere(by));
  return (way?.over.filter(isThere) ?? []).map((path) => {
    const text = `${formatPath(path)} counts for nothing beside ${formatPath(way?.by ?? [])}, as in the reference CLI's build`;
    return { text, at: placeOf(configuration, path) };
  });
}
