import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isToken, openSecrets } from "../../src/sources/known-secrets.ts";

test.each<[string, boolean]>([
  ["GITHUB_TOKEN", true],
  ["GITEA_TOKEN", true],
  ["FORGEJO_TOKEN", true],
  ["GH_TOKEN", true],
  ["ACTIONS_RUNTIME_TOKEN", true],
  ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", true],
  ["ACTIONS_ID_TOKEN_REQUEST_URL", true],
  ["ACTIONS_RESULTS_URL", true],
  ["DOCKER_AUTH_CONFIG", true],
  ["AWS_SECRET_ACCESS_KEY", true],
  ["GITHUB_ACTIONS", false],
  ["GITHUB_REPOSITORY", false],
  ["NODE_VERSION", false],
])("%s is a token by its name: %s", (name, expected) => {
  expect(isToken(name)).toBe(expected);
});

const SECRET = "s3cr/t+v@lue";
const base64 = (text: string) => Buffer.from(text).toString("base64");

test.each<[string, readonly string[], string, boolean]>([
  ["itself", [SECRET], SECRET, true],
  ["itself with a line break behind it", [SECRET], `${SECRET}\n`, true],
  ["in an address", [SECRET], `https://x:${SECRET}@git.test/`, true],
  ["in an address, escaped", [SECRET], `https://x:${encodeURIComponent(SECRET)}@git.test/`, true],
  ["in an address, escaped in small letters", [SECRET], "https://x:s3cr%2ft%2bv%40lue@git.test/", true],
  ["in JSON", ['a"b\\c-long'], JSON.stringify({ password: 'a"b\\c-long' }), true],
  ["in a basic login", [SECRET], `AUTHORIZATION: basic ${base64(`x-access-token:${SECRET}`)}`, true],
  ["in base64, one further", [SECRET], base64(`1${SECRET}2`), true],
  ["in base64, two further", [SECRET], base64(`12${SECRET}`), true],
  ["in base64 for addresses", [SECRET], Buffer.from(`ab${SECRET}cd`).toString("base64url"), true],
  ["one line of several", ["-----BEGIN-----\nMIIEpAIBAAKC\n-----END-----"], "key=MIIEpAIBAAKC", true],
  ["a short one, itself", ["hunter2"], "hunter2", true],
  ["a short one in another word", ["dev"], "developer", false],
  ["another text", [SECRET], "s3cr", false],
  ["none", [""], "", false],
  ["a plain word of few letters", ["main"], "main", false],
  ["a setting of a file", ["registry=https://a.test/\n_authToken=hunter22"], "registry=https://a.test/", false],
  ["a credential of a file", ["registry=https://a.test/\n_authToken=hunter22"], "x-hunter22", true],
  ["a keystore, far longer than a call takes arguments", ["a1B2".repeat(100_000)], "a1B2", false],
])("a text holds a secret: %s", (_, secrets, text, expected) => {
  expect(openSecrets(secrets)(text)).toBe(expected);
});

test("whatever stands around a secret, and in whichever of the forms, it is found", () => {
  // A setting of a path, a number or a variable is no secret: its rows are above.
  const setting = /^["']?[\w./@:-]*\w["']?\s*(?:=|:\s)\s*[\w./@:~+$%{}?-]*$/;
  const secret = fc
    .string({ minLength: 8, maxLength: 40, unit: "grapheme-ascii" })
    .filter((text) => text.trim().length >= 8 && !setting.test(text.trim()));
  fc.assert(
    fc.property(secret, fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (text, before, behind) => {
      const holds = openSecrets([text]);
      const whole = `${before}${text.trim()}${behind}`;
      for (const form of [whole, base64(whole), encodeURIComponent(whole), JSON.stringify(whole)])
        expect(holds(form)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
