import { expect, test } from "vitest";
import { explainFailure, isServersFault, isTooLargeSbom } from "../../src/buildx/failure.ts";
import { KNOWN_OUTPUT, KNOWN_WORDS } from "../../src/buildx/known-failures.ts";
import { type BuildFailure, readFailure } from "../../src/buildx/last-words.ts";
import type { ErrorCode } from "../../src/errors.ts";

const asked = { platform: "linux/arm64", dockerfile: undefined, code: 1 };

function failure(words: string, rest: Partial<BuildFailure> = {}): BuildFailure {
  return { words, step: undefined, output: [], line: undefined, ...rest };
}

/** Words as BuildKit 0.13 to 0.33, buildx 0.13 to 0.36 and registries said them; digests, addresses and names shortened. */
const WORDS: readonly (readonly [name: string, words: string, code: ErrorCode, told: RegExp])[] = [
  ["stopped", "failed to solve: Canceled: context canceled", "E_BUILD", /stopped before it ended/],
  [
    "stopped while a command ran",
    'process "/bin/sh -c sleep 9" did not complete successfully: exit code: 137: context canceled: context canceled',
    "E_BUILD",
    /stopped before it ended/,
  ],
  [
    "no emulation",
    'process "/bin/sh -c x" did not complete successfully: exec /bin/sh: exec format error',
    "E_DOCKER",
    /setup-qemu-action/,
  ],
  [
    "classic image store, several platforms",
    "Multi-platform build is not supported for the docker driver.",
    "E_DOCKER",
    /classic image store.*setup-buildx-action/s,
  ],
  [
    "classic image store, older words",
    "multiple platforms feature is currently not supported for docker driver. Please switch to a different driver",
    "E_DOCKER",
    /classic image store/,
  ],
  [
    "classic image store, attestations",
    "Attestation is not supported for the docker driver.",
    "E_DOCKER",
    /classic image store/,
  ],
  [
    "load of several platforms",
    "docker exporter does not support exporting manifest lists, use the oci exporter instead",
    "E_DOCKER",
    /classic image store/,
  ],
  [
    "push by digest",
    "push-by-digest is currently not implemented for docker driver, please create a new builder instance",
    "E_DOCKER",
    /cannot push by digest/,
  ],
  [
    "rewritten times",
    'failed to solve: exporter option "rewrite-timestamp" conflicts with "unpack"',
    "E_DOCKER",
    /unpacks every image/,
  ],
  [
    "annotation of an index that is none",
    "failed to solve: index annotations not supported for single platform export",
    "E_INPUT",
    /manifest:name=value/,
  ],
  ["load from several nodes", "oci for multi-node builds currently not supported", "E_DOCKER", /several nodes/],
  [
    "base without the platform",
    "failed to solve: r/base/amd:1: failed to resolve source metadata for r/base/amd:1: no match for platform in manifest: not found",
    "E_DOCKERFILE",
    /nothing for this platform/,
  ],
  [
    "SBOM too large",
    "failed to solve: failed to read attestation: sbom.spdx.json exceeds 41943040 bytes",
    "E_BUILD",
    /SBOM is larger.*set sbom to false/s,
  ],
  [
    "no SBOM generator",
    "failed to solve: bundle entry  does not match required predicate type https://spdx.dev/Document",
    "E_BUILD",
    /no SBOM generator/,
  ],
  [
    "generator out of reach",
    'failed to solve: failed to resolve source metadata for docker.io/docker/buildkit-syft-scanner:stable-1: failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    "E_REGISTRY",
    /generator cannot be pulled.*a copy/s,
  ],
  [
    "attestations in a new form",
    "failed to solve: failed to push r/x:1: manifest blob unknown: blob unknown to registry",
    "E_PUSH",
    /BUILDX_NO_DEFAULT_OCI_ARTIFACT/,
  ],
  [
    "not logged in",
    "failed to solve: failed to push r/x/y:1: unexpected status from HEAD request to http://r/v2/x/y/blobs/sha256:6b: 401 Unauthorized",
    "E_AUTH",
    /Log in/,
  ],
  [
    "no token",
    "failed to solve: failed to fetch anonymous token: unexpected status from GET request to http://r/token?service=x: 401 Unauthorized",
    "E_AUTH",
    /Log in/,
  ],
  [
    "push by a login without push",
    "push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
    "E_AUTH",
    /Log in/,
  ],
  [
    "push not allowed",
    "failed to solve: failed to push ghcr.io/x: denied: permission_denied: write_package",
    "E_PUSH",
    /packages: write/,
  ],
  [
    "push forbidden",
    "failed to solve: failed to push r/x/y:1: unexpected status from HEAD request to http://r/v2/x/y/blobs/sha256:7d: 403 Forbidden",
    "E_PUSH",
    /packages: write/,
  ],
  [
    "base forbidden",
    "failed to solve: r/base:1: failed to resolve source metadata for r/base:1: pull access denied, repository does not exist",
    "E_AUTH",
    /allow the builder to read.*Log in/s,
  ],
  [
    "rate limit",
    "failed to solve: r/base:1: failed to resolve source metadata for r/base:1: unexpected status from HEAD request: 429 Too Many Requests",
    "E_REGISTRY",
    /Log in to that registry/,
  ],
  [
    "body limit",
    "failed to solve: failed to push r/x/y:1: unexpected status from HEAD request to http://r/v2/x/y: 413 Payload Too Large",
    "E_PUSH",
    /client_max_body_size/,
  ],
  [
    "registry fails",
    "failed to solve: failed to push r/x/y:1: unexpected status from HEAD request to http://r/v2/x/y: 503 Service Unavailable",
    "E_PUSH",
    /Run the job again/,
  ],
  [
    "plain http",
    'failed to solve: failed to push r/x:1: failed to do request: Head "https://r/v2/": http: server gave HTTP response to HTTPS client',
    "E_DOCKER",
    /insecure/,
  ],
  [
    "unknown certificate",
    "failed to solve: failed to push r/x:1: tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "E_DOCKER",
    /ssl-cert-base64/,
  ],
  [
    "COPY of what is not there",
    'failed to solve: failed to compute cache key: failed to calculate checksum of ref vfy8::99me: "/missing.txt": not found',
    "E_BUILD",
    /names \/missing\.txt, which is not in the build context.*initializeCommand/s,
  ],
  [
    "FROM of an ARG without a value",
    "failed to solve: base name (${X}) should not be blank",
    "E_DOCKERFILE",
    /for \$\{X\} has no value.*build-arg-files/s,
  ],
  [
    "unknown instruction",
    "failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
    "E_DOCKERFILE",
    /cannot read the Dockerfile.*did you mean RUN.*# syntax=/s,
  ],
  [
    "unknown flag in the Dockerfile",
    "failed to solve: dockerfile parse error on line 2: unknown flag: security",
    "E_DOCKERFILE",
    /cannot read the Dockerfile/,
  ],
  ["unknown kind of mount", 'failed to solve: unsupported mount type "foo"', "E_DOCKERFILE", /cannot read the Docker/],
  [
    "no such stage",
    'failed to solve: target stage "prod" could not be found',
    "E_DOCKERFILE",
    /no stage prod.*target/s,
  ],
  [
    "no Dockerfile",
    "failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory",
    "E_DOCKERFILE",
    /cannot be read.*Check its path/s,
  ],
  ["secret not passed", "failed to solve: secret tok: not found", "E_INPUT", /secret tok.*build-secrets/s],
  [
    "secret's file",
    "failed to stat /nothere: stat /nothere: no such file or directory",
    "E_INPUT",
    /secret, \/nothere, is not there/,
  ],
  [
    "no ssh agent",
    "failed to convert agent config {default [] false}: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set",
    "E_INPUT",
    /ssh agent/,
  ],
  ["no ssh key", "failed to solve: unset ssh forward key default", "E_INPUT", /ssh agent/],
  [
    "entitlement",
    "failed to solve: granting entitlement security.insecure is not allowed by build daemon configuration",
    "E_DOCKER",
    /does not allow security\.insecure/,
  ],
  [
    "policy",
    'failed to solve: source "docker-image://docker.io/library/alpine:3" not allowed by policy: action DENY',
    "E_BUILD",
    /policy forbids/,
  ],
  ["no builder", 'no builder "mine" found', "E_DOCKER", /no builder mine/],
  ["builder is down", "context deadline exceeded", "E_DOCKER", /builder does not answer/],
  [
    "no engine",
    "Cannot connect to the Docker daemon at unix:///nothere.sock. Is the docker daemon running?",
    "E_DOCKER",
    /Start the engine/,
  ],
  ["disk full", "failed to solve: write /x: no space left on device", "E_BUILD", /Free disk space/],
  [
    "memory",
    'failed to solve: process "/bin/sh -c make -j64" did not complete successfully: exit code: 137',
    "E_BUILD",
    /ended by SIGKILL, most often because there was too little memory/,
  ],
  [
    "memory, in runc's words",
    'failed to solve: process "/bin/sh -c make" did not complete successfully: signal: killed',
    "E_BUILD",
    /ended by SIGKILL/,
  ],
  [
    "memory that the system does not give",
    "failed to solve: ResourceExhausted: fork/exec /usr/bin/runc: cannot allocate memory",
    "E_BUILD",
    /too little memory.*fewer jobs/s,
  ],
  [
    "a builder that was killed",
    'failed to receive status: rpc error: code = Unavailable desc = closing transport due to: connection error: desc = "error reading from server: EOF"',
    "E_DOCKER",
    /builder ended in the middle of the build.*docker logs/s,
  ],
  [
    "no such user",
    'failed to solve: process "/bin/sh -c true" did not complete successfully: unable to find user dev: no matching entries in passwd file',
    "E_DOCKERFILE",
    /no user dev/,
  ],
  [
    "no such host",
    'failed to solve: r/none:1: failed to resolve source metadata for r/none:1: failed to do request: Head "https://r/v2/none/manifests/1": dial tcp: lookup r: no such host',
    "E_REGISTRY",
    /could not reach a host/,
  ],
  [
    "push refused",
    'failed to solve: failed to push 127.0.0.1:1/x:1: failed to do request: Head "https://127.0.0.1:1/v2/x": dial tcp 127.0.0.1:1: connect: connection refused',
    "E_PUSH",
    /could not reach a host/,
  ],
  [
    "no such image",
    "failed to solve: r/base/none:1: failed to resolve source metadata for r/base/none:1: r/base/none:1: not found",
    "E_REGISTRY",
    /image r\/base\/none:1 is not there/,
  ],
  ["wrong value of an option", "invalid value maybe", "E_DOCKER", /newer buildx/],
  [
    "something new",
    "failed to solve: the moon is full",
    "E_BUILD",
    /^The build for linux\/arm64 failed: failed to solve: the moon is full\nThe build's own output/,
  ],
];

test.each(WORDS)("%s", (_, words, code, told) => {
  const error = explainFailure(failure(words), asked);
  expect(`${error.message}\n${error.fix}`).toMatch(told);
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
});

test("each known failure has a row above or below that no earlier one takes", () => {
  const texts = WORDS.map(([, words]) => words.replace(/"[^"]*" did/, '"" did'));
  const taken = new Set(texts.map((text) => KNOWN_WORDS.find(({ words }) => words.test(text))));
  expect(KNOWN_WORDS.filter((known) => !taken.has(known)).map(({ words }) => words.source)).toEqual([]);
});

const exited = (code: number) =>
  `failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: ${code}`;

const OUTPUT: readonly (readonly [name: string, line: string, told: RegExp])[] = [
  ["no emulation", "exec /bin/sh: exec format error", /setup-qemu-action/],
  ["disk full", "dd: error writing '/x': No space left on device".replace("No", "no"), /Free disk space/],
  [
    "no shell",
    'runc run failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory',
    /no program \/bin\/sh/,
  ],
  [
    "no program",
    'runc run failed: unable to start container process: exec: "mise": executable file not found in $PATH',
    /no program mise/,
  ],
  ["no program, older words", "exec /usr/bin/node: no such file or directory", /no program \/usr\/bin\/node/],
  [
    "a uid that is another user's",
    "remote-user-uid cannot give dev the uid 1001: it is the uid of node in this image",
    /the input remote-user-uid cannot give dev the uid 1001: it is the uid of node in this image.*Name another uid/s,
  ],
  ["no network", "wget: bad address 'example.org'", /HTTPS_PROXY/],
  ["no name server", "W: Temporary failure resolving 'deb.debian.org'", /HTTPS_PROXY/],
  ["memory", "g++: fatal error: Killed signal terminated program cc1plus", /too little memory/],
  ["memory of a program's own", "FATAL ERROR: Reached heap limit - JavaScript heap out of memory", /too little memory/],
  ["something else", "make: *** No rule", /The build's own output stands in the log of this step/],
];

test.each(OUTPUT)("a command's last lines: %s", (_, line, told) => {
  const error = explainFailure(failure(exited(1), { step: "[2/2] RUN make", output: ["first", line] }), asked);
  expect(`${error.message}\n${error.fix}`).toMatch(told);
});

test("each known output has a row", () => {
  const taken = new Set(OUTPUT.map(([, line]) => KNOWN_OUTPUT.find(({ words }) => words.test(line))));
  expect(KNOWN_OUTPUT.filter((known) => !taken.has(known)).map(({ words }) => words.source)).toEqual([]);
});

test("a failing command: its step, how it ended, its last lines, on the user's line", () => {
  const output = Array.from({ length: 12 }, (_, line) => `line ${line}`);
  const error = explainFailure(failure(exited(2), { step: "[2/2] RUN make", output, line: 3 }), {
    ...asked,
    dockerfile: { file: ".devcontainer/Dockerfile", firstLine: 1, lastLine: 3 },
  });
  expect(error.message).toBe(
    "The build for linux/arm64 failed at [2/2] RUN make: failed to solve: the command did not complete successfully: exit code: 2",
  );
  expect(error.details).toEqual({ title: "The last lines of that step:", lines: output });
  expect(error.at).toEqual({ file: ".devcontainer/Dockerfile", line: 3 });
});

test("a Dockerfile in the midst of another file: on that file's line", () => {
  const dockerfile = { file: "compose.yml", firstLine: 7, lastLine: 3 };
  expect(explainFailure(failure("x", { line: 3 }), { ...asked, dockerfile }).at).toEqual({
    file: "compose.yml",
    line: 9,
  });
  expect(explainFailure(failure("x", { line: 4 }), { ...asked, dockerfile }).at).toBeUndefined();
});

test("a step that stands in none of the user's lines: where it is asked for", () => {
  const dockerfile = { file: "Dockerfile", firstLine: 1, lastLine: 3 };
  const placeOfStep = (step: string) =>
    step === "[5/9] feature ./go" ? { file: "devcontainer.json", line: 8 } : undefined;
  const at = (step: string | undefined, line: number) =>
    explainFailure(failure("x", { step, line }), { ...asked, dockerfile, placeOfStep }).at;
  expect(at("[5/9] feature ./go", 6)).toEqual({ file: "devcontainer.json", line: 8 });
  expect(at("[5/9] feature ./go", 2)).toEqual({ file: "Dockerfile", line: 2 });
  expect(at("[6/9] clear up after the features", 7)).toBeUndefined();
  expect(at(undefined, 7)).toBeUndefined();
});

test.each([
  ["past the user's last line", 4, { file: "Dockerfile", firstLine: 1, lastLine: 3 }],
  ["no Dockerfile of the user's", 1, undefined],
  ["no line", undefined, { file: "Dockerfile", firstLine: 1, lastLine: 3 }],
])("no place: %s", (_, line, dockerfile) => {
  expect(explainFailure(failure("x", { line }), { ...asked, dockerfile }).at).toBeUndefined();
});

test.each([
  [130, "whatever was said last", "E_BUILD", /stopped/],
  [125, "'docker buildx build' requires 1 argument", "E_DOCKER", /newer buildx/],
])("exit code %d", (code, words, expected, told) => {
  const error = explainFailure(failure(words), { ...asked, code });
  expect(error.code).toBe(expected);
  expect(`${error.message} ${error.fix}`).toMatch(told);
});

test.each([
  [134, /a command was ended by SIGABRT/],
  [139, /a command was ended by SIGSEGV/],
  [143, /a command was ended by SIGTERM: somebody told it to stop/],
  [255, /exit code: 255$/],
])("a command's exit code %d", (code, told) => {
  expect(explainFailure(failure(exited(code), { step: "[2/2] RUN make" }), asked).message).toMatch(told);
});

test("under BuildKit's own emulation a signal has the emulator's cure", () => {
  const words = exited(139).replace('"/bin/sh', '"/dev/.buildkit_qemu_emulator /bin/sh');
  const error = explainFailure(failure(words, { step: "[2/2] RUN make" }), asked);
  expect(`${error.message} ${error.fix}`).toMatch(/SIGSEGV.*setup-qemu-action/);
});

test.each([
  ["SIGKILL", /docker buildx was ended by SIGKILL: most often because there was too little memory/],
  ["SIGTERM", /docker buildx was ended by SIGTERM: somebody/],
] as const)("buildx itself, ended by %s", (endedBy, told) => {
  const error = explainFailure(failure("the last that was said"), { ...asked, code: 137, endedBy });
  expect(error.message).toMatch(told);
});

test.each([
  ["why is not known", "make: *** No rule", "E_BUILD", /under emulation.*setup-qemu-action/s],
  ["no emulator is there", "exec /bin/sh: exec format error", "E_DOCKER", /no working emulation/],
])("a command under BuildKit's own emulator: %s", (_, line, code, told) => {
  const words = exited(1).replace('"/bin/sh', '"/dev/.buildkit_qemu_emulator /bin/sh');
  const error = explainFailure(failure(words, { step: "[2/2] RUN make", output: [line] }), asked);
  expect(`${error.message}\n${error.fix}`).toMatch(told);
  expect(error.code).toBe(code);
});

test("a generator that fails is told as one, with what it printed", () => {
  const error = explainFailure(
    failure(exited(3), { step: "[linux/arm64] generating sbom using r/scanner:1", output: ["boom"] }),
    asked,
  );
  expect(error.message).toMatch(/SBOM generator failed.*exit code: 3$/);
  expect(error.details?.lines).toEqual(["boom"]);
  expect(error.fix).toMatch(/another generator/);
});

test("what a command's text says is not why it failed", () => {
  const words =
    'process "/bin/sh -c curl r || (echo \\"503 Service Unavailable\\"; exit 9)" did not complete successfully: exit code: 9';
  expect(explainFailure(failure(words), asked).fix).toBe("The build's own output stands in the log of this step.");
  expect(isServersFault(failure(words))).toBe(false);
});

test.each<[string, boolean]>([
  ["failed to push r/x: unexpected status from PUT request: 503 Service Unavailable", true],
  ["unexpected status from HEAD request to http://r/v2/x/manifests/1: 500 Internal Server Error", true],
  ["failed to push r/x:1: failed to do request: Head: read tcp 1->2: read: connection reset by peer", true],
  [
    "failed to push r/x:1: failed commit on ref: failed to do request: Put: write tcp: use of closed network connection",
    true,
  ],
  ["failed to push r/x:1: failed to do request: Put: EOF", true],
  ["failed to push r/x: 403 Forbidden", false],
  ["failed to push r/x: dial tcp 127.0.0.1:1: connect: connection refused", false],
  ["failed to load cache key: Get http://r/x: read: connection reset by peer", false],
])("the server's fault: %s %s", (words, expected) => {
  expect(isServersFault(failure(words))).toBe(expected);
});

test.each<[string, boolean]>([
  ["failed to solve: sbom.spdx.json exceeds 41943040 bytes", true],
  ["failed to solve: sbom.spdx.json exceeds 83886080 bytes", true],
  ['process "echo exceeds 41943040 bytes" did not complete successfully: exit code: 1', false],
  ["failed to solve: bundle entry  does not match required predicate type", false],
])("SBOM too large: %s %s", (words, expected) => {
  expect(isTooLargeSbom(failure(words))).toBe(expected);
});

const PLAIN = `#5 [2/2] RUN make
#5 0.112 no rule
#5 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
------
 > [2/2] RUN make:
0.112 no rule
0.113 stop
------
Dockerfile:3
--------------------
   1 |     FROM base
   3 | >>> RUN make
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2
`;

test("what plain progress ends with is read as well", () => {
  expect(readFailure(PLAIN.split("\n"), [])).toEqual({
    words: 'failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2',
    step: "[2/2] RUN make",
    output: ["no rule", "stop"],
    line: 3,
  });
});

test.each([
  ["nothing at all", "", "docker buildx ended without a word"],
  ["no error line", "it broke\n\n", "it broke"],
  [
    "usage of newer buildx",
    "unknown flag: --x\n\nUsage:  docker buildx build\n\nRun 'docker buildx build --help'\n",
    "unknown flag: --x",
  ],
  ["the last of several", "ERROR: one\nERROR: two\n", "two"],
])("last words: %s", (_, text, words) => {
  expect(readFailure(text.split("\n"), []).words).toBe(words);
});

test("of several failed steps, the one that the last words speak of", () => {
  const step = (name: string, error: string) => ({ name, error, output: [name] });
  const failed = [step("a", "first"), step("b", "second"), step("c", "third")];
  expect(readFailure(["ERROR: failed to solve: second"], failed)).toMatchObject({ step: "b", output: ["b"] });
  expect(readFailure(["ERROR: something else"], failed).step).toBe("a");
});

test("of several excerpts, the last", () => {
  const dashes = "--------------------";
  expect(readFailure(["Dockerfile:2", dashes, "Dockerfile:5", dashes, "ERROR: x"], []).line).toBe(5);
});

test("the line of a parse error that quotes no excerpt", () => {
  expect(readFailure(["ERROR: failed to solve: dockerfile parse error on line 7: oops"], []).line).toBe(7);
});
