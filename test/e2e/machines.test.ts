import { execFile } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

// The scripts on machines other than this one. Namespaces play them, which takes root; machine.sh says how. Not played: Ubuntu, another processor,
// kernels before 6.7 (an emulator outlives its mount there), rootless Docker, Docker Desktop.

const isRoot = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "machines-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { PATH = "", HOME = "", DOCKER_HOST = "", DOCKER_CONFIG = "", XDG_CACHE_HOME } = process.env;

/** A machine without Docker finds nothing of it on PATH or in its environment. */
const bare = {
  PATH: pathWithout("bare", "docker", "dockerd", "containerd", "runc"),
  HOME,
  ...(XDG_CACHE_HOME && { XDG_CACHE_HOME }),
};
/** One with Docker has the engine of these tests. */
const docker = { ...bare, PATH, DOCKER_HOST, DOCKER_CONFIG };

type Machine = {
  /** As machine.sh names them. */
  readonly features?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

type Told = {
  readonly code: number;
  /** Standard output and error, as they came. */
  readonly said: string;
  readonly left: readonly string[];
};

async function play({ features = [], env }: Machine, ...command: readonly string[]): Promise<Told> {
  // As short as on a machine: what a folder of vitest's is called is no path for a socket any more.
  const own = mkdtempSync("/tmp/machine-");
  const told = await run(
    "unshare",
    [
      ...["--mount", "--pid", "--fork", "--kill-child"],
      ...["setsid", "bash", "test/e2e/machine.sh", features.join(","), ...command],
    ],
    { TMPDIR: own, ...env },
  );
  rmSync(own, { recursive: true, force: true });
  const bringUps = new Set([...told.said.matchAll(/\/\S*\/dcc\.\w{6}/g)].map(([path]) => path));
  const isOurs = (what: string): boolean =>
    !what.startsWith("in the kernel ") || [...bringUps].some((path) => path.slice(-6) === what.slice(-6));
  const left = [...told.said.matchAll(/^left: (.*)$/gm)].map(([, what = ""]) => what).filter(isOurs);
  return { ...told, left: [...left, ...[...bringUps].filter((path) => existsSync(path))] };
}

async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Omit<Told, "left">> {
  return new Promise((done) => {
    execFile(program, args, { env, timeout: 200_000 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr }),
    );
  });
}

function findProgram(name: string): string {
  const found = PATH.split(":").find((from) => isFolder(from) && readdirSync(from).includes(name));
  if (found === undefined) throw new Error(`${name} is not on PATH`);
  return join(found, name);
}

/** All programs of PATH but some, in one folder. */
function pathWithout(name: string, ...programs: readonly string[]): string {
  const into = join(folder, name);
  mkdirSync(into);
  const seen = new Set(programs);
  for (const from of PATH.split(":").filter(isFolder)) {
    for (const program of readdirSync(from)) {
      if (!seen.has(program)) symlinkSync(join(from, program), join(into, program));
      seen.add(program);
    }
  }
  return into;
}

function isFolder(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path !== "";
  } catch {
    return false;
  }
}

/** A program that goes before others of its name on PATH. */
function standIn(name: string, script: string): string {
  const into = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(into, name), `#!/usr/bin/env bash\n${script}`, { mode: 0o755 });
  return into;
}

/** Tells the bring-up's folder and which emulators the kernel knows, and builds nothing: bringing up has built for both platforms. */
const LOOK = [
  "bash",
  "-c",
  "echo ${BUILDX_CONFIG:-$DOCKER_CONFIG}; timeout 2 ls /proc/sys/fs/binfmt_misc; docker version --format 'answers {{.Server.Version}}'",
];
const services = (...command: readonly string[]): string[] => ["bash", "scripts/services.sh", "run", "--", ...command];
const whenRoot = test.skipIf(!isRoot);

whenRoot.each<[string, readonly string[], Readonly<Record<string, string>>]>([
  ["binfmt_misc is mounted", ["binfmt-mounted"], {}],
  ["it is mounted nowhere", [], {}],
  ["it is an autofs", ["autofs"], {}],
  ["it is mounted, in a chroot", ["binfmt-mounted", "chroot"], {}],
  [
    "it is not, and temporary files have a long path",
    [],
    { TMPDIR: mkdtempSync(join(folder, "longer-than-any-socket-may-be-")) },
  ],
])("a machine without Docker gets an engine where %s, and keeps nothing of it", async (_, features, more) => {
  const told = await play({ features, env: { ...bare, ...more } }, ...services(...LOOK));
  expect(told).toMatchObject({ code: 0, left: [] });
  expect(told.said).toMatch(/^answers \d/m);
  const [, name] = /dcc\.(\w+)/.exec(told.said) ?? [];
  // What is looked for afterwards was there.
  expect(told.said.includes(`dev-container-cache-${name}\n`)).toBe(features.includes("binfmt-mounted"));
});

whenRoot.each([
  ["binfmt_misc is mounted", ["binfmt-mounted"]],
  ["it is mounted nowhere", []],
])("a machine with Docker is used as it is where %s", async (_, features) => {
  const told = await play({ features, env: docker }, ...services(...LOOK));
  expect(told).toMatchObject({ code: 0, left: [] });
  expect(told.said).toContain("using the Docker engine of this machine");
  expect(told.said).not.toContain("the engine cannot run");
});

whenRoot("a Docker that says much of its builder is understood all the same", async () => {
  const path = standIn(
    "docker",
    `if [[ "$1 $2" != "buildx inspect" ]]; then exec ${findProgram("docker")} "$@"; fi
     ${findProgram("docker")} "$@" && for _ in {1..20000}; do echo "and a label"; done`,
  );
  const told = await play({ env: { ...docker, PATH: `${path}:${PATH}` } }, ...services(...LOOK));
  expect(told).toMatchObject({ code: 0, left: [] });
  expect(told.said).not.toContain("the engine cannot run");
});

whenRoot.each([
  ["binfmt_misc is mounted", ["binfmt-mounted"]],
  ["it is mounted nowhere", []],
])("a Docker without emulation borrows it of the kernel where %s, and gives it back", async (_, features) => {
  const path = standIn(
    "docker",
    `if [[ "$1 $2" != "buildx inspect" ]]; then exec ${findProgram("docker")} "$@"; fi
     ${findProgram("docker")} "$@" | sed 's/^Platforms: .*/Platforms: linux\\/riscv64/'`,
  );
  const told = await play({ features, env: { ...docker, PATH: `${path}:${PATH}` } }, ...services(...LOOK));
  expect(told).toMatchObject({ code: 0, left: [] });
  expect(told.said).toContain("the engine cannot run");
});

whenRoot("an engine that ends at once is told with its words, and not waited for", async () => {
  // Root without the right to mount, as in a container.
  const command = ["setpriv", "--bounding-set=-sys_admin", ...services("echo", "never")];
  const told = await play({ features: ["binfmt-mounted"], env: bare }, ...command);
  expect(told).toMatchObject({ code: 1, left: [] });
  expect(told.said).toContain("services: The engine has ended before it answered.");
  expect(told.said).toMatch(/dcc\.\w+\/engine\.log\nunshare: .*not permitted/);
  expect(told.said).not.toMatch(/^never$/m);
});

test.each([
  ["main-job.sh", "no Node", "node", ""],
  ["main-job.sh", "an old Node", "", "echo v18.19.0"],
  ["test.sh", "no Node", "node", ""],
  ["test.sh", "an old Node", "", "echo v18.19.0"],
  ["test.sh", "no npm", "npm", ""],
])("%s says that there is %s before anything is fetched", async (script, what, without, node) => {
  const cache = mkdtempSync(join(folder, "cache-"));
  const path = pathWithout(`${script} ${what}`, "docker", without);
  const PATH = node === "" ? path : `${standIn("node", node)}:${path}`;
  const told = await run("bash", [`scripts/${script}`], { PATH, HOME: cache });
  expect(told.code).toBe(1);
  expect(told.said).toMatch(/Node 20\.18\.1 or newer/);
  expect(told.said.trim().split("\n")).toHaveLength(1);
  expect(readdirSync(cache)).toEqual([]);
});

// Words, and not what a shell says of its own line; before anything is fetched.
const FOLDERS: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ["no home", {}, /^main-job: Neither HOME nor XDG_CACHE_HOME is set: .*\n$/],
  [
    "a home that is a file",
    { HOME: "/dev/null" },
    /\.cache\/.* cannot be made \(Not a directory\): set XDG_CACHE_HOME/,
  ],
  ["no folder for temporary files", { HOME: folder, TMPDIR: "/nowhere" }, /no folder \/nowhere .*: set TMPDIR/],
];
whenRoot.each(FOLDERS)("main-job.sh says that there is %s", async (_, env, words) => {
  const told = await run("bash", ["scripts/main-job.sh"], { PATH: bare.PATH, ...env });
  expect(told).toEqual({ code: 1, said: expect.stringMatching(words) });
  expect(told.said.trim().split("\n")).toHaveLength(1);
  expect(existsSync("/nowhere")).toBe(false);
});

whenRoot.each([
  ["a read-only home", "HOME", "ro", /cannot be made \(Read-only file system\): set XDG_CACHE_HOME/],
  ["a full disk", "HOME", "size=64k", /has \d MB left, and some \d+ MB are needed: free some, or set XDG_CACHE_HOME/],
  ["a full disk for temporary files", "TMPDIR", "size=64k", /has \d MB left, and .*or set TMPDIR/],
])("main-job.sh says that there is %s", async (_, variable, options, words) => {
  // What has a long path is no place for sockets, and /tmp is taken.
  const disk = mkdtempSync("/tmp/disk-");
  const command = `mount -t tmpfs -o ${options} tmpfs ${disk} && exec bash scripts/main-job.sh`;
  const env = { PATH: bare.PATH, HOME: folder, [variable]: disk };
  const told = await run("unshare", ["--mount", "bash", "-c", command], env);
  rmSync(disk, { recursive: true });
  expect(told).toEqual({ code: 1, said: expect.stringMatching(words) });
  expect(told.said.trim().split("\n")).toHaveLength(1);
});

test("a command that is not there is told before anything is fetched", async () => {
  const cache = mkdtempSync(join(folder, "cache-"));
  const told = await run("bash", ["scripts/services.sh", "run", "--", "no-such-program", "x"], {
    PATH: bare.PATH,
    HOME: cache,
  });
  expect(told).toEqual({ code: 1, said: "services: There is no program no-such-program on PATH.\n" });
  expect(readdirSync(cache)).toEqual([]);
});
