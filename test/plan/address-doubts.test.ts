import { expect, test } from "vitest";
import { doubtOfAddress } from "../../src/plan/address-doubts.ts";

const SOURCE = {
  address: "https://files.test/x",
  written: "https://files.test/x",
  at: { file: "Dockerfile", line: 2 },
};

test("what helps against a failure is told beside the checksum", () => {
  const fix = "Give its certificate authority.";
  const error = { kind: "unavailable", request: "HEAD https://files.test", words: "self-signed", fix } as const;
  expect(doubtOfAddress(SOURCE, error)).toMatchObject({
    fix: expect.stringMatching(/^Add --checksum=sha256:.*\. Give its certificate authority\.$/),
  });
});
