import { expect, test } from "vitest";
import { proxyFor, unusedProxies } from "../../src/registry/proxy.ts";

const P = "http://proxy.test:3128";

/** The rows of Go's own tests (golang.org/x/net/http/httpproxy) that concern a registry, and what people write besides. */
test.each<[string, Readonly<Record<string, string>>, string, string | undefined]>([
  ["nothing set", {}, "https://ghcr.io/v2/", undefined],
  ["HTTPS_PROXY for https", { HTTPS_PROXY: P }, "https://ghcr.io/v2/", P],
  ["HTTPS_PROXY is not for http", { HTTPS_PROXY: P }, "http://registry.test/v2/", undefined],
  ["HTTP_PROXY for http", { HTTP_PROXY: P }, "http://registry.test/v2/", P],
  ["HTTP_PROXY is not for https", { HTTP_PROXY: P }, "https://ghcr.io/v2/", undefined],
  ["small letters count first", { HTTPS_PROXY: "http://other.test", https_proxy: P }, "https://ghcr.io/", P],
  ["an empty one is none", { https_proxy: "", HTTPS_PROXY: P }, "https://ghcr.io/", P],
  ["without a scheme", { HTTPS_PROXY: "proxy.test:3128" }, "https://ghcr.io/", P],
  ["with a login", { HTTPS_PROXY: "http://u:p@proxy.test" }, "https://ghcr.io/", "http://u:p@proxy.test"],
  ["a scheme that is no proxy's", { HTTPS_PROXY: "socks5://proxy.test" }, "https://ghcr.io/", undefined],
  ["what is no address", { HTTPS_PROXY: "http://[" }, "https://ghcr.io/", undefined],
  ["loopback by name", { HTTP_PROXY: P }, "http://localhost:5000/", undefined],
  ["loopback by address", { HTTP_PROXY: P }, "http://127.0.0.1:5000/", undefined],
  ["loopback of the new kind", { HTTP_PROXY: P }, "http://[::1]:5000/", undefined],
])("%s", (_, env, url, expected) => {
  expect(proxyFor(new URL(url), env)).toBe(expected);
});

test.each<[string, string, boolean]>([
  ["*", "https://ghcr.io/", true],
  ["ghcr.io", "https://ghcr.io/", true],
  ["GHCR.IO", "https://ghcr.io/", true],
  ["ghcr.io", "https://pkg.ghcr.io/", true],
  ["ghcr.io", "https://evilghcr.io/", false],
  [".corp.test", "https://registry.corp.test/", true],
  [".corp.test", "https://corp.test/", false],
  ["*.corp.test", "https://registry.corp.test/", true],
  ["*.corp.test", "https://corp.test/", false],
  ["registry.test:5000", "https://registry.test:5000/", true],
  ["registry.test:5000", "https://registry.test/", false],
  ["registry.test:443", "https://registry.test/", true],
  ["a.test, registry.test", "https://registry.test/", true],
  ["a.test registry.test", "https://registry.test/", true],
  ["10.0.0.0/8", "https://10.1.2.3:5000/", true],
  ["10.0.0.0/8", "https://11.1.2.3:5000/", false],
  ["192.168.4.0/22", "https://192.168.7.255/", true],
  ["192.168.4.0/22", "https://192.168.8.0/", false],
  ["0.0.0.0/0", "https://8.8.8.8/", true],
  ["10.0.0.0/8", "https://10.corp.test/", false],
  ["10.0.0.0/99", "https://10.0.0.1/", false],
  ["10.1.2.3", "https://10.1.2.3/", true],
  ["fd00::5", "https://[fd00::5]:5000/", true],
  ["[fd00::5]:5000", "https://[fd00::5]:5000/", true],
  ["", "https://ghcr.io/", false],
  [",, ,", "https://ghcr.io/", false],
])("NO_PROXY=%s and %s: direct is %s", (list, url, direct) => {
  expect(proxyFor(new URL(url), { HTTPS_PROXY: P, NO_PROXY: list })).toBe(direct ? undefined : P);
});

test.each<[string, Readonly<Record<string, string>>, readonly RegExp[]]>([
  [
    "socks",
    { HTTPS_PROXY: "socks5://bob:hunter2@p.test:1" },
    [/^The variable HTTPS_PROXY names a proxy of socks5:\/\/,/],
  ],
  [
    "in small letters",
    { http_proxy: "socks5h://p.test", HTTP_PROXY: P },
    [/^The variable http_proxy names .*socks5h:/],
  ],
  [
    "no address",
    { HTTPS_PROXY: "http://bob:hunter2@[", HTTP_PROXY: "hunter2://x" },
    [/HTTPS_PROXY is no/, /HTTP_PROXY is no/],
  ],
  [
    "all well",
    { HTTPS_PROXY: P, http_proxy: "", HTTP_PROXY: "proxy.test:3128", NO_PROXY: "*", ALL_PROXY: "socks5://x" },
    [],
  ],
])("a variable that names no proxy that can be gone through is told: %s", (_, env, words) => {
  const told = unusedProxies(env);
  expect(told).toEqual(words.map((one) => expect.stringMatching(one)));
  expect(told.join()).not.toContain("hunter2");
});
