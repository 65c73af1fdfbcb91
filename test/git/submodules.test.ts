import { expect, test } from "vitest";
import { asRootIsAsked, faultOfModule, readModules, readTree, resolveModuleUrl } from "../../src/git/submodules.ts";
import { formatGitUrl, type GitUrl, parseGitUrl } from "../../src/git/url.ts";

function url(written: string): GitUrl {
  const parsed = parseGitUrl(written);
  if ("wrong" in parsed) throw new Error(parsed.wrong);
  return parsed;
}

const WEB = "https://git.example/team/app";

// As `git submodule` resolves them: https://git-scm.com/docs/git-submodule (add).
test.each([
  [WEB, "../part", "https://git.example/team/part"],
  [WEB, "../part.git", "https://git.example/team/part.git"],
  [`${WEB}.git`, "../part", "https://git.example/team/part"],
  [`${WEB}/`, "../part", "https://git.example/team/part"],
  [WEB, "./part", "https://git.example/team/app/part"],
  [WEB, "../../else/part", "https://git.example/else/part"],
  [WEB, ".././../else/part", "https://git.example/else/part"],
  ["https://git.example:3000/sub/team/app", "../part", "https://git.example:3000/sub/team/part"],
  ["git@git.example:team/app.git", "../part.git", "git@git.example:team/part.git"],
  ["git@git.example:/srv/app", "../part", "git@git.example:/srv/part"],
  ["ssh://git@git.example:22/team/app", "../part", "ssh://git@git.example:22/team/part"],
  [WEB, "https://other.example/a/b", "https://other.example/a/b"],
])("%s has %s at %s", (parent, written, is) => {
  expect(resolveModuleUrl(url(parent), written)).toMatchObject({ url: is });
});

test.each([
  ["../../../part", /leads out of its host|is no address|names a host/],
  ["../../../../../x", /leads out of its host/],
  ["../..", /names a host and no repository/],
  ["../-part", /begins with a dash/],
  ["../%2e%2e/part", /hides a slash, a dot/],
  ["..\\part", /backslash/],
  ["/etc", /it is no address/],
  ["", /it is no address/],
  ["-uroot", /begins with a dash/],
  ["file:///etc", /file:\/\/ is not spoken/],
  ["git://git.example/a", /git:\/\/ is not spoken/],
  ["ext::sh -c touch% x", /holds a blank/],
  ["ext::touch", /names a program of git's/],
  ["https::https://git.example/a", /names a program of git's/],
  ["ssh://-oProxyCommand=touch/a/b", /its host or its user is no name/],
  ["-oProxyCommand=touch:a/b", /begins with a dash/],
  ["https://me:word@git.example/a", /it holds a login/],
  ["https://git.example/a\nurl = x", /control character/],
])("an address that is %j is asked of nobody", (written, why) => {
  const found = resolveModuleUrl(url(WEB), written);
  expect("wrong" in found ? found.wrong : formatGitUrl(found)).toMatch(why);
});

test.each([
  ["git@git.example:team/part.git", WEB, "https://git.example/team/part"],
  ["ssh://git@git.example/team/part", WEB, "https://git.example/team/part"],
  ["ssh://git@git.example:22/team/part", "https://git.example:3000/a/b", "https://git.example:3000/team/part"],
  ["ssh://git@git.example:2222/team/part", WEB, "ssh://git.example:2222/team/part"],
  ["git@git.example.evil:team/part", WEB, "ssh://git.example.evil/team/part"],
  ["git@git.example:team/part", "ssh://git@git.example/a/b", "ssh://git.example/team/part"],
  ["http://git.example/team/part", WEB, "http://git.example/team/part"],
])("%s below %s is asked for as %s", (written, root, is) => {
  expect(formatGitUrl(asRootIsAsked(url(written), url(root)))).toBe(is);
});

test.each([
  [{ name: "", path: "a" }, /name/],
  [{ name: "../a", path: "a" }, /name/],
  [{ name: "a/../../hooks", path: "a" }, /name/],
  [{ name: "a\\..\\b", path: "a" }, /name/],
  [{ name: "a", path: '"a\\nb"' }, /quote/],
  [{ name: "a", path: "-a" }, /dash/],
  [{ name: "a", path: "../a" }, /leads out/],
  [{ name: "a", path: "/a" }, /leads out/],
  [{ name: "a", path: "a/.GIT/hooks" }, /leads out/],
  [{ name: "a..b/c", path: "libs/a b" }, undefined],
])("%o", (module, fault) => {
  const told = faultOfModule(module);
  if (fault === undefined) expect(told).toBeUndefined();
  else expect(told).toMatch(fault);
});

test("a tree's list: sizes, submodules, and whether it has a .gitmodules", () => {
  const id = "a".repeat(40);
  const printed = `100644 blob ${id}      12\t.gitmodules\n100755 blob ${id}     100\ta b/c\n120000 blob ${id}       3\tlink\n160000 commit ${id}       -\tlibs/a\n`;
  expect(readTree(printed)).toEqual({ bytes: 115, links: [{ path: "libs/a", commit: id }], hasModules: true });
  expect(readTree(`100644 blob ${id}       3\ta/.gitmodules\n`)).toMatchObject({ hasModules: false });
  const odd = `100644 blob ${id}      12\ta\u2028b\n160000 commit ${id}       -\tc\u2029\n`;
  expect(readTree(odd)).toEqual({ bytes: 12, links: [{ path: "c\u2029", commit: id }], hasModules: false });
  expect(readTree("")).toEqual({ bytes: 0, links: [], hasModules: false });
});

test("what .gitmodules says twice counts as it was said first, and what is no submodule's is passed over", () => {
  const printed =
    "core.fsmonitor\ntouch x\0submodule.a.path\nlibs/a\0submodule.a.url\n../a\0submodule.a.url\n../b\0submodule.x.y.update\nnone\0submodule.bare\0";
  expect(readModules(printed)).toEqual([
    { name: "a", path: "libs/a", url: "../a", isLeftOut: false },
    { name: "x.y", path: "", url: "", isLeftOut: true },
  ]);
});
