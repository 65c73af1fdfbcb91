import { describe, expect, test } from "vitest";
import {
  type BuilderNetwork,
  daemonFiles,
  describeUntold,
  type KnownRegistry,
  needsHostNetwork,
} from "../../src/buildx/buildkitd.ts";

const registry = (host: string, told: Partial<KnownRegistry> = {}): KnownRegistry => ({
  host,
  mirrors: [],
  certificates: [],
  insecure: false,
  ...told,
});
const network = (told: Partial<BuilderNetwork>): BuilderNetwork => ({
  registries: [],
  proxies: {},
  inputs: [],
  ...told,
});

const CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

test("all that can be said, in the daemon's words", () => {
  const registries = [
    registry("docker.io", { mirrors: ["mirror.example/hub", "127.0.0.1:5000"] }),
    registry("plain.example"),
    registry("lab.example:5000", { insecure: true }),
    registry("ca.example", { certificates: [CA, `${CA}\n`], client: { certificate: "CERT", key: "KEY" } }),
  ];
  expect(daemonFiles({ registries }, ["network.host"], "/tmp/b")).toEqual({
    "buildkitd.toml": `insecure-entitlements = ["network.host"]

[registry."docker.io"]
mirrors = ["mirror.example/hub", "127.0.0.1:5000"]

[registry."lab.example:5000"]
http = true
insecure = true

[registry."ca.example"]
http = false
ca = ["/tmp/b/certificates-3/ca.pem"]
[[registry."ca.example".keypair]]
key = "/tmp/b/certificates-3/key.pem"
cert = "/tmp/b/certificates-3/cert.pem"
`,
    "certificates-3/ca.pem": `${CA}\n${CA}\n`,
    "certificates-3/key.pem": "KEY",
    "certificates-3/cert.pem": "CERT",
  });
});

test.each([
  ["no registries", []],
  ["registries of which there is nothing to say", [registry("docker.io"), registry("ghcr.io")]],
])("%s need no file", (_, registries) => {
  expect(daemonFiles({ registries }, [], "/tmp/b")).toEqual({});
});

test("a folder with signs that TOML knows otherwise", () => {
  const registries = [registry("a.example", { certificates: [CA] })];
  expect(daemonFiles({ registries }, [], 'C:\\a "b"')["buildkitd.toml"]).toContain(
    'ca = ["C:\\\\a \\"b\\"/certificates-0/ca.pem"]',
  );
});

describe("what is on this machine itself", () => {
  test.each<[string, Partial<BuilderNetwork>, boolean]>([
    ["a registry by name", { registries: [registry("localhost:5000")] }, true],
    ["a registry by address", { registries: [registry("127.0.0.1:5000")] }, true],
    ["a registry by its IPv6 address", { registries: [registry("[::1]:5000")] }, true],
    ["a name below localhost", { registries: [registry("cache.localhost")] }, true],
    ["a mirror", { registries: [registry("docker.io", { mirrors: ["localhost:5000/hub"] })] }, true],
    ["a proxy with a login", { proxies: { HTTPS_PROXY: "http://me:127.1@localhost:3128" } }, true],
    ["a proxy without a scheme", { proxies: { http_proxy: "127.0.0.1:3128" } }, true],
    ["an exception from the proxy", { proxies: { NO_PROXY: "localhost,127.0.0.1" } }, false],
    ["a password that looks like it", { proxies: { HTTPS_PROXY: "http://localhost:127.0.0.1@proxy.example" } }, false],
    ["other hosts", { registries: [registry("ghcr.io"), registry("localhost.example"), registry("10.0.0.1")] }, false],
  ])("%s", (_, told, expected) => {
    expect(needsHostNetwork(network(told))).toBe(expected);
  });
});

test.each<[string, Partial<BuilderNetwork>, string | undefined]>([
  ["nothing", {}, undefined],
  ["only exceptions from a proxy", { proxies: { no_proxy: "a.example" } }, undefined],
  ["one input", { inputs: ["insecure"] }, "what the input insecure says does not reach it"],
  [
    "an input and a proxy",
    { inputs: ["ssl-cert-base64"], proxies: { HTTPS_PROXY: "http://me:s3cr3t@proxy.example" } },
    "what the input ssl-cert-base64 and the variable HTTPS_PROXY say does not reach it",
  ],
])("what a builder of somebody else's will not know: %s", (_, told, words) => {
  const line = describeUntold("b", network(told));
  expect(line).toEqual(words === undefined ? undefined : expect.stringContaining(words));
  expect(line ?? "").not.toContain("s3cr3t");
});
