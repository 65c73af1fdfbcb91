import fc from "fast-check";
import { expect, test } from "vitest";
import { hideValues } from "../../src/buildx/redact.ts";

test.each([
  ["a value", { KEY: "hunter22" }, "RUN make KEY=hunter22", "RUN make KEY=$KEY"],
  ["each time", { KEY: "hunter22" }, "COPY hunter22 /x/hunter22/y", "COPY $KEY /x/$KEY/y"],
  ["the longest first", { ONE: "hunter", TWO: "hunter22" }, "hunter22 hunter", "$TWO $ONE"],
  ["a value that holds a name", { KEY: "hunter22", OTHER: "$KEY" }, "hunter22", "$KEY"],
  ["signs that mean something in patterns", { KEY: "a.*(b|c)$" }, "axxb a.*(b|c)$", "axxb $KEY"],
  ["as an error quotes it", { KEY: 'say "x"\nand' }, String.raw`"/say \"x\"\nand": not found`, '"/$KEY": not found'],
  ["short values stay", { KEY: "on", EMPTY: "" }, "RUN echo on", "RUN echo on"],
  ["nothing to hide", {}, "RUN echo on", "RUN echo on"],
])("%s", (_, values, text, expected) => {
  expect(hideValues(values)(text)).toBe(expected);
});

test("no value that is long enough is left", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4 }), fc.string(), fc.string(), (value, before, after) => {
      fc.pre(!"$NAME".includes(value));
      const shown = hideValues({ NAME: value })(`${before} ${value} ${after}`);
      expect(shown.replaceAll("$NAME", "\u0000")).not.toContain(value);
    }),
  );
});
