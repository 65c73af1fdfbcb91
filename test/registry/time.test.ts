import { afterEach, beforeEach, expect, test } from "vitest";
import type { Repository } from "../../src/oci/reference.ts";
import type { StoredLogin } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { openClient } from "./client.ts";

let fake: FakeRegistry;
let name: Repository;

beforeEach(async () => {
  fake = await openFakeRegistry();
  name = { registry: fake.host, repository: "team/app" };
});
afterEach(() => fake.close());

test("time that is limited: what comes too late is unavailable, and nothing more is asked", async () => {
  let now = 0;
  const registry = openClient({ clock: () => now });
  registry.limitTime(60_000);
  fake.override(() => true, { status: 503 });
  expect(await registry.manifest({ ...name, tag: "one" })).toMatchObject({ kind: "unavailable" });
  now += 60_000;
  const before = fake.requests.length;
  expect(await registry.manifest({ ...name, tag: "two" })).toMatchObject({
    kind: "unavailable",
    words: expect.stringContaining("longer than they may"),
  });
  expect(fake.requests.length).toBe(before);
  registry.limitTime(undefined);
  await registry.manifest({ ...name, tag: "three" });
  expect(fake.requests.length).toBeGreaterThan(before);
});

test("a login that is not told in time: unavailable and not denied, and used by who asks later", async () => {
  fake.requireBearer({ user: "me", password: "pass" });
  const login = { username: "me", password: "pass" };
  let tell: (known: StoredLogin) => void = () => undefined;
  const thinks = new Promise<StoredLogin>((done) => {
    tell = done;
  });
  const registry = openClient({ credentials: () => thinks });
  // Real time, for nobody tells: the registry's question for a login has to come within it, on a busy machine too.
  registry.limitTime(2000);
  const answers = await Promise.all([registry.manifest({ ...name, tag: "one" }), registry.acceptsPush(name)]);
  expect(answers).toMatchObject([
    { kind: "unavailable", words: expect.stringContaining("longer than they may") },
    { kind: "unavailable", words: expect.stringContaining("longer than they may") },
  ]);
  registry.limitTime(undefined);
  tell(login);
  expect(await registry.acceptsPush(name)).toEqual({ kind: "found", value: true });
});
