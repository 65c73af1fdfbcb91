import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readArgumentFiles } from "../../src/arguments/files.ts";
import { compileGlob, findPaths } from "../../src/arguments/glob.ts";
import { ActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import { openMemoryFiles } from "../devcontainer/memory-files.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const files = openMemoryFiles({
  "/work/app/args.conf": "A=1",
  "/work/app/b.conf": "B=b",
  "/work/app/a.conf": "A=a\nB=a",
  "/work/app/odd[1].conf": "ODD=1",
  "/work/app/?.conf": "MARK=1",
  "/work/app/.hidden.conf": "H=1",
  "/work/app/conf/x/one.conf": "ONE=1",
  "/work/app/conf/x/y/two.conf": "TWO=2",
  "/work/app/conf/.git/three.conf": "THREE=3",
  "/work/app/broken.conf": "A=1\n- B=2",
  "/work/app/inside.conf": { link: "args.conf" },
  "/work/app/outside.conf": { link: "../secret.conf" },
  "/work/app/loop": { link: "conf" },
  "/work/app/nowhere.conf": { link: "gone" },
  "/work/app-2/args.conf": "NEXT=1",
  "/work/secret.conf": "S=1",
  "/etc/build/args.conf": "E=1",
});
const checkout = { files, workspace: "/work/app", checkout: "/work/app" };
const read = async (...written: string[]) => {
  const { entries } = await readArgumentFiles(written, checkout);
  return entries.map(({ name, origin }) => `${name} ${"at" in origin ? `${origin.at.file}:${origin.at.line}` : ""}`);
};

describe("which files are read", () => {
  test.each([
    { name: "none", written: [], given: [] },
    { name: "a path from the workspace on", written: ["args.conf"], given: ["A args.conf:1"] },
    { name: "the same, more roundabout", written: ["./conf/..//args.conf"], given: ["A args.conf:1"] },
    { name: "in the order given", written: ["b.conf", "args.conf"], given: ["B b.conf:1", "A args.conf:1"] },
    { name: "an absolute path inside", written: ["/work/app/args.conf"], given: ["A args.conf:1"] },
    { name: "an absolute path outside", written: ["/etc/build/args.conf"], given: ["E /etc/build/args.conf:1"] },
    { name: "a link that stays inside", written: ["inside.conf"], given: ["A inside.conf:1"] },
    { name: "one that may be missing and is", written: ["?gone.conf", "? also/gone"], given: [] },
    { name: "one that may be missing and is not", written: ["?b.conf"], given: ["B b.conf:1"] },
    { name: "a pattern that may match nothing", written: ["?*.none"], given: [] },
    { name: "a pattern, sorted", written: ["[ab].conf"], given: ["A a.conf:1", "B a.conf:2", "B b.conf:1"] },
    { name: "a negated bracket", written: ["[!a-z]*.conf"], given: ["MARK ?.conf:1"] },
    { name: "a question mark that is a pattern", written: ["./?rgs.conf"], given: ["A args.conf:1"] },
    { name: "a name that looks like a pattern and is there", written: ["odd[1].conf"], given: ["ODD odd[1].conf:1"] },
    { name: "folders that match are passed over", written: ["conf/x/*"], given: ["ONE conf/x/one.conf:1"] },
    { name: "a star for a folder", written: ["conf/*/one.conf"], given: ["ONE conf/x/one.conf:1"] },
    {
      name: "any number of folders, none too",
      written: ["conf/x/**/*.conf"],
      given: ["ONE conf/x/one.conf:1", "TWO conf/x/y/two.conf:1"],
    },
    { name: "everything below", written: ["conf/**"], given: ["ONE conf/x/one.conf:1", "TWO conf/x/y/two.conf:1"] },
    { name: "stars in a row", written: ["conf/**/**/two.conf"], given: ["TWO conf/x/y/two.conf:1"] },
    { name: "a dot that is written", written: [".h*.conf"], given: ["H .hidden.conf:1"] },
    { name: "a folder with a dot that is written", written: ["conf/.g*/*"], given: ["THREE conf/.git/three.conf:1"] },
    { name: "an absolute pattern", written: ["/etc/b*/*.conf"], given: ["E /etc/build/args.conf:1"] },
    {
      name: "a file that is named again counts there",
      written: ["a.conf", "b.conf", "a.conf"],
      given: ["B b.conf:1", "A a.conf:1", "B a.conf:2"],
    },
    {
      name: "a file that is named again through a link",
      written: ["inside.conf", "args.conf"],
      given: ["A args.conf:1"],
    },
  ])("$name", async ({ written, given }) => {
    expect(await read(...written)).toEqual(given);
  });
});

describe("refused", () => {
  test.each([
    {
      name: "a file that is missing",
      written: "gone.conf",
      words: /build-arg-files names "gone.conf", and there is no such file/,
    },
    { name: "a pattern that matches nothing", written: "*.none", words: /there is no such file/ },
    { name: "a pattern that matches folders only", written: "conf/*", words: /there is no such file/ },
    { name: "a link that leads nowhere", written: "nowhere.conf", words: /there is no such file/ },
    { name: "a path behind a file", written: "args.conf/x", words: /there is no such file/ },
    { name: "a way out", written: "../secret.conf", words: /leads out of the checkout/ },
    { name: "a way out that may be missing", written: "?../secret.conf", words: /leads out of the checkout/ },
    {
      name: "a way out to a name that starts alike",
      written: "../app-2/args.conf",
      words: /leads out of the checkout/,
    },
    { name: "a pattern that goes out", written: "../*.conf", words: /leads out of the checkout/ },
    { name: "a link out", written: "outside.conf", words: /leads out of the checkout/ },
    { name: "a link out, by an absolute path", written: "/work/app/outside.conf", words: /leads out of the checkout/ },
    { name: "a link out that a pattern matches", written: "out*.conf", words: /leads out of the checkout/ },
    { name: "a folder", written: "conf", words: /"conf", which is no file/ },
    { name: "the workspace", written: ".", words: /which is no file/ },
    { name: "a question mark alone", written: "?", words: /no path/ },
  ])("$name", async ({ written, words }) => {
    const error = await refusalOf(() => read("args.conf", written));
    expect(error.code).toBe("E_INPUT");
    expect(error.message).toMatch(words);
    expect(error.fix).toBeTruthy();
  });

  test("a line that is no build arg, with file and line", async () => {
    const error = await refusalOf(() => read("b*.conf"));
    expect(error.at).toEqual({ file: "broken.conf", line: 2 });
  });

  test.each(["readText", "realPath", "stat", "list"] as const)("a failure of the file system in %s", async (call) => {
    const fails = async () => {
      throw new Error("EACCES: permission denied");
    };
    const broken = { files: { ...files, [call]: fails }, workspace: "/work/app", checkout: "/work/app" };
    const error = await refusalOf(() => readArgumentFiles(["c*f/**/*.conf"], broken));
    expect(error.code).toBe("E_INPUT");
    expect(error.message).toMatch(/cannot be/);
    expect(error.cause).toBeInstanceOf(Error);
  });
});

test("a workspace that is the root", async () => {
  const { entries } = await readArgumentFiles(["work/*.conf"], { files, workspace: "/", checkout: "/" });
  expect(entries.map(({ origin }) => origin)).toEqual([{ kind: "file", at: { file: "work/secret.conf", line: 1 } }]);
});

test("notices of all files", async () => {
  const noticing = openMemoryFiles({ "/w/a": "A='x", "/w/b": "B=1\nB=2" });
  const { notices } = await readArgumentFiles(["a", "b"], { files: noticing, workspace: "/w", checkout: "/w" });
  expect(notices.map(({ at }) => at)).toEqual([
    { file: "a", line: 1 },
    { file: "b", line: 2 },
  ]);
});

describe("on a real file system", () => {
  let root = "";
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "argument-files-"));
    mkdirSync(join(root, "app/conf/deep"), { recursive: true });
    writeFileSync(join(root, "app/conf/a.conf"), "A=1\n");
    writeFileSync(join(root, "app/conf/deep/b.conf"), "B=1\n");
    writeFileSync(join(root, "app/utf16.conf"), Buffer.from("\uFEFFA=1\n", "utf16le"));
    writeFileSync(join(root, "app/latin1.conf"), Buffer.from("A=größe\n", "latin1"));
    writeFileSync(join(root, "outside.conf"), "S=1\n");
    symlinkSync("../outside.conf", join(root, "app/out.conf"));
    symlinkSync("..", join(root, "app/conf/up"));
  });
  afterAll(() => rmSync(root, { recursive: true }));
  const open = () => ({ files: openFiles(root).files, workspace: join(root, "app"), checkout: join(root, "app") });

  test("patterns go through no link", async () => {
    const { entries } = await readArgumentFiles(["conf/**/*.conf"], open());
    expect(entries.map(({ name }) => name)).toEqual(["A", "B"]);
  });

  test.each([
    { name: "out.conf", words: /leads out/ },
    { name: "utf16.conf", words: /no text file has/ },
    { name: "latin1.conf", words: /no text file has/ },
  ])("$name is refused", async ({ name, words }) => {
    expect((await refusalOf(() => readArgumentFiles([name], open()))).message).toMatch(words);
  });
});

describe("patterns", () => {
  test.each([
    ["*", ["", "a", "a.b"], []],
    ["a*c", ["ac", "abc", "abcc"], ["ab", "bac"]],
    ["*a*b*", ["ab", "xaxbx", "aab"], ["ba", "a"]],
    ["?", ["a", "ü", "🎉"], ["", "ab"]],
    ["[abc]x", ["ax", "cx"], ["dx", "x"]],
    ["[a-c]", ["a", "b", "c"], ["d", "-"]],
    ["[!a-c]", ["d", "-"], ["a"]],
    ["[^a]", ["b"], ["a"]],
    ["[]a]", ["]", "a"], ["b"]],
    ["[!]a]", ["b"], ["]", "a"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["[a", ["[a"], ["a"]],
    ["[]", ["[]"], [""]],
    ["a.b", ["a.b"], ["axb"]],
    ["(a|b)+$", ["(a|b)+$"], ["a"]],
    ["\\*", ["\\", "\\x"], ["*"]],
  ])("%s", (pattern, fitting, others) => {
    const fits = compileGlob(pattern);
    expect(fitting.filter((name) => !fits(name))).toEqual([]);
    expect(others.filter(fits)).toEqual([]);
  });

  test("agree with the regular expression they stand for", () => {
    const char = fc.constantFrom("a", "b", "*", "?");
    fc.assert(
      fc.property(fc.array(char, { maxLength: 8 }), fc.stringMatching(/^[abc]{0,10}$/), (chars, name) => {
        const source = chars.join("").replaceAll("?", ".").replaceAll("*", ".*");
        expect(compileGlob(chars.join(""))(name)).toBe(new RegExp(`^${source}$`).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test("take no more than a moment", () => {
    expect(compileGlob(`${"*a".repeat(50)}b`)("a".repeat(20_000))).toBe(false);
  });
});

describe("paths that fit", () => {
  const find = (paths: readonly string[], pattern: string) =>
    findPaths(openMemoryFiles(Object.fromEntries(paths.map((path) => [path, ""]))), pattern.split("/").slice(1));

  test("sorted as a whole, not folder by folder", async () => {
    expect(await find(["/w/a/z", "/w/a-b/y", "/w/a/.x"], "/w/*/*")).toEqual(["/w/a-b/y", "/w/a/z"]);
  });

  test("each once, however many ways lead there", async () => {
    expect(await find(["/w/d/d/x"], "/w/**/d/**/x")).toEqual(["/w/d/d/x"]);
  });

  test("stars in a row are one: no folder is looked into twice", async () => {
    const looked: string[] = [];
    const deep = openMemoryFiles({ "/w/d/d/d/d/x": "" });
    const counting = {
      ...deep,
      list: (path: string) => {
        looked.push(path);
        return deep.list(path);
      },
    };
    expect(await findPaths(counting, ["w", "**", "**", "**", "**", "x"])).toEqual(["/w/d/d/d/d/x"]);
    expect(looked).toEqual(["/w", "/w/d", "/w/d/d", "/w/d/d/d", "/w/d/d/d/d"]);
  });
});

test("whatever is written: files, or a message to a person", async () => {
  const part = fc.constantFrom("..", ".", "/", "conf", "*", "**", "?", "[a-z]", "[", "x", "args.conf", "\0", " ", "~");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(part, fc.string({ maxLength: 4 })), { maxLength: 6 }), async (parts) => {
      try {
        await read(parts.join(""));
      } catch (thrown) {
        if (!(thrown instanceof ActionError)) throw thrown;
      }
    }),
  );
});
