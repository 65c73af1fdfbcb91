import { expect, test } from "vitest";
import { ActionError, joinErrors, withNoticed } from "../src/errors.ts";

test("an error that is told with more keeps what had caused it", () => {
  const cause = new Error("why");
  const thrown = new ActionError("E_BUG", { what: "x", cause });
  expect(withNoticed(thrown, [{ text: "before" }])).toMatchObject({ cause, noticed: [{ text: "before" }] });
  expect(withNoticed(cause, [])).toMatchObject({ code: "E_BUG", cause });
  expect(joinErrors([thrown, new ActionError("E_PUSH", { what: "y" })])?.cause).toBe(cause);
});
