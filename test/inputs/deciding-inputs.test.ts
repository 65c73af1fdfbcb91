import { expect, test } from "vitest";
import { decidingInputs } from "../../src/inputs/deciding-inputs.ts";
import { INPUTS } from "../../src/inputs/names.ts";

/** Written out, so that whoever adds an input and takes it out of what decides says so twice. */
const MAKE_NO_DIFFERENCE = `
  alias allowed-sources builder builder-restart builders buildkit-image buildx-version cache-from cache-repo cache-to cache-ttl-days
  docker-config-base64 exit-on-build-failure force git-clone-depth git-clone-max-size git-clone-single-branch git-http-proxy-url git-password git-ref
  git-ssh-known-hosts git-ssh-private-key-base64 git-ssh-private-key-path git-url git-username load no-cache on-drift on-miss on-unknown previous-image push
  registry-password registry-username release require runners sbom-dir source-cache-dir ssl-cert-base64 summary tags verify
`
  .trim()
  .split(/\s+/);

test("every input decides what a commit's image is, but for those that say how it is come by and what is done with it", () => {
  const plain = decidingInputs(() => "");
  const same = INPUTS.filter((name) => decidingInputs((other) => (other === name ? "x" : "")) === plain);
  expect([...same].sort()).toEqual(MAKE_NO_DIFFERENCE);
});

test("blanks around an input decide nothing, and which input says it does", () => {
  const of = (values: Readonly<Record<string, string>>) => decidingInputs((name) => values[name] ?? "");
  expect(of({ target: " x\n" })).toBe(of({ target: "x" }));
  expect(of({ target: "x" })).not.toBe(of({ "cache-version": "x" }));
});

test("which sources are allowed decides where submodules are fetched: a commit that is known may have some of others", () => {
  const of = (submodules: string, allowed: string) =>
    decidingInputs((name) => ({ "git-submodules": submodules, "allowed-sources": allowed })[name] ?? "");
  for (const some of ["true", "True", "recursive"]) expect(of(some, "a")).not.toBe(of(some, "b"));
  for (const none of ["", "false", "FALSE"]) expect(of(none, "a")).toBe(of(none, "b"));
});
