import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type Asked, CHECKOUT, type Runner, STAND_IN } from "./runs.ts";
import { runScript } from "./script.ts";

// Workflows on nektos/act, in host mode.

const folder = mkdtempSync(join(tmpdir(), "act-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LABELS = ["ubuntu-latest", "ubuntu-24.04-arm"];

/** act, which may have to be built first, and this action as it would be published. */
export async function openAct(): Promise<Runner> {
  const [program = ""] = await runScript("scripts/act.sh");
  const published = join(folder, "published");
  for (const path of ["action.yml", "dist", ".github/workflows"])
    cpSync(path, join(published, path), { recursive: true });
  for (const [name, text] of Object.entries({ "stand-in": STAND_IN, checkout: CHECKOUT })) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "action.yml"), text);
  }
  const instead = (name: string): string => {
    if (name.includes("/dev-container-cache@")) return published;
    return join(folder, name.startsWith("actions/checkout@") ? "checkout" : "stand-in");
  };
  const local = usedRepositories().map((name) => `${name}=${instead(name)}`);
  const always = [
    ...["--json", "--no-cache-server", "--container-daemon-socket", "-"],
    ...LABELS.flatMap((label) => ["--platform", `${label}=-self-hosted`]),
    ...local.flatMap((one) => ["--local-repository", one]),
  ];
  return { program, argumentsFor: (asked) => [asked.event.name, ...always, ...argumentsOf(asked)] };
}

function argumentsOf({ event, repository, secrets, work }: Asked): readonly string[] {
  const [payload, secretFile] = [join(work, "event.json"), join(work, "secrets")];
  writeFileSync(payload, JSON.stringify(event.payload));
  const lines = Object.entries(secrets).map((pair) => `${pair.join("=")}\n`);
  writeFileSync(secretFile, lines.join(""));
  return [
    ...["--directory", repository, "--workflows", ".github/workflows/ci.yml"],
    ...["--eventpath", payload, "--secret-file", secretFile],
  ];
}

/** What stands in the workflows behind `uses:`, as `owner/repository@ref`. */
function usedRepositories(): readonly string[] {
  const files = ["workflows", "workflows/starters"].flatMap((from) =>
    readdirSync(from).map((name) => join(from, name)),
  );
  const text = files
    .filter((file) => file.endsWith(".yml"))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const used = [...text.matchAll(/uses: ([\w-]+\/[\w-]+)[^@\s]*@(\S+)/g)].map(([, name, ref]) => `${name}@${ref}`);
  return [...new Set(used)];
}
