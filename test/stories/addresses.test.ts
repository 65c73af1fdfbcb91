import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { put } from "../checkout.ts";
import { sha } from "../plan-of.ts";
import { play } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

// What an ADD fetches from an address is known by what its server says, and built as it is then.

type Version = { readonly etag: string; readonly body: string };

/** A server of files: what it serves to HEAD and to GET, and what it was asked. */
async function openFiles() {
  const asked: string[] = [];
  const serves: { head: () => Version | undefined; get: () => Version | undefined } = {
    head: () => undefined,
    get: () => undefined,
  };
  const server = createServer(({ method, url }, answer) => {
    asked.push(`${method} ${url}`);
    const version = method === "HEAD" ? serves.head() : serves.get();
    answer.writeHead(version ? 200 : 404, version ? { etag: version.etag } : {});
    answer.end(version?.body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const serve = (version: Version | undefined): void => {
    serves.head = () => version;
    serves.get = serves.head;
  };
  /** What it was asked since the last time. */
  const taken = (): string[] => asked.splice(0);
  return { host, serve, serves, taken, close: () => server.close() };
}

const ONE = { etag: '"1"', body: "one" };
const TWO = { etag: '"2"', body: "two" };

async function openStory() {
  const sample = await openSample();
  const { registry, workspace } = sample;
  const files = await openFiles();
  const add = `ADD http://${files.host}/tool?token=91c4 /tool`;
  const write = (instruction: string): void =>
    put(workspace, ".devcontainer/Dockerfile", `FROM ${registry.host}/base/os:1\n${instruction}\n`);
  write(add);
  const run = (inputs: Readonly<Record<string, string>> = {}) =>
    play({ workspace, registry, inputs: { insecure: files.host, ...inputs } });
  const close = async (): Promise<void> => {
    files.close();
    await sample.close();
  };
  return { registry, files, add, write, run, close };
}

test("a miss is built with what was looked at, a hit asks once, and what has moved is told with its line", async () => {
  const { registry, files, add, write, run, close } = await openStory();
  files.serve(ONE);
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
  expect(files.taken()).toEqual(["HEAD /tool?token=91c4", "GET /tool?token=91c4", "GET /tool?token=91c4"]);
  expect(built.builds[0]?.policy).toMatchObject({
    rules: expect.arrayContaining([
      expect.objectContaining({
        updates: { identifier: `http://${files.host}/tool?token=91c4`, attrs: { "http.checksum": sha("one") } },
      }),
    ]),
  });

  const hit = await run();
  expect(hit.outputs, hit.log).toMatchObject({ result: "hit", key: built.outputs.key });
  expect(files.taken()).toEqual(["HEAD /tool?token=91c4"]);
  for (const told of [built, hit]) expect(`${told.log}${told.summary}`).not.toContain("91c4");

  files.serve(TWO);
  const moved = await run();
  expect(moved.outputs.result, moved.log).toBe("built");
  expect(moved.outputs.key).not.toBe(built.outputs.key);
  expect(moved.log).toContain(".devcontainer/Dockerfile:2 ADD http://");
  expect(moved.log).toMatch(/serves something else now/);

  // As it was: the first image is found again.
  files.serve(ONE);
  expect((await run()).outputs).toMatchObject({ result: "hit", key: built.outputs.key });

  write("RUN true");
  const without = await run();
  expect(without.log).toContain("/tool?… /tool is gone");
  expect(`${without.log}${without.summary}${JSON.stringify(without.outputs)}`).not.toContain("91c4");
  write(add);

  const before = registry.tags("team/app").length;
  files.serve(undefined);
  const gone = await run({ "on-drift": "fail" });
  expect(gone.log).toMatch(/would fail: its server has nothing there.*\[E_DOCKERFILE\]/);
  expect(gone).toMatchObject({ code: 1, builds: [] });
  expect(registry.tags("team/app")).toHaveLength(before);
  await close();
});

test("nothing is pushed of what moves between probe and build, or tells nobody what it is", async () => {
  const { registry, files, add, write, run, close } = await openStory();
  files.serves.head = () => ONE;
  const gets = [ONE, TWO];
  files.serves.get = () => gets.shift();
  const swapped = await run();
  expect(swapped.log).toMatch(/ADD http:.* fetches changed between the probe and the build.*\[E_CHANGED\]/);
  expect(swapped).toMatchObject({ code: 1, builds: [], outputs: { result: "failed", pushed: "false" } });

  // Where HEAD is told something else than GET, each build could only fail.
  for (const other of [TWO, { ...ONE, etag: 'W/"1"' }]) {
    files.serves.get = () => other;
    const split = await run();
    expect(split.log).toMatch(/Dockerfile:2: ADD http:.*\[E_UNKNOWN\].*--checksum/);
    expect(split).toMatchObject({ code: 1, builds: [], outputs: { result: "unknown" } });
  }

  files.serves.get = () => TWO;
  let count = 0;
  files.serves.head = () => ({ ...ONE, etag: `"${count++}"` });
  const unsteady = await run();
  expect(unsteady.log).toMatch(/Dockerfile:2: ADD http:.*each time.*\[E_UNKNOWN\].*--checksum/);
  expect(unsteady).toMatchObject({ code: 1, builds: [], outputs: { result: "unknown" } });
  const built = await run({ "on-unknown": "build" });
  expect(built).toMatchObject({ code: 0, outputs: { result: "built", pushed: "false", key: "" } });

  // What an address says of who asks is shown to nobody.
  write(`ADD http://token-91c4@${files.host}/tool /tool`);
  const login = await run();
  expect(login.log).toMatch(/ADD http:\/\/…@.* holds a login.*\[E_UNKNOWN\]/);
  expect(`${login.log}${login.summary}${JSON.stringify(login.outputs)}`).not.toContain("91c4");
  write(add);

  // Nobody but the workflow sends this run to such an address.
  files.taken();
  expect((await run({ insecure: "" })).log).toMatch(
    /is not asked, for it is this machine.*input insecure.*\[E_UNKNOWN\]/,
  );
  expect(files.taken()).toEqual([]);
  expect(registry.tags("team/app")).toEqual([]);

  // In a base's trigger it counts as in the Dockerfile.
  write("RUN true");
  seedBase(registry, "base/os", "1", "trigger", { OnBuild: [add] });
  files.serve(ONE);
  const triggered = await run();
  expect(triggered.outputs.result, triggered.log).toBe("built");
  expect((await run()).outputs).toMatchObject({ result: "hit", key: triggered.outputs.key });
  files.serve(TWO);
  expect((await run()).outputs.result).toBe("built");
  await close();
});
