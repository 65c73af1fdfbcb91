import { describe, expect, it } from "vitest";
import { read } from "./project.ts";

const written = (file: string, line: number) => ({ at: { file, line }, fromEnvironment: false });
const fromEnvironment = (file: string, line: number) => ({ at: { file, line }, fromEnvironment: true });

describe("values remember where they come from", () => {
  it("an image and its user", async () => {
    const service = await read({
      files: { "compose.yml": "x-u: &u me\nservices:\n  app:\n    image: $IMAGE\n    user: *u\n" },
      env: { IMAGE: "debian:12" },
    });
    expect(service).toEqual({
      kind: "image",
      image: { value: "debian:12", ...fromEnvironment("compose.yml", 4), reads: [{ name: "IMAGE" }] },
      user: { value: "me", ...written("compose.yml", 1) },
      platform: undefined,
      warnings: [],
    });
  });

  it("a build from two files and one that is extended", async () => {
    const service = await read({
      files: {
        "compose.yml":
          "services:\n  app:\n    extends:\n      service: base\n      file: sub/base.yml\n    build:\n      args:\n        A: 1\n        B:\n",
        "over.yml": "services:\n  app:\n    build:\n      args:\n        - C=${C:-no}\n      labels:\n        d: $$\n",
        "sub/base.yml":
          "services:\n  base:\n    build:\n      target: dev\n      shm_size: 1k\n      ulimits: { nofile: 5 }\n",
        ".env": "B=secret\n",
      },
      compose: ["compose.yml", "over.yml"],
    });
    expect(service).toMatchObject({
      kind: "build",
      context: { value: "/home/dev/app", ...written("over.yml", 3) },
      dockerfile: { kind: "file", path: { value: "/home/dev/app/Dockerfile", ...written("over.yml", 3) } },
      target: { value: "dev", ...written("sub/base.yml", 4) },
      args: new Map([
        ["A", { value: "1", ...written("compose.yml", 8) }],
        ["B", { value: "secret", ...fromEnvironment("compose.yml", 9) }],
        ["C", { value: "no", ...fromEnvironment("over.yml", 5) }],
      ]),
      labels: new Map([["d", { value: "$", ...written("over.yml", 7) }]]),
      shmSize: { value: 1024, ...written("sub/base.yml", 5) },
      ulimits: new Map([["nofile", { value: { soft: 5, hard: 5 }, ...written("sub/base.yml", 6) }]]),
    });
  });

  it("agents and keys", async () => {
    const files = "services:\n  app:\n    build:\n      ssh:\n        - default\n        - key=./id\n";
    expect(await read({ files })).toMatchObject({
      ssh: new Map([
        ["default", { value: undefined, ...written("compose.yml", 5) }],
        ["key", { value: "/home/dev/app/id", ...written("compose.yml", 6) }],
      ]),
    });
  });

  it("PWD is the workspace, whatever the shell says", async () => {
    const service = await read({ files: "services: {app: {image: 'a:$PWD'}}", env: { PWD: "/elsewhere" } });
    expect(service).toMatchObject({ image: { value: "a:/home/dev/app", fromEnvironment: true } });
  });
});

describe("variables that are not set", () => {
  const warned = async (files: string): Promise<unknown> => {
    const service = await read({ files });
    return service.kind === "unknown" ? service : service.warnings;
  };

  it("are told where they count", async () => {
    const files = "services:\n  app:\n    build:\n      target: $ONE\n      args:\n        - A=${TWO}\n";
    expect(await warned(files)).toEqual([
      { text: "Variable ONE is not set: nothing takes its place", at: { file: "compose.yml", line: 4 } },
      { text: "Variable TWO is not set: nothing takes its place", at: { file: "compose.yml", line: 6 } },
    ]);
  });

  it.each([
    { name: "in another service", files: "services: {app: {image: a}, web: {image: $X}}" },
    { name: "in what does not concern the image", files: "services: {app: {image: a, command: $X}}" },
    { name: "with a default", files: "services: {app: {image: 'a${X:-b}'}}" },
    { name: "in a default that is not needed", files: "services: {app: {image: '${PWD:-$X}'}}" },
  ])("are not told $name", async ({ files }) => {
    expect(await warned(files)).toEqual([]);
  });
});

describe("names that are mistyped", () => {
  it.each([
    ["imge: b", "image"],
    ["biuld: .", "build"],
    ["users: b", "user"],
    ["Platform: b", "platform"],
    ["extend: b", "extends"],
  ])("%s is told with the one that was meant", async (line, meant) => {
    const service = await read({ files: `services:\n  app:\n    image: a\n    ${line}\n` });
    const [name] = line.split(":");
    expect(service).toMatchObject({
      warnings: [
        {
          text: `services.app has no property ${name}: ${meant} was probably meant`,
          at: { file: "compose.yml", line: 4 },
        },
      ],
    });
  });

  it("also where nothing is left without it", async () => {
    await expect(read({ files: "services:\n  app:\n    imge: a\n" })).rejects.toMatchObject({
      fix: "services.app has no property imge: image was probably meant.",
      at: { file: "compose.yml", line: 3 },
    });
  });

  it("no other property of a service is taken for one of these", async () => {
    // https://github.com/compose-spec/compose-spec/blob/main/05-services.md
    const others =
      "annotations attach blkio_config cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt dns_search domainname driver_opts entrypoint env_file environment expose external_links extra_hosts gpus group_add healthcheck hostname init ipc isolation label_file labels links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit models network_mode networks oom_kill_disable oom_score_adj pid pids_limit ports post_start pre_stop privileged profiles provider pull_policy read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket userns_mode uts volumes volumes_from working_dir x-image";
    const lines = others.split(" ").map((name) => `    ${name}: {}\n`);
    expect(await read({ files: `services:\n  app:\n    image: a\n${lines.join("")}` })).toMatchObject({ warnings: [] });
  });

  it("what a build does not know is told with it too", async () => {
    const service = await read({ files: "services:\n  app:\n    build:\n      context: .\n      dockerfle: x\n" });
    expect(service).toMatchObject({
      doubts: [{ fix: "Correct its name, or take it out; dockerfile was probably meant." }],
    });
  });
});

describe("doubts have their line", () => {
  const rows = [
    {
      name: "a remote context",
      files: "services:\n  app:\n    build:\n      context: git@github.com:o/r.git\n",
      line: 4,
    },
    {
      name: "a property that is not known",
      files: "services:\n  app:\n    build:\n      context: .\n      new: x\n",
      line: 5,
    },
    { name: "a tag", files: "services:\n  app:\n    build:\n      args:\n        A: !!binary aGk=\n", line: 5 },
    { name: "a tag on a number in quotes", files: 'services:\n  app:\n    image: !!int "5"\n', line: 3 },
    { name: "a tag on a mapping", files: "services:\n  app:\n    image: a\n    build: !mine {}\n", line: 4 },
    { name: "an include from elsewhere", files: "include:\n  - oci://example.com/x\nservices: {}\n", line: 2 },
    {
      name: "an include from elsewhere, with more",
      files: "include:\n  - path: [a.yml, https://example.com/x.git]\n",
      line: 2,
    },
    {
      name: "extends from elsewhere",
      files: "services:\n  app:\n    extends:\n      service: a\n      file: https://example.com/x.git\n",
      line: 5,
    },
    {
      name: "a tag in the middle of a chain",
      files:
        "services:\n  one: {image: a, user: u}\n  two:\n    extends: one\n    user: !reset x\n  app: {extends: two}\n",
      line: 3,
    },
    {
      name: "a service that is another's context",
      files: "services:\n  app:\n    build:\n      additional_contexts:\n        - base=service:web\n",
      line: 5,
    },
  ];
  it.each(rows)("$name", async ({ files, line }) => {
    expect(await read({ files })).toMatchObject({
      kind: "unknown",
      doubts: [{ what: expect.any(String), fix: expect.any(String), at: { file: "compose.yml", line } }],
    });
  });

  it("but not where they change nothing", async () => {
    const files =
      "include: [oci://example.com/x]\nservices:\n  app: {image: a, environment: !mine {}}\n  web: {image: !mine b}\n";
    expect(await read({ files })).toMatchObject({ kind: "image" });
  });
});
