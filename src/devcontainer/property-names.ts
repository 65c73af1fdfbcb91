import { nearestName } from "../nearest.ts";
import { formatPath, isJsonObject, type JsonObject, type JsonPath } from "./json.ts";
import { type Configuration, placeOf, type Warning } from "./parse.ts";

/** What the specification knows, the old names too. Other tools have properties of their own beside these. */
const TOP: readonly string[] = [
  ...["name", "image", "build", "dockerFile", "context", "dockerComposeFile", "service", "runServices", "features"],
  ...["overrideFeatureInstallOrder", "containerEnv", "remoteEnv", "containerUser", "remoteUser", "updateRemoteUserUID"],
  ...["userEnvProbe", "overrideCommand", "shutdownAction", "runArgs", "init", "privileged", "capAdd", "securityOpt"],
  ...["mounts", "workspaceMount", "workspaceFolder", "appPort", "forwardPorts", "portsAttributes"],
  ...["otherPortsAttributes", "customizations", "extensions", "settings", "devPort", "hostRequirements", "secrets"],
  ...["initializeCommand", "onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand"],
  ...["postAttachCommand", "waitFor", "$schema"],
];
const INSIDE: readonly (readonly [name: string, known: readonly string[]])[] = [
  ["build", ["dockerfile", "context", "target", "args", "cacheFrom", "options"]],
  ["hostRequirements", ["cpus", "memory", "storage", "gpu"]],
];

/** Nobody has more of his own, and each is compared with every known one. */
const MOST_COMPARED = 100;

/**
 * Warns of names that are none of the specification's and look like one of them: everybody passes over what they do not know, without a word.
 * A name that looks like none may be another tool's.
 * @see https://containers.dev/implementors/json_reference/
 */
export function propertyNameWarnings(configuration: Pick<Configuration, "raw" | "lines" | "file">): readonly Warning[] {
  const { raw } = configuration;
  const told = (object: JsonObject, around: JsonPath, known: readonly string[]): readonly Warning[] => {
    const unknown = Object.keys(object).filter((name) => !known.includes(name));
    return unknown.slice(0, MOST_COMPARED).flatMap((name) => {
      const near = nearestName(name, known);
      if (near === undefined) return [];
      const path = [...around, name];
      const text = `There is no property ${formatPath(path)}: it does nothing. Was ${formatPath([...around, near])} meant?`;
      return [{ text, at: placeOf(configuration, path) }];
    });
  };
  return [
    ...told(raw, [], TOP),
    ...INSIDE.flatMap(([name, known]) => {
      const value = raw[name];
      return isJsonObject(value) ? told(value, [name], known) : [];
    }),
  ];
}
