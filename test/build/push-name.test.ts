import { expect, test } from "vitest";
import { namePush } from "../../src/build/push-name.ts";
import type { PlatformTask } from "../../src/build/task.ts";
import type { World } from "../../src/world.ts";
import { inputsOf, registryOf } from "../plan-of.ts";

test("a temporary name is dropped in the end, and the limit of that is not waited for once it is", async () => {
  const undos: (() => Promise<void>)[] = [];
  const paused: (AbortSignal | undefined)[] = [];
  const deleted: unknown[] = [];
  const registry = registryOf({});
  const world = {
    registry: {
      ...registry,
      deleteManifest: async (reference: Parameters<typeof registry.deleteManifest>[0]) => {
        deleted.push(reference);
        return { kind: "found", value: true } as const;
      },
    },
    salt: () => "0123456789abcdef0123456789abcdef",
    atEnd: (undo: () => Promise<void>) => undos.push(undo),
    pause: (_: number, early?: AbortSignal) => {
      paused.push(early);
      return new Promise<void>(() => undefined);
    },
  } as unknown as World;
  const asked = { workspace: "/nowhere", images: {} };
  const repository = { registry: "cache.test", repository: "team/app" };
  const task = {
    builder: { driver: "docker" },
    inputs: inputsOf(asked),
    sources: { wanted: { repository } },
  } as unknown as PlatformTask;
  expect(namePush(task, world).name).toBe("cache.test/team/app:tmp-0123456789abcdef");
  for (const undo of undos) await undo();
  expect(deleted).toEqual([{ ...repository, tag: "tmp-0123456789abcdef" }]);
  expect(paused.map((early) => early?.aborted)).toEqual([true]);
});
