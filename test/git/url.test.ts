import { expect, test } from "vitest";
import { formatGitUrl, parseGitUrl, parseSourcePattern, sourceAllowed } from "../../src/git/url.ts";

test.each([
  ["https://Git.Example/team/App.git", "https://git.example/team/App", "App"],
  ["https://git.example:8443/team/sub/app/", "https://git.example:8443/team/sub/app", "app"],
  ["http://127.0.0.1:3000/team/app", "http://127.0.0.1:3000/team/app", "app"],
  ["ssh://git@git.example:2222/team/app.git", "ssh://git.example:2222/team/app", "app"],
  ["ssh://git.example/~dev/app", "ssh://git.example/~dev/app", "app"],
  ["git@git.example:team/app.git", "ssh://git.example/team/app", "app"],
  ["git.example:/srv/app.git", "ssh://git.example/srv/app", "app"],
  ["git@[::1]:team/app", "ssh://[::1]/team/app", "app"],
])("%s", (written, shown, name) => {
  const url = parseGitUrl(written);
  expect(url).not.toHaveProperty("wrong");
  if ("wrong" in url) return;
  expect([formatGitUrl(url), url.name]).toEqual([shown, name]);
});

test.each([
  ["a program of git's", "ext::sh -c id", "blank"],
  ["one without blanks", "ext::id", "names a program"],
  ["a local folder", "/srv/git/app", "no address"],
  ["a file", "file:///srv/git/app", "file:// is not spoken"],
  ["git's own protocol", "git://git.example/team/app", "git:// is not spoken"],
  ["a slash too few", "https:/git.example/team/app", "one slash behind https:"],
  ["a slash too few over ssh", "SSH:/git@git.example/team/app", "one slash behind ssh:"],
  ["a file with one slash", "file:/srv/git/app", "one slash behind file:"],
  ["an option", "--upload-pack=id", "begins with a dash"],
  ["an option as host", "ssh://-oProxyCommand=id/x", "no name"],
  ["an option as host, without a scheme", "-oProxyCommand=id:x", "begins with a dash"],
  ["an option as user", "ssh://-oProxyCommand=id@host/x", "no name"],
  ["an option as path", "git@git.example:-x/app", "begins with a dash"],
  ["a password", "https://dev:canary@git.example/team/app", "it holds a login"],
  ["a token as user", "https://canary@git.example/team/app", "it holds a login"],
  ["a password over ssh", "ssh://dev:canary@git.example/team/app", "it holds a password"],
  ["a query", "https://git.example/team/app?token=canary", "question mark"],
  ["a way up", "https://git.example/team/..%2Fother/app", "hides a slash"],
  ["a way up over ssh", "git@git.example:team/../other", "is . or .."],
  ["a host alone", "https://git.example/", "no repository"],
  ["two slashes", "https://git.example/team//app", "empty"],
  ["a line break", "https://git.example/team/app\nx", "blank"],
  ["owner and name alone", "team/app", "no address"],
  ["a Windows folder", "C:\\app", "backslash"],
])("%s is refused, and no login is repeated", (_, written, words) => {
  const url = parseGitUrl(written);
  expect(url).toEqual({ wrong: expect.stringContaining(words) });
  expect(JSON.stringify(url)).not.toContain("canary");
});

test.each<[string, string, boolean]>([
  ["https://git.example/team/*", "https://git.example/team/app.git", true],
  ["https://git.example/team/*", "https://git.example/team/sub/app", false],
  ["https://git.example/team/**", "https://git.example/team/sub/app", true],
  ["https://git.example/team/*", "https://git.example.evil/team/app", false],
  ["https://git.example/team/*", "https://git.example:8443/team/app", false],
  ["https://git.example/team/*", "http://git.example/team/app", false],
  ["https://git.example/team/*", "https://evil.example/x/git.example/team/app", false],
  ["https://git.example/team/*", "https://git.example/team/../other/app", false],
  ["https://git.example/team/*", "ssh://git.example/team/app", false],
  ["https://*.example/team/app", "https://git.example/team/app", true],
  ["https://*.example/team/app", "https://git.evil/x.example/team/app", false],
  ["git@git.example:team/*", "ssh://other@git.example/team/app", true],
  ["https://git.example/team/app.git", "https://git.example/team/app", true],
  ["https://git.example/te.m/app", "https://git.example/team/app", false],
])("the pattern %s and %s: %s", (written, address, isAllowed) => {
  const [pattern, url] = [parseSourcePattern(written), parseGitUrl(address)];
  if ("wrong" in pattern || "wrong" in url) throw new Error("neither is wrong");
  expect(sourceAllowed([pattern], url)).toBe(isAllowed);
});
