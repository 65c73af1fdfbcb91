import { expect, test } from "vitest";
import { explainBuildFailure, isPassing } from "../../src/buildx/failure.ts";

const failed = `#5 [2/2] RUN false
------
 > [2/2] RUN false:
------
Dockerfile:3
--------------------
   1 |     FROM base
   3 | >>> RUN false
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 1
`;

test("a failing step: BuildKit's last words, on the line that it quotes", () => {
  const error = explainBuildFailure("linux/amd64", failed, ".devcontainer/Dockerfile");
  expect(error.code).toBe("E_BUILD");
  expect(error.message).toBe(
    'The build for linux/amd64 failed: failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 1',
  );
  expect(error.at).toEqual({ file: ".devcontainer/Dockerfile", line: 3 });
});

test.each([
  [
    "no emulation",
    'ERROR: process "/bin/sh -c x" did not complete successfully: exec /bin/sh: exec format error',
    /setup-qemu-action/,
  ],
  [
    "emulator failed",
    'ERROR: process "/dev/.buildkit_qemu_emulator /bin/sh -c x" did not complete successfully: exit code: 1',
    /setup-qemu-action/,
  ],
  ["not logged in", "ERROR: failed to push r/x: unexpected status from HEAD request: 401 Unauthorized", /Log in/],
  ["not allowed", "ERROR: failed to push ghcr.io/x: denied: permission_denied", /packages: write/],
  [
    "push by a token without push",
    "ERROR: push access denied, repository does not exist or may require authorization: server message: insufficient_scope",
    /Log in/,
  ],
  ["rate limit", "ERROR: 429 Too Many Requests", /Log in to that registry/],
  ["COPY source missing", 'ERROR: failed to calculate checksum of ref a::b: "/x": not found', /initializeCommand/],
  ["disk full", "ERROR: write /x: no space left on device", /Free disk space/],
  ["network", "ERROR: dial tcp: lookup x: no such host", /network/],
])("%s", (_, stderr, fix) => {
  expect(explainBuildFailure("linux/arm64", stderr, undefined).fix).toMatch(fix);
});

test("no output at all is not success", () => {
  expect(explainBuildFailure("linux/amd64", "", undefined).message).toContain("ended without a word");
});

test.each<[string, boolean]>([
  ["ERROR: unexpected status from HEAD request to http://r/v2/x/manifests/1: 500 Internal Server Error", true],
  ["ERROR: failed to push r/x: unexpected status from PUT request: 503 Service Unavailable", true],
  ["ERROR: failed to push r/x: 403 Forbidden", false],
  ["#5 0.1 curl: 502 Bad Gateway\nERROR: process did not complete successfully: exit code: 22", false],
])("tried once more: %s %s", (stderr, expected) => {
  expect(isPassing(stderr)).toBe(expected);
});
