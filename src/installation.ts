import { placeOf } from "./devcontainer/parse.ts";
import { type Substituted, substitutionAt } from "./devcontainer/substitute.ts";
import { ActionError } from "./errors.ts";

/**
 * The users and the environment that features are installed with, as the configuration says, variables replaced.
 * @returns what goes into the plan, and the names of what came from the environment.
 */
export function installationOf(configuration: Substituted): {
  readonly values: Readonly<Record<string, string>>;
  readonly hidden: readonly string[];
} {
  const { containerUser, remoteUser } = configuration.json;
  const users = Object.entries({ containerUser, remoteUser }).map(([name, value]) => ({ name, path: [name], value }));
  const env = containerEnvironment(configuration).map(([name, value]) => ({
    name: `containerEnv.${name}`,
    path: ["containerEnv", name],
    value,
  }));
  const all = [...users, ...env].flatMap(({ name, path, value }) =>
    typeof value === "string" && value !== "" ? [{ name, path, value }] : [],
  );
  return {
    values: Object.fromEntries(all.map(({ name, value }) => [name, value])),
    hidden: all.flatMap(({ name, path }) => (substitutionAt(configuration, path)?.fromEnvironment ? [name] : [])),
  };
}

/**
 * The configuration's `containerEnv`, variables replaced, in the order of the file.
 * @throws ActionError E_CONFIG for a value that is no text.
 */
export function containerEnvironment(configuration: Substituted): readonly (readonly [string, string])[] {
  const { containerEnv } = configuration.json;
  if (typeof containerEnv !== "object" || containerEnv === null || Array.isArray(containerEnv)) return [];
  return Object.entries(containerEnv).map(([name, value]) => {
    if (typeof value === "string") return [name, value];
    throw new ActionError("E_CONFIG", {
      what: `containerEnv.${name} is not a text.`,
      fix: "Put it into double quotes.",
      at: placeOf(configuration, ["containerEnv", name]),
    });
  });
}
