import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { ActionError, type Place } from "../../src/errors.ts";
import { type Door, openDoor, openStandardDoor } from "../../src/host/actions.ts";
import { makeCheckout } from "../checkout.ts";
import { commandsIn, RUNNERS } from "../runners.ts";

/** What is printed while somebody tells something. */
function printed(tell: (door: Door) => void): string {
  let transcript = "";
  tell(
    openDoor((text) => {
      transcript += text;
    }),
  );
  return transcript;
}

const info = (text: string): string => printed(({ log }) => log.info(text));

const CONFIG = ".devcontainer/devcontainer.json";

test.each<[string, string, Place, string]>([
  ["in front", "The image is not there.", { file: CONFIG, line: 3 }, `${CONFIG}:3: The image is not there.`],
  ["named without its line", `${CONFIG} is empty.`, { file: CONFIG, line: 1 }, `${CONFIG}:1 is empty.`],
  ["named as it is", `Not there: a/setup.sh changed.`, { file: "a/setup.sh" }, "Not there: a/setup.sh changed."],
  ["named with its line", "Unknown: a/b:5: what x", { file: "a/b", line: 5 }, "Unknown: a/b:5: what x"],
  ["named with another line", "See a/b:50.", { file: "a/b", line: 5 }, "a/b:5: See a/b:50."],
  ["a part of another path", "x/a/b and a/bc", { file: "a/b", line: 5 }, "a/b:5: x/a/b and a/bc"],
  ["another file's beginning", "a.json.bak", { file: "a.json" }, "a.json: a.json.bak"],
  ["a word too", "The Dockerfile is empty", { file: "Dockerfile", line: 1 }, "Dockerfile:1: The Dockerfile is empty"],
])("the place of an error is told once: %s", (_, what, at, told) => {
  expect(printed(({ fail }) => fail(new ActionError("E_MISS", { what, at })))).toContain(`::${told} [E_MISS]`);
});

test.each([
  ["a command", "::set-env name=A::b", "\\::set-env name=A::b"],
  ["a command behind blanks", " \t\u00a0::stop-commands::x", " \t\u00a0\\::stop-commands::x"],
  ["a command behind what is invisible", "\u200d::x::", "\u200d\\::x::"],
  ["a command whose colons are parted by what is invisible", ":\u034f:x::", "\\:\u034f:x::"],
  ["colons elsewhere", "[::1]:5000 std::string", "[::1]:5000 std::string"],
  ["a command of the old kind", "see ##[add-path]evil", "see ##\\[add-path]evil"],
  ["a second one", "##[a]##[b]", "##\\[a]##\\[b]"],
  ["a heading's signs", "## [a] ###", "## [a] ###"],
  ["a line feed", "a\n::set-env name=A::b", "a\\n::set-env name=A::b"],
  ["a carriage return", "a\r::set-env name=A::b\r\n", "a\\r::set-env name=A::b\\r\\n"],
  ["other ends of lines", "\v\f\u0085\u2028\u2029", "\\v\\f\\x85\\u2028\\u2029"],
  ["a terminal's commands", "\u001b[31mred\u001b]8;;x\u0007\u009b1m", "\\x1b[31mred\\x1b]8;;x\\x07\\x9b1m"],
  ["what turns the order around", "\u202eevil\u202c\u2066x\u2069\u200f", "\\u202eevil\\u202c\\u2066x\\u2069\\u200f"],
  ["what is invisible", "a\u200bb\ufeff\u00ad\u{e0041}", "a\\u200bb\\ufeff\\xad\\u{e0041}"],
  ["half a character", "\ud800x", "\\ud800x"],
  ["other languages and emoji", "grün 中文 می‌خواهم 👩‍💻 ✅", "grün 中文 می‌خواهم 👩‍💻 ✅"],
  ["what a command's data would be", "100%0A::x::", "100%0A::x::"],
  ["a path of Windows", "C:\\new\\x", "C:\\new\\x"],
])("a line of the log: %s", (_, text, line) => {
  expect(info(text)).toBe(`${line}\n`);
  expect(info(line)).toBe(`${line}\n`);
});

const at = { file: "a,b:c%\n::x::", line: 3 };

test.each<readonly [string, (door: Door) => void, string]>([
  [
    "a warning",
    ({ log }) => log.warning("50%\n::x::", at),
    "::warning file=a%2Cb%3Ac%25\\n%3A%3Ax%3A%3A,line=3::50%25\\n::x::\n",
  ],
  ["a warning without a place", ({ log }) => log.warning("x"), "::warning::x\n"],
  ["a debug line", ({ log }) => log.debug("a\r\nb"), "::debug::a\\r\\nb\n"],
  [
    "a failure: lines of ours stay lines",
    ({ fail }) =>
      fail(new ActionError("E_BUILD", { what: "a\nb", details: { title: "::c::", lines: ["d\re"] }, fix: "f\n", at })),
    "::error file=a%2Cb%3Ac%25\\n%3A%3Ax%3A%3A,line=3::a,b:c%25\\n::x:::3: a\\nb%0A\\::c::%0Ad\\re [E_BUILD]%0Af\\n\n",
  ],
  [
    "failures of the same moment, each of its own",
    ({ fail }) => fail(new ActionError("E_BUILD", { what: "a", also: [new ActionError("E_DOCKER", { what: "b\n" })] })),
    "::error::a [E_BUILD]\n::error::b\\n [E_DOCKER]\n",
  ],
  [
    "a failure that is forgiven",
    ({ forgive }) => forgive(new ActionError("E_BUILD", { what: "a\nb" })),
    "::warning::a\\nb [E_BUILD]\n",
  ],
])("%s", (_, tell, transcript) => {
  expect(printed(tell)).toBe(transcript);
});

test("a fault of ours says where it happened", () => {
  const cause = new Error("a\n::set-env name=A::b");
  cause.stack = "Error: a\n::set-env name=A::b\n    at x (y.ts:1)";
  const transcript = printed(({ fail }) => fail(new ActionError("E_BUG", { what: cause.message, cause })));
  expect(transcript).toBe(
    "Error: a\n\\::set-env name=A::b\n    at x (y.ts:1)\n::error::a\\n::set-env name=A::b [E_BUG]\n",
  );
});

test("a group ends when what is in it fails", async () => {
  let transcript = "";
  const { log } = openDoor((text) => {
    transcript += text;
  });
  await expect(log.group("a\n::x::", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(transcript).toBe("::group::a\\n::x::\n::endgroup::\n");
});

/** What leaves through the standard door while somebody tells something, of a repository in that folder. */
function told(root: string, tell: (door: Door) => void): readonly string[] {
  const written: string[] = [];
  const streams = [process.stdout, process.stderr];
  const spies = streams.map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0),
  );
  const own = streams.map(({ write }) => write);
  try {
    tell(openStandardDoor({ annotates: true }, root));
  } finally {
    for (const [at, stream] of streams.entries()) stream.write = own[at] ?? stream.write;
    for (const spy of spies) spy.mockRestore();
  }
  return written;
}

test("what a library prints by itself is no order either, and its debug lines stay hidden", () => {
  const written = told("/", ({ log }) => {
    log.debug("x");
    for (const stream of [process.stdout, process.stderr]) {
      stream.write("::set-env name=A::b\r\n##[add-path]x");
      stream.write(Buffer.from("::debug::a\u2028\n::stop-commands::x\n"), "utf8");
    }
  });
  const lines = ["\\::set-env name=A::b\n##\\[add-path]x\n", "::debug::a\\u2028\n\\::stop-commands::x\n"];
  expect(written).toEqual(["::debug::x\n", ...lines, ...lines]);
});

test("an annotation stands at the file that a link leads to, in the repository alone", () => {
  const root = makeCheckout({
    "config/devcontainer.json": "{}",
    ".devcontainer": { link: "config" },
    "link.json": { link: "config/devcontainer.json" },
    outside: { link: "/etc" },
    self: { link: "." },
  });
  const paths = [
    ...[".devcontainer/devcontainer.json", "link.json", "config/devcontainer.json", "config/gone.json"],
    ...["outside/passwd", "self", "../x", "/etc/passwd", `${"x".repeat(5000)}`, "\u0000"],
  ];
  const written = told(root, ({ log }) => {
    for (const file of paths) log.warning("x", { file, line: 2 });
  });
  const files = written.map((line) => /^::warning file=(.*),line=2::x\n$/.exec(line)?.[1]);
  expect(files).toEqual([...Array(3).fill("config/devcontainer.json"), ...paths.slice(3, -1), "\\x00"]);
});

/** Pieces of which whoever wants to give orders would make a name. */
const PIECES = [
  ...["::stop-commands::x", "::set-env name=A::b", "##[add-path]x", "\n::add-mask::x", "::x::y "],
  ...["::", ":", "##[", "#", "[", "]", "set-env name=A", "stop-commands", "add-mask", "Error", "group", "b"],
  ...["\n", "\r", "\r\n", "\v", "\f", "\u0085", "\u2028", "\u2029", " ", "\t", "\u00a0", "\u3000", "%0A", "%0D", "%"],
  ...["\u001b[2K", "\u0000", "\u0007", "\u007f", "\u009b", "\u202e", "\u2066", "\ufeff", "\u200b", "\u200d", "\u034f"],
  ...["\ud800", "\udc00", "\u{e0001}", "\\", "|", "<", "👩‍💻", "grün"],
];

const hostile = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join("")),
  fc.string({ unit: "binary" }),
);

/** Told by number, so that nothing of the code under test says what is a control character. */
function controlsIn(text: string): readonly number[] {
  return [...text]
    .map((char) => char.codePointAt(0) ?? 0)
    .filter(
      (code) =>
        (code < 0x20 && code !== 0x09) ||
        (code >= 0x7f && code < 0xa0) ||
        (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2066 && code <= 0x2069) ||
        (code >= 0xd800 && code < 0xe000) ||
        [0x61c, 0x200e, 0x200f, 0xfeff].includes(code),
    );
}

test.each(RUNNERS)("$name runner finds no command in what is told as a line, and one line", (runner) => {
  fc.assert(
    fc.property(hostile, (text) => {
      const transcript = info(text);
      expect(runner.lines(transcript.slice(0, -1))).toHaveLength(1);
      expect(commandsIn(transcript, runner)).toEqual([]);
      expect(controlsIn(transcript.slice(0, -1))).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

test.each(RUNNERS)("$name runner finds of commands only those that are meant", async (runner) => {
  await fc.assert(
    fc.asyncProperty(fc.tuple(hostile, hostile, hostile, hostile), async ([title, one, two, file]) => {
      let transcript = "";
      const { log, fail, forgive } = openDoor((text) => {
        transcript += text;
      });
      const error = new ActionError("E_BUILD", {
        what: one,
        details: { title: two, lines: [one] },
        fix: two,
        at: { file },
      });
      await log.group(title, async () => {
        log.warning(one, { file, line: 2 });
        log.info(two);
        log.debug(one);
      });
      forgive(error);
      fail(error);
      const meant = ["group", "warning", "debug", "endgroup", "warning", "error"];
      const found = commandsIn(transcript, runner);
      expect(controlsIn(transcript.replaceAll("\n", ""))).toEqual([]);
      expect(runner.lines(transcript.slice(0, -1))).toHaveLength(meant.length + 1);
      // act looks for a command's end at the last pair of colons, and then knows no such command.
      const rest = found.map(({ name }) => name);
      if (/GitHub|Gitea's 3/.test(runner.name)) expect(rest).toEqual(meant);
      else expect(meant.filter((name) => rest[0] === name && rest.shift())).toEqual(found.map(({ name }) => name));
      for (const { properties } of found)
        expect(Object.keys(properties).filter((key) => key !== "file" && key !== "line")).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

const SECRETS = [
  ["a word", "hunter2-and-more"],
  ["lines", "-----BEGIN KEY-----\nabcdefgh\r\nijklmnop\n-----END KEY-----"],
  ["carriage returns alone", "abcdefgh\rijklmnop"],
  ["signs that a command escapes", "50%0A,100%:x%25y"],
  ["two colons", "left::right and::more"],
  ["what would be a command", "::set-env name=A::evil"],
  ["an old command", "abc##[set-env name=A]defg"],
  ["what a line of the log cannot show", "abc\u001bdef\u2028ghi"],
] as const;

test.each(SECRETS.flatMap(([what, secret]) => RUNNERS.map((runner) => ({ what, secret, runner }))))(
  "a secret of $what is masked, and shown nowhere: $runner.name",
  ({ secret, runner }) => {
    const transcript = printed(({ log }) => {
      log.mask(secret);
      for (const line of secret.split(/[\r\n]+/)) log.info(`see ${line}.`);
    });
    const masks = new Set<string>();
    const shown = runner.lines(transcript).flatMap((line) => {
      const command = runner.command(line);
      if (command?.name !== "add-mask") return [hide(line, masks)];
      for (const value of command.data.split(/[\r\n]+/)) masks.add(value);
      return [];
    });
    for (const line of secret.split(/[\r\n]+/)) expect(shown.join("")).not.toContain(line);
    for (const line of shown.filter((one) => one.startsWith("see"))) expect(line.trimEnd()).toMatch(/^see [*:]+\.$/);
  },
);

/** The longest that fits wherever something does. */
function hide(line: string, masks: ReadonlySet<string>): string {
  let shown = line;
  for (const mask of [...masks].sort((a, b) => b.length - a.length)) shown = shown.replaceAll(mask, "***");
  return shown;
}

test("what is too short to be a secret hides nothing", () => {
  expect(printed(({ log }) => log.mask("a\nabc\n \r\n    "))).toBe("::add-mask::a%0Aabc%0A %0D%0A    \n");
});

test("a runner that makes no annotations is told plain lines", () => {
  let told = "";
  const { log, fail } = openDoor(
    (text) => {
      told += text;
    },
    { annotates: false },
  );
  log.warning("50% of a\nb", { file: "a/b.json", line: 3 });
  fail(
    new ActionError("E_CONFIG", {
      what: "no",
      details: { title: "one", lines: ["::error::two"] },
      fix: "do",
      at: { file: "x" },
    }),
  );
  expect(told).toBe("Warning: a/b.json:3: 50% of a\\nb\nError: x: no\none\n\\::error::two [E_CONFIG]\ndo\n");
});

test("what was hidden is known again, line by line, and nothing that is too short", () => {
  const { log, holdsMasked } = openDoor(() => undefined);
  log.mask("first line\nsecond\nabc");
  expect(["x second x", "first line", "abc", "other"].map(holdsMasked)).toEqual([true, true, false, false]);
});

test("what was hidden stands in nothing that is told from then on, the longest of two first, and the runner is told of it as it is", () => {
  let told = "";
  const { log, fail, hide } = openDoor((text) => {
    told += text;
  });
  log.mask("se%cret");
  log.mask("se%cret-long");
  log.info("a se%cret-long b");
  log.warning("x se%cret", { file: "f" });
  fail(new ActionError("E_AUTH", { what: "says se%cret", fix: "do", details: { lines: ["se%cret-long"] } }));
  expect(told).toBe(
    "::add-mask::se%25cret\n::add-mask::se%25cret-long\na *** b\n::warning file=f::x ***\n::error::says ***%0A*** [E_AUTH]%0Ado\n",
  );
  expect(hide("se%cret")).toBe("***");
});

test.each<[name: string, annotates: boolean, detached: boolean, expected: readonly string[]]>([
  [
    "of the job's own repository",
    true,
    false,
    [
      "::notice file=a/b.json,line=3::customizations changed",
      "::warning file=a/b.json,line=3::odd",
      "::error file=a/b.json,line=3::",
    ],
  ],
  [
    "of another repository",
    true,
    true,
    ["::notice::customizations changed (a/b.json:3)", "::warning::a/b.json:3: odd", "::error::a/b.json:3: "],
  ],
  [
    "where nobody makes annotations",
    false,
    false,
    ["  customizations changed (a/b.json:3)", "Warning: a/b.json:3: odd", "Error: a/b.json:3: "],
  ],
])("a place is an annotation, or told in words: %s", (_, annotates, detached, expected) => {
  const printed: string[] = [];
  const { log, fail } = openDoor((text) => void printed.push(text), { annotates });
  const at = { file: "a/b.json", line: 3 };
  if (detached) log.detach();
  log.notice("customizations changed", at);
  log.warning("odd", at);
  fail(new ActionError("E_MISS", { what: "not there", at }));
  for (const [index, line] of expected.entries()) expect(printed[index]).toContain(line);
  log.notice("a/b.json:3 RUN changed", at);
  expect(printed.at(-1)).not.toContain("(a/b.json:3)");
});
