import type { Json } from "./json.ts";
import { type Substituted, substitutionAt } from "./substitute.ts";

/** One of the configuration's `runArgs`. `isPrivate`: this machine's environment took part. */
export type RunArg = { readonly text: string; readonly isPrivate: boolean };

/** An option of `docker run` with its value, where it takes one. `at`: the place of the value among the arguments. */
type Option = {
  readonly flag: string;
  readonly value: string | undefined;
  readonly isPrivate: boolean;
  readonly at: number;
};

/** Somebody whom `runArgs` name. `at`: the place of the name among them. */
export type UserArg = { readonly name: string; readonly isPrivate: boolean; readonly at: number };

/** What limits or describes a container. */
const HARMLESS = new Set([
  ...["--memory", "--memory-swap", "--memory-reservation", "--cpus", "--cpu-shares", "--cpuset-cpus", "--shm-size"],
  ...["--ulimit", "--pids-limit", "--hostname", "--tmpfs", "--env", "--label", "--stop-signal", "--cap-drop"],
  ...["--health-cmd", "--health-interval", "--health-retries", "--health-timeout", "--health-start-period"],
]);
/** What opens the machine to a container. */
const RIGHTS = new Set([
  ...["--cap-add", "--security-opt", "--device", "--gpus", "--sysctl", "--group-add", "--ipc", "--pid", "--uts"],
  ...["--userns", "--cgroupns", "--add-host", "--dns", "--dns-search"],
]);
const SWITCHES = new Set([
  "--init",
  "--privileged",
  "--rm",
  "--detach",
  "--interactive",
  "--tty",
  "--publish-all",
  "--quiet",
]);
const LONG: Readonly<Record<string, string>> = {
  ...{ "-m": "--memory", "-e": "--env", "-h": "--hostname", "-l": "--label", "-u": "--user", "-v": "--volume" },
  ...{
    "-p": "--publish",
    "-w": "--workdir",
    "-i": "--interactive",
    "-t": "--tty",
    "-d": "--detach",
    "-P": "--publish-all",
    "-q": "--quiet",
  },
};

/** The `runArgs` of a configuration; docker compose, which starts the container itself, is told none. */
export function readRunArgs(configuration: Substituted): readonly RunArg[] {
  const { runArgs, dockerComposeFile } = configuration.json;
  if (!Array.isArray(runArgs) || dockerComposeFile !== undefined) return [];
  return runArgs.flatMap((text: Json, at) =>
    typeof text === "string"
      ? [{ text, isPrivate: substitutionAt(configuration, ["runArgs", at])?.fromEnvironment ?? false }]
      : [],
  );
}

/**
 * Whom docker starts the container as: the last `--user` that names somebody.
 * @see https://docs.docker.com/engine/containers/run/#user
 */
export function userOfRunArgs(runArgs: readonly RunArg[]): UserArg | undefined {
  const users = readOptions(runArgs).flatMap(({ flag, value, isPrivate, at }) =>
    flag === "--user" && value ? [{ name: value, isPrivate, at }] : [],
  );
  return users.at(-1);
}

/**
 * The options among `runArgs` that a job's container can take, and in words those that it cannot: a runner decides itself about network,
 * name, folders and lifetime.
 * @param isForeign whether a fork's code wrote them: then only what limits or describes a container.
 * @see https://docs.docker.com/reference/cli/docker/container/run/
 */
export function usableRunArgs(
  runArgs: readonly RunArg[],
  { isForeign }: { readonly isForeign: boolean },
): {
  readonly options: readonly (readonly string[])[];
  readonly mounts: readonly string[];
  readonly leftOut: readonly string[];
} {
  // Who works in the container is told with what else names somebody.
  const others = readOptions(runArgs).filter(({ flag, value }) => flag !== "--user" || !value);
  const told = others.map((option) => ({ option, why: whyLeftOut(option, isForeign) }));
  const usable = told.flatMap(({ option, why }) => (why === undefined ? [option] : []));
  return {
    options: usable.flatMap(({ flag, value }) =>
      flag === "--mount" ? [] : [value === undefined || SWITCHES.has(flag) ? [flag] : [flag, value]],
    ),
    mounts: usable.flatMap(({ flag, value }) => (flag === "--mount" && value !== undefined ? [value] : [])),
    leftOut: told.flatMap(({ option: { flag }, why }) => (why === undefined ? [] : [`${flag} of runArgs: ${why}`])),
  };
}

function whyLeftOut({ flag, value, isPrivate }: Option, isForeign: boolean): string | undefined {
  // Who is named is told elsewhere.
  if (flag === "--user") return `it names nobody${isPrivate ? ": the variable that it reads has no value here" : ""}`;
  if (isPrivate) return "its value was read of this machine's environment";
  if (isForeign && (RIGHTS.has(flag) || flag === "--privileged")) return "a fork's code wrote it";
  if (SWITCHES.has(flag) && value !== undefined && !/^(true|1)$/.test(value)) return "it is switched off";
  // Docker would take the next option for the value, and the word behind that for the image.
  if ((HARMLESS.has(flag) || RIGHTS.has(flag)) && value === undefined) return "it has no value";
  if (flag === "--env" && !value?.includes("=")) return "it names a variable of this machine";
  if (flag === "--init" || flag === "--privileged" || flag === "--mount") return undefined;
  return HARMLESS.has(flag) || RIGHTS.has(flag) ? undefined : "a job's container does not take it";
}

function readOptions(runArgs: readonly RunArg[]): readonly Option[] {
  const options: Option[] = [];
  for (let at = 0; at < runArgs.length; at++) {
    const { text = "", isPrivate = false } = runArgs[at] ?? {};
    const [last, ...before] = readFlags(text).toReversed();
    options.push(...before.toReversed().map((one) => ({ ...one, isPrivate, at })));
    if (last === undefined) continue;
    const next = runArgs[at + 1];
    if (last.value !== undefined || SWITCHES.has(last.flag) || next === undefined || /^-./.test(next.text)) {
      options.push({ ...last, isPrivate, at });
    } else {
      at++;
      options.push({ ...last, value: next.text, isPrivate: isPrivate || next.isPrivate, at });
    }
  }
  return options;
}

/**
 * The options that one argument is, `--user=dev`, `-u`, `-udev`, `-itu`: of single letters only the last may take a value, which may follow at once.
 * @see https://github.com/spf13/pflag/blob/v1.0.5/flag.go (parseSingleShortArg)
 */
function readFlags(text: string): readonly Pick<Option, "flag" | "value">[] {
  const [, long = text, value] = /^(--[^=]+)=(.*)$/s.exec(text) ?? [];
  if (!/^-[^-]/.test(text)) return [{ flag: long, value }];
  const [, switches = "", letter, equals, rest] = /^-((?:[itdPq](?!=))*)(?:(.)(=?)(.*))?$/s.exec(text) ?? [];
  const named = (one: string): string => LONG[`-${one}`] ?? `-${one}`;
  const last = letter === undefined ? [] : [{ flag: named(letter), value: equals || rest ? rest : undefined }];
  return [...[...switches].map((one) => ({ flag: named(one), value: undefined })), ...last];
}
