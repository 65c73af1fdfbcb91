import { expect, test } from "vitest";
import { forgeApiOf, giteaBranchAddress } from "../../src/git/api.ts";
import { parseGitUrl } from "../../src/git/url.ts";

const OWN = { GITHUB_SERVER_URL: "https://git.example", GITHUB_API_URL: "https://git.example/api/v1" };
const BELOW = { GITHUB_SERVER_URL: "https://x.example/gitea/", GITHUB_API_URL: "https://x.example/gitea/api/v1" };

test.each<[string, Readonly<Record<string, string>>, string | undefined]>([
  ["https://git.example/team/app.git", OWN, "https://git.example/api/v1/repos/team/app/branches/a/b"],
  ["https://x.example/gitea/team/app", BELOW, "https://x.example/gitea/api/v1/repos/team/app/branches/a/b"],
  ["https://codeberg.org/team/app", OWN, "https://codeberg.org/api/v1/repos/team/app/branches/a/b"],
  ["https://other.example/team/app", OWN, undefined],
  ["http://git.example/team/app", OWN, undefined],
  ["ssh://git@git.example/team/app", OWN, undefined],
  ["https://git.example/team/sub/app", OWN, undefined],
  ["https://git.example.evil/team/app", OWN, undefined],
  // A login for the server is none for another host that calls itself its API.
  ["https://git.example/team/app", { ...OWN, GITHUB_API_URL: "https://api.evil.example/v1" }, undefined],
])("%s", (address, env, asked) => {
  const url = parseGitUrl(address);
  if ("wrong" in url) throw new Error(url.wrong);
  const api = forgeApiOf(url, "gitea", env);
  expect(api && giteaBranchAddress(api, "a/b")).toBe(asked);
});
