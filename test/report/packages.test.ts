import fc from "fast-check";
import { expect, test } from "vitest";
import { changeTables, licenseTable, packageTable } from "../../src/report/packages.ts";
import { comparePlatforms } from "../../src/sbom/compare.ts";
import type { PlatformSbom } from "../../src/sbom/read.ts";
import type { Package } from "../../src/sbom/spdx.ts";

const AMD64 = { os: "linux", architecture: "amd64" };
const ARM64 = { os: "linux", architecture: "arm64" };

const one = (name: string, more: Partial<Package> = {}): Package => ({
  name,
  version: "1",
  type: "deb",
  purl: undefined,
  license: undefined,
  ...more,
});
const sbom = (platform: PlatformSbom["platform"], packages: readonly Package[], document = "{}"): PlatformSbom => ({
  platform,
  kind: "sbom",
  document,
  packages,
});

test("a row for each platform, a column for each type", () => {
  const python = one("c", { type: "pypi" });
  expect(
    packageTable([
      sbom(AMD64, [one("a"), one("b"), python], " ".repeat(4_840_000)),
      sbom(ARM64, [one("a")], " ".repeat(45_001)),
      { platform: { os: "linux", architecture: "s390x" }, kind: "none", why: "the index lists none for it" },
      {
        platform: { os: "linux", architecture: "riscv64" },
        kind: "doubt",
        error: { kind: "malformed", request: "x", words: "a | b" },
      },
    ]),
  ).toBe(
    [
      "| Platform | Packages | deb | pypi | SBOM |",
      "| --- | --- | --- | --- | --- |",
      "| linux/amd64 | 3 | 2 | 1 | 4.8 MB |",
      "| linux/arm64 | 1 | 1 | 0 | 46 kB |",
      "| linux/s390x |  |  |  | none: the index lists none for it |",
      "| linux/riscv64 |  |  |  | cannot be read: a \\| b |",
    ].join("\n"),
  );
});

test("six types have a column, the others share one", () => {
  const types = ["deb", "npm", "pypi", "gem", "golang", "cargo", "maven", "nuget"];
  const packages = types.flatMap((type, index) => Array<Package>(10 - index).fill(one("x", { type })));
  const [head, , row, none] = packageTable([sbom(AMD64, packages), { platform: ARM64, kind: "none", why: "x" }]).split(
    "\n",
  );
  expect(head).toBe("| Platform | Packages | deb | npm | pypi | gem | golang | cargo | others | SBOM |");
  expect(row).toBe("| linux/amd64 | 52 | 10 | 9 | 8 | 7 | 6 | 5 | 7 | 1 kB |");
  expect(none?.split("|")).toHaveLength(12);
});

test("no packages at all", () => {
  expect(packageTable([sbom(AMD64, [])])).toBe(
    "| Platform | Packages | SBOM |\n| --- | --- | --- |\n| linux/amd64 | 0 | 1 kB |",
  );
});

test("licences, folded", () => {
  const mit = one("a", { license: "MIT" });
  const long = one("b", { license: `GPL-2.0-only AND MIT AND ${"x".repeat(200)}` });
  expect(licenseTable([sbom(AMD64, [mit, mit, long, one("c")]), sbom(ARM64, [mit])])).toEqual([
    `<details><summary>Licences</summary>

| Licence | linux/amd64 | linux/arm64 |
| --- | --- | --- |
| MIT | 3 | 1 |
| GPL-2.0-only | 1 | 0 |
| none stated | 1 | 0 |
| ${"x".repeat(100)}… | 1 | 0 |

A package that names several licences counts for each of them.

</details>`,
  ]);
  expect(licenseTable([sbom(AMD64, [one("a")])])).toEqual([]);
  expect(licenseTable([])).toEqual([]);
  const many = Array.from({ length: 25 }, (_, index) => one("x", { license: `L-${index}` }));
  expect(licenseTable([sbom(AMD64, many)])[0]).toContain("\n\nAnd 5 more.\n\n");
});

test("what changed, platforms with the same changes together", () => {
  const before = [one("a"), one("b"), one("gone", { version: undefined })];
  const after = [one("a", { version: "2" }), one("a"), one("b"), one("c_d"), one("e")];
  const [previous, current] = [
    [sbom(AMD64, before), sbom(ARM64, before)],
    [sbom(AMD64, after), sbom(ARM64, after)],
  ];
  expect(changeTables("k1-abc", comparePlatforms(previous, current))).toEqual([
    "The packages, compared with k1-abc:",
    `<details><summary>linux/amd64, linux/arm64: 2 packages added, 1 package removed, 1 package changed</summary>

| Type | Package | Version |
| --- | --- | --- |
| deb | a | 1 → 1, 2 |
| deb | c\\_d | 1 added |
| deb | e | 1 added |
| deb | gone |  removed |

</details>`,
  ]);
});

test("each platform by itself where they differ, and only those that were there before", () => {
  const previous = [sbom(AMD64, [one("a")]), sbom(ARM64, [one("a")])];
  const riscv = { os: "linux", architecture: "riscv64" };
  const current = [sbom(AMD64, [one("a")]), sbom(ARM64, []), sbom(riscv, [])];
  const [head, amd64, arm64, ...more] = changeTables("branch-x_y", comparePlatforms(previous, current));
  expect(head).toBe("The packages, compared with branch-x\\_y:");
  expect(amd64).toBe("linux/amd64: the same packages.");
  expect(arm64).toContain("<summary>linux/arm64: 1 package removed</summary>");
  expect(more).toEqual([]);
  expect(changeTables("x", comparePlatforms([], current))).toEqual([]);
  expect(changeTables("x", comparePlatforms(previous, [{ platform: AMD64, kind: "none", why: "" }]))).toEqual([]);
});

test("forty changes at most", () => {
  const current = [
    sbom(
      AMD64,
      Array.from({ length: 50 }, (_, index) => one(`x${index}`)),
    ),
  ];
  const [, changes] = changeTables("x", comparePlatforms([sbom(AMD64, [])], current));
  expect(changes?.split("\n").filter((line) => line.startsWith("| deb"))).toHaveLength(40);
  expect(changes).toContain("\n\nAnd 10 more.\n\n");
});

test("whatever a package calls itself, the table has its columns and no markup, and the summary its size", () => {
  const wild = fc.record({
    name: fc.string({ unit: "binary" }),
    version: fc.option(fc.string(), { nil: undefined }),
    type: fc.constantFrom("deb", "npm"),
    license: fc.option(fc.string({ unit: fc.constantFrom("|", "<", "\n", "a", "`"), size: "large" }), {
      nil: undefined,
    }),
    purl: fc.constant(undefined),
  });
  fc.assert(
    fc.property(fc.array(wild, { maxLength: 200 }), (packages) => {
      const current = [sbom(AMD64, packages)];
      const parts = [...licenseTable(current), ...changeTables("x", comparePlatforms([sbom(AMD64, [])], current))];
      const lines = parts.join("\n").split("\n");
      for (const line of lines.filter((one) => one.startsWith("|"))) {
        expect(line.replace(/\\.|<!-- -->/g, "")).toMatch(/^(?:\|[^|<`]*){2,3}\|$/);
      }
      expect(parts.join("").length).toBeLessThan(64 * 1024);
    }),
  );
});
