import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { put } from "../checkout.ts";
import { docker, makeBase, REGISTRY, runAction, unique } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "e2e-options-"));
const volumes = ["plain", "fresh", "filled", "typed"].map((name) => unique(name));
const [plain = "", fresh = "", filled = "", typed = ""] = volumes;

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await docker("volume", "rm", "--force", ...volumes);
});

/** What limits or describes a container, and what opens the machine to it: one of each option that is handed on. */
const RUN_ARGS: readonly string[] = [
  ...["-m", "256m", "--memory-swap=512m", "--memory-reservation", "128m", "--cpus=0.5", "--cpu-shares", "512"],
  ...["--cpuset-cpus=0", "--shm-size=32m", "--ulimit", "nofile=100:200", "--pids-limit=100", "-h", "dev-box"],
  ...[
    "--tmpfs=/scratch:size=1m",
    "-e",
    'TITLE=a "quoted" $HOME \\ it\'s',
    "-l",
    "team.name=a b",
    "--stop-signal=SIGINT",
  ],
  ...["--cap-drop=CHOWN", "--health-cmd=true || exit 1", "--health-interval=1m", "--health-retries", "7"],
  ...["--health-timeout=9s", "--health-start-period=2s", "--cap-add=NET_ADMIN", "--security-opt", "no-new-privileges"],
  ...["--device=/dev/null:/dev/own", "--sysctl=net.ipv4.ip_unprivileged_port_start=79", "--group-add", "1234"],
  ...["--ipc=private", "--cgroupns=private", "--add-host=db:10.1.2.3", "--dns=10.9.8.7"],
  ...["--dns-search", "example.test", "--init", "--mount", "type=tmpfs,target=/by-run-args,tmpfs-size=2m"],
];

const MOUNTS: readonly string[] = [
  `type=volume,src=${plain},dst=/data,ro`,
  `source=${fresh},target=/fresh,type=volume,volume-nocopy=true`,
  `source=${filled},target=/filled,type=volume,consistency=cached`,
  `type=volume,source=${typed},target=/typed,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=3m`,
  "type=tmpfs,target=/small,tmpfs-size=4m,tmpfs-mode=1770",
  "source=dind-${devcontainerId},target=/unnamed,type=volume",
];

/** Parts as a runner takes the text apart: at blanks outside of double quotes, where a backslash takes the next character as it is. */
function parts(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, word = ""]) =>
    quoted === undefined ? word : quoted.replaceAll(/\\(.)/g, "$1"),
  );
}

let image = "";
let options: readonly string[] = [];
let log = "";

async function handedOut(json: Readonly<Record<string, unknown>>, made: readonly string[] = []) {
  const { image: base } = await makeBase({ repository: unique("base/options") });
  const workspace = mkdtempSync(join(folder, "work-"));
  put(workspace, ".devcontainer/Dockerfile", [`FROM ${base}`, ...made, ""].join("\n"));
  put(workspace, ".devcontainer/devcontainer.json", JSON.stringify({ build: { dockerfile: "Dockerfile" }, ...json }));
  const inputs = { "cache-repo": `${REGISTRY}/${unique("e2e/options")}` };
  const ended = await runAction({ workspace, inputs, env: { GITEA_ACTIONS: "true" } });
  expect(ended.outputs.result, ended.log).toBe("built");
  await docker("pull", "--quiet", ended.outputs.image ?? "");
  return {
    image: ended.outputs.image ?? "",
    options: parts(ended.outputs["container-options"] ?? ""),
    log: ended.log,
  };
}

beforeAll(async () => {
  const made = [
    "RUN echo dev:x:1000:1000::/home/dev:/bin/sh >> /etc/passwd",
    "RUN for name in fresh filled; do mkdir /$name; echo of-the-image > /$name/file; done",
  ];
  const json = { remoteUser: "dev", capAdd: ["SYS_PTRACE"], mounts: MOUNTS, runArgs: RUN_ARGS };
  ({ image, options, log } = await handedOut(json, made));
});

describe("what container-options hands out, in a container that docker starts with it", () => {
  test("everything that can be handed on is, and nothing else is told to be left out", () => {
    expect(log).not.toContain("Not in the outputs container");
    expect(log).not.toContain("leave out what");
  });

  const inContainer = async (command: string): Promise<string> =>
    (await docker("run", "--rm", ...options, image, "sh", "-c", command)).trim();

  test.each<[string, string, string]>([
    ["a volume that is only read", "touch /data/x 2>&1; true", "touch: /data/x: Read-only file system"],
    ["a volume that nothing is copied to", "ls /fresh", ""],
    ["a volume to which the image's files are copied", "cat /filled/file", "of-the-image"],
    ["a volume by its driver's options", "grep ' /typed tmpfs ' /proc/mounts | grep -o size=3072k", "size=3072k"],
    ["memory of a size", "grep -o ' /small tmpfs .*size=4096k' /proc/mounts | grep -o size.*", "size=4096k"],
    ["memory with rights", "stat -c %a /small", "1770"],
    ["a volume without a name", "grep -c ' /unnamed ' /proc/mounts", "1"],
    ["a mount of runArgs", "grep ' /by-run-args tmpfs ' /proc/mounts | grep -o size=2048k", "size=2048k"],
    ["--tmpfs", "grep ' /scratch tmpfs ' /proc/mounts | grep -o size=1024k", "size=1024k"],
    ["--shm-size", "grep ' /dev/shm ' /proc/mounts | grep -o size=.*k", "size=32768k"],
    ["--ulimit", "ulimit -Sn; ulimit -Hn", "100\n200"],
    ["--hostname", "hostname", "dev-box"],
    ["--env, to the letter", 'printf %s "$TITLE"', 'a "quoted" $HOME \\ it\'s'],
    ["--user", "id -un", "dev"],
    ["--group-add", "id -G | grep -ow 1234", "1234"],
    ["--init", "cat /proc/1/comm", "docker-init"],
    ["--device", "test -c /dev/own && echo there", "there"],
    ["--sysctl", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "79"],
    ["--security-opt", "grep NoNewPrivs /proc/self/status | tr -d '\\t'", "NoNewPrivs:1"],
    ["--add-host", "grep db /etc/hosts | tr '\\t' ' '", "10.1.2.3 db"],
    [
      "--dns, --dns-search",
      "grep -v '^#' /etc/resolv.conf | grep -v '^$' | sort | head -2",
      "nameserver 10.9.8.7\nsearch example.test",
    ],
  ])("%s", async (_, command, expected) => {
    expect(await inContainer(command)).toBe(expected);
  });

  test("capabilities and limits, as the engine has noted them", async () => {
    const created = (await docker("create", ...options, image, "true")).trim();
    const [{ HostConfig: host, Config: config }] = JSON.parse(await docker("inspect", created));
    await docker("rm", "--force", "--volumes", created);
    const bare = (names: readonly string[]) => names.map((name) => name.replace("CAP_", "")).sort();
    expect({ ...host, CapAdd: bare(host.CapAdd), CapDrop: bare(host.CapDrop) }).toMatchObject({
      CapAdd: ["NET_ADMIN", "SYS_PTRACE"],
      CapDrop: ["CHOWN"],
      Memory: 256 * 1024 ** 2,
      MemorySwap: 512 * 1024 ** 2,
      MemoryReservation: 128 * 1024 ** 2,
      NanoCpus: 500_000_000,
      CpuShares: 512,
      CpusetCpus: "0",
      PidsLimit: 100,
      IpcMode: "private",
      CgroupnsMode: "private",
      Privileged: false,
    });
    expect(config).toMatchObject({
      StopSignal: "SIGINT",
      Healthcheck: {
        Test: ["CMD-SHELL", "true || exit 1"],
        Interval: 60e9,
        Retries: 7,
        Timeout: 9e9,
        StartPeriod: 2e9,
      },
      Labels: { "team.name": "a b" },
    });
  });
});

test("what opens the machine altogether: docker's parser takes it, and the engine has noted it", async () => {
  const runArgs = ["--privileged", "--gpus", "all", "--pid=host", "--uts=host", "--userns=host", "--ipc", "host"];
  const told = await handedOut({ runArgs });
  const created = (await docker("create", ...told.options, told.image, "true")).trim();
  const [{ HostConfig: host }] = JSON.parse(await docker("inspect", created));
  await docker("rm", "--force", "--volumes", created);
  expect(host).toMatchObject({
    Privileged: true,
    DeviceRequests: [{ Count: -1, Capabilities: [["gpu"]] }],
    PidMode: "host",
    UTSMode: "host",
    UsernsMode: "host",
    IpcMode: "host",
  });
});

test("the engine's socket: docker's parser takes it, where the engine has it", async () => {
  const told = await handedOut({ mounts: ["type=bind,source=/var/run/docker.sock,target=/run/host.sock,readonly"] });
  const created = await docker("create", ...told.options, told.image, "true").catch(String);
  // An engine of the tests' own listens elsewhere, and that is all that is wrong then.
  if (created.includes("bind source path does not exist: /var/run/docker.sock")) return;
  const [{ HostConfig: host }] = JSON.parse(await docker("inspect", created.trim()));
  await docker("rm", "--force", "--volumes", created.trim());
  expect(host.Mounts).toMatchObject([
    { Type: "bind", Source: "/var/run/docker.sock", Target: "/run/host.sock", ReadOnly: true },
  ]);
});
