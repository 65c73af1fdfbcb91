import fc from "fast-check";
import { expect, test } from "vitest";
import { type Challenge, chooseChallenge, parseChallenges } from "../../src/registry/challenge.ts";

test.each<[string, readonly string[], readonly Challenge[]]>([
  [
    "what Docker Hub says",
    ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull"'],
    [
      {
        scheme: "bearer",
        params: {
          realm: "https://auth.docker.io/token",
          service: "registry.docker.io",
          scope: "repository:library/x:pull",
        },
      },
    ],
  ],
  [
    "commas in quotes",
    ['Bearer realm="https://r/t",scope="repository:a:pull,push"'],
    [{ scheme: "bearer", params: { realm: "https://r/t", scope: "repository:a:pull,push" } }],
  ],
  [
    "no service, as old Gitea",
    ['Bearer realm="https://git.test/v2/token"'],
    [{ scheme: "bearer", params: { realm: "https://git.test/v2/token" } }],
  ],
  [
    "two headers",
    ['Bearer realm="https://r/t"', 'Basic realm="x"'],
    [
      { scheme: "bearer", params: { realm: "https://r/t" } },
      { scheme: "basic", params: { realm: "x" } },
    ],
  ],
  [
    "two challenges in one header",
    ['Basic realm="a, b", Bearer realm="https://r/t",service="s"'],
    [
      { scheme: "basic", params: { realm: "a, b" } },
      { scheme: "bearer", params: { realm: "https://r/t", service: "s" } },
    ],
  ],
  ["a bare scheme", ["Basic"], [{ scheme: "basic", params: {} }]],
  [
    "a token behind a scheme",
    ["Negotiate a87421000492aa874209af8bc028==, Basic realm=x"],
    [
      { scheme: "negotiate", params: {} },
      { scheme: "basic", params: { realm: "x" } },
    ],
  ],
  ["escapes in quotes", ['Basic realm="a \\"b\\" \\\\c"'], [{ scheme: "basic", params: { realm: 'a "b" \\c' } }]],
  [
    "blanks around =, capitals",
    ['BEARER Realm = "https://r/t" , SERVICE=s'],
    [{ scheme: "bearer", params: { realm: "https://r/t", service: "s" } }],
  ],
  [
    "a quote that does not end",
    ['Bearer realm="https://r/t'],
    [{ scheme: "bearer", params: { realm: "https://r/t" } }],
  ],
  [
    "a parameter twice: the first counts",
    ['Bearer realm="https://a/t",realm="https://b/t"'],
    [{ scheme: "bearer", params: { realm: "https://a/t" } }],
  ],
  ["nothing", [""], []],
])("%s", (_, headers, expected) => {
  expect(parseChallenges(headers)).toEqual(expected);
});

test("whatever a server sends, it is read without an error and in time", () => {
  fc.assert(fc.property(fc.array(fc.string()), (headers) => void parseChallenges(headers)));
  const words = fc.constantFrom("Bearer", "Basic", " ", ",", '"', "=", "realm", "\\", "x", "/", ":", "==");
  fc.assert(fc.property(fc.array(words, { maxLength: 60 }), (parts) => void parseChallenges([parts.join("")])));
});

const BASIC = 'Basic realm="r"';
const BEARER = 'Bearer realm="https://r/t"';

test.each<[string, string | readonly string[] | undefined, string | undefined]>([
  ["no header", undefined, undefined],
  ["an empty one", "", undefined],
  ["Basic alone", BASIC, BASIC],
  ["Bearer after Basic in one header", `${BASIC}, ${BEARER}`, BEARER],
  ["Bearer in a second header", [BASIC, BEARER], BEARER],
  ["a Bearer that does not say where, and Basic", `Bearer service="x", ${BASIC}`, BASIC],
  ["a Bearer whose realm is empty, and one that has one", `Bearer realm="", ${BEARER}`, BEARER],
  ["a Bearer that does not say where, alone", 'Bearer service="x"', 'Bearer service="x"'],
  ["what nobody here speaks, and Basic", `Negotiate abc==, NTLM, ${BASIC}`, BASIC],
  ["what nobody here speaks", "Negotiate abc==, NTLM", undefined],
])("the one that is answered: %s", (_, header, chosen) => {
  const [expected] = chosen === undefined ? [undefined] : parseChallenges([chosen]);
  expect(chooseChallenge(header)).toEqual(expected);
});

test("a parameter that is called like a part of every object is a parameter", () => {
  expect(parseChallenges(['Bearer __proto__="x",constructor="y",realm="https://r/t"'])).toEqual([
    {
      scheme: "bearer",
      params: Object.fromEntries([
        ["__proto__", "x"],
        ["constructor", "y"],
        ["realm", "https://r/t"],
      ]),
    },
  ]);
});
