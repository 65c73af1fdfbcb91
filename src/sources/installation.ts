import { formatPath, isJsonObject, type JsonPath } from "../devcontainer/json.ts";
import { placeOf } from "../devcontainer/parse.ts";
import { readRunArgs, userOfRunArgs } from "../devcontainer/run-args.ts";
import { type Substituted, substitutionAt } from "../devcontainer/substitute.ts";
import { ActionError } from "../errors.ts";
import type { Written } from "./definition-shape.ts";

/**
 * The users and the environment that features are installed with, as the configuration says, variables replaced.
 * @param serviceUser of a compose service: what is added to the image is for it where nobody else is named.
 * @param hasFeatures without them the users alone count.
 * @param renumbers whether who works in the container gets another uid: then whom `runArgs` start it as counts too.
 * @returns what goes into the plan, and the names of what came from the environment.
 * @throws ActionError E_CONFIG for a user or a value that is no text.
 */
export function installationOf(
  configuration: Substituted,
  serviceUser: Written | undefined,
  { hasFeatures, renumbers = false }: { readonly hasFeatures: boolean; readonly renumbers?: boolean },
): {
  readonly values: Readonly<Record<string, string>>;
  readonly hidden: readonly string[];
} {
  const { containerUser, remoteUser } = configuration.json;
  const users = Object.entries({ containerUser, remoteUser }).map(([name, value]) => {
    if (value === undefined || value === null || typeof value === "string") return { name, path: [name], value };
    throw wrongType(configuration, [name], "a text");
  });
  const env = (hasFeatures ? containerEnvironment(configuration) : []).map(([name, value]) => ({
    name: `containerEnv.${name}`,
    path: ["containerEnv", name],
    value,
  }));
  // An empty user is none; an empty variable goes over the one that the image has.
  const named = users.flatMap(({ name, path, value }) => (value ? [{ name, path, value }] : []));
  const all = [...named, ...env];
  const started = renumbers ? userOfRunArgs(readRunArgs(configuration)) : undefined;
  const hidden = all.flatMap(({ name, path }) => (substitutionAt(configuration, path)?.fromEnvironment ? [name] : []));
  return {
    values: {
      ...Object.fromEntries(all.map(({ name, value }) => [name, value])),
      ...(serviceUser ? { serviceUser: serviceUser.value } : {}),
      ...(started ? { runArgsUser: started.name } : {}),
    },
    hidden: [
      ...hidden,
      ...(serviceUser?.fromEnvironment ? ["serviceUser"] : []),
      ...(started?.isPrivate ? ["runArgsUser"] : []),
    ],
  };
}

/**
 * The configuration's `containerEnv`, variables replaced, in the order of the file.
 * @throws ActionError E_CONFIG for a value that is no text.
 */
export function containerEnvironment(configuration: Substituted): readonly (readonly [string, string])[] {
  const { containerEnv } = configuration.json;
  if (containerEnv === undefined || containerEnv === null) return [];
  if (!isJsonObject(containerEnv)) throw wrongType(configuration, ["containerEnv"], "an object");
  return Object.entries(containerEnv).map(([name, value]) => {
    if (typeof value === "string") return [name, value];
    throw wrongType(configuration, ["containerEnv", name], "a text");
  });
}

function wrongType(configuration: Substituted, path: JsonPath, wanted: string): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${formatPath(path)} is not ${wanted}, and what is added to the image depends on it.`,
    fix: wanted === "a text" ? "Put it into double quotes." : 'Write it as { "NAME": "value" }.',
    at: placeOf(configuration, path),
  });
}
