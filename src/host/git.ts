import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Finished, Git } from "../world.ts";

const KEPT = 1024 * 1024;
/** As a shell tells a program that SIGKILL has ended. */
const ENDED = 137;

/** The git port, and what there is to do with a git that still runs when the run is stopped. */
export type OpenGit = {
  readonly git: Git;
  /** Ends every git that runs, and all that it has started, at once. Whoever waits for one waits for ever. */
  readonly endAll: () => void;
};

/** A child as Node tells of it: before it has a process, and its command line. */
type Child = { readonly pid?: number | undefined; readonly spawnargs?: readonly string[] };
type Running = { readonly args: readonly string[]; readonly children: Set<Child>; isStopped: boolean };

/**
 * The git port on `@actions/exec`, which is read only where a repository is named. That library gives no hold on its child, and killing git
 * alone would leave the helper behind that speaks to the server. So git gets a session of its own, where the machine has `setsid`, and Node's
 * channel of new children tells which one it is.
 * @see https://nodejs.org/api/diagnostics_channel.html#event-child_process
 */
export function openGit(): OpenGit {
  const running = new Set<Running>();
  const git: Git = async (args, env, { timeout } = {}) => {
    const one: Running = { args, children: new Set(), isStopped: false };
    running.add(one);
    let isLate = false;
    const endLate = (): void => {
      isLate = true;
      end(one);
    };
    const limit = timeout === undefined ? undefined : setTimeout(endLate, timeout);
    try {
      const finished = (await start("setsid", ["git", ...args], env, one)) ?? (await start("git", args, env, one));
      return finished && isLate ? { ...finished, endedBy: "time limit" } : finished;
    } finally {
      clearTimeout(limit);
      running.delete(one);
      if (one.isStopped) await new Promise(() => undefined);
    }
  };
  const endAll = (): void => {
    for (const one of running) {
      one.isStopped = true;
      end(one);
    }
  };
  return { git, endAll };
}

/** @returns `undefined` where there is no such program, or setsid finds none. */
async function start(
  program: "setsid" | "git",
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  one: Running,
): Promise<Finished | undefined> {
  const { exec } = await import("@actions/exec");
  const output = { stdout: "", stderr: "" };
  const keep =
    (name: keyof typeof output) =>
    (chunk: Buffer): void => {
      if (output[name].length < KEPT) output[name] += chunk.toString("utf8").slice(0, KEPT);
    };
  const note = (message: unknown): void => {
    if (isChild(message)) one.children.add(message.process);
  };
  subscribe("child_process", note);
  try {
    const code = await exec(program, [...args], {
      env: { ...env },
      silent: true,
      ignoreReturnCode: true,
      listeners: { stdout: keep("stdout"), stderr: keep("stderr") },
    });
    if (program === "setsid" && /^setsid: /.test(output.stderr)) return undefined;
    // Of a program that a signal has ended the library gives null.
    return { code: Number.isInteger(code) ? code : ENDED, ...output };
  } catch (error) {
    // The library looks for the program itself, and tells only in words that there is none.
    if (error instanceof Error && error.message.startsWith("Unable to locate executable file")) return undefined;
    throw error;
  } finally {
    unsubscribe("child_process", note);
  }
}

function isChild(message: unknown): message is { readonly process: Child } {
  return typeof message === "object" && message !== null && "process" in message;
}

/** What was started meanwhile by somebody else is told apart by its command line. */
function end({ children, args }: Running): void {
  for (const { pid, spawnargs = [] } of children)
    if (pid !== undefined && spawnargs.slice(-args.length).join("\0") === args.join("\0")) endGroup(pid);
}

function endGroup(pid: number): void {
  for (const target of [-pid, pid])
    try {
      process.kill(target, "SIGKILL");
      return;
    } catch {
      // There is no such group, or no such program any more.
    }
}
