import { expect, test } from "vitest";
import { openFloor, PATIENCE } from "../../src/buildx/floor.ts";

test("lines of the step that has the floor are told at once, those of others when it ends", () => {
  const floor = openFloor(() => 0);
  expect(floor.begin("a", "A")).toEqual(["A"]);
  expect(floor.begin("b", "B")).toEqual([]);
  expect(floor.say("b", ["b1"])).toEqual([]);
  expect(floor.say("a", ["a1"])).toEqual(["a1"]);
  expect(floor.finish("a", { brief: "A: fine", ending: "a ended" })).toEqual(["a ended", "B", "b1"]);
  expect(floor.say("b", ["b2"])).toEqual(["b2"]);
});

test("those that have ended come before those that go on, in the order in which they began", () => {
  const floor = openFloor(() => 0);
  floor.begin("a", "A");
  floor.begin("b", "B");
  floor.begin("c", "C");
  floor.say("b", ["b1"]);
  floor.finish("c", { brief: "C: fine", ending: "c ended" });
  floor.say("d", ["d1"]);
  floor.finish("d", { brief: "D: fine", ending: "d ended" });
  expect(floor.finish("a", { brief: "A: fine", ending: "a ended" })).toEqual([
    "a ended",
    "C: fine",
    "d",
    "d1",
    "d ended",
    "B",
    "b1",
  ]);
});

test("a step that is silent for long gives way, and says so when it goes on", () => {
  let now = 0;
  const floor = openFloor(() => now);
  floor.begin("a", "A");
  floor.begin("b", "B");
  now = PATIENCE - 1;
  expect(floor.say("b", ["b1"])).toEqual([]);
  now = PATIENCE;
  expect(floor.say("b", ["b2"])).toEqual(["B", "b1", "b2"]);
  expect(floor.say("a", ["a1"])).toEqual([]);
  now = 2 * PATIENCE;
  expect(floor.say("a", ["a2"])).toEqual(["A (goes on)", "a1", "a2"]);
  expect(floor.finish("b", { brief: "B: fine", ending: "b ended" })).toEqual([]);
  expect(floor.finish("a", { brief: "A: fine", ending: "a ended" })).toEqual(["a ended", "B (goes on)", "b ended"]);
});

test("a step that ends while another is silent is told, and the silent one goes on", () => {
  let now = 0;
  const floor = openFloor(() => now);
  floor.begin("a", "A");
  floor.say("a", ["a1"]);
  now = PATIENCE;
  expect(floor.finish("b", { brief: "B: fine", ending: "b ended" })).toEqual(["B: fine"]);
  expect(floor.isFree()).toBe(false);
  expect(floor.say("a", ["a2"])).toEqual(["A (goes on)", "a2"]);
});

test("whoever has something to say comes before those who began earlier, and those before one that was heard", () => {
  let now = 0;
  const floor = openFloor(() => now);
  for (const step of ["a", "b", "c"]) floor.begin(step, step.toUpperCase());
  now = PATIENCE;
  expect(floor.say("c", ["c1"])).toEqual(["C", "c1"]);
  expect(floor.finish("c", { brief: "C: fine", ending: "c ended" })).toEqual(["c ended", "B"]);
});

test("a step that speaks again after its end has its header again", () => {
  const floor = openFloor(() => 0);
  floor.begin("a", "A");
  floor.finish("a", { brief: "A: fine", ending: "a ended" });
  expect([...floor.begin("a", "A"), ...floor.say("a", ["late"])]).toEqual(["A", "late"]);
});

test("at the end nothing is kept back", () => {
  const floor = openFloor(() => 0);
  floor.begin("a", "A");
  floor.begin("b", "B");
  floor.say("b", ["b1"]);
  expect(floor.clear()).toEqual(["B", "b1"]);
  expect(floor.isFree()).toBe(true);
});
