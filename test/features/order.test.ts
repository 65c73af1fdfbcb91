import fc from "fast-check";
import { expect, it } from "vitest";
import type { Json } from "../../src/devcontainer/json.ts";
import { type Candidate, compareCandidates } from "../../src/features/compare.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { HOST, openPorts, orderOf, published } from "./resolving.ts";

const id = (name: string): string => `${HOST}/t/${name}`;
const NAMES = ["alpha", "beta", "c-1", "c_1", "c.1", "delta", "e10", "e9"];

/** For each name those before it in the list that it depends on or comes after: no ring can come of it. */
const relations = fc.tuple(
  ...NAMES.map((_, at) =>
    fc.record({ dependsOn: fc.subarray(NAMES.slice(0, at)), installsAfter: fc.subarray(NAMES.slice(0, at)) }),
  ),
);

it("puts what is needed first, everything once, in an order that does not follow the file's", async () => {
  const asked = fc.shuffledSubarray(NAMES, { minLength: 1 });
  const preferred = fc.shuffledSubarray(NAMES);
  await fc.assert(
    fc.asyncProperty(relations, asked, preferred, async (related, names, override) => {
      const shelf = related.map(({ dependsOn, installsAfter }, at) =>
        published(`t/${NAMES[at]}`, {
          dependsOn: Object.fromEntries(dependsOn.map((name) => [id(name), {}])),
          installsAfter: installsAfter.map(id),
        }),
      );
      const ask = (list: readonly string[]) =>
        orderOf(Object.fromEntries(list.map((name) => [id(name), {}])), openPorts(shelf).ports, {
          override: override.map(id),
        });
      const order = await ask(names);
      expect(new Set(order).size).toBe(order.length);
      expect(order).toEqual(expect.arrayContaining(names));
      for (const [at, { dependsOn, installsAfter }] of related.entries()) {
        const place = order.indexOf(NAMES[at] ?? "");
        if (place < 0) continue;
        for (const name of dependsOn) expect(order.slice(0, place)).toContain(name);
        for (const name of installsAfter) if (order.includes(name)) expect(order.slice(0, place)).toContain(name);
      }
      expect(await ask([...names].reverse())).toEqual(order);
    }),
    { numRuns: 60 },
  );
});

it("compares every two the same way round, and only the same as equal", () => {
  const options: fc.Arbitrary<Json> = fc.oneof(
    fc.constantFrom("", "1", "a", "B"),
    fc.boolean(),
    fc.dictionary(fc.constantFrom("a", "b", "version"), fc.oneof(fc.constantFrom("1", "2", "a"), fc.boolean()), {
      maxKeys: 3,
    }),
  );
  const candidate = fc
    .record({
      name: fc.constantFrom(...NAMES),
      tag: fc.constantFrom("1", "1.9", "1.10", undefined),
      content: fc.constantFrom("x", "y"),
      options,
    })
    .map(
      ({ name, tag, content, options: given }): Candidate => ({
        id: id(name),
        digest: digestOf(`${name} ${content}`),
        options: given,
        aliases: [name],
        reference: {
          kind: "oci",
          reference: { registry: HOST, repository: `t/${name}`, ...(tag === undefined ? {} : { tag }) },
          resource: id(name),
          namespace: `${HOST}/t`,
          name,
          tag,
        },
      }),
    );
  fc.assert(
    fc.property(candidate, candidate, (a, b) => {
      expect(Math.sign(compareCandidates(a, b))).toBe(-Math.sign(compareCandidates(b, a)) + 0);
      const isOne = a.digest === b.digest && JSON.stringify(sorted(a.options)) === JSON.stringify(sorted(b.options));
      if (isOne) expect(compareCandidates(a, b)).toBe(0);
      if (compareCandidates(a, b) === 0 && typeof a.options === typeof b.options) expect(a.digest).toBe(b.digest);
    }),
    { numRuns: 2000 },
  );
});

function sorted(options: Json): Json {
  return typeof options === "object" && options !== null ? Object.entries(options).sort().flat() : options;
}
