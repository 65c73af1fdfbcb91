import { type ChildProcess, execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { FakeRegistry } from "../fakes/registry.ts";

export type Told = {
  readonly code: number;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** What `docker` was called with, a call a list. */
  readonly docker: readonly (readonly string[])[];
  readonly builds: readonly Build[];
  /** What the registry was asked, in this run alone. */
  readonly requests: readonly string[];
  /** Milliseconds of the timers that went off after the run was sent a signal: what it had no longer patience for. */
  readonly patience: readonly number[];
  /** Process ids of what hung in a call of `docker`. */
  readonly hanging: readonly number[];
  /** Temporary folders that are there when the run has ended. */
  readonly left: readonly string[];
  /** Containers and volumes that the engine has when the run has ended. */
  readonly engine: readonly string[];
};

export type Build = {
  readonly args: readonly string[];
  readonly dockerfile: string;
  readonly context: readonly string[];
  readonly policy: unknown;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly dockerConfig: { readonly auths: Readonly<Record<string, unknown>>; readonly proxies?: unknown };
};

export type Play = {
  readonly workspace: string;
  readonly registry: Pick<FakeRegistry, "host" | "requests">;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The payload of the event; a push to main where none is given. */
  readonly event?: unknown;
  /** Without it there is no `docker` on PATH. */
  readonly docker?: false | { readonly fails?: string; readonly says?: string };
  /** With it the machine's own git is on PATH. */
  readonly git?: boolean;
  /** The folder that the step runs in, which on a runner is the workspace; the tests' own where none is given. */
  readonly cwd?: string;
  /** How many milliseconds after now the run thinks it is. */
  readonly later?: number;
  /** How many times faster than ours the run's clock goes from some moment on: what comes before has all the time that the machine takes. */
  readonly hurry?: { readonly by: number; readonly when: () => boolean };
  /** The run is sent this signal as soon as its log is so. */
  readonly stop?: Stop;
  /** The machine that an earlier run has left, as `openMachine` made it; a new one where none is given. */
  readonly machine?: string;
};

export type Stop = { readonly signal: "SIGINT" | "SIGTERM" | "SIGKILL"; readonly when: (log: string) => boolean };

/** At it the run's clock begins to hurry. */
const HURRY = "SIGUSR2";

const BUNDLE = resolve("dist/index.js");

/** Plays the whole action once: the real bundle as a process of its own, a real HTTP registry, a stand-in for docker. */
export async function play(story: Play): Promise<Told> {
  const { workspace, registry, inputs = {}, env = {}, event, docker = {}, git = false, later = 0 } = story;
  const home = story.machine ?? openMachine();
  const bin = join(home, "bin");
  const install = (name: string, program: string): void => {
    if (!existsSync(join(bin, name))) symlinkSync(program, join(bin, name));
  };
  install("node", process.execPath);
  for (const name of docker ? ["docker", "docker.mjs"] : []) install(name, resolve("test/fakes", name));
  for (const name of git ? ["git", "setsid", "setpriv"] : [])
    install(name, execFileSync("which", [name], { encoding: "utf8" }).trim());
  const file = (name: string, text = ""): string => {
    writeFileSync(join(home, name), text);
    return join(home, name);
  };
  for (const name of ["docker.builds", "docker.hanging"]) file(name);
  const failing = docker === false ? {} : docker;
  const asked = registry.requests.length;
  const result = await start(story, {
    PATH: bin,
    HOME: home,
    RUNNER_TEMP: home,
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: file("output"),
    GITHUB_STEP_SUMMARY: file("summary"),
    GITHUB_EVENT_NAME: "push",
    GITHUB_REF: "refs/heads/main",
    GITHUB_EVENT_PATH: file("event.json", JSON.stringify(event ?? { repository: { default_branch: "main" } })),
    FAKE_DOCKER_RECORD: file("docker"),
    FAKE_DOCKER_ENGINE: join(home, "engine"),
    FAKE_DOCKER_LATER: String(later),
    STORY_PATIENCE: file("patience"),
    ...(failing.fails ? { FAKE_DOCKER_FAILS: failing.fails, FAKE_DOCKER_SAYS: failing.says ?? "" } : {}),
    ...Object.fromEntries(
      Object.entries({ "cache-repo": `${registry.host}/team/app`, ...inputs }).map(([name, value]) => [
        `INPUT_${name.toUpperCase()}`,
        value,
      ]),
    ),
    ...env,
  });
  const read = (name: string): string => readFileSync(join(home, name), "utf8");
  return {
    ...result,
    outputs: readOutputs(read("output")),
    summary: read("summary"),
    docker: readLines(read("docker")),
    builds: readLines(read("docker.builds")),
    requests: registry.requests.slice(asked),
    patience: readLines(read("patience")),
    hanging: readLines(read("docker.hanging")),
    left: readdirSync(home).filter((name) => name.startsWith("dev-container-cache-")),
    engine: ["container", "volume"].flatMap((kind) => readdirSync(join(home, "engine", kind))),
  };
}

/** A machine with an engine that holds nothing yet, as a folder. */
export function openMachine(): string {
  const home = mkdtempSync(join(tmpdir(), "story-"));
  for (const folder of ["bin", "engine/container", "engine/volume"]) mkdirSync(join(home, folder), { recursive: true });
  return home;
}

function readLines<T>(text: string): T[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

async function start(
  { cwd, later = 0, hurry, stop }: Play,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; log: string }> {
  const isOwn = later !== 0 || hurry !== undefined;
  const changes = [...(isOwn ? [clockOf(later, hurry?.by ?? 1)] : []), ...(stop ? [WRITE_PATIENCE] : [])];
  const imports = changes.flatMap((change) => ["--import", `data:text/javascript,${encodeURIComponent(change)}`]);
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [...imports, BUNDLE],
      { cwd, env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) =>
        done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, log: `${stdout}${stderr}` }),
    );
    if (stop) signalWhen(child, stop.signal, stop.when);
    if (hurry) signalWhen(child, HURRY, hurry.when);
  });
}

/** Runs in the story's process. How long something took there says more of the machine than of the run; which timers went off does not. */
const WRITE_PATIENCE = `
  import { appendFileSync } from "node:fs";
  const wait = setTimeout;
  const write = (milliseconds) => appendFileSync(process.env.STORY_PATIENCE, milliseconds + "\\n");
  const note = () => {
    globalThis.setTimeout = (act, milliseconds, ...rest) => wait(() => (write(milliseconds), act(...rest)), milliseconds);
  };
  process.once("SIGINT", note).once("SIGTERM", note);
`;

/**
 * A clock of the run's own: for what it asks the time for, what it waits for itself, and how long a socket may be silent. What is waited for
 * when it begins to hurry is set anew: `refresh` goes by the time that Node keeps in `_idleTimeout`.
 */
function clockOf(later: number, hurry: number): string {
  return `
    import { Socket } from "node:net";
    const [now, wait, quiet] = [Date.now, setTimeout, Socket.prototype.setTimeout];
    let [speed, since, time] = [1, now(), now() + ${later}];
    const waits = new Map();
    const sockets = new Map();
    Date.now = () => Math.round(time + (now() - since) * speed);
    globalThis.setTimeout = (work, milliseconds = 0, ...more) => {
      const waiting = wait(() => (waits.delete(waiting), work(...more)), milliseconds / speed);
      waits.set(waiting, now() + milliseconds / speed);
      return waiting;
    };
    Socket.prototype.setTimeout = function (milliseconds, ...more) {
      sockets.set(this, milliseconds);
      return quiet.call(this, milliseconds / speed, ...more);
    };
    AbortSignal.timeout = (milliseconds) => {
      const ending = new AbortController();
      const end = () => ending.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
      setTimeout(end, milliseconds).unref();
      return ending.signal;
    };
    process.once("${HURRY}", () => {
      [speed, since, time] = [${hurry}, now(), Date.now()];
      for (const [waiting, end] of waits) {
        if (waiting._destroyed) continue;
        waiting._idleTimeout = Math.max(1, Math.ceil((end - since) / speed));
        waiting.refresh();
      }
      for (const [socket, milliseconds] of sockets) if (!socket.destroyed) quiet.call(socket, milliseconds / speed);
    });`;
}

function signalWhen(child: ChildProcess, signal: NodeJS.Signals, when: (log: string) => boolean): void {
  let log = "";
  child.stdout?.on("data", (chunk: string) => {
    log += chunk;
  });
  const look = setInterval(() => {
    if (!when(log)) return;
    clearInterval(look);
    child.kill(signal);
  }, 20);
  child.on("exit", () => clearInterval(look));
}

/** `name<<delimiter`, the value, `delimiter`: how the runner reads the file of outputs. */
export function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const [, name, delimiter] = /^([^<]+)<<(.+)$/.exec(lines[at] ?? "") ?? [];
    if (name === undefined || delimiter === undefined) continue;
    const end = lines.indexOf(delimiter, at);
    outputs[name] = lines.slice(at + 1, end).join("\n");
    at = end;
  }
  return outputs;
}

/**
 * A log as a reader compares it: the registry's address, digests, times and temporary folders by name. Digests are numbered in the
 * order in which they appear.
 */
export function readable(text: string, registry: FakeRegistry): string {
  const digests = new Map<string, string>();
  const nameOf = (hex: string): string => {
    const known = [...digests].find(([full]) => full.startsWith(hex) || hex.startsWith(full));
    if (known) return known[1];
    const name = `<${digests.size + 1}>`;
    digests.set(hex, name);
    return name;
  };
  return (
    text
      .replaceAll(registry.host, "{registry}")
      .replace(/\b[0-9a-f]{64}\b/g, nameOf)
      .replace(/(sha256:)([0-9a-f]{12})\b/g, (_, algorithm: string, hex: string) => `${algorithm}${nameOf(hex)}`)
      .replace(/\b\d+(\.\d+)? s\b/g, "{n} s")
      .replace(/\b\d+ bytes\b/g, "{n} bytes")
      // How many requests had to wait for another depends on which answer came first.
      .replace(/\b\d+ waves?\b/g, "{n} waves")
      // Platforms are built at the same time: which says its line first is chance.
      .replace(/(?:^\[linux\/.*\n)+/gm, (lines) => `${lines.trimEnd().split("\n").sort().join("\n")}\n`)
      .trimEnd()
  );
}
