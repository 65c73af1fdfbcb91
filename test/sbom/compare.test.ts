import fc from "fast-check";
import { expect, test } from "vitest";
import { comparePackages, countByLicense, countByType, type PackageChange } from "../../src/sbom/compare.ts";
import type { Package } from "../../src/sbom/spdx.ts";

const deb = (name: string, version: string, arch = "amd64", more = ""): Package => ({
  name,
  version,
  type: "deb",
  purl: `pkg:deb/debian/${name}@${version}?arch=${arch}${more}`,
  license: undefined,
});
const other = (name: string, version?: string): Package => ({
  name,
  version,
  type: "other",
  purl: undefined,
  license: "MIT",
});

test.each<[string, readonly Package[], readonly Package[], readonly PackageChange[]]>([
  ["nothing", [], [], []],
  ["the same in another order", [deb("a", "1"), deb("b", "1")], [deb("b", "1"), deb("a", "1")], []],
  ["added", [], [deb("a", "1")], [{ kind: "added", type: "deb", name: "a", to: ["1"] }]],
  ["removed", [deb("a", "1")], [], [{ kind: "removed", type: "deb", name: "a", from: ["1"] }]],
  [
    "another version",
    [deb("a", "1")],
    [deb("a", "2")],
    [{ kind: "changed", type: "deb", name: "a", from: ["1"], to: ["2"] }],
  ],
  ["in more places", [other("a", "1")], [other("a", "1"), other("a", "1")], []],
  [
    "one more version beside the old one",
    [other("a", "1")],
    [other("a", "2"), other("a", "1")],
    [{ kind: "changed", type: "other", name: "a", from: ["1"], to: ["1", "2"] }],
  ],
  [
    "one version fewer",
    [other("a", "1"), other("a", "2")],
    [other("a", "2")],
    [{ kind: "changed", type: "other", name: "a", from: ["1", "2"], to: ["2"] }],
  ],
  ["without a version", [], [other("a")], [{ kind: "added", type: "other", name: "a", to: [""] }]],
  [
    "another architecture of the same package",
    [deb("a", "1"), deb("a", "1", "i386")],
    [deb("a", "1")],
    [{ kind: "removed", type: "deb", name: "a", from: ["1"] }],
  ],
  [
    "the same package from a newer source, of a newer release",
    [deb("a", "1", "amd64", "&upstream=a%401&distro=debian-12")],
    [deb("a", "1", "amd64", "&upstream=a%402&distro=debian-13")],
    [],
  ],
  [
    "the same name in another kind of package",
    [deb("a", "1")],
    [other("a", "1")],
    [
      { kind: "removed", type: "deb", name: "a", from: ["1"] },
      { kind: "added", type: "other", name: "a", to: ["1"] },
    ],
  ],
  [
    "the same path in another kind of package URL",
    [{ ...other("a", "1"), type: "npm", purl: "pkg:npm/a@1" }],
    [{ ...other("a", "1"), type: "pypi", purl: "pkg:pypi/a@1" }],
    [
      { kind: "removed", type: "npm", name: "a", from: ["1"] },
      { kind: "added", type: "pypi", name: "a", to: ["1"] },
    ],
  ],
  [
    "in order of type, then name",
    [other("b", "1"), deb("z", "1")],
    [other("a", "1"), deb("y", "1")],
    [
      { kind: "added", type: "deb", name: "y", to: ["1"] },
      { kind: "removed", type: "deb", name: "z", from: ["1"] },
      { kind: "added", type: "other", name: "a", to: ["1"] },
      { kind: "removed", type: "other", name: "b", from: ["1"] },
    ],
  ],
])("%s", (_, previous, current, expected) => {
  expect(comparePackages(previous, current)).toEqual(expected);
});

const packages = fc.array(
  fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2")).map(([a, b]) => deb(a, b)),
);

test("the way back is the way there, turned round", () => {
  const turned = (change: PackageChange): PackageChange => {
    const { type, name } = change;
    if (change.kind === "added") return { kind: "removed", type, name, from: change.to };
    if (change.kind === "removed") return { kind: "added", type, name, to: change.from };
    return { kind: "changed", type, name, from: change.to, to: change.from };
  };
  fc.assert(
    fc.property(packages, packages, (a, b) => {
      expect(comparePackages(b, a)).toEqual(comparePackages(a, b).map(turned));
      expect(comparePackages(a, a)).toEqual([]);
    }),
  );
});

test("counts: most first, then by name", () => {
  const all = [other("x"), deb("a", "1"), deb("b", "1"), { ...other("y"), type: "apk" }];
  expect(countByType(all)).toEqual([
    ["deb", 2],
    ["apk", 1],
    ["other", 1],
  ]);
  expect(countByLicense(all)).toEqual([
    ["MIT", 2],
    ["none stated", 2],
  ]);
});
