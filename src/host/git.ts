import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { EndedBy, Finished, Git, GitLimits } from "../world.ts";

const KEPT = 1024 * 1024;
/** How often it is looked what a git has put on the disk, in milliseconds. */
const LOOK = 500;
/** As a shell tells a program that SIGKILL has ended. */
const ENDED = 137;

/**
 * In front of git: a session of its own, which a stopped run ends as a whole, and its end with ours where the runner ends us without a word. Of
 * that git's helpers know nothing, and end with their next byte, or after a minute without one. Not every machine has both.
 * @see https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
 */
const WAYS: readonly (readonly string[])[] = [["setsid", "setpriv", "--pdeathsig", "KILL"], ["setsid"], []];
/** What these programs say where the next one is not there, or an option is not known. */
const NO_WAY = /^(?:setsid|setpriv): /;

/** The git port, and what there is to do with a git that still runs when the run is stopped. */
export type OpenGit = {
  readonly git: Git;
  /** Ends every git that runs, and all that it has started, at once. Whoever waits for one waits for ever. */
  readonly endAll: () => void;
};

/** A child as Node tells of it: before it has a process, and its command line. */
type Child = { readonly pid?: number | undefined; readonly spawnargs?: readonly string[] };
type Running = {
  readonly args: readonly string[];
  readonly children: Set<Child>;
  readonly limits: GitLimits;
  isStopped: boolean;
  endedBy: EndedBy | undefined;
};

/**
 * The git port on `@actions/exec`, which is read only where a repository is named. That library gives no hold on its child, and killing git
 * alone would leave the helper behind that speaks to the server. So git gets a session of its own, where the machine has `setsid`, and Node's
 * channel of new children tells which one it is.
 * @see https://nodejs.org/api/diagnostics_channel.html#event-child_process
 */
export function openGit(): OpenGit {
  const running = new Set<Running>();
  // What this machine has not got is not tried again.
  let ways = WAYS;
  const git: Git = async (args, env, limits = {}) => {
    const one: Running = { args, children: new Set(), limits, isStopped: false, endedBy: undefined };
    running.add(one);
    const release = watch(one);
    try {
      for (const way of ways) {
        const finished = await start([...way, "git", ...args], env, one);
        if (finished) return one.endedBy ? { ...finished, endedBy: one.endedBy } : finished;
        ways = ways.filter((other) => other !== way || way.length === 0);
      }
      return undefined;
    } finally {
      release();
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

/** Ends a git that is past one of its limits. @returns what is to be called when it has ended. */
function watch(one: Running): () => void {
  const { timeout, isTooMuch } = one.limits;
  const late = timeout === undefined ? undefined : setTimeout(() => endBy("time limit", one), timeout);
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    if (await isTooMuch?.()) endBy("size limit", one);
    isLooking = false;
  };
  const looking = isTooMuch === undefined ? undefined : setInterval(() => void look(), LOOK);
  return () => {
    clearTimeout(late);
    clearInterval(looking);
  };
}

function endBy(limit: EndedBy, one: Running): void {
  one.endedBy ??= limit;
  end(one);
}

/** @returns `undefined` where there is no such program, or it finds none. */
async function start(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  one: Running,
): Promise<Finished | undefined> {
  const { exec } = await import("@actions/exec");
  const output = { stdout: "", stderr: "" };
  const longest = { stdout: one.limits.longest ?? KEPT, stderr: KEPT };
  const keep = (name: keyof typeof output): ((chunk: Buffer) => void) => {
    // A letter may stand at the end of one piece and the beginning of the next.
    const decoder = new TextDecoder();
    return (chunk) => {
      if (output[name].length < longest[name]) output[name] += decoder.decode(chunk, { stream: true });
      else if (name === "stdout" && one.limits.longest !== undefined) endBy("size limit", one);
    };
  };
  const note = (message: unknown): void => {
    if (isChild(message)) one.children.add(message.process);
  };
  subscribe("child_process", note);
  try {
    const code = await exec(program, args, {
      env: { ...env },
      silent: true,
      ignoreReturnCode: true,
      listeners: { stdout: keep("stdout"), stderr: keep("stderr") },
    });
    if (program !== "git" && NO_WAY.test(output.stderr)) return undefined;
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
