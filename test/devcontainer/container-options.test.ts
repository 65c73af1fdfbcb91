import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { containerOptions } from "../../src/devcontainer/container-options.ts";
import type { JsonObject } from "../../src/devcontainer/json.ts";
import { mergeMetadata } from "../../src/devcontainer/merge.ts";
import { userOfRunArgs } from "../../src/devcontainer/run-args.ts";

const OWN = { isForeign: false, imageUser: "", folderOwner: "anyone" } as const;

describe("the options of a job's container", () => {
  it.each<[string, JsonObject, string]>([
    ["nothing", {}, ""],
    [
      "what features ask for",
      { init: true, privileged: true, capAdd: ["SYS_PTRACE"], securityOpt: ["seccomp=unconfined"] },
      "--init --privileged --cap-add SYS_PTRACE --security-opt seccomp=unconfined",
    ],
    [
      "a volume",
      { mounts: ["source=cache,target=/cache,type=volume"] },
      "--mount type=volume,source=cache,target=/cache",
    ],
    [
      "a volume named after the dev container",
      { mounts: ["src=dind-${devcontainerId},dst=/var/lib/docker,type=volume"] },
      "--mount type=volume,target=/var/lib/docker",
    ],
    ["memory", { mounts: [{ type: "tmpfs", target: "/tmp/x" }] }, "--mount type=tmpfs,target=/tmp/x"],
    [
      "the engine's socket, but no folder of the host",
      {
        mounts: [
          "source=/var/run/docker.sock,target=/var/run/docker-host.sock,type=bind",
          "source=${localEnv:HOME}/.ssh,target=/ssh,type=bind",
        ],
      },
      "--mount type=bind,source=/var/run/docker.sock,target=/var/run/docker-host.sock",
    ],
    [
      "what a mount says beside",
      {
        mounts: [
          "type=volume,src=a,dst=/x,ro,volume-nocopy=true,consistency=cached,volume-driver=local",
          "type=volume,source=n,target=/n,volume-opt=type=nfs,volume-opt=o=addr=10.0.0.1,volume-opt=device=:/export",
          "type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770,readonly=false",
        ],
      },
      "--mount type=volume,source=a,target=/x,readonly,volume-nocopy=true --mount type=volume,source=n,target=/n,volume-opt=type=nfs,volume-opt=o=addr=10.0.0.1,volume-opt=device=:/export --mount type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770",
    ],
    [
      "a path with a blank",
      { mounts: [{ type: "volume", source: "a", target: "/my cache" }] },
      '--mount "type=volume,source=a,target=/my cache"',
    ],
  ])("%s", (_name, entry, wanted) => {
    expect(containerOptions(mergeMetadata([entry]), OWN)).toMatchObject({ text: wanted, leftOut: [] });
  });
});

/** How docker takes the value of `--mount` apart: as one line of comma-separated values. */
const mountsIn = (text: string) =>
  [...text.matchAll(/--mount ("?)(.*?)\1(?= --|$)/g)].map(([, , value = ""]) => value.split(","));

describe("what metadata would smuggle in beside what it names", () => {
  it.each<[string, JsonObject]>([
    [
      "a folder of the host, behind a target",
      { mounts: [{ type: "volume", source: "a", target: "/host,type=bind,source=/" }] },
    ],
    ["one behind a source", { mounts: [{ type: "volume", source: "a,type=bind,source=/", target: "/host" }] }],
    ["one behind memory", { mounts: [{ type: "tmpfs", target: "/host,type=bind,source=/" }] }],
    [
      "one behind the engine's socket",
      { mounts: [{ type: "bind", source: "/var/run/docker.sock", target: "/s,source=/" }] },
    ],
    ["one behind a type", { mounts: [{ type: "volume,type=bind", source: "/", target: "/host" }] }],
    ["one in quotation marks", { mounts: ['type=volume,source=a,"target=/host,type=bind,source=/"'] }],
    ["one as a volume's options", { mounts: [{ type: "volume", source: "a,volume-opt=device=/", target: "/host" }] }],
    ["a volume that is a path", { mounts: ["type=volume,source=/etc,target=/host"] }],
    ["a target without a root", { mounts: ["type=volume,source=a,target=host"] }],
    ["another type", { mounts: ["type=image,source=debian,target=/host"] }],
    ["an option behind a line break", { mounts: [{ type: "volume", target: "/host\n--privileged" }] }],
  ])("%s", (_name, entry) => {
    const { text, leftOut } = containerOptions(mergeMetadata([entry]), OWN);
    expect(text).toBe("");
    expect(leftOut).toEqual([expect.stringMatching(/^a mount: /)]);
  });

  it("fields with which a volume would be a folder of the host are not handed on, and are told", () => {
    const opts = (...values: readonly string[]) => values.map((value) => `volume-opt=${value}`).join(",");
    const mounts = [
      `type=volume,source=a,target=/x,${opts("type=none", "o=bind", "device=/")}`,
      `type=volume,source=a,target=/x,${opts("type=tmpfs", "o=rbind", "device=/")}`,
      `type=volume,source=a,target=/x,${opts("type=nfs", "type=ext4", "device=/dev/sda1")}`,
      `type=volume,source=a,target=/x,${opts("device=/")}`,
      "type=volume,source=a,target=/x,volume-driver=other,volume-subpath=../../etc,volume-subpath=/etc",
      "type=tmpfs,target=/x,volume-opt=type=tmpfs,tmpfs-size=1m o=bind",
    ];
    for (const mount of mounts) {
      const { text, leftOut, notHere } = containerOptions(mergeMetadata([{ mounts: [mount] }]), OWN);
      expect(mountsIn(text)[0]?.filter((field) => !/^(type=(volume|tmpfs)|source=a)$/.test(field))).toEqual([
        "target=/x",
      ]);
      expect(leftOut).toEqual([]);
      expect(notHere).toHaveLength(mount.split(",").filter((field) => /-/.test(field)).length);
    }
  });

  it("a user behind a line break", () => {
    const told = containerOptions(mergeMetadata([{ init: true }]), { ...OWN, user: "dev\n--privileged" });
    expect(told).toMatchObject({ text: "--init", leftOut: ["a --user that holds a control character"] });
  });
});

it("what a fork's code made gets nothing with which it could reach the machine or other jobs", () => {
  const entry = {
    init: true,
    privileged: true,
    capAdd: ["SYS_ADMIN"],
    securityOpt: ["seccomp=unconfined"],
    mounts: [
      "type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock",
      "type=volume,source=other-job,target=/cache",
      "type=tmpfs,target=/tmp/x",
    ],
  };
  const { text, leftOut } = containerOptions(mergeMetadata([entry]), { ...OWN, user: "dev", isForeign: true });
  expect(text).toBe("--user dev --init --mount type=volume,target=/cache --mount type=tmpfs,target=/tmp/x");
  expect(leftOut).toEqual([
    "--privileged: a fork's code made the image",
    "--cap-add SYS_ADMIN: a fork's code made the image",
    "--security-opt seccomp=unconfined: a fork's code made the image",
    "a mount: a fork's code made the image, and it is the engine's socket",
  ]);
});

it("whatever a mount holds, docker is told a type, a source and a target, and of the host nothing but the engine's socket", () => {
  const piece = fc.constantFrom(
    ...["type", "source", "src", "target", "dst", "readonly", "volume-opt", "bind", "volume", "tmpfs", "/", "/x", "a"],
    ...["/var/run/docker.sock", ",", "=", '"', "\n", " ", "\\", "$" + "{x}", "--privileged"],
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const name = fc.constantFrom("type", "source", "src", "target", "dst", "destination", "readonly");
  const kind = fc.constantFrom("bind", "volume", "tmpfs");
  const mount = fc.oneof(
    text,
    fc.dictionary(name, fc.oneof(text, kind)),
    fc.record({ type: kind, source: text, target: fc.oneof(text, fc.constant("/x")) }),
  );
  let told = 0;
  fc.assert(
    fc.property(mount, (written) => {
      const { text: options } = containerOptions(mergeMetadata([{ mounts: [written] }]), OWN);
      if (options === "") return;
      told++;
      // One option and its value, as a shell or .NET would part them; the value as one line of comma-separated values.
      const [, quoted, plain = ""] = /^--mount (?:"((?:[^"\\]|\\.)*)"|([^\s"]+))$/.exec(options) ?? [];
      const fields = (quoted?.replaceAll(/\\(.)/g, "$1") ?? plain).split(",").map((field) => field.split("="));
      expect(fields.map(([field]) => field)).toSatisfy((names: readonly string[]) =>
        /^type( source)? target( readonly)*$/.test(names.join(" ")),
      );
      const [type, source] = [fields[0]?.[1], fields[1]?.[0] === "source" ? fields[1].slice(1).join("=") : undefined];
      if (type === "bind") expect(source).toBe("/var/run/docker.sock");
      else if (source !== undefined) expect(source).toMatch(/^[a-zA-Z0-9][\w.-]*$/);
    }),
    { numRuns: 3000 },
  );
  expect(told).toBeGreaterThan(20);
});

describe("who works in a job's container", () => {
  it.each<[string, string | undefined, string, number | "anyone", string, string | undefined]>([
    ["anyone, where the folders become theirs", "dev", "", "anyone", "--user dev", undefined],
    ["the image's own user, where the folders become theirs", undefined, "dev", "anyone", "", undefined],
    ["root in the place of another than the owner", "dev", "", 1001, "--user root", "dev"],
    ["root in the place of the image's own", undefined, "dev", 1001, "--user root", "dev"],
    ["the owner, by number", "1001", "", 1001, "--user 1001", undefined],
    ["the owner, by number and group", "1001:staff", "", 1001, "--user 1001:staff", undefined],
    ["the image's own, who is the owner", undefined, "1001", 1001, "", undefined],
    ["root, whoever owns", "root", "dev", 1001, "--user root", undefined],
    ["root by number", undefined, "0:0", 1001, "", undefined],
    ["nobody named: root", undefined, "", 1001, "", undefined],
    ["a name that begins with the number", "1001a", "", 1001, "--user root", "1001a"],
  ])("%s", (_name, user, imageUser, folderOwner, text, insteadOfUser) => {
    const options = containerOptions(mergeMetadata([]), { user, isForeign: false, imageUser, folderOwner });
    expect(options).toEqual({
      text,
      names: text === "" ? [] : ["--user"],
      leftOut: [],
      notHere: [],
      ...(insteadOfUser === undefined ? {} : { insteadOfUser }),
    });
  });
});

describe("who was given a uid works in a job's container where the folders are that uid's", () => {
  const options = (
    user: string | undefined,
    renumbered: { readonly user: string; readonly uid: number },
    imageUser = "",
    folderOwner: number | "anyone" = 1001,
  ) => containerOptions(mergeMetadata([]), { user, isForeign: false, imageUser, folderOwner, renumbered });

  it.each<[string, string | undefined, string, string]>([
    ["the remote user", "dev", "", "--user dev"],
    ["the remote user, with a group", "dev:staff", "", "--user dev:staff"],
    ["the image's own", undefined, "dev", ""],
    ["not another one", "ada", "dev", "--user root"],
    ["not one whose name begins so", "developer", "", "--user root"],
  ])("%s", (_name, user, imageUser, text) => {
    expect(options(user, { user: "dev", uid: 1001 }, imageUser).text).toBe(text);
  });

  it("not where they are another's", () => {
    expect(options("dev", { user: "dev", uid: 1002 }).text).toBe("--user root");
    expect(options("dev", { user: "dev", uid: 1002 }, "", "anyone").text).toBe("--user dev");
  });
});

describe("runArgs", () => {
  const told = (texts: readonly string[], more: Partial<Parameters<typeof containerOptions>[1]> = {}) =>
    containerOptions(mergeMetadata([{}]), {
      ...OWN,
      runArgs: texts.map((text) => ({ text, isPrivate: text.includes("PRIVATE") })),
      ...more,
    });

  it.each<[string, readonly string[], string]>([
    ["values beside and behind", ["--shm-size=1g", "--cap-add", "SYS_PTRACE"], "--shm-size 1g --cap-add SYS_PTRACE"],
    ["short names with their values", ["-m2g", "-hbox", "-l=a=b"], "--memory 2g --hostname box --label a=b"],
    ["who works in it, which is told with all who are named", ["-u", "dev", "--user=ada"], ""],
    ["short names", ["-m", "2g", "-e", "A=b c", "-h=box"], '--memory 2g --env "A=b c" --hostname box'],
    ["switches", ["--init", "--privileged", "--gpus", "all"], "--init --privileged --gpus all"],
    ["mounts, as those of the metadata", ["--mount", "type=tmpfs,target=/t"], "--mount type=tmpfs,target=/t"],
  ])("that a job's container can take: %s", (_, texts, text) => {
    expect(told(texts)).toMatchObject({ text, leftOut: [], notHere: [] });
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ["the runner's own", ["--network=host", "--name", "x", "-p", "80:80"], ["--network", "--name", "--publish"]],
    ["folders", ["-v", "/:/host", "-w=/x"], ["--volume", "--workdir"]],
    [
      "how it runs",
      ["--rm", "-it", "--entrypoint=sh", "--restart", "always"],
      ["--rm", "--interactive", "--tty", "--entrypoint", "--restart"],
    ],
    ["a variable of this machine", ["-e", "TOKEN", "--env=B"], ["--env", "--env"]],
    ["a value of this machine", ["--env", "A=PRIVATE", "--label=PRIVATE"], ["--env", "--label"]],
    ["a flag that nobody knows", ["--new-thing", "x"], ["--new-thing"]],
    ["a short one that nobody knows", ["-zx"], ["-z"]],
    ["nobody as user", ["--user=", "-u"], ["--user", "--user"]],
    ["a word", ["x"], ["x"]],
  ])("that it cannot take are told: %s", (_, texts, flags) => {
    const { text, notHere } = told(texts);
    expect(text).toBe("");
    expect(notHere.map((what) => what.split(" of runArgs: ")[0])).toEqual(flags);
  });

  it("why nobody is the user", () => {
    expect(told(["--user=", "-u"]).notHere).toEqual(Array(2).fill("--user of runArgs: it names nobody"));
    const unset = [
      { text: "-u", isPrivate: false },
      { text: "", isPrivate: true },
    ];
    expect(containerOptions(mergeMetadata([]), { ...OWN, runArgs: unset }).notHere).toEqual([
      "--user of runArgs: it names nobody: the variable that it reads has no value here",
    ]);
  });

  // Docker would take the next option for the value, and the word behind that for the image.
  it("an option without its value, and a switch with one, move no word to another place", () => {
    const texts = ["--label", "--hostname", "evil.test/image", "--init=true", "--privileged=false", "--env"];
    const { text, notHere } = told(texts);
    expect(text).toBe("--hostname evil.test/image --init");
    expect(notHere).toEqual([
      "--label of runArgs: it has no value",
      "--privileged of runArgs: it is switched off",
      "--env of runArgs: it has no value",
    ]);
  });

  it("of a fork's only what limits or describes", () => {
    const texts = ["--privileged", "--cap-add=ALL", "--device", "/dev/kvm", "--pid=host", "--memory=1g"];
    const { text, notHere } = told([...texts, "--mount", "type=bind,source=/var/run/docker.sock,target=/s"], {
      isForeign: true,
    });
    expect(text).toBe("--memory 1g");
    expect(notHere).toHaveLength(4);
  });

  it("a folder of the host is told", () => {
    const mounts = ["source=${localEnv:HOME}/.ssh,target=/ssh,type=bind"];
    expect(containerOptions(mergeMetadata([{ mounts }]), OWN).notHere).toEqual([
      "a mount at /ssh: what it is of is not on this machine",
    ]);
  });
});

test.each<[string, readonly string[], string | undefined]>([
  ["-u", ["-u", "dev"], "dev"],
  ["-u=", ["-u=dev"], "dev"],
  ["at once", ["-udev"], "dev"],
  ["behind switches", ["-itu", "dev"], "dev"],
  ["--user", ["--user", "dev:staff"], "dev:staff"],
  ["--user=", ["--user=1000:1000"], "1000:1000"],
  ["the last", ["-u", "ada", "--init", "--user=dev", "--rm"], "dev"],
  ["another option's value", ["--label", "--user=x", "-e", "u"], "x"],
  ["none", ["--userns=host", "-v", "u"], undefined],
  ["one without a name", ["--user=", "-u"], undefined],
])("whom runArgs start the container as: %s", (_, texts, name) => {
  expect(userOfRunArgs(texts.map((text) => ({ text, isPrivate: false })))?.name).toBe(name);
});
