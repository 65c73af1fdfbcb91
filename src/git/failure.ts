/** Why a server gave nothing. `refused`: it wants another login, or none at all. `unreachable` is everything else. */
export type GitFailure = {
  readonly kind: "absent" | "refused" | "redirected" | "certificate" | "unknown-host-key" | "unreachable";
  /** Git's own last words. */
  readonly words: string;
};

const SIGNS: readonly (readonly [kind: GitFailure["kind"], sign: RegExp])[] = [
  // The program that is missing is this machine's, not the repository.
  ["unreachable", /cannot run |unable to fork|ssh: (?:command )?not found/],
  ["unknown-host-key", /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/],
  [
    "refused",
    /Authentication failed|could not read (?:Username|Password)|returned error: 40[13]\b|Access denied|Permission denied/i,
  ],
  ["redirected", /returned error: 30\d\b|redirect/i],
  ["certificate", /certificate|SSL routines|gnutls_handshake|TLS/i],
  ["absent", /returned error: 404\b|not found|does not appear to be a git repository|does not exist/i],
];

/** Git's words about the network; a server's own stand behind `remote: `, and may say anything. */
const OWN = /^(?:fatal|error): /;
/** What a server says in the protocol itself: whether there is such a repository, for whom, is its to say, and nothing else. */
const SERVERS = /^(?:fatal|error): remote error: /;
const SERVERS_TO_SAY: ReadonlySet<GitFailure["kind"]> = new Set(["refused", "absent"]);
/** Of what git says of ssh the reason is ssh's own. */
const OF_SSH = /^ssh: /;

/**
 * Tells from what git printed why it got nothing. Git has no codes: its words are those of `LC_ALL=C`.
 * @param printed standard error.
 */
export function readGitFailure(printed: string): GitFailure {
  // Where git-lfs gives up, it prints the variables of its process, and with them our configuration.
  const own = printed.split(/[\r\n]+/).filter((line) => line.trim() !== "" && !/^(?:remote:|GIT_\w+=)/.test(line));
  for (const [kind, sign] of SIGNS) {
    const line = own.find((one) => sign.test(one) && (SERVERS_TO_SAY.has(kind) || !SERVERS.test(one)));
    if (line !== undefined) return { kind, words: line.replace(OWN, "") };
  }
  const words =
    own.find((line) => OF_SSH.test(line)) ??
    own.find((line) => OWN.test(line)) ??
    own.at(-1) ??
    "git ended without a word";
  return { kind: "unreachable", words: words.replace(OWN, "") };
}
