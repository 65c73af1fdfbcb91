import fc from "fast-check";
import { expect, test } from "vitest";
import { licensesOf } from "../../src/sbom/license.ts";

test.each([
  ["MIT", ["MIT"]],
  ["MIT OR Apache-2.0", ["MIT", "Apache-2.0"]],
  ["(MIT OR Apache-2.0) AND (MIT AND BSD-3-Clause)", ["MIT", "Apache-2.0", "BSD-3-Clause"]],
  ["GPL-2.0-only WITH Classpath-exception-2.0 AND MIT", ["GPL-2.0-only WITH Classpath-exception-2.0", "MIT"]],
  ["GPL-2.0+ AND DocumentRef-x:LicenseRef-y", ["GPL-2.0+", "DocumentRef-x:LicenseRef-y"]],
  ["GPL and MIT", ["GPL and MIT"]],
  ["MIT OR", ["MIT OR"]],
  ["AND", ["AND"]],
  ["MIT WITH", ["MIT WITH"]],
  ["MIT, Apache", ["MIT, Apache"]],
  ["", [""]],
])("%j", (expression, licenses) => {
  expect(licensesOf(expression)).toEqual(licenses);
});

test("each licence once, whatever joins them and however they are set in brackets", () => {
  const license = fc.constantFrom("MIT", "ISC", "GPL-2.0+", "Apache-2.0 WITH LLVM-exception");
  const joined = fc.tuple(license, fc.constantFrom(" AND ", " OR ", " AND (", ") OR "));
  fc.assert(
    fc.property(fc.array(joined, { minLength: 1, maxLength: 8 }), license, (pieces, last) => {
      const all = [...pieces.map(([name]) => name), last];
      expect(licensesOf(pieces.flat().join("") + last)).toEqual([...new Set(all)]);
    }),
  );
});
