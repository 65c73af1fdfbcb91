import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { decodeCertificate, isInsecure, openTrust } from "../../src/registry/trust.ts";
import { makeCheckout } from "../checkout.ts";

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
