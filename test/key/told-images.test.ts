import { expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { indexOf } from "../plan-of.ts";
import { toldOf } from "./around.ts";

// One name can stand for several digests in one plan: the index where the builder's own platform decides, a manifest for each platform that
// a FROM names. What moved is told once, and nothing where nothing moved.

const BASE = "registry.test/base:12";
const PLATFORMS = { "linux/amd64": "12 amd64", "linux/arm64": "12 arm64" };
const IMAGES = { [BASE]: indexOf(PLATFORMS) };
const MOVED = indexOf({ "linux/amd64": "moved", "linux/arm64": "moved too" });
/** Another architecture was pushed under the same tag: the index is another one, and the images in it are not. */
const GROWN = indexOf({ ...PLATFORMS, "linux/riscv64": "12 riscv64" });
const ONE_MOVED = indexOf({ ...PLATFORMS, "linux/arm64": "moved" });

const checkout = (dockerfile: string): Readonly<Record<string, Content>> => ({
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }\n',
  ".devcontainer/Dockerfile": `${dockerfile}RUN one\n`,
});
const editing = (dockerfile: string) => (root: string) =>
  put(root, ".devcontainer/Dockerfile", `${dockerfile}RUN two\n`);

const DOCKERFILES: Readonly<Record<string, string>> = {
  "the builder's platform beside the target's": `FROM --platform=$BUILDPLATFORM ${BASE} AS b\nRUN b\nFROM ${BASE}\nCOPY --from=b /b /b\n`,
  "the target's platform beside the builder's": `FROM ${BASE} AS b\nRUN b\nFROM --platform=$BUILDPLATFORM ${BASE} AS c\nRUN c\nFROM b\nCOPY --from=c /c /c\n`,
  "two platforms by name": `FROM --platform=linux/arm64 ${BASE} AS b\nRUN b\nFROM --platform=linux/amd64 ${BASE}\nCOPY --from=b /b /b\n`,
  "COPY --from beside FROM": `FROM ${BASE}\nCOPY --from=${BASE} /b /b\n`,
  "COPY --from beside a FROM of the builder's platform": `FROM --platform=$BUILDPLATFORM ${BASE}\nCOPY --from=${BASE} /b /b\n`,
  "a mount beside FROM": `FROM ${BASE}\nRUN --mount=from=${BASE},target=/b b\n`,
  "several stages": `FROM ${BASE} AS b\nRUN b\nFROM ${BASE} AS c\nRUN c\nFROM ${BASE}\nCOPY --from=b /b /b\nCOPY --from=c /c /c\n`,
  "one name by way of a variable": `ARG B=${BASE}\nFROM --platform=$BUILDPLATFORM $B AS b\nRUN b\nFROM $B\nCOPY --from=b /b /b\n`,
};
const SETS = ["linux/amd64", "linux/amd64,linux/arm64"];
const rows = Object.entries(DOCKERFILES).flatMap(([name, text]) =>
  SETS.map((platforms) => ({ name, text, inputs: { platforms } })),
);

test.each(rows)("nothing is told of a base that has not moved: $name, $inputs", async ({ text, inputs }) => {
  const before = { files: checkout(text), images: IMAGES, inputs };
  expect(await toldOf({ name: "", edit: editing(text) }, before)).toEqual([
    expect.stringMatching(/^\.devcontainer\/Dockerfile:\d+ RUN changed @ /),
  ]);
});

test.each(rows)("a base that moved is told once, at its first line: $name, $inputs", async ({ text, inputs }) => {
  const told = await toldOf({ name: "", images: { [BASE]: MOVED } }, { files: checkout(text), images: IMAGES, inputs });
  const first = text.split("\n").findIndex((line) => /^FROM/.test(line)) + 1;
  expect(told).toEqual([expect.stringMatching(new RegExp(`^base ${BASE} .* @ \\.devcontainer/Dockerfile:${first}$`))]);
  expect(told[0]?.match(/base/g)).toHaveLength(2);
});

const text = (name: string): string => DOCKERFILES[name] ?? "";
const short = "sha256:\\w{12}…";

test.each<[name: string, dockerfile: string, now: typeof MOVED, expected: RegExp]>([
  [
    "the index alone",
    text("the builder's platform beside the target's"),
    GROWN,
    new RegExp(`^base ${BASE} ${short} → ${short} @ .devcontainer/Dockerfile:1$`),
  ],
  [
    "one of two platforms",
    text("two platforms by name"),
    ONE_MOVED,
    new RegExp(`^base ${BASE} ${short} → ${short} @ .devcontainer/Dockerfile:1$`),
  ],
  [
    "both of two platforms",
    text("two platforms by name"),
    MOVED,
    new RegExp(`^base ${BASE} ${short}, ${short} → ${short}, ${short} @ .devcontainer/Dockerfile:1$`),
  ],
])("what moved of it: %s", async (_, dockerfile, now, expected) => {
  const told = await toldOf({ name: "", images: { [BASE]: now } }, { files: checkout(dockerfile), images: IMAGES });
  expect(told).toEqual([expect.stringMatching(expected)]);
});

test("a platform that is taken out of a FROM is the Dockerfile's change alone", async () => {
  const from = checkout(text("the builder's platform beside the target's"));
  const edit = (root: string) =>
    put(
      root,
      ".devcontainer/Dockerfile",
      String(from[".devcontainer/Dockerfile"]).replace("--platform=$BUILDPLATFORM ", ""),
    );
  expect(await toldOf({ name: "", from, edit }, { files: from, images: IMAGES })).toEqual([
    expect.stringMatching(/^\.devcontainer\/Dockerfile:1 FROM/),
  ]);
});
