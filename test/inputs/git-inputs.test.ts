import { expect, test } from "vitest";
import { readInputs } from "../../src/inputs/read-inputs.ts";

const read = (inputs: Readonly<Record<string, string>>) =>
  readInputs((name) => inputs[name] ?? "", { cacheRepository: "ghcr.io/team/app/devcontainer", isFork: false });
const URL = { "git-url": "https://git.example/team/app" };
const key = (text: string): string => Buffer.from(text).toString("base64");

test("nothing set: the workspace is built", () => expect(read({}).git).toBeUndefined());

test("a repository alone: its default branch, one commit deep, without a login", () => {
  expect(read(URL).git).toMatchObject({ ref: { kind: "head" }, depth: 1, singleBranch: true });
  expect(read(URL).git?.login).toBeUndefined();
});

test("a token alone has a user, and is one of the run's secrets", () => {
  const inputs = read({ ...URL, "git-password": "token" });
  expect(inputs.git?.login).toEqual({ username: "x-access-token", password: "token" });
  expect(inputs.secretTexts).toEqual([{ input: "git-password", value: "token" }]);
});

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ["a ref without a repository", { "git-ref": "main" }, /git-ref is set and git-url is not/],
  [
    "two refs",
    { "git-url": "https://git.example/team/app#a", "git-ref": "b" },
    /git-ref is "b", and git-url asks for "a"/,
  ],
  ["two keys", { ...URL, "git-ssh-private-key-path": "k", "git-ssh-private-key-base64": key("k") }, /both set/],
  ["a key that is none", { ...URL, "git-ssh-private-key-base64": key("canary") }, /base64 form of a private key/],
  ["a public key", { ...URL, "git-ssh-private-key-base64": key("-----BEGIN PUBLIC KEY-----\nx\n") }, /private key/],
  ["a file of known hosts", { ...URL, "git-ssh-known-hosts": "~/.ssh/known_hosts" }, /as known_hosts has them/],
  [
    "a fingerprint",
    { ...URL, "git-ssh-known-hosts": "git.example SHA256:uNiVztksCsDhcc0u9e8BrwHJ5fFqFvKZ" },
    /known_hosts/,
  ],
  [
    "known hosts alone",
    { "git-ssh-known-hosts": "a ssh-ed25519 AAAA" },
    /git-ssh-known-hosts is set and git-url is not/,
  ],
  ["a user without a password", { ...URL, "git-username": "dev" }, /git-username is set and git-password is empty/],
  ["a password of two lines", { ...URL, "git-password": "canary\nhost=evil" }, /git-password holds a line break/],
  ["a depth that is none", { ...URL, "git-clone-depth": "-1" }, /git-clone-depth is "-1"/],
  ["a proxy that is none", { ...URL, "git-http-proxy-url": "canary" }, /no address of a proxy/],
  ["plain http", { "git-url": "http://git.example/team/app" }, /over plain http nobody can tell/],
  ["a repository outside", { ...URL, "allowed-sources": "https://git.example/else/*" }, /not among allowed-sources/],
  ["a pattern that is none", { ...URL, "allowed-sources": "team/*" }, /allowed-sources holds "team\/\*"/],
  [
    "a push of a pull request",
    { ...URL, "git-ref": "refs/pull/1/head", push: "true" },
    /refs\/pull\/1\/head is neither/,
  ],
])("%s", (_, inputs, words) => {
  expect(() => read(inputs)).toThrow(words);
  expect(() => read(inputs)).not.toThrow(/canary/);
});

test("keys of hosts as ssh-keyscan prints them, with hashed names, markers and comments", () => {
  const lines = [
    "git.example,192.0.2.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA",
    "[git.example]:2222 ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTI= of the host",
    "|1|c2FsdA==|aGFzaA== ssh-rsa AAAAB3NzaC1yc2E=",
    "@cert-authority *.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA",
  ];
  expect(read({ ...URL, "git-ssh-known-hosts": lines.join("\n") }).git?.knownHosts).toEqual(lines);
});

test("plain http to a host that is named insecure", () => {
  expect(read({ "git-url": "http://git.example/team/app", insecure: "git.example" }).git?.url.scheme).toBe("http");
});
