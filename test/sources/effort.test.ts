import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { filesWithin, openEffort } from "../../src/sources/effort.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const LIMITS = { milliseconds: 1000, amount: 10_000, text: 20 };
const AT = { file: "Dockerfile", line: 3 };
const refusal = (work: () => unknown) => refusalOf(async () => work());

test("what is spent together is too much at some point, and its place is told", async () => {
  const { effort } = openEffort(() => 0, LIMITS);
  effort.spend(6000, { file: "a" });
  effort.spend(4000, { file: "b" });
  const error = await refusal(() => effort.spend(1, AT));
  expect([error.code, error.at]).toEqual(["E_LIMIT", AT]);
});

test("the time is over at some point, whatever was spent", async () => {
  let now = 5000;
  const { effort } = openEffort(() => now, LIMITS);
  now = 6000;
  effort.spend(0, AT);
  now = 6001;
  const error = await refusal(() => effort.spend(0, AT));
  expect([error.code, error.at, error.message]).toEqual(["E_LIMIT", AT, "Reading the checkout takes longer than 1 s."]);
});

test("nothing is counted once everything has been read", () => {
  let now = 0;
  const { effort, end } = openEffort(() => now, LIMITS);
  end();
  now = 5000;
  expect(() => effort.spend(20_000, AT)).not.toThrow();
});

test("every look at a file takes its time, names and texts take memory, and no text is longer than a text", async () => {
  const root = makeCheckout({ small: "x", "folder/large": "x".repeat(21), link: { link: "folder/large" } });
  const spent: [number, string][] = [];
  const files = filesWithin(
    openFiles(tmpdir()).files,
    { spend: (amount, { file }) => spent.push([amount, file]) },
    root,
    LIMITS,
  );
  await files.stat(`${root}/small`);
  await files.realPath(`${root}/small`);
  await files.digest(`${root}/small`);
  await files.readLink(`${root}/link`);
  expect(spent).toEqual([
    [0, "small"],
    [0, "small"],
    [0, "small"],
    [0, "link"],
  ]);
  spent.length = 0;
  await files.list(root);
  await files.readText(`${root}/small`);
  expect(spent.map(([, file]) => file)).toEqual([".", "small"]);
  for (const [amount] of spent) expect(amount).toBeGreaterThan(0);
  for (const path of ["folder/large", "link"]) {
    const error = await refusalOf(() => files.readText(`${root}/${path}`));
    expect([error.code, error.at]).toEqual(["E_LIMIT", { file: path }]);
    expect(error.message).toBe(`${path} has 21 bytes, and at most 20 are read of a text.`);
  }
});
