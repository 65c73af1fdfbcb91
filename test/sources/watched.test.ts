import { expect, test } from "vitest";
import { watch } from "../../src/sources/watched.ts";

test.each<[string, (env: Readonly<Record<string, string>>) => unknown, readonly string[] | undefined]>([
  ["nobody", () => undefined, []],
  ["a value", (env) => env.SET, ["SET"]],
  ["one that is not set", (env) => env.OTHER, ["OTHER"]],
  ["whether it is there", (env) => Object.hasOwn(env, "OTHER") || "SET" in env, ["OTHER", "SET"]],
  ["all of them, by a copy", (env) => ({ ...env }), undefined],
  ["all of them, by their names", (env) => Object.keys(env), undefined],
])("%s", (_, read, asked) => {
  const watched = watch({ SET: "1" });
  read(watched.env);
  expect(watched.asked()).toEqual(asked);
});

test("a watched variable has the value that it has", () => {
  const { env } = watch({ SET: "1" });
  expect([env.SET, env.OTHER, Object.entries(env)]).toEqual(["1", undefined, [["SET", "1"]]]);
});
