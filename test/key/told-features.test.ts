import { expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { featureOf, indexOf } from "../plan-of.ts";
import { toldOf } from "./around.ts";

// What changed about features is told once, with the line on which somebody has written it, and nothing of what only follows from it.

const BASE = "registry.test/base:12";
const TOOL = "registry.test/f/tool:1";
const OTHER = "registry.test/f/other:1";
const NEEDS = "registry.test/f/needs:1";
const NEEDED = "registry.test/f/needed:1";
const tool = featureOf({ id: "tool", options: { version: { default: "1" }, flag: { default: false } } });
const IMAGES = {
  [BASE]: indexOf({ "linux/amd64": "12 amd64" }),
  [TOOL]: tool,
  [`registry.test/f/tool:1@${tool.descriptor.digest}`]: tool,
  "registry.test/f/tool:2": featureOf({ id: "tool", options: { version: { default: "2" } } }, "2"),
  [OTHER]: featureOf({ id: "other" }),
  [NEEDED]: featureOf({ id: "needed" }),
  [NEEDS]: featureOf({ id: "needs", dependsOn: { [NEEDED]: {} } }),
};

const FILE = ".devcontainer/devcontainer.json";
const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
const configured = (features: object | undefined, more: object = {}): Readonly<Record<string, Content>> => ({
  [FILE]: json({ image: BASE, features, ...more }),
  ...Object.fromEntries(
    ["local", "other"].flatMap((name) => [
      [`.devcontainer/${name}/devcontainer-feature.json`, '{ "id": "local" }'],
      [`.devcontainer/${name}/install.sh`, "echo\n"],
    ]),
  ),
});
const order = (...ids: readonly string[]) => ({ overrideFeatureInstallOrder: ids });
const [FIRST, SECOND] = ["registry.test/f/tool", "registry.test/f/other"];
const LOCK = ".devcontainer/devcontainer-lock.json";
const locked = json({ features: { [TOOL]: { integrity: tool.descriptor.digest } } });

type Files = Readonly<Record<string, Content>>;
type Row = readonly [name: string, from: Files, to: Files, expected: readonly string[]];

test.each<Row>([
  [
    "one is removed",
    configured({ [TOOL]: {}, [OTHER]: {} }),
    configured({ [OTHER]: {} }),
    [`feature ${TOOL} is no longer installed @ ${FILE}:3`],
  ],
  [
    "the last one is removed",
    configured({ [TOOL]: {} }),
    configured(undefined),
    [`feature ${TOOL} is no longer installed @ ${FILE}`],
  ],
  [
    "one is added",
    configured({ [OTHER]: {} }),
    configured({ [OTHER]: {}, [TOOL]: {} }),
    [`feature ${TOOL} is new @ ${FILE}:5`],
  ],
  [
    "one that depends on another is added",
    configured({ [OTHER]: {} }),
    configured({ [OTHER]: {}, [NEEDS]: {} }),
    [`feature ${NEEDS} is new @ ${FILE}:5`],
  ],
  [
    "one that depends on another is removed",
    configured({ [OTHER]: {}, [NEEDS]: {} }),
    configured({ [OTHER]: {} }),
    [`feature ${NEEDS} is no longer installed @ ${FILE}:3`],
  ],
  [
    "another version",
    configured({ [TOOL]: {}, [OTHER]: {} }),
    configured({ "registry.test/f/tool:2": {}, [OTHER]: {} }),
    [`feature ${TOOL} → registry.test/f/tool:2 @ ${FILE}:4`],
  ],
  [
    "another version and another option",
    configured({ [TOOL]: { version: "5" } }),
    configured({ "registry.test/f/tool:2": { version: "6" } }),
    [
      `feature ${TOOL} → registry.test/f/tool:2 @ ${FILE}:4`,
      `feature registry.test/f/tool:2 option version changed @ ${FILE}:5`,
    ],
  ],
  [
    "a local one is renamed",
    configured({ "./local": {} }),
    configured({ "./other": {} }),
    [`feature ./local → ./other @ ${FILE}:4`],
  ],
  [
    "one is in another's place",
    configured({ [TOOL]: {} }),
    configured({ [OTHER]: {} }),
    [`feature ${OTHER} is new @ ${FILE}:4`, `feature ${TOOL} is no longer installed @ ${FILE}:3`],
  ],
  [
    "an option",
    configured({ [TOOL]: { version: "2", flag: true } }),
    configured({ [TOOL]: { version: "2", flag: false } }),
    [`feature ${TOOL} option flag changed @ ${FILE}:6`],
  ],
  [
    "an option less",
    configured({ [TOOL]: { version: "2", flag: true } }),
    configured({ [TOOL]: { version: "2" } }),
    [`feature ${TOOL} option flag changed @ ${FILE}:4`],
  ],
  [
    "the version in the place of options",
    configured({ [TOOL]: "2" }),
    configured({ [TOOL]: "3" }),
    [`feature ${TOOL} option version changed @ ${FILE}:4`],
  ],
  ["a default that is written out", configured({ [TOOL]: {} }), configured({ [TOOL]: { version: "1" } }), []],
  [
    "an order is asked for",
    configured({ [TOOL]: {}, [OTHER]: {} }),
    configured({ [TOOL]: {}, [OTHER]: {} }, order(FIRST, SECOND)),
    [`overrideFeatureInstallOrder is new, the order in which features are installed @ ${FILE}:7`],
  ],
  [
    "another order is asked for",
    configured({ [TOOL]: {}, [OTHER]: {} }, order(FIRST, SECOND)),
    configured({ [TOOL]: {}, [OTHER]: {} }, order(SECOND, FIRST)),
    [`overrideFeatureInstallOrder changed, the order in which features are installed @ ${FILE}:7`],
  ],
  [
    "no order is asked for any more",
    configured({ [TOOL]: {}, [OTHER]: {} }, order(FIRST, SECOND)),
    configured({ [TOOL]: {}, [OTHER]: {} }),
    [`overrideFeatureInstallOrder is gone, the order in which features are installed @ ${FILE}:3`],
  ],
  ["a feature is locked to what it is", configured({ [TOOL]: {} }), { [LOCK]: locked }, []],
])("%s", async (_, from, to, expected) => {
  const edit = (root: string): void => {
    for (const [path, content] of Object.entries(to)) put(root, path, content);
  };
  expect(await toldOf({ name: "", edit }, { files: from, images: IMAGES })).toEqual(expected);
});

const short = "sha256:\\w{12}…";

test("what a new version of a feature brings along is not told beside it", async () => {
  const moved = featureOf({ id: "tool", dependsOn: { [NEEDED]: {} }, options: { version: { default: "9" } } });
  const before = { files: configured({ [TOOL]: {}, [OTHER]: {} }), images: IMAGES };
  expect(await toldOf({ name: "", images: { ...IMAGES, [TOOL]: moved } }, before)).toEqual([
    expect.stringMatching(new RegExp(`^feature ${TOOL} ${short} → ${short} @ ${FILE}:4$`)),
  ]);
});

test("a version that the lockfile names is told where it stands there", async () => {
  const next = featureOf({ id: "tool" }, "next");
  const images = { ...IMAGES, [`registry.test/f/tool:1@${next.descriptor.digest}`]: next };
  const files = { ...configured({ [TOOL]: {} }), [LOCK]: locked };
  const edit = (root: string) => put(root, LOCK, json({ features: { [TOOL]: { integrity: next.descriptor.digest } } }));
  expect(await toldOf({ name: "", edit, images }, { files, images: IMAGES })).toEqual([
    expect.stringMatching(new RegExp(`^feature ${TOOL} ${short} → ${short} @ ${LOCK}:3$`)),
  ]);
  const ignored = { name: "", inputs: { lockfile: "ignore" }, images: { ...IMAGES, [TOOL]: next } };
  expect(await toldOf(ignored, { files, images: IMAGES })).toEqual([
    expect.stringMatching(new RegExp(`^feature ${TOOL} ${short} → ${short} \\(the input lockfile\\)$`)),
  ]);
});

test("a feature that only an input asks for has no line", async () => {
  const inputs = { "additional-features": JSON.stringify({ [TOOL]: {} }) };
  const files = configured({ [OTHER]: {} });
  expect(await toldOf({ name: "", inputs }, { files, images: IMAGES })).toEqual([
    `feature ${TOOL} is new (the input additional-features)`,
  ]);
  const without = { name: "", inputs: { "additional-features": "" } };
  expect(await toldOf(without, { files, images: IMAGES, inputs })).toEqual([
    `feature ${TOOL} is no longer installed (before: the input additional-features)`,
  ]);
});
