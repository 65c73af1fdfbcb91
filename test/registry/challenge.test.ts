import fc from "fast-check";
import { expect, test } from "vitest";
import { type Challenge, parseChallenges } from "../../src/registry/challenge.ts";

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
