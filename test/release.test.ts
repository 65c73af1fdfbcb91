import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";

const FOLDERS = ["workflows", "workflows/starters", ".github/workflows"];
const FILES = [
  ...["README.md", "package.json", ".github/zizmor.yml", "scripts/release.sh"],
  ...FOLDERS.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))),
].filter((file) => !file.endsWith("starters"));
const STAMPED = FILES.filter((file) => file !== "scripts/release.sh");

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), "release-"));
  for (const file of FILES) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    cpSync(file, join(tree, file));
  }
});

const stamp = (...args: readonly string[]) =>
  spawnSync("bash", [join(tree, "scripts/release.sh"), ...args], { encoding: "utf8" });
const texts = () => STAMPED.map((file) => readFileSync(join(tree, file), "utf8"));
const used = (): readonly string[] =>
  texts().flatMap((text) => [...text.matchAll(/uses: (\S*dev-container-cache\S*)/g)].map(([, one = ""]) => one));
const WORKFLOW = /\/\.github\/workflows\/\w+\.yml@/;

describe("a release says whose it is, and of which version, everywhere", () => {
  test("on GitHub", () => {
    const before = used();
    expect(stamp("octo-org", "v2.3.4").stderr).toBe("");
    const after = used();
    expect(after).toHaveLength(before.length);
    expect(new Set(after)).toEqual(
      new Set([
        "octo-org/dev-container-cache@v2.3.4",
        ...["check", "devcontainer", "warm"].map(
          (name) => `octo-org/dev-container-cache/.github/workflows/${name}.yml@v2.3.4`,
        ),
      ]),
    );
    expect(texts().join("\n")).not.toMatch(/OWNER/);
    expect(JSON.parse(readFileSync(join(tree, "package.json"), "utf8")).repository.url).toBe(
      "https://github.com/octo-org/dev-container-cache.git",
    );
    expect(
      Object.keys(parse(readFileSync(join(tree, ".github/zizmor.yml"), "utf8")).rules["unpinned-uses"].config.policies),
    ).toEqual(["octo-org/*", "*"]);
  });

  test("on a mirror, whose server may look for the short names of steps elsewhere", () => {
    expect(stamp("http://127.0.0.1:3000/team/", "v1").stderr).toBe("");
    for (const one of used())
      expect(one).toMatch(
        WORKFLOW.test(one) ? /^team\/.*@v1$/ : /^http:\/\/127\.0\.0\.1:3000\/team\/dev-container-cache@v1$/,
      );
    const { url } = JSON.parse(readFileSync(join(tree, "package.json"), "utf8")).repository;
    expect(url).toBe("http://127.0.0.1:3000/team/dev-container-cache.git");
  });

  test("again, from any to any other, the copies the same as what they are copies of", () => {
    stamp("first", "v9");
    const first = texts();
    stamp("https://git.example.org/second", "main");
    expect(texts()).not.toEqual(first);
    stamp("first", "v9");
    expect(texts()).toEqual(first);
    for (const name of readdirSync(join(tree, ".github/workflows")))
      expect(readFileSync(join(tree, ".github/workflows", name), "utf8")).toBe(
        readFileSync(join(tree, "workflows", name), "utf8"),
      );
    for (const file of STAMPED.filter((name) => name.endsWith(".yml"))) parse(readFileSync(join(tree, file), "utf8"));
  });

  test.each([
    [["octo org", "v1"]],
    [["octo-org", "v1 x"]],
    [["a#b", "v1"]],
    [["-e", "v1"]],
    [["x/y/z", "v1"]],
    [["octo-org"]],
    [[]],
  ])("not by what is no owner or version: %j", (args) => {
    const before = texts();
    const { status, stderr } = stamp(...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^release: .*like /);
    expect(texts()).toEqual(before);
  });
});

test("what a runner downloads holds what it runs, and no tests and sources", () => {
  const archive = execFileSync("git", ["archive", "--worktree-attributes", "HEAD"], { maxBuffer: 1 << 26 });
  const names = execFileSync("tar", ["--list"], { input: archive, encoding: "utf8" }).trim().split("\n");
  const top = new Set(names.map((name) => name.split("/")[0]));
  expect([...top].sort()).toEqual(["LICENSE", "README.md", "action.yml", "dist"]);
});
