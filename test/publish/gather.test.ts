import { expect, test } from "vitest";
import { gather } from "../../src/publish/gather.ts";

const amd = { os: "linux", architecture: "amd64" };
const arm = { os: "linux", architecture: "arm64" };

/** Whether a promise has ended by now. */
const isOver = async (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<false>((done) => setImmediate(done, false))]);

test("a platform that tells twice stands for no other one, and its last word counts", async () => {
  const images = gather<string>([amd, arm]);
  images.tell(amd, "a push that failed");
  images.tell(amd, "the push");
  expect(await isOver(images.all)).toBe(false);
  images.tell(arm, "another");
  expect(await images.all).toEqual(["the push", "another"]);
});

test("nothing is waited for once it is closed", async () => {
  const images = gather<string>([amd, arm]);
  images.tell(arm, "one");
  images.close();
  await expect(images.all).rejects.toThrow("of 2 platforms 1 were told of");
});
