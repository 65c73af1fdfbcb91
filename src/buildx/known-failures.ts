import type { ErrorCode } from "../errors.ts";

/** What BuildKit's, buildx's and the registries' words mean to a person. `$1` in `what` stands for the pattern's first group. */
export type KnownFailure = {
  readonly words: RegExp;
  /** Without one the words tell: a push, the reading of an image, or else the build. */
  readonly code?: ErrorCode;
  readonly what: string;
  readonly fix: string;
};

const OTHER_DRIVER = "Add docker/setup-buildx-action before this action: its builder (docker-container) can do it.";
const LOGIN = "Log in with docker/login-action before this action, or set registry-username and registry-password.";
const AGAIN = "Run the job again; if it stays so, ask whoever runs the registry.";

export const STOPPED: KnownFailure = {
  words: /context canceled/,
  what: "it was stopped before it ended",
  fix: "Run the job again, if it was not stopped on purpose.",
};

export const WRONG_OPTION: KnownFailure = {
  words: /^(?:unknown|invalid|bad) |^flag needs /,
  code: "E_DOCKER",
  what: "this docker buildx does not know an option or its value",
  fix: "Use a newer buildx: docker/setup-buildx-action installs one.",
};

export const SCANNER_FAILED: KnownFailure = {
  words: /^(?:\[[^\]]*\] )?generating sbom /,
  what: "the SBOM generator failed",
  fix: "Its output stands in the log of this step. Name another generator in sbom, or set it to false.",
};

/** Said only where nothing else is known: a command may fail under emulation for the same reasons as anywhere. */
export const FAILED_UNDER_EMULATION: KnownFailure = {
  words: /process "\/dev\/\.buildkit_qemu_emulator/,
  what: "a command failed under emulation; some programs work on the real machine only",
  fix: "Look at the command's output in the log of this step. If it should have worked: a newer emulator (docker/setup-qemu-action), or a native builder or runner for this platform.",
};

const NO_EMULATION: KnownFailure = {
  words: /exec format error/,
  code: "E_DOCKER",
  what: "a command could not run on this platform: there is no working emulation for it",
  fix: "Add docker/setup-qemu-action before this action, or give the platform a native builder or runner.",
};

const DISK_FULL: KnownFailure = {
  words: /no space left on device/,
  what: "the disk is full",
  fix: "Free disk space on the runner, or on the builder.",
};

export const MORE_MEMORY =
  "Give the runner or the builder more memory, or let the command use less (fewer jobs at once).";

const OUT_OF_MEMORY: KnownFailure = {
  words: /cannot allocate memory|out of memory|\bKilled\b|std::bad_alloc/i,
  what: "there was too little memory",
  fix: MORE_MEMORY,
};

/** What BuildKit says of an attestation that is larger than it lets through: 40 MiB from 0.32 on, 80 from 0.33. */
export const TOO_LARGE = /exceeds \d{8,} bytes/;

/** A server that failed by its own account. */
export const SERVER_FAILED =
  /\b(?:500 Internal Server Error|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)\b/i;

/** The first that matches counts, so the more special ones come first. */
export const KNOWN_WORDS: readonly KnownFailure[] = [
  STOPPED,
  NO_EMULATION,
  {
    words:
      /is (?:currently )?not supported for (?:the )?docker driver|docker exporter does not (?:currently )?support exporting manifest lists/,
    code: "E_DOCKER",
    what: "the docker driver cannot do this with the classic image store",
    fix: "Add docker/setup-buildx-action before this action, or turn on the containerd image store of the engine.",
  },
  {
    words: /push-by-digest is currently not implemented for docker driver/,
    code: "E_DOCKER",
    what: "the docker driver cannot push by digest",
    fix: OTHER_DRIVER,
  },
  {
    words: /exporter option "rewrite-timestamp" conflicts with "unpack"/,
    code: "E_DOCKER",
    what: "the docker driver cannot rewrite the times of files, for it unpacks every image",
    fix: OTHER_DRIVER,
  },
  {
    words: /index annotations not supported for single platform export/,
    code: "E_INPUT",
    what: "an annotation is meant for the index, and an image of one platform without attestations has none",
    fix: "Write the annotation as manifest:name=value.",
  },
  {
    words: /oci for multi-node builds currently not supported/,
    code: "E_DOCKER",
    what: "a builder of several nodes cannot load an image into the engine",
    fix: "Push the image, or name a builder of one node.",
  },
  {
    words: /no match for platform in manifest/,
    code: "E_DOCKERFILE",
    what: "a base image has nothing for this platform",
    fix: "Choose a base image that has the platform, or take the platform out of the input platforms.",
  },
  {
    words: TOO_LARGE,
    what: "the SBOM is larger than BuildKit lets through, so nothing was pushed",
    fix: "Use a newer BuildKit (0.33 takes 80 MiB), a generator or catalogers that list fewer files, or set sbom to false.",
  },
  {
    words: /bundle entry .*does not match required predicate type/,
    what: "the image that sbom names is no SBOM generator for BuildKit: what it wrote is not an in-toto statement",
    fix: "Name one that follows BuildKit's protocol, docker/buildkit-syft-scanner for instance.",
  },
  {
    words: /failed to resolve source metadata for docker\.io\/docker\/buildkit-syft-scanner/,
    what: "the SBOM generator cannot be pulled",
    fix: "Set sbom to the name of a copy that the builder can reach, or to false.",
  },
  {
    words: /blob unknown to registry/,
    code: "E_PUSH",
    what: "the registry does not take the form in which newer buildx attaches provenance and SBOM",
    fix: "Set the environment variable BUILDX_NO_DEFAULT_OCI_ARTIFACT to 1 for this step.",
  },
  {
    words: /401 Unauthorized|failed to authorize|insufficient_scope|authentication required|\bunauthorized:/,
    code: "E_AUTH",
    what: "the registry wants a login for this",
    fix: LOGIN,
  },
  {
    words: /failed to push .*(?:403 Forbidden|: denied)|push access denied/,
    code: "E_PUSH",
    what: "the registry knows the login and does not allow it to push",
    fix: "Give the token the right to push (on GitHub: permissions: packages: write, and the package linked to the repository), or set push to false.",
  },
  {
    words: /403 Forbidden|: denied|access denied/,
    code: "E_AUTH",
    what: "the registry does not allow the builder to read this",
    fix: LOGIN,
  },
  {
    words: /429 Too Many Requests|toomanyrequests/,
    what: "the registry's rate limit is used up",
    fix: "Log in to that registry, or wait and run the job again.",
  },
  {
    words: /413 (?:Payload|Request Entity|Content) Too Large/,
    code: "E_PUSH",
    what: "a proxy before the registry refuses a layer of this size",
    fix: "Raise the proxy's body limit (nginx: client_max_body_size 0).",
  },
  {
    words: SERVER_FAILED,
    what: "the registry failed, for longer than BuildKit tries again",
    fix: AGAIN,
  },
  {
    words: /server gave HTTP response to HTTPS client/,
    code: "E_DOCKER",
    what: "the builder speaks https to a registry that speaks plain http",
    fix: "Name the registry in the input insecure where the builder is this action's, else under insecure-registries of the engine or in the builder's buildkitd.toml.",
  },
  {
    words: /x509: |certificate signed by unknown authority/,
    code: "E_DOCKER",
    what: "the builder does not trust the certificate of a registry",
    fix: "Give the certificate's authority to the builder: ssl-cert-base64 where the builder is this action's, else the engine's certs.d or the builder's buildkitd.toml.",
  },
  {
    words: /failed to calculate checksum of ref .*?: "(.+?)": not found/,
    what: "a COPY or ADD names $1, which is not in the build context",
    fix: "Check the path and .dockerignore. If initializeCommand makes the file: it does not run here; make it in a step before this action.",
  },
  {
    words: /base name \((.*?)\) should not be blank/,
    code: "E_DOCKERFILE",
    what: "a FROM names nothing, for $1 has no value",
    fix: "Give the ARG a default, or a value in devcontainer.json's build.args, in build-args or in one of build-arg-files.",
  },
  {
    words: /dockerfile parse error|unsupported mount type/i,
    code: "E_DOCKERFILE",
    what: "BuildKit cannot read the Dockerfile",
    fix: 'Correct the line. If it is a newer instruction or flag: "# syntax=docker/dockerfile:1" as the first line brings it.',
  },
  {
    words: /target stage "(.+?)" could not be found/,
    code: "E_DOCKERFILE",
    what: "the Dockerfile has no stage $1",
    fix: "Check devcontainer.json's build.target, or the input target.",
  },
  {
    words: /failed to read dockerfile|the Dockerfile cannot be empty/,
    code: "E_DOCKERFILE",
    what: "the Dockerfile cannot be read",
    fix: "Check its path in devcontainer.json.",
  },
  {
    words: /secret (\S+): not found/,
    code: "E_INPUT",
    what: "a RUN wants the secret $1, and none was passed",
    fix: "Add it to build-secrets.",
  },
  {
    words: /failed to stat (\S+): stat /,
    code: "E_INPUT",
    what: "the file of a secret, $1, is not there",
    fix: "Check its path in build-secrets.",
  },
  {
    words: /invalid empty ssh agent socket|unset ssh forward key/,
    code: "E_INPUT",
    what: "a RUN wants an ssh agent or key, and none was passed",
    fix: "Start an agent (webfactory/ssh-agent) in a step before, or name a key in the input ssh.",
  },
  {
    words: /granting entitlement (\S+) is not allowed by build daemon/,
    code: "E_DOCKER",
    what: "the builder does not allow $1",
    fix: "Use a builder that was created with that entitlement (buildkitd-flags: --allow-insecure-entitlement …).",
  },
  {
    words: /not allowed by policy/,
    what: "a build policy forbids a source",
    fix: "Change the policy (a file .rego beside the Dockerfile), or the source.",
  },
  {
    words: /no builder "(.*?)" found/,
    code: "E_DOCKER",
    what: "there is no builder $1",
    fix: "Create it in a step before this action, or correct the input builder or the variable BUILDX_BUILDER.",
  },
  {
    words: /^context deadline exceeded$/,
    code: "E_DOCKER",
    what: "the builder does not answer",
    fix: "Check that the builder runs and can be reached, or take its name out of builder and builders.",
  },
  {
    words: /Cannot connect to the Docker daemon/,
    code: "E_DOCKER",
    what: "the Docker engine does not answer",
    fix: "Start the engine, or set DOCKER_HOST to where it is.",
  },
  DISK_FULL,
  {
    words: /exit code: 137|signal: killed/,
    what: "a command was ended by SIGKILL, most often because there was too little memory",
    fix: MORE_MEMORY,
  },
  OUT_OF_MEMORY,
  {
    words: /error reading from server: |code = Unavailable desc = /,
    code: "E_DOCKER",
    what: "the builder ended in the middle of the build, most often because there was too little memory",
    fix: `${MORE_MEMORY} What the builder said at its end stands in its own log (docker logs buildx_buildkit_…).`,
  },
  {
    words: /unable to find user (\S+): no matching entries/,
    code: "E_DOCKERFILE",
    what: "the image has no user $1",
    fix: "Create the user in the Dockerfile before USER names it.",
  },
  {
    words: /no such host|connection refused|connection reset by peer|i\/o timeout|context deadline exceeded/,
    what: "the builder could not reach a host",
    fix: "Check the network of the builder, its proxy, and the name of the host.",
  },
  {
    words: /failed to resolve source metadata for (\S+): .*not found/,
    code: "E_REGISTRY",
    what: "the image $1 is not there",
    fix: "Check its name. If it was there when the plan was made: it was deleted meanwhile, run the job again.",
  },
  WRONG_OPTION,
];

/** What the last lines of a failed command mean, where BuildKit only tells its exit code. */
export const KNOWN_OUTPUT: readonly KnownFailure[] = [
  NO_EMULATION,
  DISK_FULL,
  OUT_OF_MEMORY,
  {
    words: /^remote-user-uid cannot (give .*)$/m,
    code: "E_INPUT",
    what: "the input remote-user-uid cannot $1",
    fix: "Name another uid, correct remoteUser, or leave remote-user-uid out: the user then keeps its own.",
  },
  {
    words:
      /exec:? "?([^":\s]+)"?: (?:stat \S+: no such file or directory|no such file or directory|executable file not found)/,
    code: "E_DOCKERFILE",
    what: "the image has no program $1",
    fix: "Install it in an earlier step, or build on an image that has it.",
  },
  {
    words: /Temporary failure resolving|Could not resolve host|Temporary failure in name resolution|bad address '/,
    what: "a command could not reach a host",
    fix: "Check the network and the name server of the builder. Where a proxy is needed: pass HTTP_PROXY and HTTPS_PROXY in build-args.",
  },
];
