import type { Git } from "../world.ts";

const KEPT = 1024 * 1024;

/**
 * The git port on `@actions/exec`, which is read only where a repository is named. Its child is not held when the run is stopped: what it
 * writes to is a temporary folder, and its own limits end it where a server says nothing.
 */
export function openGit(): Git {
  return async (args, env) => {
    const { exec } = await import("@actions/exec");
    const output = { stdout: "", stderr: "" };
    const keep =
      (name: keyof typeof output) =>
      (chunk: Buffer): void => {
        if (output[name].length < KEPT) output[name] += chunk.toString("utf8").slice(0, KEPT);
      };
    try {
      const code = await exec("git", [...args], {
        env: { ...env },
        silent: true,
        ignoreReturnCode: true,
        listeners: { stdout: keep("stdout"), stderr: keep("stderr") },
      });
      return { code, ...output };
    } catch (error) {
      // The library looks for the program itself, and tells only in words that there is none.
      if (error instanceof Error && error.message.startsWith("Unable to locate executable file")) return undefined;
      throw error;
    }
  };
}
