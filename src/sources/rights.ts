import { formatOption } from "../devcontainer/options.ts";
import type { Warning } from "../errors.ts";
import type { CountedOption, Definition } from "./definition-shape.ts";

/** These say what is in the image, or what its steps see of the network's names; none of them gives a right on the machine. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...["add-host", "annotation", "build-context", "label", "shm-size", "ulimit"],
]);

/** The network of the builder's own, and none. */
const OWN_NETWORKS: ReadonlySet<string | undefined> = new Set(["default", "none"]);

/**
 * The options of a configuration that a fork's does not get: those with which RUN reaches what belongs to the machine (entitlements, its
 * network, another cgroup, other security options), and those that nobody here knows. Builders grant them: the one of
 * docker/setup-buildx-action does. They stay in the key, so that a fork finds what its repository has built.
 * @param configured the options that the configuration names, and no input.
 */
export function rightsIn(configured: readonly CountedOption[]): readonly CountedOption[] {
  return configured.filter(({ name, value }) => (name === "network" ? !OWN_NETWORKS.has(value) : !HARMLESS.has(name)));
}

/** The options that buildx is told of those that count. */
export function grantedOptions({
  definition,
  refused,
}: {
  readonly definition: Pick<Definition, "counted">;
  readonly refused: readonly CountedOption[];
}): readonly CountedOption[] {
  return definition.counted.filter((option) => !refused.includes(option));
}

/** Each with its place; a value from the environment is not told. */
export function refusedRights(refused: readonly CountedOption[]): Warning[] {
  return refused.map((option) => ({
    text: `${option.fromEnvironment ? `--${option.name}` : formatOption(option)} is left out of the build: this run counts as a fork's, whose configuration gets no rights on this machine`,
    at: option.at,
  }));
}
