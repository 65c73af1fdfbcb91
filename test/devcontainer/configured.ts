import { parseConfiguration } from "../../src/devcontainer/parse.ts";
import { type Substituted, substitute, type Variables } from "../../src/devcontainer/substitute.ts";

export const FILE = ".devcontainer/devcontainer.json";
export const WORKSPACE = "/home/dev/app";

/** A configuration text read and substituted, as the story does it. */
export function configured(text: string, localEnv: Variables["localEnv"] = {}): Substituted {
  return substitute(parseConfiguration(text, FILE), { localEnv, localWorkspaceFolder: WORKSPACE });
}
