import { expect, test } from "vitest";
import { withGenerator } from "../../src/build/generator.ts";
import { parseReference, type Reference } from "../../src/oci/reference.ts";
import { indexOf, registryOf, sha } from "../plan-of.ts";

const scanner = indexOf({ "linux/amd64": "scanner" });
const registry = registryOf({ "tools.test/scanner:1": scanner, "tools.test/scanner:latest": scanner });
const base = { reference: "tools.test/base:1", digest: sha("base") };

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if ("wrong" in parsed) throw new Error(parsed.wrong);
  return parsed;
}

const pinned = `tools.test/elsewhere@${sha("pinned")}`;

test.each([
  ["a tag", "tools.test/scanner:1", { reference: "tools.test/scanner:1", digest: scanner.descriptor.digest }],
  ["no tag", "tools.test/scanner", { reference: "tools.test/scanner:latest", digest: scanner.descriptor.digest }],
  ["a digest, for which nobody is asked", pinned, { reference: pinned, digest: sha("pinned") }],
])("a generator with %s is bound behind the bases", async (_, written, expected) => {
  expect(await withGenerator(reference(written), [base], registry)).toEqual([base, expected]);
});

test("without a generator, and where a base has its name, the bindings stay as they are", async () => {
  expect(await withGenerator(undefined, [base], registry)).toEqual([base]);
  expect(await withGenerator(reference("tools.test/base:1"), [base], registry)).toEqual([base]);
});

test("a generator that cannot be read", async () => {
  await expect(withGenerator(reference("tools.test/other:1"), [base], registry)).rejects.toMatchObject({
    code: "E_REGISTRY",
    message: "The SBOM generator tools.test/other:1 cannot be read: manifest unknown (GET tools.test/other:1).",
  });
});
