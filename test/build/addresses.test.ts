import { expect, test } from "vitest";
import { changedMeanwhile, pinAddresses } from "../../src/build/addresses.ts";
import { asActionError } from "../../src/errors.ts";
import type { AddressContent, Answer } from "../../src/world.ts";
import { sha } from "../plan-of.ts";

const BOUND = {
  address: "https://files.test/x?token=secret-91c4",
  written: "https://files.test/x?…",
  at: { file: "Dockerfile", line: 3 },
  validator: 'ETag "1"',
};

const pin = (answer: Answer<AddressContent>) => pinAddresses([BOUND], { content: async () => answer });

test("the builder is held to the content that came with the validator that counts", async () => {
  const digest = sha("content");
  expect(await pin({ kind: "found", value: { validator: 'ETag "1"', digest } })).toEqual([{ ...BOUND, digest }]);
});

test.each<[string, Answer<AddressContent>, string]>([
  ["another one by now", { kind: "found", value: { validator: 'ETag "2"', digest: sha("x") } }, "E_CHANGED"],
  ["gone by now", { kind: "absent", request: "GET https://files.test/x", words: "status 404" }, "E_BUILD"],
])("%s: refused, at its line", async (_, answer, code) => {
  const error = asActionError(await pin(answer).catch((thrown) => thrown));
  expect(error).toMatchObject({ code, at: BOUND.at });
  expect([error.message, error.fix].join()).not.toContain("secret-91c4");
});

test.each<[string, boolean]>([
  [`digest mismatch ${sha("new")}: ${sha("old")}`, true],
  [`digest mismatch for https://files.test/x: ${sha("new")} (expected: ${sha("old")})`, true],
  [`digest mismatch ${sha("new")}: ${sha("of the Dockerfile itself")}`, false],
  [`process "echo ${sha("old")}" did not complete successfully`, false],
])("what BuildKit says when it was given something else: %s", (words, isOurs) => {
  const failure = { words, step: undefined, line: undefined, output: [] };
  const error = changedMeanwhile(failure, [{ ...BOUND, digest: sha("old") }]);
  expect(error?.code).toBe(isOurs ? "E_CHANGED" : undefined);
});
