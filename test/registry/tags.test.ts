import { afterEach, beforeEach, expect, test } from "vitest";
import type { Repository } from "../../src/oci/reference.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { openClient } from "./client.ts";

let fake: FakeRegistry;
let name: Repository;

beforeEach(async () => {
  fake = await openFakeRegistry();
  name = { registry: fake.host, repository: "team/app" };
});
afterEach(() => fake.close());

const page = (tags: readonly string[] | null, link?: string) => ({
  status: 200,
  headers: link === undefined ? {} : { link },
  body: JSON.stringify({ name: "team/app", tags }),
});

test("pages are followed", async () => {
  fake.override(
    (line) => line.includes("/tags/list"),
    ({ url }) =>
      url.searchParams.get("last") === "b"
        ? page(["c"])
        : page(["a", "b"], '</v2/team/app/tags/list?last=b&n=2>; rel="next"'),
  );
  expect(await openClient().tags(name)).toEqual({ kind: "found", value: ["a", "b", "c"] });
});

test.each<[string, object, string]>([
  ["none", page(null), "found"],
  ["an unknown repository", { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }, "absent"],
  ["a list that goes on elsewhere", page(["a"], '<http://evil.test/x>; rel="next"'), "malformed"],
  ["a page that points to itself", page(["a"], '</v2/team/app/tags/list?n=1>; rel="next"'), "found"],
  ["no list", { status: 200, body: '{"tags":"a"}' }, "malformed"],
])("%s", async (_, reply, kind) => {
  fake.override((line) => line.includes("/tags/list"), { status: 500, ...reply });
  expect(await openClient().tags(name)).toMatchObject({ kind });
});
