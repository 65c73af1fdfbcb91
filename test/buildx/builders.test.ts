import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { parsePlatformBuilder } from "../../src/buildx/builder-name.ts";
import { chooseBuilders, type WantedBuilders } from "../../src/buildx/builders.ts";
import type { Engine } from "../../src/buildx/engine.ts";
import { ActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { type Answers, failed, ok, programsOf } from "./programs.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };

const undone: (() => void)[] = [];
afterEach(() => {
  for (const undo of undone.splice(0)) undo();
});

const WANTED: WantedBuilders = {
  platforms: [amd64, arm64],
  push: true,
  name: undefined,
  byPlatform: new Map(),
  image: undefined,
  refuseOwnImage: undefined,
  restart: false,
  network: { registries: [], proxies: {}, inputs: [] },
  entitlements: [],
};

const STORE = { store: "containerd", version: [28, 5, 2] } as const;
const CLASSIC = { store: "classic", version: [28, 5, 2] } as const;
/** The run's salt begins with these digits. */
const OWN = "dev-container-cache-0123456789ab";
/** What buildx does not find, the engine may have all the same. */
const REMOVED = [
  `docker buildx rm --force ${OWN}`,
  `docker rm --force --volumes buildx_buildkit_${OWN}0`,
  `docker volume rm --force buildx_buildkit_${OWN}0_state`,
];

function inspected(name: string, driver: string, platforms = "linux/amd64, linux/arm64"): ReturnType<typeof ok> {
  return ok(`Name: ${name}\nDriver: ${driver}\n\nNodes:\nName: ${name}0\nStatus: running\nPlatforms: ${platforms}\n`);
}

type Machine = {
  readonly choose: (wanted?: Partial<WantedBuilders>) => ReturnType<typeof chooseBuilders>;
  readonly calls: readonly string[];
  readonly environments: readonly Readonly<Record<string, string>>[];
  readonly told: string[];
  readonly end: () => Promise<void>;
  readonly recordOf: (name: string) => unknown;
  readonly modeOf: (name: string) => number;
};

/** A machine whose programs give these answers; buildx's records lie in a real folder, and `create` writes them as buildx does. */
function machineOf(
  answers: Answers,
  records: Readonly<Record<string, unknown>> = {},
  engine: Engine | undefined = STORE,
): Machine {
  const root = mkdtempSync(join(tmpdir(), "builders-"));
  const { files, removeTemporaryFolders } = openFiles(root);
  undone.push(() => rmSync(root, { recursive: true, force: true }));
  const pathOf = (name: string): string => join(root, "buildx/instances", name);
  const write = (name: string, record: unknown): void => {
    mkdirSync(dirname(pathOf(name)), { recursive: true });
    writeFileSync(pathOf(name), JSON.stringify(record));
  };
  for (const [name, record] of Object.entries(records)) write(name, record);
  const create = (line: string): ReturnType<typeof ok> => {
    const option = (name: string): string => new RegExp(`--${name} (\\S+)`).exec(line)?.[1] ?? "";
    const [key = "", value = ""] = option("driver-opt").split("=");
    const node = { Name: option("node"), Endpoint: "default", DriverOpts: key === "" ? null : { [key]: value } };
    write(option("name"), { Name: option("name"), Driver: option("driver"), Nodes: [node], Dynamic: false });
    return ok(option("name"));
  };
  const remove = (line: string): ReturnType<typeof ok> => {
    rmSync(pathOf(line.split(" ").at(-1) ?? ""), { force: true });
    return ok();
  };
  const programs = programsOf({
    "docker buildx inspect --bootstrap": inspected("default", "docker"),
    "docker buildx create": create,
    "docker buildx rm --force": remove,
    "docker inspect": failed("No such object"),
    "docker ps": ok(),
    [`docker buildx inspect --bootstrap ${OWN}`]: inspected(OWN, "docker-container"),
    ...answers,
  });
  const told: string[] = [];
  const ends: (() => Promise<void>)[] = [];
  const log = {
    info: (line: string) => void told.push(line),
    warning: (line: string) => void told.push(`warning: ${line}`),
    error: () => undefined,
    debug: () => undefined,
    notice: () => undefined,
    mask: () => undefined,
    detach: () => undefined,
    group: <T>(_: string, body: () => Promise<T>) => body(),
  };
  const buildx = { program: "docker", prefix: ["buildx"], version: undefined };
  const env = { BUILDX_CONFIG: join(root, "buildx"), GITHUB_EVENT_PATH: "/event.json", GITHUB_EVENT_NAME: "push" };
  const salt = (): string => "0123456789abcdef0123456789abcdef";
  return {
    choose: (wanted) =>
      chooseBuilders(
        { ...WANTED, ...wanted },
        {
          exec: programs.exec,
          env,
          files,
          clock: () => Date.parse("2026-11-21T12:00:00Z"),
          buildx,
          engine: Promise.resolve(engine),
          log,
          salt,
          owner: { self: "me", isDead: (owner) => owner === "dead" },
          atEnd: (undo) => void ends.push(undo),
        },
      ),
    calls: programs.calls,
    environments: programs.environments,
    told,
    end: async () => {
      for (const end of ends) await end();
      removeTemporaryFolders();
    },
    modeOf: (name) => statSync(pathOf(name)).mode & 0o777,
    recordOf: (name) => (existsSync(pathOf(name)) ? JSON.parse(readFileSync(pathOf(name), "utf8")) : undefined),
  };
}

describe("the current builder", () => {
  test("is used where it will do, and nothing is made or removed", async () => {
    const machine = machineOf({});
    const builders = await machine.choose();
    expect(builders.forPlatform(arm64)).toMatchObject({ name: "default", driver: "docker", ours: false });
    await machine.end();
    expect(machine.calls).toEqual(["docker buildx inspect --bootstrap"]);
    expect(machine.told).toEqual([expect.stringMatching(/^Builder default \(driver docker/)]);
  });

  test("is told to be no builder of ours only where that matters", async () => {
    const machine = machineOf({});
    await machine.choose({ network: { registries: [], proxies: {}, inputs: ["registry-mirrors"] } });
    expect(machine.told[1]).toMatch(/^warning: The builder default is not made by this action.*registry-mirrors/);
  });

  test("that does not work is an error", async () => {
    const machine = machineOf({
      "docker buildx inspect --bootstrap": failed("ERROR: Cannot connect to the Docker daemon"),
    });
    await expect(machine.choose()).rejects.toMatchObject({
      code: "E_DOCKER",
      message: expect.stringContaining("no working builder: Cannot connect to the Docker daemon"),
    });
  });

  test("without emulation is an error, for a container would have none either", async () => {
    const machine = machineOf({ "docker buildx inspect --bootstrap": inspected("default", "docker", "linux/amd64") });
    await expect(machine.choose()).rejects.toMatchObject({
      message: "The builder default cannot build for linux/arm64; it can for linux/amd64.",
      fix: expect.stringContaining("docker/setup-qemu-action"),
    });
    expect(machine.calls.join("\n")).not.toContain("create");
  });
});

describe("a builder that is made for this run", () => {
  test("where the current one will not do; it goes when the run ends", async () => {
    const machine = machineOf({}, {}, CLASSIC);
    const builders = await machine.choose();
    expect(builders.forPlatform(amd64)).toMatchObject({ name: OWN, driver: "docker-container", ours: true });
    expect(machine.calls).toContain(
      `docker buildx create --name ${OWN} --node ${OWN}0 --driver docker-container --driver-opt env.DEV_CONTAINER_CACHE_OWNER=me`,
    );
    expect(machine.told[0]).toMatch(/classic image store.* A builder is made for this run\.$/);
    await machine.end();
    expect(machine.calls.slice(-3)).toEqual(REMOVED);
    expect(machine.recordOf(OWN)).toBeUndefined();
  });

  test("is not made of an image that the run may not pull, and nothing is begun", async () => {
    const machine = machineOf({}, {}, CLASSIC);
    const refuseOwnImage = new ActionError("E_INPUT", { what: "not among allowed-images", fix: "Name one." });
    const refused = await refusalOf(() => machine.choose({ refuseOwnImage }));
    expect(refused.message).toMatch(/not among allowed-images/);
    expect(machine.calls.filter((call) => /create|ps/.test(call))).toEqual([]);
    await machine.end();
  });

  test("where an image for it is named: it knows what our client knows, and no proxy's login stands in a command line", async () => {
    const machine = machineOf({});
    await machine.choose({
      image: "mirror.test/moby/buildkit:v0.26.3",
      entitlements: ["network.host"],
      network: {
        registries: [{ host: "localhost:5000", mirrors: [], certificates: ["PEM"], insecure: true }],
        proxies: { HTTPS_PROXY: "http://me:s3cr3t@proxy.test:3128", no_proxy: "a.test,b.test" },
        inputs: ["insecure"],
      },
    });
    const created = machine.calls.find((line) => line.includes(" create ")) ?? "";
    expect(created).toContain(
      "--driver-opt image=mirror.test/moby/buildkit:v0.26.3 --driver-opt network=host --driver-opt env.DEV_CONTAINER_CACHE_OWNER=me --buildkitd-config ",
    );
    const configuration = readFileSync(created.split(" ").at(-1) ?? "", "utf8");
    expect(configuration).toMatch(/^insecure-entitlements = \["network\.host"\]\n\n\[registry\."localhost:5000"\]/);
    expect(machine.recordOf(OWN)).toMatchObject({
      Driver: "docker-container",
      Nodes: [
        {
          Name: `${OWN}0`,
          DriverOpts: {
            image: "mirror.test/moby/buildkit:v0.26.3",
            "env.HTTPS_PROXY": "http://me:s3cr3t@proxy.test:3128",
            "env.no_proxy": "a.test,b.test",
          },
        },
      ],
    });
    expect(machine.modeOf(OWN)).toBe(0o600);
    expect([...machine.calls, ...machine.told].join("\n")).not.toContain("s3cr3t");
    expect(machine.told.join("\n")).not.toContain("not made by this action");
  });

  test("is started without the event, whose payload would be published", async () => {
    const machine = machineOf({});
    await machine.choose({ image: "moby/buildkit:latest" });
    const at = machine.calls.indexOf(`docker buildx inspect --bootstrap ${OWN}`);
    expect(machine.environments[at]).toMatchObject({ GITHUB_EVENT_NAME: "", GITHUB_EVENT_PATH: "" });
  });

  test("that cannot be made is an error that names the first reason too, and what was begun is removed", async () => {
    const said = failed("ERROR: failed to pull moby/buildkit: 429 Too Many Requests");
    const machine = machineOf({ [`docker buildx inspect --bootstrap ${OWN}`]: said }, {}, CLASSIC);
    await expect(machine.choose()).rejects.toMatchObject({
      code: "E_DOCKER",
      message: expect.stringMatching(/classic image store.*A builder has to be made.*429 Too Many Requests/),
      fix: expect.stringMatching(/containerd image store.*buildkit-image/),
    });
    await machine.end();
    expect(machine.calls.slice(-3)).toEqual(REMOVED);
  });

  test.each<[string, ReturnType<typeof ok>, readonly string[]]>([
    ["is gone already", failed(`ERROR: no builder "${OWN}" found`), []],
    [
      "cannot be reached",
      failed("ERROR: connection refused"),
      [`warning: The builder ${OWN} could not be removed: connection refused`],
    ],
  ])("that %s at the end does not make the run fail", async (_, answer, warnings) => {
    const machine = machineOf({ "docker buildx rm --force": answer });
    await machine.choose({ image: "moby/buildkit:latest" });
    await machine.end();
    expect(machine.told.filter((line) => line.startsWith("warning"))).toEqual(warnings);
  });

  test("removes what killed runs have left: of one that is gone for certain at once, else after a day", async () => {
    const machine = machineOf({
      "docker ps": ok("aaa\nbbb\nccc\nddd\n"),
      "docker inspect --format {{.Name}} {{.Created}} {{json .Config.Env}} aaa bbb ccc ddd": ok(
        [
          '/buildx_buildkit_dev-container-cache-aaa0 2026-11-20T11:59:59.123456789Z ["PATH=/bin"]',
          '/buildx_buildkit_dev-container-cache-bbb0 2026-11-20T12:00:01Z ["PATH=/bin"]',
          '/buildx_buildkit_dev-container-cache-ccc0 2026-11-21T11:00:00Z ["X=a b","DEV_CONTAINER_CACHE_OWNER=dead"]',
          '/buildx_buildkit_dev-container-cache-ddd0 2026-11-21T11:00:00Z ["DEV_CONTAINER_CACHE_OWNER=alive"]',
          "",
        ].join("\n"),
      ),
      "docker rm": ok(),
      "docker volume rm": ok(),
    });
    await machine.choose({ image: "moby/buildkit:latest" });
    expect(machine.calls.filter((line) => /^docker (ps|rm|volume)/.test(line))).toEqual([
      "docker ps --all --quiet --filter name=^/?buildx_buildkit_dev-container-cache-[0-9a-f]{12}0$",
      ...["aaa", "ccc"].flatMap((id) => [
        `docker rm --force --volumes buildx_buildkit_dev-container-cache-${id}0`,
        `docker volume rm --force buildx_buildkit_dev-container-cache-${id}0_state`,
      ]),
    ]);
    expect(machine.told[0]).toMatch(/^Removed what a killed run had left: \S+aaa0$/);
    expect(machine.told[1]).toMatch(/^Removed what a killed run had left: \S+ccc0$/);
  });
});

describe("a builder that the input names", () => {
  test("is used whatever its driver", async () => {
    const machine = machineOf({ "docker buildx inspect --bootstrap team": inspected("team", "kubernetes", "") });
    const builders = await machine.choose({ name: "team" });
    expect(builders.forPlatform(amd64)).toMatchObject({ name: "team", driver: "kubernetes" });
  });

  test.each<[string, Answers, RegExp]>([
    [
      "is not there",
      { "docker buildx inspect --bootstrap team": failed('ERROR: no builder "team" found') },
      /The builder team is named for the build and does not work: no builder "team" found/,
    ],
    [
      "cannot do it",
      { "docker buildx inspect --bootstrap team": inspected("team", "docker") },
      /The builder team uses the docker driver with the classic image store/,
    ],
  ])("and that %s is not replaced by another one", async (_, answers, words) => {
    const machine = machineOf(answers, {}, CLASSIC);
    await expect(machine.choose({ name: "team" })).rejects.toMatchObject({ message: expect.stringMatching(words) });
    expect(machine.calls.join("\n")).not.toContain("create");
  });

  const CONTAINER = {
    Name: "team",
    Driver: "docker-container",
    Nodes: [{ Name: "team0", DriverOpts: { image: "x" } }],
  };
  const TEAM = { "docker buildx inspect --bootstrap team": inspected("team", "docker-container") };

  test("is made anew by builder-restart, and keeps its options", async () => {
    const machine = machineOf(TEAM, { team: CONTAINER });
    await machine.choose({ name: "team", restart: true });
    expect(machine.calls).toEqual(["docker buildx rm --force team", "docker buildx inspect --bootstrap team"]);
    expect(machine.recordOf("team")).toEqual(CONTAINER);
  });

  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ["has no record", {}, /no builder team that buildx has a record of/],
    ["is of another driver", { team: { Name: "team", Driver: "remote", Nodes: [] } }, /is of the driver remote/],
  ])("and that %s cannot be made anew", async (_, records, words) => {
    const machine = machineOf(TEAM, records);
    await expect(machine.choose({ name: "team", restart: true })).rejects.toMatchObject({
      code: "E_DOCKER",
      message: expect.stringMatching(words),
    });
    expect(machine.calls).toEqual([]);
  });

  describe("together with an image is made, and stays", () => {
    const IMAGE = "docker inspect --format {{.Config.Image}} buildx_buildkit_team0";
    test.each<[string, Answers, boolean, readonly string[]]>([
      ["where there is none", {}, true, []],
      ["and goes on where it runs that image", { [IMAGE]: ok("moby/buildkit:new\n") }, false, []],
      [
        "and starts anew where it runs another",
        { [IMAGE]: ok("moby/buildkit:old\n") },
        false,
        ["docker buildx rm --force team"],
      ],
      ["and starts anew when asked", { [IMAGE]: ok("moby/buildkit:new\n") }, true, ["docker buildx rm --force team"]],
    ])("%s", async (_, answers, restart, removals) => {
      const machine = machineOf({ ...TEAM, ...answers });
      const builders = await machine.choose({ name: "team", image: "moby/buildkit:new", restart });
      expect(builders.forPlatform(amd64)).toMatchObject({ name: "team", ours: true });
      await machine.end();
      expect(machine.calls.filter((line) => line.includes(" rm "))).toEqual(removals);
      expect(machine.recordOf("team")).toMatchObject({ Nodes: [{ DriverOpts: { image: "moby/buildkit:new" } }] });
    });

    test("and is refused where that name belongs to another driver", async () => {
      const machine = machineOf(TEAM, { team: { Name: "team", Driver: "remote", Nodes: [] } });
      await expect(machine.choose({ name: "team", image: "moby/buildkit:new" })).rejects.toMatchObject({
        message:
          "The builder team is of the driver remote, and buildkit-image is for builders of the driver docker-container.",
      });
    });
  });
});

describe("builders by platform", () => {
  test("the one that is named for it, else the one for all; each has to do only its own", async () => {
    const machine = machineOf({
      "docker buildx inspect --bootstrap arm": inspected("arm", "remote", "linux/arm64"),
      "docker buildx inspect --bootstrap": inspected("default", "docker", "linux/amd64"),
    });
    const builders = await machine.choose({ byPlatform: new Map([["linux/arm64", "arm"]]) });
    expect([builders.forPlatform(amd64).name, builders.forPlatform(arm64).name]).toEqual(["default", "arm"]);
    expect(machine.told).toEqual([
      expect.stringContaining(
        "Builder default (driver docker with the containerd image store) builds linux/amd64 natively",
      ),
      "Builder arm (driver remote) builds linux/arm64 natively.",
    ]);
  });

  test("that are named for every platform leave the current one alone", async () => {
    const machine = machineOf({ "docker buildx inspect --bootstrap b": inspected("b", "remote") });
    await machine.choose({
      byPlatform: new Map([
        ["linux/amd64", "b"],
        ["linux/arm64", "b"],
      ]),
    });
    expect(machine.calls).toEqual(["docker buildx inspect --bootstrap b"]);
  });

  test("that cannot build theirs are refused", async () => {
    const machine = machineOf({ "docker buildx inspect --bootstrap arm": inspected("arm", "remote", "linux/amd64") });
    await expect(machine.choose({ byPlatform: new Map([["linux/arm64", "arm"]]) })).rejects.toMatchObject({
      message: expect.stringContaining("The builder arm cannot build for linux/arm64"),
    });
  });

  test("a platform that nobody asked for has none", async () => {
    const builders = await machineOf({}).choose({ platforms: [amd64] });
    expect(() => builders.forPlatform(arm64)).toThrow("linux/arm64");
  });
});

test.each([
  ["linux/arm64=arm", { platform: "linux/arm64", name: "arm" }],
  [" linux/aarch64 = team.arm-1 ", { platform: "linux/arm64", name: "team.arm-1" }],
  ["linux/arm=desktop-linux", { platform: "linux/arm/v7", name: "desktop-linux" }],
  ["linux/arm64", { wrong: "it is not written as linux/arm64=name" }],
  ["=arm", { wrong: "it is not written as linux/arm64=name" }],
  ["linux/arm64=", { wrong: "it is not written as linux/arm64=name" }],
  ["linux/arm64=a=b", { wrong: "it is not written as linux/arm64=name" }],
  ["linux/arm46=arm", { wrong: expect.stringContaining("arm46") }],
  ["linux/arm64=--bootstrap", { wrong: '"--bootstrap" is not a builder\'s name' }],
])("the line %j of the input builders", (line, expected) => {
  expect(parsePlatformBuilder(line)).toEqual(expected);
});
