import { expect, test } from "vitest";
import {
  type CommitQuestion,
  type CommitRecord,
  commitManifest,
  commitTag,
  readCommitRecord,
} from "../../src/key/commit-record.ts";
import { readManifest, type Served } from "../../src/oci/manifest.ts";

const sha = (digit: string): `sha256:${string}` => `sha256:${digit.repeat(64)}`;

const QUESTION: CommitQuestion = {
  program: "one",
  repository: "https://git.example/team/app",
  commit: "1".repeat(40),
  inputs: sha("2"),
  remoteUserUid: undefined,
  isFork: false,
};

test.each<[string, Partial<CommitQuestion>]>([
  ["another version of the action", { program: "two" }],
  ["another repository", { repository: "https://git.example/team/other" }],
  ["another commit", { commit: "2".repeat(40) }],
  ["other inputs", { inputs: sha("3") }],
  ["a uid", { remoteUserUid: 1000 }],
  ["a fork's code", { isFork: true }],
])("%s has another tag", (_, more) => {
  expect(commitTag(QUESTION)).toMatch(/^c1-[0-9a-f]{64}$/);
  expect(commitTag({ ...QUESTION, ...more })).not.toBe(commitTag(QUESTION));
});

const TAG = `c1-${"4".repeat(64)}`;
const RECORD: CommitRecord = {
  of: TAG,
  set: { key: sha("5"), own: sha("6"), unlabelled: sha("7"), source: sha("8") },
  platforms: { "linux/amd64": sha("9") },
  images: { "registry.example/base:1": sha("a") },
  features: { "registry.example/feature:1": sha("b"), "registry.example/gone:1": "" },
  salt: "c".repeat(32),
  variables: { TEAM: "d".repeat(64), WHO: "" },
  proxies: "e".repeat(64),
  configuration: ".devcontainer/devcontainer.json",
  counted: ["TEAM"],
  plan: { mediaType: "application/vnd.in-toto+json", digest: sha("f"), size: 9 },
  container: { folder: "/workspaces/app", arguments: ["--init"], user: "" },
};

function serve(record: object): Served {
  const made = commitManifest(record as CommitRecord);
  if (!made) throw new Error("too long");
  const { bytes, descriptor } = made.manifest;
  const body = readManifest(JSON.parse(new TextDecoder().decode(bytes)), descriptor.mediaType);
  if ("wrong" in body) throw new Error(body.wrong);
  return { bytes, descriptor, body };
}

test("what is remembered is read again", () => expect(readCommitRecord(serve(RECORD), TAG)).toEqual(RECORD));

test("what is too long is not remembered", () => {
  expect(commitManifest({ ...RECORD, configuration: "x".repeat(33_000) })).toBeUndefined();
});

test.each<[string, object]>([
  ["of another commit", { of: `c1-${"5".repeat(64)}` }],
  ["without a set", { set: undefined }],
  ["with half a key", { set: { ...RECORD.set, key: "sha256:5" } }],
  ["with a platform that is no key", { platforms: { "linux/amd64": "" } }],
  ["with an image that was not there", { images: { "registry.example/base:1": "" } }],
  ["with a feature that has no digest", { features: { "registry.example/feature:1": "1" } }],
  ["with a variable that is none", { variables: { TEAM: 1 } }],
  ["with arguments that are none", { container: { ...RECORD.container, arguments: [1] } }],
  ["without a plan", { plan: { digest: sha("f") } }],
])("a record %s counts as none", (_, more) => {
  expect(readCommitRecord(serve({ ...RECORD, ...more }), TAG)).toBeUndefined();
});
