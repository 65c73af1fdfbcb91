import { type Argument, type Origin, tellOrigin } from "../arguments/argument.ts";
import { readArgumentFiles } from "../arguments/files.ts";
import { type MergedArgument, mergeArguments } from "../arguments/merge.ts";
import { type FoundSecret, findSecrets, readSecretValues, secretArguments } from "../arguments/secrets.ts";
import { type FoundSsh, findSsh, sshArguments } from "../arguments/ssh.ts";
import { readProxies } from "../buildx/proxies.ts";
import type { Workspace } from "../devcontainer/paths.ts";
import type { Dockerfile } from "../dockerfile/parse.ts";
import { declaredArgs, declaresAny } from "../dockerfile/stages.ts";
import { actsUndeclared, isForeignFrontend } from "../dockerfile/undeclared.ts";
import { ActionError, type Place, type Warning } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Source } from "../key/difference.ts";
import type { Files, Host } from "../world.ts";
import type { Definition } from "./definition-shape.ts";
import { type GrantedSecrets, grantSecrets } from "./granted-secrets.ts";
import { openShown } from "./known-secrets.ts";
import { type Readable, tellWithheld } from "./readable.ts";

/** What a build is told beside its files. */
export type BuildArguments = {
  /** The build args that count, and are in the plan. */
  readonly args: Readonly<Record<string, string>>;
  /** Those that a build is told and that do not count for the key: what no ARG declares, and what `ignore-args` names. */
  readonly uncounted: Readonly<Record<string, string>>;
  /** Of the uncounted ones those that count where a base declares them with ONBUILD, which its config says. */
  readonly undeclared: Readonly<Record<string, string>>;
  /** The names that docker itself tells the build, whether they count or not. Such a proxy may hold a login, and never stands in a command line. */
  readonly toldByDocker: ReadonlySet<string>;
  /** Where a build arg is written. */
  readonly places: Readonly<Record<string, Source>>;
  /** Those whose values stand in no file of the checkout: an input or this machine gives them. */
  readonly private: ReadonlySet<string>;
  /** Those that an input takes out of the key. */
  readonly ignored: ReadonlySet<string>;
  /** Those that take a variable of the environment as it is. */
  readonly variables: ReadonlySet<string>;
  /** `--secret` and `--ssh` as buildx takes them: where secrets are, never what they are. */
  readonly secretOptions: readonly string[];
  readonly secretIds: readonly string[];
  /** By those ids. */
  readonly secretPlaces: Readonly<Record<string, Source>>;
  /** Why a build cannot have them: a fork's pull request gets no secrets, and may find the image all the same. */
  readonly withoutSecrets: ActionError | undefined;
  /** What the log has to hide. */
  readonly secretValues: readonly string[];
  readonly warnings: readonly Warning[];
  /** By name, what to say of args that nothing declares, where no base does that either. */
  readonly idle: ReadonlyMap<string, Warning>;
};

/**
 * Reads build args from the configuration, files and the input, and finds the secrets.
 * @param dockerfile what declares the args; `file` is nothing where it is ours.
 * @throws ActionError E_INPUT or E_CONFIG for an arg or a file that cannot be read, or holds a secret, and for a secret that is not there.
 */
export async function readBuildArguments(
  inputs: Inputs,
  definition: Definition,
  { dockerfile, file }: { readonly dockerfile: Dockerfile; readonly file: string | undefined },
  {
    files,
    host,
    workspace,
    readable,
  }: { readonly files: Files; readonly host: Host; readonly workspace: Workspace; readonly readable: Readable },
): Promise<BuildArguments> {
  const checkout = { files, workspace: workspace.folder, checkout: workspace.checkout, environment: host.env };
  const { build } = inputs;
  const asked = { secrets: byId(definition.secrets, build.secrets), ssh: byId(definition.ssh, build.ssh) };
  const [fromFiles, granted, proxies] = await Promise.all([
    readArgumentFiles(build.argumentFiles, checkout),
    grantSecrets({ definition, build, readable }, checkout),
    readProxies(files, host.env),
  ]);
  const { secrets, ssh, withoutSecrets } = await findAllSecrets(granted, checkout, host.event.isFork);
  const isShown = openShown(host.env);
  const secretValues = (await readSecretValues(secrets, checkout)).filter((value) => !isShown(value));
  const findSecret = readable.openFinder({ own: secretValues, behindProxy: true, isPublic: () => false });
  const merged = mergeArguments({
    machine: Object.entries(proxies).map(([name, text]): Argument => {
      return { name, value: { kind: "text", text }, origin: { kind: "docker" } };
    }),
    configuration: [...definition.args].map(([name, { value, at }]): Argument => {
      return { name, value: { kind: "text", text: value }, origin: { kind: "configuration", at } };
    }),
    files: fromFiles.entries,
    input: build.args.entries,
    environment: readable.step(),
    ignore: build.ignoredArguments,
    declared: declaredArgs(dockerfile),
    actsUndeclared,
    takesAll: (syntax) => isForeignFrontend(dockerfile, syntax) || declaresAny(dockerfile.stages),
    dockerfile: file,
    withheld: (name) => {
      const found = readable.withheld(name);
      return found && tellWithheld(found);
    },
    isSecret: (value) => findSecret(value, [value]) !== undefined,
  });
  const valuesOf = (isWanted: (arg: MergedArgument) => boolean): Record<string, string> =>
    Object.fromEntries([...merged.values].flatMap(([name, arg]) => (isWanted(arg) ? [[name, arg.value]] : [])));
  return {
    args: valuesOf(({ counts }) => counts),
    uncounted: valuesOf(({ counts }) => !counts),
    undeclared: valuesOf(({ isUndeclared }) => isUndeclared),
    toldByDocker: new Set(
      Object.keys(proxies).filter((name) => (merged.values.get(name)?.origin.kind ?? "docker") === "docker"),
    ),
    places: Object.fromEntries([...merged.values].map(([name, { origin }]) => [name, sourceOf(origin)])),
    private: new Set([...merged.values].flatMap(([name, arg]) => (isPrivate(name, arg, definition) ? [name] : []))),
    ignored: new Set(
      [...merged.values].flatMap(([name, { counts, isUndeclared }]) => (counts || isUndeclared ? [] : [name])),
    ),
    variables: new Set([...merged.values].flatMap(([name, arg]) => (arg.isVariable ? [name] : []))),
    secretOptions: [...secretArguments(secrets), ...sshArguments(ssh)],
    secretIds: [...asked.secrets.map(({ id }) => id), ...asked.ssh.map(({ id }) => `ssh:${id}`)].sort(),
    secretPlaces: Object.fromEntries([
      ...asked.secrets.map((one) => [one.id, one.at ?? { input: "build-secrets" }] as const),
      ...asked.ssh.map((one) => [`ssh:${one.id}`, "at" in one ? one.at : { input: "ssh" }] as const),
    ]),
    withoutSecrets: withoutSecrets ?? granted.withoutSecrets,
    secretValues,
    idle: merged.undeclared,
    warnings: [...granted.warnings, ...fromFiles.notices, ...build.args.notices, ...merged.warnings],
  };
}

function sourceOf(origin: Origin): Source {
  if ("at" in origin) return origin.at;
  return origin.kind === "input" ? { input: "build-args", line: origin.line } : { elsewhere: tellOrigin(origin) };
}

function isPrivate(name: string, { origin, isVariable }: MergedArgument, { args }: Definition): boolean {
  if (origin.kind === "file") return isVariable;
  return origin.kind !== "configuration" || isVariable || (args.get(name)?.fromEnvironment ?? false);
}

/** An input goes over the configuration. */
function byId<T extends { readonly id: string }>(
  configured: readonly (T & { readonly at: Place })[],
  inputs: readonly T[],
): readonly (T | (T & { readonly at: Place }))[] {
  return [...new Map([...configured, ...inputs].map((one) => [one.id, one])).values()];
}

type FoundSecrets = {
  readonly secrets: readonly FoundSecret[];
  readonly ssh: readonly FoundSsh[];
  readonly withoutSecrets: ActionError | undefined;
};

async function findAllSecrets(
  { secrets, ssh }: GrantedSecrets,
  checkout: Parameters<typeof findSecrets>[1],
  isFork: boolean,
): Promise<FoundSecrets> {
  try {
    return {
      secrets: await findSecrets(secrets, checkout),
      ssh: await findSsh(ssh, checkout),
      withoutSecrets: undefined,
    };
  } catch (error) {
    if (isFork && error instanceof ActionError) return { secrets: [], ssh: [], withoutSecrets: error };
    throw error;
  }
}
