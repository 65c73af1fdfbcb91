import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import type { Definition } from "../../src/cached-image/definition.ts";
import { jobProxies } from "../../src/cached-image/job-proxies.ts";
import { parseSpecification } from "../../src/envbuilder/specification.ts";
import { openFiles } from "../../src/host/files.ts";
import type { World } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";

const PROXY = "http://u:p4ss@proxy.test:3128";

type Row = {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly extra?: Readonly<Record<string, string>>;
  readonly arg?: string;
  readonly network?: string;
  readonly docker?: string;
  readonly expected: Readonly<Record<string, string>>;
  readonly warned?: RegExp;
};

test.each<Row>([
  { name: "none", env: { PATH: "/bin", NO_PROXY: "a.test" }, expected: {} },
  {
    name: "the job's, as they are written",
    env: { HTTPS_PROXY: PROXY, no_proxy: "a.test", HTTP_PROXY: "" },
    expected: { HTTPS_PROXY: PROXY, no_proxy: "a.test" },
  },
  {
    name: "what extra-env sets counts, in capitals or not",
    env: { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY },
    extra: { https_proxy: "http://other.test" },
    expected: { HTTP_PROXY: PROXY },
  },
  {
    name: "Docker's own for containers count",
    env: { HTTPS_PROXY: PROXY },
    docker: '{"proxies":{"default":{"httpsProxy":"http://other.test"}}}',
    expected: {},
  },
  {
    name: "what a build arg reads would make another image",
    env: { HTTPS_PROXY: PROXY },
    arg: "${localEnv:HTTPS_PROXY}",
    expected: {},
    warned: /A build arg reads the job's proxy/,
  },
  {
    name: "another one that is read changes nothing",
    env: { HTTPS_PROXY: PROXY },
    arg: "${localEnv:HTTP_PROXY}",
    expected: { HTTPS_PROXY: PROXY },
  },
  {
    name: "one on loopback is not the container's",
    env: { HTTPS_PROXY: "http://127.0.0.1:3128" },
    expected: {},
    warned: /on this machine's loopback/,
  },
  {
    name: "nor is one behind a password with an @",
    env: { HTTPS_PROXY: "http://me:p@ss@localhost:3128" },
    expected: {},
    warned: /on this machine's loopback/,
  },
  {
    name: "nor one whose address is told in short",
    env: { HTTPS_PROXY: "127.1:3128" },
    expected: {},
    warned: /on this machine's loopback/,
  },
  {
    name: "but on the machine's own network",
    env: { HTTPS_PROXY: "localhost:3128" },
    network: "host",
    expected: { HTTPS_PROXY: "localhost:3128" },
  },
])("proxies for the builder: $name", async ({ env, extra = {}, arg = "x", network, docker = "{}", ...row }) => {
  const home = makeCheckout({ "config.json": docker });
  const text = JSON.stringify({ image: "a", build: { dockerfile: "D", args: { A: arg } } });
  const definition = { specification: parseSpecification(text, "f"), workspaceFolder: "/w" } as Definition;
  const warned: string[] = [];
  const { files } = openFiles(tmpdir());
  const host = { env: { DOCKER_CONFIG: home, ...env } } as unknown as World["host"];
  const found = await jobProxies(
    { definition, variables: new Map(Object.entries(extra)), network },
    { files, host, log: { warning: (line) => warned.push(line) } },
  );
  expect(Object.fromEntries(found)).toEqual(row.expected);
  expect(warned).toEqual(row.warned ? [expect.stringMatching(row.warned)] : []);
  expect(warned.join()).not.toContain("p4ss");
});
