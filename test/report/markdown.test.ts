import fc from "fast-check";
import { expect, test } from "vitest";
import { asCell, asCode, asCodeBlock, asText, folded, md, stack, table } from "../../src/report/markdown.ts";

test.each([
  ["plain words", "base ghcr.io/a/b-c:1 changed (linux/amd64), 4.8 MB; it's 2 > 1!", undefined],
  ["a digest", "a/b@sha256:0123", undefined],
  ["lines", "a\n# b\r\n\n- c", "a\\\\n# b\\\\r\\\\n\\\\n- c"],
  ["emphasis", "**a** _b_ ~~c~~ `d`", "\\*\\*a\\*\\* \\_b\\_ \\~\\~c\\~\\~ \\`d\\`"],
  ["links and images", "![a](b) [c]: d <e@f.g>", "!\\[a\\](b) \\[c\\]: d &lt;e@<!-- -->f.g>"],
  ["links of mere text", "http://a HTTPS://b ftp://c www.d", "http:\\//a HTTPS:\\//b ftp:\\//c www\\.d"],
  ["HTML", "<img src=x onerror=y>&lt;</details>", "&lt;img src=x onerror=y>&amp;lt;&lt;/details>"],
  ["formulas", "${localEnv:A} $x$", "\\${localEnv:A} \\$x\\$"],
  ["cells", "a | b", "a \\| b"],
  ["a backslash", "a\\*b", "a\\\\\\*b"],
  ["a heading", "# a", "\\# a"],
  ["a list", "- a", "\\- a"],
  ["another list", "+ a", "\\+ a"],
  ["a numbered list", "1. a", "1\\. a"],
  ["a quotation", "> a", "\\> a"],
  ["a line below a heading", "===", "\\==="],
  ["blanks that make code", "     a", "a"],
  ["a command of a runner that prints summaries", "::stop-commands::a ##[b]c", "\\::stop-commands::a ##\\[b\\]c"],
  ["what turns the order around", "\u202ea\u001b[2K", "\\\\u202ea\\\\x1b\\[2K"],
])("text in the summary: %s", (_, text, markdown) => {
  expect(asText(text)).toBe(markdown ?? text);
});

test.each([
  ["a", "`a`"],
  ["a`b", "``a`b``"],
  ["``a`", "``` ``a` ```"],
  ["a\n::x::", "`a\\n::x::`"],
  ["::x:: ##[y]", "`\\::x:: ##\\[y]`"],
])("%j as code", (text, markdown) => {
  expect(asCode(text)).toBe(markdown);
});

test("lines of code, in a fence that none of them closes", () => {
  expect(asCodeBlock(["a", "```", "::x::", "b\n````"])).toBe("`````\na\n```\n\\::x::\nb\\n````\n`````");
});

test("a title in HTML", () => {
  expect(folded("<b>&\n", md`x`)).toBe("<details><summary>&lt;b>&amp;\\n</summary>\n\nx\n\n</details>");
});

const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        "#",
        "- ",
        "1. ",
        "> ",
        "*",
        "_",
        "`",
        "```",
        "~",
        "[",
        "](x)",
        "![",
        "<b>",
        "<!--",
        "|",
        "\\",
        "&",
        "$",
        "=",
      ],
      ...[
        "\n",
        "\r",
        "\n\n",
        "\u2028",
        "    ",
        "\t",
        "::x::",
        "##[y]",
        "https://a",
        "www.a.b",
        "a@b.cd",
        "a",
        "1",
        ".",
        "\u202e",
      ],
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""));

/** By the rules of GFM and of nothing of ours: what is left when escaped signs and marks that show nothing are gone is mere words. */
function expectWords(markdown: string): void {
  expect(markdown).not.toMatch(/[\r\n\u2028\u2029]/);
  const rest = markdown.replace(/\\[!-/:-@[-`{-~]/g, "\0").replaceAll(/<!-- -->|&(?:amp|lt);/g, "\0");
  expect(rest).not.toMatch(/[\\*_`~[\]<|$&]|^(?:[#>+:=-]|\d+[.)](?:\s|$)|\s)/);
  expect(rest).not.toMatch(/(?:https?|ftp):\/\/|www\.|[\w.+-]@[\w-]+\./i);
}

test("no text is markup, wherever it stands", () => {
  fc.assert(
    fc.property(hostile, hostile, (one, other) => {
      for (const markdown of [asText(one), asCell(one)]) expectWords(markdown);
      const lines = table([asCell("A"), asCell("B")], [[asCell(one), asCell(other)]]).split("\n");
      expect(lines).toHaveLength(3);
      expect(lines[2]?.replace(/\\./g, "").split("|")).toHaveLength(4);
      const [begin, ...rest] = asCodeBlock([one, other]).split("\n");
      expect(rest).toHaveLength(3);
      expect(rest.findIndex((line) => line.trim().startsWith(begin ?? ""))).toBe(2);
      const code = asCode(`x${one}x`);
      const fence = /^`+/.exec(code)?.[0] ?? "";
      expect(code.match(/`+/g)?.filter((run) => run === fence)).toHaveLength(2);
      expect(stack([md`a ${code} b`, asText(other)]).split("\n\n")).toHaveLength(2);
    }),
    { numRuns: 1000 },
  );
});
