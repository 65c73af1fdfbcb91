import { expect, test } from "vitest";
import { type Commit, goPackageVersion, offeredArguments } from "../../src/arguments/offered.ts";

const provenance = {
  source: "https://github.com/team/app",
  revision: "abc",
  goPackageVersion: "v1.0.0",
  isDirty: false,
};

test.each([
  {
    name: "all of it",
    given: provenance,
    values: { SOURCE: provenance.source, REVISION: "abc", GOPKGVERSION: "v1.0.0" },
  },
  {
    name: "a dirty tree is no revision",
    given: { ...provenance, isDirty: true },
    values: { SOURCE: provenance.source },
  },
  {
    name: "what is not known is not offered",
    given: { ...provenance, source: undefined, goPackageVersion: undefined },
    values: { REVISION: "abc" },
  },
])("what is offered: $name", ({ given, values }) => {
  expect(Object.fromEntries(offeredArguments(given))).toEqual(values);
});

const commit: Commit = {
  lastTag: undefined,
  isTagged: false,
  committed: 1_763_709_259,
  revision: "0123456789abcdef0123456789abcdef01234567",
};
test.each([
  { name: "no tag", given: commit, version: "v0.0.0-20251121071419-0123456789ab" },
  { name: "tagged", given: { ...commit, lastTag: "v1.2.3", isTagged: true }, version: "v1.2.3" },
  { name: "behind a tag", given: { ...commit, lastTag: "v1.2.9" }, version: "v1.2.10-0.20251121071419-0123456789ab" },
  {
    name: "behind a pre-release",
    given: { ...commit, lastTag: "v1.2.3-rc.1" },
    version: "v1.2.3-rc.1.0.20251121071419-0123456789ab",
  },
  {
    name: "a tag that is no version",
    given: { ...commit, lastTag: "release-7", isTagged: true },
    version: "v0.0.0-20251121071419-0123456789ab",
  },
])("Go's version: $name", ({ given, version }) => {
  expect(goPackageVersion(given)).toBe(version);
});
