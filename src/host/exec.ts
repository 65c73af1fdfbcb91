import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Exec, Finished } from "../world.ts";

/**
 * Runs programs without a shell, as children of this process. `@actions/exec` is not used: it cannot tell a missing program from a
 * failed one without a look-up of its own, gives no hold on the child when the job is cancelled, and echoes argv.
 * @param env the environment of every program; a call's own variables are added to it.
 */
export function openExec(env: Readonly<Record<string, string>>): { readonly exec: Exec; readonly stopAll: () => void } {
  const running = new Set<ChildProcessWithoutNullStreams>();
  const exec: Exec = (program, args, options = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        env: { ...env, ...options.env },
        ...(options.cwd ? { cwd: options.cwd } : {}),
      });
      running.add(child);
      const limit =
        options.timeout === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), options.timeout);
      const output = { stdout: "", stderr: "" };
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        output.stdout += chunk;
      });
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        output.stderr += chunk;
      });
      if (options.onLine) createInterface({ input: child.stderr }).on("line", options.onLine);
      // A program that ends without reading its input closes the pipe, which is no error of ours.
      child.stdin.on("error", () => undefined);
      child.stdin.end(options.input ?? "");
      child.on("error", (error) => {
        clearTimeout(limit);
        running.delete(child);
        if ("code" in error && (error.code === "ENOENT" || error.code === "EACCES")) resolve(undefined);
        else reject(error);
      });
      child.on("close", (code) => {
        clearTimeout(limit);
        running.delete(child);
        resolve({ code: code ?? 1, ...output } satisfies Finished);
      });
    });
  const stopAll = (): void => {
    for (const child of running) child.kill("SIGTERM");
  };
  return { exec, stopAll };
}
