import { ActionError, type Place } from "../errors.ts";

type Pattern = { readonly words: RegExp; readonly what: string; readonly fix: string };

/**
 * What BuildKit's and the registries' last words mean to a person. Exit codes tell nothing: every failure is 1.
 * The first pattern that matches the end of the output counts.
 */
const PATTERNS: readonly Pattern[] = [
  {
    words: /exec format error|\.buildkit_qemu_emulator/,
    what: "a build step could not run on this platform: there is no working emulation for it",
    fix: "Add docker/setup-qemu-action before this action, or give the platform a native runner.",
  },
  {
    words: /is (currently )?not supported for the docker driver/,
    what: "the docker driver cannot do this with the classic image store",
    fix: "Add docker/setup-buildx-action before this action, or turn on the containerd image store.",
  },
  {
    words: /no match for platform in manifest/,
    what: "a base image has nothing for this platform",
    fix: "Choose a base image that has the platform, or take the platform out of the input platforms.",
  },
  {
    words: /401 Unauthorized|failed to authorize|insufficient_scope|authentication required/,
    what: "the registry wants a login for this",
    fix: "Log in with docker/login-action before this action, or set registry-username and registry-password.",
  },
  {
    words: /403 Forbidden|: denied|push access denied/,
    what: "the registry knows the login and does not allow this",
    fix: "Give the token the right to push (on GitHub: permissions: packages: write), or set push to false.",
  },
  {
    words: /429 Too Many Requests|toomanyrequests/,
    what: "the registry's rate limit is used up",
    fix: "Log in to that registry, or wait and run the job again.",
  },
  {
    words: /413 (Payload|Request Entity) Too Large/,
    what: "a proxy before the registry refuses a layer of this size",
    fix: "Raise the proxy's body limit (nginx: client_max_body_size 0).",
  },
  {
    words: /server gave HTTP response to HTTPS client/,
    what: "the builder speaks https to a registry that speaks plain http",
    fix: "Name the registry under insecure-registries in the engine's or the builder's configuration.",
  },
  {
    words: /failed to calculate checksum of ref .*: not found|: not found: .*no such file/,
    what: "a COPY or ADD names something that is not in the build context",
    fix: "Check the path and .dockerignore. If initializeCommand makes the file: it does not run here; make it in a step before this action.",
  },
  {
    words: /no space left on device/,
    what: "the disk is full",
    fix: "Free disk space on the runner, or on the builder.",
  },
  {
    words: /no such host|connection refused|i\/o timeout|context deadline exceeded/,
    what: "the builder could not reach a host",
    fix: "Check the network of the builder, its proxy, and the name of the registry.",
  },
  {
    words: /Cannot connect to the Docker daemon/,
    what: "the Docker engine does not answer",
    fix: "Start the engine, or set DOCKER_HOST to where it is.",
  },
];

/** Whether the last words are a server's own failure: BuildKit tries such a push again for some seconds, and then it is fair to try once more. */
export function isPassing(stderr: string): boolean {
  const last = lastError(stderr.split("\n").filter((line) => line.trim() !== ""));
  return /\b(500 Internal Server Error|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)\b/i.test(last);
}

const LAST_LINES = 25;

/**
 * Turns a failed build's output into a message to a person.
 * @param stderr all that buildx wrote.
 * @param dockerfile the user's Dockerfile, for the line that BuildKit quotes.
 */
export function explainBuildFailure(platform: string, stderr: string, dockerfile: string | undefined): ActionError {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const last = lastError(lines);
  const tail = lines.slice(-LAST_LINES).join("\n");
  const known = PATTERNS.find(({ words }) => words.test(last)) ?? PATTERNS.find(({ words }) => words.test(tail));
  const place = placeOf(lines, dockerfile);
  return new ActionError("E_BUILD", {
    what: `The build for ${platform} failed: ${known ? `${known.what}. BuildKit says: ${last}` : last}`,
    fix: known?.fix ?? "The build's own output stands above.",
    ...(place ? { at: place } : {}),
  });
}

function lastError(lines: readonly string[]): string {
  const errors = lines.filter((line) => /^(ERROR|error):/.test(line));
  return (errors.at(-1) ?? lines.at(-1) ?? "docker buildx ended without a word").replace(
    /^(ERROR|error): (failed to build: )?/,
    "",
  );
}

/** BuildKit quotes the failing instruction as `Dockerfile:12` on a line of its own, before the excerpt. */
function placeOf(lines: readonly string[], dockerfile: string | undefined): Place | undefined {
  if (dockerfile === undefined) return undefined;
  const quoted = lines.map((line) => /^Dockerfile:(\d+)$/.exec(line.trim())).findLast((match) => match !== null);
  return quoted?.[1] === undefined ? undefined : { file: dockerfile, line: Number(quoted[1]) };
}
