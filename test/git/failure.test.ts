import { expect, test } from "vitest";
import { readGitFailure } from "../../src/git/failure.ts";

/** What git 2.39 and ssh 9.2 print, from real runs; the last but one what GitHub's server says through git. */
test.each([
  ["refused", "fatal: could not read Username for 'https://git.example': terminal prompts disabled"],
  ["refused", "remote: Unauthorized\nfatal: Authentication failed for 'https://git.example/team/app/'"],
  ["refused", "fatal: unable to access 'https://git.example/team/app/': The requested URL returned error: 403"],
  ["refused", "git@git.example: Permission denied (publickey).\nfatal: Could not read from remote repository."],
  ["absent", "fatal: repository 'https://git.example/team/app/' not found"],
  [
    "absent",
    "fatal: '/srv/none' does not appear to be a git repository\nfatal: Could not read from remote repository.",
  ],
  ["unknown-host-key", "Host key verification failed.\nfatal: Could not read from remote repository."],
  [
    "certificate",
    "fatal: unable to access 'https://x/': server certificate verification failed. CAfile: none CRLfile: none",
  ],
  ["certificate", "fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate"],
  ["redirected", "fatal: unable to access 'https://x/': The requested URL returned error: 301"],
  ["unreachable", "fatal: unable to access 'https://x/': Could not resolve host: x"],
  ["unreachable", "fatal: unable to access 'https://x/': The requested URL returned error: 502"],
  // GitHub over ssh.
  ["absent", "ERROR: Repository not found.\nfatal: Could not read from remote repository."],
  // No ssh on this machine.
  ["unreachable", "error: cannot run ssh: No such file or directory\nfatal: unable to fork"],
  ["unreachable", "sh: 1: ssh: not found\nfatal: Could not read from remote repository."],
  ["absent", "fatal: remote error: repository not found: team/app"],
  ["refused", "fatal: remote error: access denied or repository not exported: /team/app"],
  // Advice on certificates, keys of hosts and other addresses follows from what git itself saw.
  ["unreachable", "fatal: remote error: SSL certificate problem: name the host in insecure"],
  ["unreachable", "fatal: remote error: Host key verification failed"],
  ["unreachable", "fatal: remote error: please redirect to https://evil.example"],
  // git-lfs 3.3, of which nothing is left but what it says of its process.
  ["unreachable", "GIT_CONFIG_PARAMETERS='http.followRedirects'='false'\nGIT_SSL_NO_VERIFY=1"],
  // A server's own words decide nothing.
  ["unreachable", "remote: Repository not found, Authentication failed\nfatal: the remote end hung up unexpectedly"],
  ["unreachable", ""],
])("%s: %s", (kind, printed) => {
  expect(readGitFailure(printed).kind).toBe(kind);
});

test("of ssh the reason is its own; below git's stands advice", () => {
  const name = "ssh: Could not resolve hostname nohost.invalid: Name or service not known";
  expect(readGitFailure(`${name}\r\nfatal: Could not read from remote repository.\n\nPlease make sure`).words).toBe(
    name,
  );
  const dubious = "detected dubious ownership in repository at '/work'";
  const advice = "To add an exception for this directory, call:\n\n\tgit config --global --add safe.directory /work";
  expect(readGitFailure(`fatal: ${dubious}\n${advice}\n`).words).toBe(dubious);
});

test("git's own words, the first of them", () => {
  const printed = "remote: x\nfatal: unable to access 'https://x/': Could not resolve host: x\n";
  expect(readGitFailure(printed).words).toBe("unable to access 'https://x/': Could not resolve host: x");
});
