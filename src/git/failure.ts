/** Why a server gave nothing. `refused`: it wants another login, or none at all. `unreachable` is everything else. */
export type GitFailure = {
  readonly kind: "absent" | "refused" | "redirected" | "certificate" | "unknown-host-key" | "unreachable";
  /** Git's own last words. */
  readonly words: string;
};

const SIGNS: readonly (readonly [kind: GitFailure["kind"], sign: RegExp])[] = [
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

/**
 * Tells from what git printed why it got nothing. Git has no codes: its words are those of `LC_ALL=C`.
 * @param printed standard error.
 */
export function readGitFailure(printed: string): GitFailure {
  const lines = printed.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  const own = lines.filter((line) => !line.startsWith("remote:"));
  const text = own.join("\n");
  const kind = SIGNS.find(([, sign]) => sign.test(text))?.[0] ?? "unreachable";
  const words = own.find((line) => OWN.test(line)) ?? own.at(-1) ?? "git ended without a word";
  return { kind, words: words.replace(OWN, "") };
}
