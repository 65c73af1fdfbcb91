import { isSecretOption } from "../envbuilder/options.ts";
import { environmentLines } from "../handover/handover.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import type { Handover } from "../report/report.ts";
import type { HoldsSecret } from "../sources/known-secrets.ts";
import type { Files } from "../world.ts";

/**
 * Writes down what the builder image, or the cached one in its place, is to be run with: as the Terraform resource computes it, in two files
 * that hold the secrets too.
 * @returns the values, those that no output may show marked as private.
 */
export async function handOverEnvironment(
  { environment }: EnvbuilderInputs,
  holdsSecret: HoldsSecret,
  files: Files,
): Promise<Handover> {
  const env = new Map(
    [...environment.variables].map(([name, value]) => {
      const isPrivate = isSecretOption(name) || hasLogin(value) || holdsSecret(value);
      return [name, { value, isPrivate }] as const;
    }),
  );
  const folder = await files.temporaryFolder("env", { keep: true });
  const plain = Object.fromEntries(environment.variables);
  const [envFile, envMapFile] = [`${folder}/builder.env`, `${folder}/builder-env.json`];
  await files.write(envFile, environmentLines(plain), 0o600);
  await files.write(envMapFile, `${JSON.stringify(plain)}\n`, 0o600);
  return { options: "", remoteUser: "", metadata: {}, env, envFile, envMapFile };
}

/** An address with a password in it. */
function hasLogin(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/\s@]+@/i.test(value);
}
