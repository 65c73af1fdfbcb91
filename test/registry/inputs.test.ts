import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { imageAllowed, parseImagePattern } from "../../src/registry/allowed.ts";
import { parseMirror, throughMirrors } from "../../src/registry/mirrors.ts";
import { decodeCertificate, isInsecure, openTrust } from "../../src/registry/trust.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, registryOf } from "../plan-of.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each<[string, string, boolean]>([
  ["debian", "debian:12", true],
  ["debian", "docker.io/library/debian", true],
  ["debian", `debian@${digest}`, true],
  ["debian", "debian-evil:12", false],
  ["debian", "evil.test/library/debian", false],
  ["debian:12", "debian:12", true],
  ["debian:12", `debian:12@${digest}`, true],
  ["debian:12", "debian:13", false],
  ["debian:*", "debian:13", true],
  ["docker.io/library/*", "node:20", true],
  ["docker.io/library/*", "team/node:20", false],
  ["ghcr.io/team/*", "ghcr.io/team/app:1", true],
  ["ghcr.io/team/*", "ghcr.io/team/app/deep:1", false],
  ["ghcr.io/team/**", "ghcr.io/team/app/deep:1", true],
  ["ghcr.io/team/**", "ghcr.io/teams/app", false],
  ["localhost:5000/**", "localhost:5000/a/b", true],
  ["registry.test/a.b", "registry.test/axb", false],
])("allowed-images %s and %s: %s", (pattern, image, expected) => {
  const [parsed, reference] = [parseImagePattern(pattern), parseReference(image)];
  if ("wrong" in parsed || "wrong" in reference) throw new Error("not read");
  expect(imageAllowed([parsed], reference)).toBe(expected);
});

test("no pattern allows every image", () => {
  const reference = parseReference("any.test/x");
  if ("wrong" in reference) throw new Error(reference.wrong);
  expect(imageAllowed([], reference)).toBe(true);
});

test.each([["ghcr.io/UPPER"], ["https://x"], [""]])("a pattern that cannot be read: %s", (pattern) => {
  expect(parseImagePattern(pattern)).toHaveProperty("wrong");
});

test.each<[string, object]>([
  ["docker.io=mirror.test/hub", { of: "docker.io", registry: "mirror.test", prefix: "hub" }],
  ["docker.io = localhost:5000", { of: "docker.io", registry: "localhost:5000", prefix: "" }],
  ["ghcr.io=mirror.test:443/a/b", { of: "ghcr.io", registry: "mirror.test:443", prefix: "a/b" }],
])("mirror %s", (line, expected) => {
  expect(parseMirror(line)).toEqual(expected);
});

test.each([
  ["docker.io"],
  ["=mirror.test"],
  ["docker.io="],
  ["docker.io=a=b"],
  ["docker.io/library=mirror.test"],
  ["docker.io=https://mirror.test"],
  ["docker.io=mirror"],
])("a mirror that cannot be read: %s", (line) => {
  expect(parseMirror(line)).toHaveProperty("wrong");
});

test("a mirror is read first, its registry where the mirror has nothing, and that is told; what is ours is never read there", async () => {
  const [here, there, ours] = ["here", "there", "ours"].map((content) => indexOf({ "linux/amd64": content }));
  if (!here || !there || !ours) throw new Error("no index");
  const registry = registryOf({
    "mirror.test/hub/library/a:1": here,
    "docker.io/library/a:1": there,
    "docker.io/library/b:1": there,
    "docker.io/team/app:1": ours,
  });
  const told: string[] = [];
  const mirrored = throughMirrors(registry, [{ of: "docker.io", registry: "mirror.test", prefix: "hub" }], {
    except: { registry: "docker.io", repository: "team/app" },
    tell: (line) => told.push(line),
  });
  const read = (repository: string) => mirrored.manifest({ registry: "docker.io", repository, tag: "1" });
  expect(await read("library/a")).toMatchObject({ value: here });
  expect(told).toEqual([]);
  expect(await read("library/b")).toMatchObject({ value: there });
  expect(told).toEqual([expect.stringContaining("mirror.test does not give docker.io/library/b:1 (absent")]);
  expect(await read("team/app")).toMatchObject({ value: ours });
  expect(told).toHaveLength(1);
});

test("a mirror that does not answer is asked once, and one that refuses again and again", async () => {
  for (const [kind, times] of [
    ["unavailable", 1],
    ["denied", 3],
    ["malformed", 3],
  ] as const) {
    const [there] = ["there"].map((content) => indexOf({ "linux/amd64": content }));
    if (!there) throw new Error("no index");
    const direct = registryOf({ "docker.io/library/a:1": there });
    const asked: string[] = [];
    const mirrored = throughMirrors(
      {
        ...direct,
        manifest: async (reference) => {
          asked.push(reference.registry);
          return reference.registry === "mirror.test"
            ? { kind, request: "GET https://mirror.test/", words: "no" }
            : direct.manifest(reference);
        },
      },
      [{ of: "docker.io", registry: "mirror.test", prefix: "" }],
      { except: { registry: "ghcr.io", repository: "team/app" }, tell: () => undefined },
    );
    for (let time = 0; time < 3; time++)
      expect(await mirrored.manifest({ registry: "docker.io", repository: "library/a", tag: "1" })).toMatchObject({
        value: there,
      });
    expect(asked.filter((host) => host === "mirror.test")).toHaveLength(times);
  }
});

test.each<[string, Parameters<typeof isInsecure>[0], boolean]>([
  ["localhost:5000", { kind: "none" }, true],
  ["127.0.0.1:5000", { kind: "none" }, true],
  ["10.0.0.1:5000", { kind: "none" }, false],
  ["evil-localhost.test", { kind: "none" }, false],
  ["registry.test", { kind: "hosts", hosts: ["registry.test"] }, true],
  ["registry.test:444", { kind: "hosts", hosts: ["registry.test"] }, false],
  ["registry.test", { kind: "all" }, true],
])("plain http to %s with %o: %s", (host, insecure, expected) => {
  expect(isInsecure(insecure, host)).toBe(expected);
});

const PEM = `-----BEGIN CERTIFICATE-----\nMIIB${"A".repeat(60)}\n-----END CERTIFICATE-----\n`;

/** A machine whose files are these. */
function trustOf(content: Readonly<Record<string, string>>, certificate?: string) {
  const warned: string[] = [];
  const folder = makeCheckout(content);
  const { files } = openFiles(tmpdir());
  const trust = openTrust({
    files: {
      ...files,
      readText: (path) => files.readText(`${folder}${path}`),
      list: (path) => files.list(`${folder}${path}`),
    },
    env: { NODE_EXTRA_CA_CERTS: "/extra.pem" },
    certificate,
    insecure: { kind: "hosts", hosts: ["b.test"] },
    warn: (line) => warned.push(line),
  });
  return { trust, warned };
}

test("certificates: the input's, and then Node's own extra ones, which it would forget", async () => {
  const { trust, warned } = trustOf({ "extra.pem": PEM }, "OURS");
  expect(await trust("a.test")).toEqual({ certificates: ["OURS", PEM], insecure: false });
  expect(await trust("b.test")).toMatchObject({ insecure: true });
  expect(warned).toEqual([]);
});

test("certificates: Node's own extra ones alone are left to Node, which has read them", async () => {
  expect(await trustOf({ "extra.pem": PEM }).trust("a.test")).toEqual({ certificates: [], insecure: false });
});

test("certificates: those that docker trusts for one registry, and a client's", async () => {
  const { trust } = trustOf({
    "extra.pem": PEM,
    "etc/docker/certs.d/a.test:5000/ca.crt": PEM.replace("MIIB", "MIIC"),
    "etc/docker/certs.d/a.test:5000/client.cert": PEM.replace("MIIB", "MIID"),
    "etc/docker/certs.d/a.test:5000/client.key": PEM.replaceAll("CERTIFICATE", "PRIVATE KEY"),
  });
  expect(await trust("a.test:5000")).toEqual({
    certificates: [PEM.replace("MIIB", "MIIC"), PEM],
    insecure: false,
    client: { certificate: PEM.replace("MIIB", "MIID"), key: PEM.replaceAll("CERTIFICATE", "PRIVATE KEY") },
  });
  expect(await trust("a.test")).toEqual({ certificates: [], insecure: false });
});

test.each([
  ["no PEM", "canary"],
  ["PEM that holds no base64", "-----BEGIN CERTIFICATE-----\ncanary%%\n-----END CERTIFICATE-----\n"],
  ["PEM that is cut off", PEM.slice(0, 50)],
])("a certificate that is %s is told by its file and not by its content", async (_, content) => {
  const { trust, warned } = trustOf({ "etc/docker/certs.d/a.test/ca.crt": content }, "OURS");
  expect(await trust("a.test")).toMatchObject({ certificates: ["OURS"] });
  expect(warned[0]).toMatch(/^\/etc\/docker\/certs\.d\/a\.test\/ca\.crt holds no certificate/);
  expect(warned.join()).not.toContain("canary");
});

test.each([
  ["no base64", "%%"],
  ["no PEM", Buffer.from("hello canary").toString("base64")],
  ["PEM around nothing", Buffer.from("-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----").toString("base64")],
])("ssl-cert-base64 that is %s is refused without its content", (_, value) => {
  expect(() => decodeCertificate(value)).toThrow(
    /^The input ssl-cert-base64 is not the base64 form of certificates in PEM\.$/,
  );
});
