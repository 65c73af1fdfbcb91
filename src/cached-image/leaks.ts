import { isSecretOption } from "../envbuilder/options.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { joined, judgeWith, refuseLeaks } from "../plan/leaks.ts";
import { linesOf } from "../plan/published.ts";
import { knownSecrets, openFinder, proxyPasswords } from "../sources/known-secrets.ts";
import type { World } from "../world.ts";
import type { Definition } from "./definition.ts";

/**
 * Looks through what a builder would publish, the Dockerfile and devcontainer.json, for what the run knows to be secret.
 * @throws ActionError with the place, where this run may have the builder build and push.
 */
export async function refuseLeaking(
  { dockerfile, written, file }: Definition,
  inputs: Inputs,
  { log, ...world }: Pick<World, "files" | "host"> & { readonly log: Pick<World["log"], "warning"> },
): Promise<void> {
  const { event, workspace } = world.host;
  const given = [...(inputs.envbuilder?.environment.variables ?? [])].flatMap(([name, value]) =>
    isSecretOption(name) ? [{ name: `the variable ${name} of the builder`, value }] : [],
  );
  const secrets = (inputs.envbuilder?.environment.options.ENVBUILDER_BUILD_SECRETS ?? []).map((one) => ({
    name: "a secret of the builder",
    value: one.slice(one.indexOf("=") + 1),
  }));
  const known = [
    ...(await knownSecrets({ inputs, workspace }, world)),
    ...(await proxyPasswords(world)),
    ...given,
    ...secrets,
  ];
  const texts = [
    ...linesOf(dockerfile.text, dockerfile.file, "E_DOCKERFILE"),
    ...(written === undefined ? [] : linesOf(written, file, "E_CONFIG")),
  ];
  const find = openFinder(event.isFork ? [] : known, { isPublic: () => true, all: joined(texts) });
  const { leaks, warnings } = judgeWith(texts, find);
  for (const { text, at } of [...refuseLeaks(leaks, inputs, event), ...warnings]) log.warning(text, at);
}
