import { spawn } from "node:child_process";

/**
 * Runs one of the project's scripts. What it says meanwhile is passed on: it may have to build a program first, and tells for how long.
 * @returns the lines that it printed. @throws when it fails; then its own words stand above.
 */
export async function runScript(path: string, ...args: readonly string[]): Promise<readonly string[]> {
  const child = spawn("bash", [path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    printed += chunk;
  });
  const code = await new Promise((done, fail) => child.on("error", fail).on("close", done));
  if (code !== 0) throw new Error(`${path} ended with ${code}`);
  return printed.trim().split("\n");
}
