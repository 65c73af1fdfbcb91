import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeRegistry, openFakeRegistry, type Play } from "../fakes/registry.ts";
import { play } from "./harness.ts";
import { FAULTS, openElsewhere, type PlaceName, playFault, ROWS, type Site } from "./reading-faults.ts";
import { openSample, sampleCheckout } from "./sample.ts";

const BUILT = "team/app";
const REPORT = { "on-miss": "continue", "on-unknown": "continue", alias: "false" };

type Parts = {
  readonly manifest: string;
  readonly attestation: string;
  readonly config: string;
  readonly layer: string;
};

let registry: FakeRegistry;
let storage: FakeRegistry;
let workspace: string;
let parts: Parts;
let closeSample: () => Promise<void>;
const checkouts: string[] = [];

beforeAll(async () => {
  ({ registry, workspace, close: closeSample } = await openSample());
  storage = await openFakeRegistry();
  openElsewhere(storage);
  const built = await play({ workspace, registry, inputs: { alias: "false" } });
  expect(built.outputs.result).toBe("built");
  parts = readParts(built.outputs.digest ?? "");
  // Only what the row is about is found: no other set of the same sources stands in for it.
  registry.override((line) => /^GET \/v2\/row\/.*\/manifests\/y1-/.test(line), ABSENT);
});

afterAll(async () => {
  await Promise.all([closeSample(), storage.close()]);
  for (const checkout of checkouts) rmSync(checkout, { recursive: true, force: true });
});

const ABSENT = { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone"}]}' };

function readParts(digest: string): Parts {
  const read = (reference: string) => JSON.parse(registry.manifest(BUILT, reference)?.toString() ?? "{}");
  const [image, attestation] = read(digest).manifests;
  const { config, layers } = read(image.digest);
  return {
    manifest: image.digest,
    attestation: attestation.digest,
    config: config.digest,
    layer: layers[0].digest,
  };
}

type Staging = {
  readonly matches: (line: string) => boolean;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly checkout?: string;
  /** What has to be so besides. */
  readonly prepare?: () => void;
  readonly at?: FakeRegistry;
};

const isSet = (line: string): boolean => /\/manifests\/k1-[0-9a-f]{64}$/.test(line);
const ends = (path: string) => (line: string) => line.endsWith(path);
const looks = (line: string): boolean => /^(?:GET|HEAD) /.test(line);

const STAGES: Readonly<Record<PlaceName, (repository: string, fault: Play) => Staging>> = {
  set: (repository) => ({
    matches: isSet,
    prepare: () => registry.override(within(repository, ends("-linux-amd64")), ABSENT),
  }),
  newest: () => ({ matches: (line) => line.includes("/manifests/y1-") }),
  platform: (repository) => ({
    matches: (line) => line.endsWith("-linux-amd64"),
    prepare: () => registry.override(within(repository, isSet), ABSENT),
  }),
  manifest: () => ({ matches: ends(`/manifests/${parts.manifest}`) }),
  config: () => ({ matches: ends(`/blobs/${parts.config}`) }),
  layer: () => ({ matches: ends(`/blobs/${parts.layer}`) }),
  "layer HEAD": () => ({ matches: (line) => line.startsWith("HEAD") && line.endsWith(parts.layer) }),
  "layer at storage": (repository) => ({
    at: storage,
    matches: ends(`/blobs/${parts.layer}`),
    prepare: () => {
      const layer = registry.blob(BUILT, parts.layer);
      if (layer) storage.seedBlob(repository, layer);
      registry.override(within(repository, ends(`/blobs/${parts.layer}`)), ({ url }) => ({
        status: 307,
        headers: { location: `http://${storage.host}${url.pathname}` },
      }));
    },
  }),
  attestation: () => ({
    matches: ends(`/manifests/${parts.attestation}`),
    inputs: { require: "provenance" },
  }),
  token: (repository) => ({
    matches: ends("/token"),
    prepare: () =>
      registry.override(
        (line) => line.includes(`/${repository}/`) && !line.endsWith("/token"),
        ({ headers }, right) => (headers.authorization === "Bearer t" ? right() : challenge(repository)),
      ),
  }),
  base: (repository) => {
    registry.copy("base/os", `${repository}/base`);
    const from = `FROM ${registry.host}/${repository}/base:1\nARG GREETING\nCOPY setup.sh /setup.sh\n`;
    const checkout = sampleCheckout(registry, { ".devcontainer/Dockerfile": from });
    checkouts.push(checkout);
    return { matches: (line) => line.includes("/base/manifests/"), checkout };
  },
};

function challenge(repository: string) {
  const realm = `http://${registry.host}/${repository}/token`;
  return { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}",service="fake"` } };
}

const within = (repository: string, matches: (line: string) => boolean) => (line: string) =>
  looks(line) && line.includes(`/${repository}/`) && matches(line);

describe.concurrent("one fault while reading", () => {
  test.each(ROWS.map((row, number) => [...row, number] as const))(
    "%s: %s: %s",
    async (place, fault, result, number) => {
      const repository = `row/${number}`;
      registry.copy(BUILT, repository);
      const site: Site = { storage, repository };
      const faulty = playFault(FAULTS[fault], site);
      const stage = STAGES[place](repository, faulty);
      stage.prepare?.();
      let played = 0;
      const server = stage.at ?? registry;
      server.override(within(repository, stage.matches), (asked, right) => {
        played++;
        return place === "token" && fault === "what is right"
          ? { status: 200, body: '{"token":"t"}' }
          : faulty(asked, right);
      });
      const told = await play({
        workspace: stage.checkout ?? workspace,
        registry,
        inputs: { ...REPORT, "cache-repo": `${registry.host}/${repository}`, ...stage.inputs },
      });
      expect({ result: told.outputs.result, code: told.code }, told.log).toEqual({ result, code: 0 });
      expect(played, "the fault was never played").toBeGreaterThan(0);
      expect(told.log).not.toContain("E_BUG");
      expect(told.builds).toEqual([]);
      if (result !== "hit") expect(told.outputs).toMatchObject({ image: "", digest: "", exists: "false" });
    },
  );
});
