import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BuildOptions, formatOption, readBuildOptions } from "../../src/devcontainer/options.ts";
import { ActionError } from "../../src/errors.ts";

const AT = { file: "devcontainer.json", line: 3 };
const read = (...texts: readonly string[]): BuildOptions => readBuildOptions(texts.map((text) => ({ text, at: AT })));

/** What the options come to, in short. */
const told = (options: BuildOptions) => ({
  args: options.args.map(({ name, value }) => `${name}=${value}`),
  target: options.target?.value,
  contexts: options.contexts.map(({ name, value }) => `${name}=${value}`),
  cacheFrom: options.cacheFrom.map(({ value }) => value),
  counted: options.counted.map(formatOption),
  uncounted: options.uncounted.map(formatOption),
  overruled: options.overruled.map(({ option }) => formatOption(option)),
  unknown: options.unknown.map(formatOption),
});
const NOTHING = told(read());

describe("build.options", () => {
  it.each<[string, readonly string[], Partial<typeof NOTHING>]>([
    ["a build arg in one text", ["--build-arg=A=1=2"], { args: ["A=1=2"] }],
    ["a build arg in two", ["--build-arg", "A=1"], { args: ["A=1"] }],
    ["a build arg of the environment", ["--build-arg", "A"], { args: ["A=undefined"] }],
    ["the last target", ["--target", "a", "--target=b"], { target: "b" }],
    ["a named context", ["--build-context", "x=../y"], { contexts: ["x=../y"] }],
    ["a source of cache", ["--cache-from", "a"], { cacheFrom: ["a"] }],
    [
      "the network, two ways",
      ["--network=host", "--network", "none"],
      { counted: ["--network=host", "--network=none"] },
    ],
    ["a host", ["--add-host", "a:10.0.0.1"], { counted: ["--add-host=a:10.0.0.1"] }],
    ["a label", ["--label", "a=b"], { counted: ["--label=a=b"] }],
    [
      "a secret and ssh",
      ["--secret", "id=a,src=/x", "--ssh=default"],
      { uncounted: ["--secret=id=a,src=/x", "--ssh=default"] },
    ],
    ["switches", ["--no-cache", "--pull=true"], { uncounted: ["--no-cache", "--pull=true"] }],
    [
      "what the action does itself",
      ["-t", "x", "--push", "--platform=linux/arm64"],
      { overruled: ["--tag=x", "--push", "--platform=linux/arm64"] },
    ],
    ["what nobody knows, with what stands behind it", ["--new", "x", "--newer"], { unknown: ["--new=x", "--newer"] }],
    ["a short option with its value", ["-m=1g"], { uncounted: ["--memory=1g"] }],
  ])("%s", (_name, texts, wanted) => {
    expect(told(read(...texts))).toEqual({ ...NOTHING, ...wanted });
  });

  it.each<[string, readonly string[], RegExp]>([
    ["a text that is no option", ["network=host"], /holds "network=host", which is no option/],
    ["an option without its value", ["--network"], /--network without a value/],
    ["a context without a name", ["--build-context", "=x"], /--build-context without a value/],
    ["another Dockerfile", ["-f", "x"], /--file=x, with which nothing can be cached: build.dockerfile/],
    ["a build that makes no image", ["--check"], /makes no image/],
  ])("%s is refused with its line", (_name, texts, words) => {
    expect(() => read(...texts)).toThrow(expect.objectContaining({ message: expect.stringMatching(words), at: AT }));
  });

  it("throws nothing of its own making whatever the texts are", () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom("--build-arg", "--target", "--network=", "-t", "--", "-", "--x=y"),
    );
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        try {
          read(...texts);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ActionError);
        }
      }),
    );
  });
});
