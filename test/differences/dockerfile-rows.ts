import { expect } from "vitest";
import type { Base, Deviation, Row, Shared } from "./row.ts";

/** A feature in the workspace, which needs no registry. */
const TOOL = {
  ".devcontainer/tool/devcontainer-feature.json": '{"id": "tool", "version": "1.0.0"}',
  ".devcontainer/tool/install.sh": "true\n",
};
const features = { "./tool": {} };

/** A Dockerfile with a feature on top of it. */
const extended = (text: string, build: object = {}, config: object = {}): Pick<Row, "config" | "files"> => ({
  config: { build: { dockerfile: "Dockerfile", ...build }, features, ...config },
  files: { ...TOOL, ".devcontainer/Dockerfile": text },
});

/** Features are installed for this user, on one platform; theirs and ours. */
const theirUser = (image: string, more: object = {}) => ({ kind: "ordered", users: { image, ...more } });
const ourUser = (image: string, more: object = {}) => ({
  kind: "made",
  platforms: { "linux/amd64": { users: { image, ...more } } },
});
const users = (reference: string, ours: string): Pick<Row, "reference" | "ours"> => ({
  reference: theirUser(reference),
  ours: ourUser(ours),
});
const contains = (text: string) => expect.stringContaining(text);
const APP: Readonly<Record<string, Base>> = { "linux/amd64": { user: "app" } };

const NO_INSTRUCTION: Shared = {
  what: "a line of a heredoc, or a continued one, that looks like an instruction",
  cli: "is read as one: another user, a stage name in the midst of a script",
  here: "is read as the builder reads it",
  why: "features would be installed for another user than the image has",
};
const VARIABLES: Shared = {
  what: "`USER $NAME` with `${NAME-word}` or `${NAME%word}`, a second pair of `ARG` or `ENV`, a global `ARG`, a number, nothing",
  cli: "is expanded by rules of its own",
  here: "is expanded as the builder does",
  why: "the user of the image is what the builder makes of it",
};
const DOLLARS: Shared = {
  what: "`$$`, `$&`, `$'` in a hook or in `containerEnv`, beside features",
  cli: "are taken for a pattern: label and environment say something else",
  here: "stay as they are written",
  why: "they are no pattern",
};
const DIRECTIVES: Shared = {
  what: "`# escape=` and `# check=` of a Dockerfile",
  cli: "become comments, for a line is put before them",
  here: "stay on top",
  why: "the Dockerfile would be read as another one",
};
const NAMES: Shared = {
  what: "a base `name:tag@digest`, and one of two parts with a registry (`reg.io/base`)",
  cli: "is pulled whole, for its registry is not found",
  here: "is asked for at its own registry",
  why: "to know a base, three small requests are enough",
};
const PLATFORMS: Shared = {
  what: "several platforms",
  cli: "are read as one: a list in `$TARGETARCH`, one user, environment and label for all",
  here: "have a plan and a build each",
  why: "bases differ by platform",
};
const OPTIONS: Shared = {
  what: "`build.options` with `--platform`, `--tag`, `--output` and others that the action sets",
  cli: "go to docker as they are",
  here: "are left out, and a warning tells it",
  why: "what is built for what, and under which name, is in the key",
};

/** "Dockerfile truth", and what becomes of the image: every place where the reference CLI orders something else than what was written. */
export const DIFFERENT: readonly Deviation[] = [
  {
    name: "a continued line that looks like USER",
    ...NO_INSTRUCTION,
    ...extended("FROM a:1\nUSER app\nRUN echo \\\n  USER root\n"),
    ...users("root", "app"),
  },
  {
    name: "a heredoc's line that looks like USER",
    ...NO_INSTRUCTION,
    ...extended("FROM a:1\nUSER app\nRUN <<EOF\nUSER root\nEOF\n"),
    ...users("root", "app"),
  },
  {
    name: "a heredoc's line that looks like FROM",
    ...NO_INSTRUCTION,
    ...extended("FROM a:1\nUSER app\nCOPY <<EOF /x\nFROM b:1\nEOF\n"),
    reference: { ...theirUser("root"), dockerfile: contains("FROM b:1 AS dev_container_auto_added_stage_label\nEOF") },
    ours: {
      images: ["docker.io/library/a:1"],
      platforms: { "linux/amd64": { users: { image: "app" }, dockerfile: contains("FROM b:1\nEOF") } },
    },
  },
  {
    name: "a FROM over two lines",
    ...NO_INSTRUCTION,
    ...extended("FROM \\\n  a:1\nUSER app\n"),
    reference: { inspected: ["\\"] },
    ours: { ...ourUser("app"), images: ["docker.io/library/a:1"] },
  },
  {
    name: "a byte order mark before the Dockerfile",
    cli: "hides the first line, a FROM",
    here: "is passed over",
    why: "the builder passes over it",
    ...extended("\uFEFFFROM a:1\nUSER app\n"),
    reference: { ...theirUser("root"), inspected: [] },
    ours: { ...ourUser("app"), images: ["docker.io/library/a:1"] },
  },
  {
    name: "another escape character",
    ...DIRECTIVES,
    ...extended("# escape=`\nFROM a:1\nRUN echo `\n  USER root\n"),
    reference: { dockerfile: expect.stringMatching(/^\s*ARG .*\n# escape=`\n/) },
    ours: {
      platforms: { "linux/amd64": { users: { image: "root" }, dockerfile: expect.stringMatching(/^# escape=`\n/) } },
    },
  },
  {
    name: "checks",
    ...DIRECTIVES,
    ...extended("# check=error=true\nFROM a:1\n"),
    reference: { dockerfile: expect.stringMatching(/^\s*ARG .*\n# check=error=true\n/) },
    ours: { platforms: { "linux/amd64": { dockerfile: expect.stringMatching(/^# check=error=true\n/) } } },
  },
  {
    name: "an ignore file of the Dockerfile's own",
    what: "`<Dockerfile>.dockerignore`",
    cli: "counts for nothing, for the Dockerfile is built from elsewhere",
    here: "counts, in the place of `.dockerignore`",
    why: "the builder reads it, and without it a secret could get into the image",
    config: { build: { dockerfile: "Dockerfile" } },
    files: {
      ".devcontainer/Dockerfile": "FROM a:1\nCOPY . .\n",
      ".devcontainer/Dockerfile.dockerignore": "secret.txt\nDockerfile*\ndevcontainer*\n",
      ".devcontainer/secret.txt": "x",
      ".devcontainer/code.txt": "x",
    },
    reference: { kind: "ordered", ignored: "" },
    ours: { kind: "made", context: ["code.txt"] },
  },
  {
    name: "a base with tag and digest",
    ...NAMES,
    ...extended("FROM R/team/base:2@DIGEST\n"),
    withoutLocalImages: true,
    reference: { pulled: ["R/team/base:2@DIGEST"] },
    ours: { images: ["R/team/base:2@DIGEST"] },
  },
  {
    name: "a base right below its registry",
    ...NAMES,
    ...extended("FROM R/base:2\n"),
    withoutLocalImages: true,
    reference: { pulled: ["R/base:2"] },
    ours: { images: ["R/base:2"] },
  },
  {
    name: "dollars in a hook",
    ...DOLLARS,
    config: { image: "a:1", features, postCreateCommand: "printf $'a\\tb' $$ $&" },
    files: TOOL,
    reference: { dockerfile: contains("' \\$\\$ \\#{devcontainerMetadata}") },
    ours: { platforms: { "linux/amd64": { label: contains("printf $'a\\\\tb' $$ $&") } } },
  },
  {
    name: "dollars in the environment",
    ...DOLLARS,
    config: { image: "a:1", features, containerEnv: { A: "x$'y" } },
    files: TOOL,
    reference: { dockerfile: contains('ENV A="x\\\ny') },
    ours: { platforms: { "linux/amd64": { dockerfile: contains('ENV A="x\\$\'y"') } } },
  },
  {
    name: "a quoted user",
    what: '`USER "app"`',
    cli: "is a user with quotes in its name",
    here: "is app",
    why: "the builder takes quotes away",
    ...extended('FROM a:1\nUSER "app"\n'),
    ...users('"app"', "app"),
  },
  {
    name: "a user with a group",
    what: "`USER app:staff`",
    cli: "features see a user `app:staff` without a home",
    here: "features see `app`, and the image keeps both",
    why: "no such user is in /etc/passwd",
    ...extended("FROM a:1\nUSER app:staff\n"),
    reference: theirUser("app:staff", { container: "app:staff", remote: "app:staff" }),
    ours: ourUser("app:staff", { container: "app", remote: "app" }),
  },
  {
    name: "a second pair of ENV",
    ...VARIABLES,
    ...extended("FROM a:1\nENV A=1 U=app\nUSER $U\n"),
    ...users("root", "app"),
  },
  {
    name: "a second pair of ARG",
    ...VARIABLES,
    ...extended("FROM a:1\nARG A=1 U=app\nUSER $U\n"),
    ...users("root", "app"),
  },
  {
    name: "a word behind a dash",
    ...VARIABLES,
    ...extended("FROM a:1\nUSER ${U-app}\n"),
    ...users("-app}", "app"),
  },
  {
    name: "a word whose end is cut off",
    ...VARIABLES,
    ...extended("FROM a:1\nENV U=app-1\nUSER ${U%-*}\n"),
    ...users("app-1%-*}", "app"),
  },
  {
    name: "a user that comes to nothing",
    ...VARIABLES,
    ...extended("FROM a:1\nUSER $NOBODY\n"),
    bases: APP,
    ...users("app", "root"),
  },
  {
    name: "a global ARG that the stage does not declare",
    ...VARIABLES,
    ...extended("ARG U=app\nFROM a:1\nUSER $U\n"),
    ...users("app", "root"),
  },
  {
    name: "an arg that is a number",
    ...VARIABLES,
    ...extended("FROM a:1\nARG U\nUSER $U\n", { args: { U: 1000 } }),
    ...users("root", "1000"),
  },
  {
    name: "a stage's name in capitals",
    what: "names of stages in other letters (`AS Base`, `FROM base`)",
    cli: "are other stages, and then images",
    here: "are the same",
    why: "the builder does not tell them apart",
    ...extended("FROM a:1 AS Base\nUSER app\nFROM base\n"),
    reference: { ...theirUser("root"), inspected: ["base"] },
    ours: { ...ourUser("app"), images: ["docker.io/library/a:1"] },
  },
  {
    name: "from scratch",
    what: "`FROM scratch`",
    cli: "is pulled, which fails",
    here: "is built",
    why: "it is no image",
    config: { build: { dockerfile: "Dockerfile" }, remoteUser: "me" },
    files: { ".devcontainer/Dockerfile": "FROM scratch\nCOPY Dockerfile /\n" },
    withoutLocalImages: true,
    reference: { kind: "error" },
    ours: { kind: "made", images: [], platforms: { "linux/amd64": { label: '[ {"remoteUser":"me"} ]' } } },
  },
  {
    name: "a base with a user for each platform",
    ...PLATFORMS,
    ...extended("FROM a:1\n"),
    bases: { "linux/amd64": { user: "app" }, "linux/arm64": { user: "arm", label: '[{"remoteUser": "you"}]' } },
    platforms: ["linux/amd64", "linux/arm64"],
    reference: theirUser("app", { container: "app", remote: "app" }),
    ours: {
      platforms: {
        "linux/amd64": { users: { image: "app", remote: "app" } },
        "linux/arm64": { users: { image: "arm", container: "arm", remote: "you" }, label: contains("you") },
      },
    },
  },
  {
    name: "a base by architecture",
    ...PLATFORMS,
    ...extended("ARG TARGETARCH\nFROM a:$TARGETARCH\n"),
    platforms: ["linux/amd64", "linux/arm64"],
    reference: { inspected: ["a:amd64,linux"] },
    ours: { images: ["docker.io/library/a:amd64", "docker.io/library/a:arm64"] },
  },
  {
    name: "labels",
    what: "labels (`--label`, the input `labels`) with a Dockerfile",
    cli: "are dropped",
    here: "are set",
    why: "they were asked for",
    config: { build: { dockerfile: "Dockerfile" } },
    files: { ".devcontainer/Dockerfile": "FROM a:1\n" },
    labels: ["a=b"],
    reference: { kind: "ordered", argv: expect.not.arrayContaining(["--label"]) },
    ours: { options: ["--label=a=b"] },
  },
  {
    name: "a target among the options",
    what: "`--target` in `build.options`",
    cli: "leaves features and label out without a word",
    here: "is the target, and features are installed on it",
    why: "nobody asked for an image without them",
    ...extended("FROM a:1 AS dev\nUSER app\nFROM a:1\n", { options: ["--target=dev"] }),
    reference: {
      argv: expect.arrayContaining(["dev_containers_target_stage", "--target=dev"]),
      users: { image: "root" },
    },
    ours: { platforms: { "linux/amd64": { users: { image: "app" }, dockerfile: contains("\nFROM dev\n") } } },
  },
  {
    name: "a platform among the options",
    ...OPTIONS,
    config: { build: { dockerfile: "Dockerfile", options: ["--platform=linux/arm64"] } },
    files: { ".devcontainer/Dockerfile": "FROM a:1\n" },
    reference: { argv: expect.arrayContaining(["--platform=linux/arm64"]) },
    ours: { options: [], warnings: [contains("--platform=linux/arm64 is left out")] },
  },
  {
    name: "compose for several platforms",
    what: "compose with `--platform`, `--push`, `--output` or `--cache-to`",
    cli: "is refused",
    here: "is built for every platform, and pushed",
    why: "a compose service's build is one like any other",
    config: { dockerComposeFile: "compose.yml", service: "app" },
    files: { ".devcontainer/compose.yml": "services:\n  app:\n    image: a:1\n" },
    platforms: ["linux/amd64", "linux/arm64"],
    compose: "services:\n  app:\n    image: a:1\n",
    reference: { kind: "error", words: contains("not supported") },
    ours: { kind: "made", platforms: { "linux/amd64": {}, "linux/arm64": {} } },
  },
  {
    name: "a variable of this machine in the base's label",
    what: "`${localEnv:…}` as a user in a base image's label",
    cli: "is replaced, and features are installed for that user",
    here: "names nobody",
    why: "it would be another image on every machine",
    ...extended("FROM a:1\n"),
    bases: { "linux/amd64": { user: "app", label: '[{"remoteUser": "${localEnv:WHO}"}]' } },
    env: { WHO: "me" },
    reference: theirUser("app", { container: "app", remote: "me" }),
    ours: ourUser("app", { container: "app", remote: "app" }),
  },
  {
    name: "a lockfile",
    what: "`devcontainer-lock.json`",
    cli: "is written where it is missing or old",
    here: "is read and never written",
    why: "a build must not change the checkout that it is built from",
    config: { image: "a:1", features },
    files: TOOL,
    reference: { kind: "ordered", lockfile: true },
    ours: { kind: "made", lockfile: false },
  },
  {
    name: "a SHELL in the Dockerfile",
    what: "`SHELL` in the Dockerfile",
    cli: "runs the installation of features too",
    here: "runs what is yours; features are installed by /bin/sh",
    why: "their installation is written for it",
    ...extended('FROM a:1\nSHELL ["pwsh", "-c"]\n'),
    reference: { dockerfile: expect.stringMatching(/^RUN mkdir -p /m) },
    ours: { platforms: { "linux/amd64": { dockerfile: expect.not.stringMatching(/^RUN (?!\[|--mount=\S+ \[)/m) } } },
  },
  {
    name: "what the installation leaves behind",
    what: "/tmp/dev-container-features",
    cli: "stays in the image, with the names of the users",
    here: "is removed",
    why: "nothing reads it",
    ...extended("FROM a:1\n"),
    reference: { kind: "ordered", dockerfile: expect.not.stringMatching(/rm -rf \/tmp\/dev-container-features *$/m) },
    ours: {
      platforms: { "linux/amd64": { dockerfile: contains('RUN ["/bin/rm", "-rf", "/tmp/dev-container-features"]') } },
    },
  },
  {
    name: "a trigger of the base that sets a user",
    what: "`ONBUILD USER` of a base image",
    cli: "is not seen",
    here: "is the user",
    why: "the builder runs it",
    ...extended("FROM a:1\n"),
    bases: { "linux/amd64": { user: "app", triggers: ["USER triggered"] } },
    ...users("app", "triggered"),
  },
];

/** What the rows above are told apart by: without it both say the same. */
export const ALIKE: readonly Row[] = [
  {
    name: "a workspace folder that is a link: `..` leads to where the link is, and its name is the folder's",
    config: {
      build: { dockerfile: "../../Dockerfile", context: "..", args: { NAME: "${localWorkspaceFolderBasename}" } },
    },
    files: {
      Dockerfile: "FROM a:1\nARG NAME\nCOPY code.txt /\n",
      "real/deep/Dockerfile": "FROM other:1\n",
      "real/deep/app/code.txt": "x",
    },
    link: { folder: "link", to: "real/deep/app" },
    reference: {
      kind: "ordered",
      inspected: ["a:1"],
      argv: expect.arrayContaining(["--build-arg", "NAME=link", expect.stringMatching(/\/work\/app\/link$/)]),
    },
    ours: { kind: "made", context: ["code.txt"], images: ["docker.io/library/a:1"] },
  },
  {
    name: "a base by tag, of three parts",
    ...extended("FROM R/team/base:2\n"),
    bases: APP,
    withoutLocalImages: true,
    reference: { ...theirUser("app"), pulled: [] },
    ours: { ...ourUser("app"), images: ["R/team/base:2"] },
  },
  {
    name: "a base by digest, of three parts",
    ...extended("FROM R/team/base@DIGEST\n"),
    bases: APP,
    withoutLocalImages: true,
    reference: { ...theirUser("app"), pulled: [] },
    ours: { ...ourUser("app"), images: ["R/team/base@DIGEST"] },
  },
  {
    name: "the last USER of a chain of stages",
    ...extended("FROM a:1 AS base\nUSER app\nFROM base\nRUN true\n"),
    ...users("app", "app"),
  },
  {
    name: "a user by ARG, ENV and the base's environment",
    ...extended("FROM a:1\nARG A=${B}p\nENV U=a$A\nUSER ${U:-x}\n"),
    bases: { "linux/amd64": { env: { B: "p" } } },
    ...users("app", "app"),
  },
  {
    name: "an ignore file of the context",
    config: { build: { dockerfile: "Dockerfile" } },
    files: {
      ".devcontainer/Dockerfile": "FROM a:1\nCOPY . .\n",
      ".devcontainer/.dockerignore": "*\n!code.txt\n",
      ".devcontainer/code.txt": "x",
    },
    reference: { ignored: "*\n!code.txt\n" },
    ours: { context: ["code.txt"] },
  },
  {
    name: "a base with users in its label",
    ...extended("FROM a:1\n", {}, { containerUser: "own" }),
    bases: { "linux/amd64": { user: "app", label: '[{"remoteUser": "you", "containerUser": "base"}]' } },
    reference: theirUser("app", { container: "own", remote: "you" }),
    ours: ourUser("app", { container: "own", remote: "you" }),
  },
];
