import { parseSecrets, type Secret } from "../arguments/secrets.ts";
import { parseSsh } from "../arguments/ssh.ts";
import type { BuildOption } from "../devcontainer/options.ts";
import { pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { ActionError } from "../errors.ts";
import type { Definition } from "./definition-shape.ts";

/**
 * The secret that an option of `build.options` names.
 * @returns nothing for another option.
 * @throws ActionError E_CONFIG for what is no secret, or a file outside the workspace: a commit must not read the runner's files.
 */
export function secretOption(option: BuildOption, workspace: string): Definition["secrets"] {
  if (option.name !== "secret") return [];
  const { at } = option;
  return readSecret(option).map((secret) => {
    if (secret.source.kind === "env") return { ...secret, at };
    return { ...secret, at, source: { kind: "file", written: confined(secret.source.written, option, workspace) } };
  });
}

/** Its message would name an input, and where it is wrong could hold the secret itself. */
function readSecret(option: BuildOption): readonly Secret[] {
  try {
    return parseSecrets(option.value ?? "");
  } catch {
    throw wrong(
      option,
      "cannot be read",
      'Write "--secret=id=npm,env=NPM_TOKEN" or "--secret=id=npm,src=path/of/file".',
    );
  }
}

/**
 * The agent or keys that an option of `build.options` names.
 * @returns nothing for another option.
 * @throws ActionError E_CONFIG for what is neither, or lies outside the workspace.
 */
export function sshOption(option: BuildOption, workspace: string): Definition["ssh"] {
  if (option.name !== "ssh") return [];
  const ssh = parseSsh(option.value ?? "");
  if ("wrong" in ssh) throw wrong(option, `cannot be read: ${ssh.wrong}`, 'Write "--ssh=default".');
  return [{ ...ssh, at: option.at, written: ssh.written.map((path) => confined(path, option, workspace)) }];
}

function confined(path: string, option: BuildOption, workspace: string): string {
  const full = resolvePath(workspace, path);
  if (pathWithin(workspace, full) !== undefined) return full;
  throw wrong(
    option,
    "names a file outside the workspace",
    "Name it in the input build-secrets or ssh instead, where the workflow decides.",
  );
}

function wrong({ name, at }: BuildOption, what: string, fix: string): ActionError {
  return new ActionError("E_CONFIG", { what: `build.options holds a --${name} that ${what}.`, fix, at });
}
