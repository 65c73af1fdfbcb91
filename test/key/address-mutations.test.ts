import { expect, test } from "vitest";
import { addsOfTriggers } from "../../src/plan/addresses.ts";
import { storePlan } from "../../src/plan/stored-plan.ts";
import { makeCheckout, put } from "../checkout.ts";
import { indexOf, planOf } from "../plan-of.ts";
import { type Before, type Mutation, movedBy, toldOf } from "./around.ts";

// What an ADD fetches is known by what its server says of it.

const DOCKERFILE = ".devcontainer/Dockerfile";
const TEXT = [
  "FROM registry.test/base:1 AS unused",
  "ADD https://files.test/unused /u",
  "FROM registry.test/base:1",
  "ARG VERSION=1",
  "ADD https://files.test/tool-$VERSION?token=secret-91c4 /tool",
  `ADD --checksum=sha256:${"a".repeat(64)} https://files.test/settled /s`,
  "",
].join("\n");
const TOOL = "https://files.test/tool-1?token=secret-91c4";
const OTHER = "https://files.test/tool-2?token=secret-91c4";
const ADDRESSES = { [TOOL]: 'ETag "1"', [OTHER]: 'ETag "1"', "https://files.test/unused": 'ETag "1"' };
const BEFORE: Before = {
  files: {
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    [DOCKERFILE]: TEXT,
  },
  images: { "registry.test/base:1": indexOf({ "linux/amd64": "1 amd64", "linux/arm64": "1 arm64" }) },
  addresses: ADDRESSES,
};
const writing = (text: string) => (root: string) => put(root, DOCKERFILE, text);

test.each<[Mutation & { readonly moves: readonly string[]; readonly told: readonly string[] }]>([
  [
    {
      name: "what an address serves",
      addresses: { ...ADDRESSES, [TOOL]: 'ETag "2"' },
      moves: ["key", "unlabelled"],
      told: [`${DOCKERFILE}:5 ADD https://files.test/tool-$VERSION?… serves something else now @ ${DOCKERFILE}:5`],
    },
  ],
  [
    {
      name: "what an address serves that no stage of the target fetches",
      addresses: { ...ADDRESSES, "https://files.test/unused": 'ETag "2"' },
      moves: [],
      told: [],
    },
  ],
  [
    {
      name: "another address, of the same content to its server",
      edit: writing(TEXT.replace("VERSION=1", "VERSION=2")),
      moves: ["key", "own", "source", "unlabelled"],
      told: [`${DOCKERFILE}:4 ARG changed @ ${DOCKERFILE}:4`],
    },
  ],
  [
    {
      name: "a checksum in its place",
      edit: writing(
        TEXT.replace("ADD https://files.test/tool", `ADD --checksum=sha256:${"b".repeat(64)} https://files.test/tool`),
      ),
      moves: ["key", "own", "source", "unlabelled"],
      told: [`${DOCKERFILE}:5 ADD changed @ ${DOCKERFILE}:5`],
    },
  ],
])("$0.name", async ({ moves, told, ...mutation }) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(moves);
  expect(await toldOf(mutation, BEFORE)).toEqual(told);
});

test("two platforms that fetch alike are told once", async () => {
  const moved: Mutation = { name: "", addresses: { ...ADDRESSES, [TOOL]: 'ETag "2"' } };
  const before = { ...BEFORE, inputs: { platforms: "linux/amd64,linux/arm64" } };
  expect(await toldOf(moved, before)).toHaveLength(1);
});

test("neither an address nor what its server says of it stands in a stored plan as it is", async () => {
  const { files, ...asked } = BEFORE;
  const { sources, probed } = await planOf({ workspace: makeCheckout(files), ...asked });
  const { plan } = probed;
  if (!plan) throw new Error(JSON.stringify(probed.verdict));
  const { platforms } = storePlan({ sources, plan, salt: "salt", now: 0, seconds: {} });
  const [stored] = Object.values(platforms);
  expect(stored?.upstream.remote).toEqual([
    { address: expect.stringMatching(/^salted:/), validator: expect.stringMatching(/^salted:/) },
  ]);
});

const verdictOf = async (add: string, inputs: Readonly<Record<string, string>> = {}) => {
  const files = { ...BEFORE.files, [DOCKERFILE]: `FROM registry.test/base:1\n${add}\n` };
  return (
    await planOf({
      workspace: makeCheckout(files),
      images: BEFORE.images,
      addresses: ADDRESSES,
      inputs,
      env: { TOKEN: "t0ken" },
    })
  ).probed;
};

test.each<[string, string, Readonly<Record<string, string>>, string]>([
  ["a repository of git", "ADD https://files.test/a.git /a", {}, "fetches something that can change"],
  ["a variable that nobody knows", "ADD https://files.test/$WHO /a", {}, "fetches something that can change"],
  [
    "one that no pattern allows",
    `ADD ${TOOL} /a`,
    { "allowed-images": "registry.test/**" },
    "not asked, because the input allowed-images does not allow it",
  ],
  [
    "a secret that the builder sends there",
    `ADD ${TOOL} /a`,
    { "build-secrets": "HTTP_AUTH_TOKEN_files.test=TOKEN" },
    "secret",
  ],
])("cannot be told: %s", async (_, add, inputs, words) => {
  const { plan, verdict } = await verdictOf(add, inputs);
  expect(plan).toBeUndefined();
  expect(verdict).toMatchObject({
    kind: "unknown",
    doubt: {
      what: expect.stringContaining(words),
      fix: expect.stringContaining("--checksum"),
      at: { file: DOCKERFILE, line: 2 },
    },
  });
  expect(JSON.stringify(verdict)).not.toContain("secret-91c4");
});

test("an address of which its server has nothing is a mistake in its line", async () => {
  expect((await verdictOf("ADD https://files.test/gone?token=x /a")).verdict).toMatchObject({
    kind: "unknown",
    doubt: { isMistake: true, at: { file: DOCKERFILE, line: 2 } },
  });
});

test("variables in a base's triggers that put one another in without end lead nowhere", async () => {
  const { files, ...asked } = BEFORE;
  const { sources } = await planOf({ workspace: makeCheckout(files), ...asked });
  const doubled = Array.from({ length: 60 }, (_, at) => `ARG A${at + 1}=$A${at}$A${at}`);
  const triggers = ["ARG A0=xxxxxxxx", ...doubled, "ADD https://files.test/$A60 /x"];
  expect(addsOfTriggers(sources.build, triggers)).toMatchObject([{ address: undefined, checksum: undefined }]);
  expect(addsOfTriggers(sources.build, ["ARG A0=x", "ADD https://files.test/$A0 /x", "FROM b"])).toMatchObject([
    { address: "https://files.test/x" },
  ]);
});
