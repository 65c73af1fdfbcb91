import { formatPath, type Json, type JsonPath } from "../devcontainer/json.ts";
import { placeOf } from "../devcontainer/parse.ts";
import { folderOf } from "../devcontainer/paths.ts";
import type { Substituted } from "../devcontainer/substitute.ts";
import { ActionError } from "../errors.ts";
import type { ComposeRequest } from "./find.ts";

/**
 * What a devcontainer.json with `dockerComposeFile` asks of compose.
 * @param configFile absolute path of devcontainer.json.
 * @throws E_CONFIG where the service is not named, and where something is no text.
 */
export function composeRequest(
  configuration: Substituted,
  configFile: string,
  { workspace, checkout, env, withheld }: Pick<ComposeRequest, "workspace" | "checkout" | "env" | "withheld">,
): ComposeRequest {
  const { dockerComposeFile } = configuration.json;
  const path = ["dockerComposeFile"];
  const files = Array.isArray(dockerComposeFile)
    ? dockerComposeFile.map((file: Json, index) => textOf(configuration, [...path, index], file))
    : [textOf(configuration, path, dockerComposeFile)];
  return {
    workspace,
    checkout,
    folder: folderOf(configFile),
    files,
    service: serviceOf(configuration),
    env,
    withheld,
    at: { files: placeOf(configuration, path), service: placeOf(configuration, ["service"]) },
  };
}

function serviceOf(configuration: Substituted): string {
  const { service } = configuration.json;
  if (service !== undefined && service !== null && service !== "") return textOf(configuration, ["service"], service);
  throw new ActionError("E_CONFIG", {
    what: "dockerComposeFile is there, but service does not say which of its services is the dev container.",
    fix: 'Add "service": "…" with the name of one.',
    at: placeOf(configuration, ["dockerComposeFile"]),
  });
}

function textOf(configuration: Substituted, path: JsonPath, value: Json | undefined): string {
  if (typeof value === "string" && value !== "") return value;
  throw new ActionError("E_CONFIG", {
    what: `${formatPath(path)} is ${JSON.stringify(value) ?? "missing"}, which is not a text.`,
    fix: `Correct it in ${configuration.file}.`,
    at: placeOf(configuration, path),
  });
}
