import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Exec, Finished } from "../world.ts";

/** The exec port, and what there is to do with programs that still run when the run is stopped. */
export type OpenExec = {
  readonly exec: Exec;
  /**
   * Asks every program that runs to end, and ends those that have not after `grace` milliseconds. Whoever waits for one of them waits
   * for ever: what was stopped is not to be gone on with. Programs that are started later run.
   */
  readonly stopAll: (grace: number) => Promise<void>;
  /** Ends whatever still runs, at once. */
  readonly killAll: () => void;
};

type Running = { readonly child: ChildProcessWithoutNullStreams; readonly ended: Promise<void> };

/**
 * Runs programs without a shell, as children of this process. `@actions/exec` is not used: it cannot tell a missing program from a
 * failed one without a look-up of its own, gives no hold on the child when the job is cancelled, and echoes argv.
 * @param env the environment of every program; a call's own variables are added to it.
 */
export function openExec(env: Readonly<Record<string, string>>): OpenExec {
  const running = new Set<Running>();
  const stopped = new Set<Running>();
  const exec: Exec = async (program, args, options = {}) => {
    // In a group of its own, so that what a program has started in turn (docker starts buildx) ends with it.
    const child = spawn(program, args, {
      env: { ...env, ...options.env },
      detached: true,
      ...(options.cwd ? { cwd: options.cwd } : {}),
    });
    const finished = waitFor(child, options.onLine);
    const one = { child, ended: finished.then(ignore, ignore) };
    running.add(one);
    let isLate = false;
    const endLate = (): void => {
      isLate = true;
      end(child);
    };
    const limit = options.timeout === undefined ? undefined : setTimeout(endLate, options.timeout);
    // A program that ends without reading its input closes the pipe, which is no error of ours.
    child.stdin.on("error", ignore);
    child.stdin.end(options.input ?? "");
    try {
      const answer = await finished;
      return isLate && answer ? { ...answer, endedBy: "time limit" } : answer;
    } finally {
      clearTimeout(limit);
      running.delete(one);
      if (stopped.has(one)) await new Promise(ignore);
    }
  };
  const stopAll = async (grace: number): Promise<void> => {
    const all = [...running];
    for (const one of all) {
      stopped.add(one);
      signal(one.child, "SIGTERM");
    }
    const late = setTimeout(() => endAll(all), grace);
    await Promise.all(all.map(({ ended }) => ended));
    clearTimeout(late);
  };
  return { exec, stopAll, killAll: () => endAll(running) };
}

const KEPT = 64 * 1024;

function ignore(): void {}

/** What a program said, when it and everything that holds its output has ended; `undefined` where there is no such program. */
function waitFor(
  child: ChildProcessWithoutNullStreams,
  onLine: ((line: string) => void) | undefined,
): Promise<Finished | undefined> {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      output[name] += chunk;
      // What is heard line by line is kept at its end alone: a build may print more than fits into memory.
      if (onLine && name === "stderr") output.stderr = output.stderr.slice(-KEPT);
    });
  if (onLine) createInterface({ input: child.stderr }).on("line", onLine);
  return new Promise((resolve, reject) => {
    child.on("error", (error) => {
      if ("code" in error && (error.code === "ENOENT" || error.code === "EACCES")) resolve(undefined);
      else reject(error);
    });
    child.on("close", (code, signal) =>
      resolve(
        signal === null
          ? { code: code ?? 1, ...output }
          : { code: 128 + constants.signals[signal], ...output, endedBy: signal },
      ),
    );
  });
}

/** Ends a program and its group. What has left the group and holds its output (a daemon) is waited for no longer. */
function end(child: ChildProcessWithoutNullStreams): void {
  signal(child, "SIGKILL");
  child.stdout.destroy();
  child.stderr.destroy();
}

function endAll(all: Iterable<Running>): void {
  for (const { child } of all) end(child);
}

function signal(child: ChildProcessWithoutNullStreams, name: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // There is no such group any more, or, on Windows, none at all.
    child.kill(name);
  }
}
