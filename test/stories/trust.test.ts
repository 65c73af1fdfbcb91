import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { play } from "./harness.ts";
import { openSample } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const PEM = `-----BEGIN CERTIFICATE-----\nMIIB${"A".repeat(60)}\n-----END CERTIFICATE-----\n`;

test("a certificate file that cannot be used is warned of once, by its name and not by its content", async () => {
  put(workspace, "extra.pem", "canary");
  const { log } = await play({
    workspace,
    registry,
    // Beside a certificate of one's own, Node's extra ones are read by us.
    inputs: { "ssl-cert-base64": Buffer.from(PEM).toString("base64"), "on-miss": "continue" },
    env: { NODE_EXTRA_CA_CERTS: join(workspace, "extra.pem") },
  });
  expect(log.match(/^::warning::.*extra\.pem holds no certificate or key in PEM/gm)).toHaveLength(1);
  expect(log).not.toContain("canary");
});
