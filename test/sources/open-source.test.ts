import { expect, test } from "vitest";
import type { Source } from "../../src/sources/clone-source.ts";
import { openSource } from "../../src/sources/open-source.ts";
import type { Log, World } from "../../src/world.ts";
import { hostOf } from "../plan-of.ts";

test.each<[name: string, identity: string | undefined, isElsewhere: boolean]>([
  ["another repository", "https://git.test/team/other", true],
  ["the job's own", undefined, false],
])("places in a clone of %s", async (_, identity, isElsewhere) => {
  let detached = false;
  const detach = (): void => {
    detached = true;
  };
  const log = { detach } satisfies Partial<Log>;
  const world = { host: hostOf("/work"), log } as unknown as World;
  const of = { commit: "1".repeat(40), ref: "refs/heads/main", page: undefined, identity };
  const source = { of, clone: async () => of, close: () => undefined } as unknown as Source;
  await openSource(source, world);
  expect(detached).toBe(isElsewhere);
});
