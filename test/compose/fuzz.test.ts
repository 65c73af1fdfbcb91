import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDotenv } from "../../src/compose/dotenv.ts";
import { readPlainScalar } from "../../src/compose/go-scalar.ts";
import { fillTemplate } from "../../src/compose/template.ts";
import { ActionError } from "../../src/errors.ts";
import { read } from "./project.ts";
import { ROWS } from "./rows.ts";

const AT = { file: "f", line: 1 };

/** Whatever is read, it is read or refused with a message. */
async function survives(attempt: () => unknown): Promise<void> {
  try {
    await attempt();
  } catch (thrown) {
    if (!(thrown instanceof ActionError) || thrown.code === "E_BUG") throw thrown;
  }
}

const pieces = (...words: readonly string[]) =>
  fc
    .array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 30 })
    .map((list) => list.join(""));

describe("nothing but a message is thrown", () => {
  it("for texts that resemble compose files", async () => {
    const yaml = pieces(
      ...[
        "services:",
        "app:",
        "build:",
        "args:",
        "extends:",
        "include:",
        "secrets:",
        "image:",
        "name:",
        "context:",
        "ssh:",
      ],
      ...[
        "\n",
        "\n ",
        "\n  ",
        "\n    ",
        " ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        "? ",
        "|",
        ">-",
        "---\n",
        "'",
        '"',
        "#",
        "\t",
      ],
      ...[
        "&a ",
        "*a",
        "<<: ",
        "!reset ",
        "!override ",
        "!!str ",
        "!!int ",
        "$A",
        "${A:-",
        "}",
        "null",
        "5",
        "compose.yml",
      ],
    );
    await fc.assert(
      fc.asyncProperty(yaml, (text) => survives(() => read({ files: text }))),
      { numRuns: 1000 },
    );
  });

  it("for the tables' projects with a piece cut out or doubled", async () => {
    const cut = fc.tuple(fc.constantFrom(...ROWS), fc.nat(400), fc.nat(20), fc.boolean());
    await fc.assert(
      fc.asyncProperty(cut, ([row, from, length, doubled]) => {
        const files = typeof row.files === "string" ? { "compose.yml": row.files } : row.files;
        const broken = Object.entries(files).map(([path, text]) => [
          path,
          text.slice(0, from) + text.slice(doubled ? Math.max(0, from - length) : from + length),
        ]);
        return survives(() => read({ ...row, files: Object.fromEntries(broken) }));
      }),
      { numRuns: 1000 },
    );
  });

  it("for texts that resemble env files", async () => {
    const text = pieces("A", "=", ":", "\n", "'", '"', "\\", "$A", "${", "}", "export ", "#", " ", "\r", "\\0", "\\$");
    await fc.assert(
      fc.asyncProperty(text, (source) => survives(() => readDotenv({ text: source, file: ".env" }, new Map()))),
    );
  });

  it.each([
    { name: "brackets", text: `services: ${"[".repeat(20_000)}` },
    { name: "indentation", text: Array.from({ length: 2_000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n") },
    { name: "defaults", text: `services: {app: {image: '${"${A:-".repeat(5_000)}${"}".repeat(5_000)}'}}` },
    {
      name: "anchors",
      text: `a0: &a0 [x, x]\n${Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]\n`).join("")}`,
    },
  ])("for bottomless $name", async ({ text }) => {
    await expect(read({ files: text })).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  it("for files that include one another in ever more ways", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`${n}.yml`, `include: [{path: ${n + 1}.yml}, {path: ${n + 1}.yml}]\n`]),
    );
    await expect(read({ files: { ...files, "20.yml": "services: {}\n" }, compose: ["0.yml"] })).rejects.toMatchObject({
      message: "include leads to more than 1000 files.",
    });
  });
});

describe("variables", () => {
  it("a text without a dollar sign stays as it is", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("$")),
        (text) => {
          expect(fillTemplate(text, new Map(), AT)).toEqual({
            text,
            fromEnvironment: false,
            unset: [],
            missing: [],
            reads: [],
          });
        },
      ),
    );
  });

  it("a doubled dollar sign is one, whatever stands around it", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(fillTemplate(text.replaceAll("$", "$$$$"), new Map(), AT).text).toBe(text);
      }),
    );
  });

  it("what is put in is not looked at again", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(fillTemplate("<$A|${A}|${B:-$A}>", new Map([["A", value]]), AT).text).toBe(
          `<${value}|${value}|${value}>`,
        );
      }),
    );
  });
});

describe("numbers", () => {
  it("a whole number is itself", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (number) => {
        expect(readPlainScalar(String(number))).toEqual({ type: "integer", text: String(number) });
      }),
    );
  });

  it("a float means the same number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const { type, text } = readPlainScalar(number.toExponential());
        expect(type).toBe("float");
        expect(Number(text) - number).toBe(0);
      }),
    );
  });
});
