import { joinPath } from "../dockerfile/go-path.ts";
import type { Place } from "../errors.ts";
import { type BuildArgs, inherited, replacements, withAllowed } from "./build-args.ts";
import type { Command, Pair } from "./command.ts";
import type { Config } from "./image-json.ts";
import type { Instruction } from "./instruction.ts";
import { isSignal } from "./signals.ts";
import { refuse } from "./unprobeable.ts";
import { cutVariable, type Expand, expandPath, openWords } from "./words.ts";

/**
 * A shell, and the place behind its words into which its commands are written. In Go a list that was made longer by a command may share that
 * place with the next one that is made of it: then both have the command that was written last.
 */
type Shell = { readonly words: readonly string[]; readonly isShared: boolean; last: string };

type Program = readonly string[] | { readonly shell: Shell };

/** An image's config while the instructions of a stage go over it. */
export type State = {
  readonly config: Config;
  readonly args: BuildArgs;
  readonly shell: Shell;
  /** What CMD and ENTRYPOINT have set; `undefined` before they have. */
  readonly cmd?: Program;
  readonly entrypoint?: Program;
  /** What a LABEL has made of its pairs: it writes that back, so that the next time it is read once more. */
  readonly labels: ReadonlyMap<Instruction, readonly Pair[]>;
};

const DEFAULT_SHELL: readonly string[] = ["/bin/sh", "-c"];

export function openState(config: Config, args: BuildArgs): State {
  return { config, args, shell: openShell(config.shell ?? []), labels: new Map() };
}

/** Lists grow to the next power of two: only then there is no place behind them. */
function openShell(words: readonly string[]): Shell {
  const isFull = (words.length & (words.length - 1)) === 0;
  return words.length === 0
    ? { words: DEFAULT_SHELL, isShared: false, last: "" }
    : { words, isShared: !isFull, last: "" };
}

/** The environment under which the words of the next instruction are read. */
export function environmentOf({ args, config }: State): readonly string[] {
  return replacements(args, config.env ?? []);
}

/**
 * What an instruction does to the config.
 * @throws ActionError E_UNKNOWN where the builder stops.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/commands
 */
export function applyInstruction(state: State, instruction: Instruction): State {
  const { command, at } = instruction;
  const expand = openWords(environmentOf(state), at);
  const set = (change: Partial<Config>): State => ({ ...state, config: { ...state.config, ...change } });
  switch (command.kind) {
    case "arg":
      return { ...state, args: declare(state, command, at) };
    case "env":
      return set({ env: withVariables(state.config.env ?? [], command.pairs, expand, at) });
    case "label":
      return label(state, instruction, command.pairs, expand);
    case "cmd":
      return { ...set({ argsEscaped: false }), cmd: program(state, command) };
    case "entrypoint":
      return { ...state, entrypoint: program(state, command) };
    case "shell":
      return { ...set({ shell: command.words }), shell: openShell(command.words) };
    case "expose":
      return set({ exposedPorts: withPorts(state.config.exposedPorts, command.words, expand, at) });
    case "volume":
      return set({ volumes: withVolumes(state.config.volumes, command.words, expand, at) });
    case "user":
      return set({ user: command.value.split(":").slice(0, 2).map(expand).join(":") });
    case "workdir":
      return set({ workingDir: workingDir(state.config, expandPath(command.value, expand, at)) });
    case "stopsignal":
      return set({ stopSignal: stopSignal(expand(command.value), at) });
    case "onbuild":
      return set({ onBuild: [...(state.config.onBuild ?? []), command.value] });
    case "healthcheck":
      return set({ healthcheck: command.health });
    default:
      return state;
  }
}

/** The config that has come of it. */
export function finishConfig({ config, cmd, entrypoint }: State): Config {
  return {
    ...config,
    ...(cmd ? { cmd: wordsOf(cmd) } : {}),
    ...(entrypoint ? { entrypoint: wordsOf(entrypoint) } : {}),
  };
}

/** Whether CMD shares the place behind its shell's words with what comes later. */
export function sharesShell({ cmd }: State): boolean {
  return cmd !== undefined && "shell" in cmd;
}

function wordsOf(program: Program): readonly string[] {
  return "shell" in program ? [...program.shell.words, program.shell.last] : program;
}

/** The same shell is meant by the next command too. */
function program({ shell }: State, command: Extract<Command, { kind: "cmd" | "entrypoint" }>): Program {
  if (!command.isShell) return command.words;
  const [word = ""] = command.words;
  if (!shell.isShared) return [...shell.words, word];
  shell.last = word;
  return { shell };
}

function declare(state: State, { args }: Extract<Command, { kind: "arg" }>, at: Place): BuildArgs {
  let { args: known } = state;
  for (const { name, value } of args) {
    const expand = openWords(environmentOf({ ...state, args: known }), at);
    const key = expand(name);
    known = withAllowed(known, key, value === undefined ? inherited(known, key) : expand(value));
  }
  return known;
}

/** All words are read before the first of them counts; a variable that is there keeps its place. */
function withVariables(
  environment: readonly string[],
  pairs: readonly Pair[],
  expand: Expand,
  at: Place,
): readonly string[] {
  const nameless = environment.find((variable) => !variable.includes("="));
  if (nameless !== undefined)
    refuse(at, `The builder stops here: the base image has a variable without a value, ${nameless}.`);
  const written = pairs.map(({ name, value }) => ({ name: expand(name), value: expand(value) }));
  const variables = environment.map(cutVariable);
  const places = new Map([...variables.entries()].reverse().map(([index, [name]]) => [name, index]));
  for (const { name, value } of written) {
    const index = places.get(name) ?? variables.length;
    variables[index] = [name, value];
    places.set(name, index);
  }
  return variables.map(([name, value]) => `${name}=${value}`);
}

function label(state: State, instruction: Instruction, pairs: readonly Pair[], expand: Expand): State {
  const expanded = (state.labels.get(instruction) ?? pairs).map(({ name, value }) => ({
    name: expand(name),
    value: expand(value),
  }));
  const entries = expanded.map(({ name, value }): readonly [string, string] => [name, value]);
  return {
    ...state,
    labels: new Map([...state.labels, [instruction, expanded]]),
    config: { ...state.config, labels: new Map([...(state.config.labels ?? []), ...entries]) },
  };
}

function withPorts(
  ports: Config["exposedPorts"],
  words: readonly string[],
  expand: Expand,
  at: Place,
): Config["exposedPorts"] {
  const added = words.map((word): readonly [string, true] => {
    const port = expand(word);
    const whole = port.includes("/") ? port : `${port}/tcp`;
    if (!/^[^/]*\/(?:tcp|udp)(?:\/|$)/.test(whole))
      refuse(at, `The builder stops at the port ${port}: it knows tcp and udp alone, written like that.`);
    return [whole, true];
  });
  return new Map([...(ports ?? []), ...added]);
}

function withVolumes(
  volumes: Config["volumes"],
  words: readonly string[],
  expand: Expand,
  at: Place,
): Config["volumes"] {
  return new Map([...(volumes ?? []), ...words.map((word) => [expandPath(word, expand, at), true] as const)]);
}

function workingDir(config: Config, path: string): string {
  if (path.startsWith("/")) return path;
  return joinPath(config.workingDir === "" ? "/" : config.workingDir, path);
}

function stopSignal(signal: string, at: Place): string {
  if (!isSignal(signal)) refuse(at, `The builder stops here: ${signal} is no signal.`);
  return signal;
}
