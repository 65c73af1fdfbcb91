import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Served } from "../../src/oci/manifest.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf } from "../plan-of.ts";
import { docker, makeBase } from "./harness.ts";
import { begin, type Case, chance, makeCase, NEW, one, TEXT_EDITS, TREE_EDITS } from "./same-key-cases.ts";

// Two states of a repository with one key are one image: the real builder makes the same layers and the same config of both. What the
// history says of a step does not count: an older BuildKit writes the default of an ARG there that was given a value. And what is only
// written in another way has one key.

/** How long new ones are thought out, in milliseconds. */
const TIME = Number(process.env.SAME_KEY_TIME ?? 40_000);
/** The same ones on every run, unless others are asked for: a change is not red for what it has not changed. */
const SEED = Number(process.env.SAME_KEY_SEED ?? 1);

const copyOf = ({ tree, lines, args, target }: Case): Case => ({
  tree: { ...tree },
  lines: [...lines],
  args: { ...args },
  target,
});

function layOut({ tree, lines, args, target }: Case): string {
  return makeCheckout({
    ...tree,
    "app/keep": "",
    "lib/keep": "",
    ".devcontainer/devcontainer.json": JSON.stringify({
      build: { dockerfile: "Dockerfile", context: "../app", ...(target === undefined ? {} : { target }), args },
    }),
    ".devcontainer/Dockerfile": `${lines.join("\n")}\n`,
  });
}

async function keyOf(root: string, base: string, more: Readonly<Record<string, Served>> = {}): Promise<string> {
  try {
    const { sources, probed } = await planOf({
      workspace: root,
      images: { [base]: indexOf({ "linux/amd64": "base" }), ...more },
      inputs: { "build-contexts": "lib=lib" },
    });
    return probed.plan?.key ?? `none: ${JSON.stringify(probed.verdict).slice(0, 300)} ${sources.wanted.ownKey}`;
  } catch (error) {
    return `none: ${String((error as { what?: string }).what ?? error).split("\n")[0]}`;
  }
}

type Made = { readonly digest: string; readonly config: unknown; readonly layers: readonly string[] };

async function build(root: string, { args, target }: Case): Promise<Made | string> {
  const temporary = mkdtempSync(join(tmpdir(), "same-"));
  const to = join(temporary, "image.tar");
  try {
    await docker(
      ...["buildx", "build", "--quiet", "--provenance=false", "--file", join(root, ".devcontainer/Dockerfile")],
      ...["--build-context", `lib=${join(root, "lib")}`, `--output=type=oci,rewrite-timestamp=true,dest=${to}`],
      ...["--build-arg", "SOURCE_DATE_EPOCH=0"],
      ...(target === undefined ? [] : ["--target", target]),
      ...Object.entries(args).flatMap(([name, text]) => ["--build-arg", `${name}=${text}`]),
      join(root, "app"),
    );
    execFileSync("tar", ["-xf", to, "-C", temporary]);
    const read = (digest: string) =>
      JSON.parse(readFileSync(join(temporary, "blobs", digest.replace(":", "/")), "utf8"));
    const { digest } = JSON.parse(readFileSync(join(temporary, "index.json"), "utf8")).manifests[0];
    const { config, layers } = read(digest);
    const { history: _, ...own } = read(config.digest);
    return { digest, config: own, layers: layers.map((layer: { digest: string }) => layer.digest) };
  } catch (error) {
    return `failed: ${String(error).trimEnd().slice(-300).replaceAll("\n", " ")}`;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const EDITS = Object.entries({ ...TREE_EDITS, ...TEXT_EDITS });
/** These change nothing but how something is written. */
const WRITTEN = new Set(["comment", "comment inside", "keyword", "as", "json blanks", "flags", "blank at the end"]);

type Seen = { readonly edit: string; readonly isSameKey: boolean; readonly was: Made; readonly is: Made | string };

/** One edit of a dev container that is built, where it could tell something. */
async function tryEdit(
  from: Case,
  { base, key, was }: { readonly base: string; readonly key: string; readonly was: Made },
): Promise<Seen | undefined> {
  const made = copyOf(from);
  const [edit, change] = one(EDITS);
  change(made);
  if (JSON.stringify(made) === JSON.stringify(from)) return undefined;
  const root = layOut(made);
  try {
    const isSameKey = (await keyOf(root, base)) === key;
    // Most of what moves the key changes the image: that is not built each time.
    if (!isSameKey && !WRITTEN.has(edit) && chance(75)) return undefined;
    return { edit, isSameKey, was, is: await build(root, made) };
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** What differs between two images of one key; nothing where the second cannot be built any more, for what no target needs is wrong. */
function differenceOf({ was, is }: Seen): unknown {
  return typeof is === "string" || contentOf(is) === contentOf(was) ? undefined : { was, is };
}

const contentOf = ({ config, layers }: Made): string => JSON.stringify([config, layers]);

/** A made-up dev container, and some edits of it. @returns nothing where it cannot be built. */
async function tryCase(base: string): Promise<{ readonly from: Case; readonly seen: readonly Seen[] } | undefined> {
  const from = makeCase(base);
  const root = layOut(from);
  try {
    const key = await keyOf(root, base);
    const was = key.startsWith("none") ? key : await build(root, from);
    if (typeof was === "string") return undefined;
    const seen: Seen[] = [];
    for (let left = 8; left > 0; left--) {
      const tried = await tryEdit(from, { base, key, was });
      if (tried) seen.push(tried);
    }
    return { from, seen };
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("one key, one image", { timeout: TIME + 600_000 }, async () => {
  const { image: base } = await makeBase();
  begin(SEED);
  const end = Date.now() + TIME;
  let [cases, failed, same] = [0, 0, 0];
  // It would say nothing if hardly anything were built, or nothing had the same key: a slow machine goes on until there is enough.
  while (Date.now() < end || cases < 2 || same === 0) {
    const tried = await tryCase(base);
    if (!tried) failed++;
    else cases++;
    for (const seen of tried?.seen ?? []) {
      const at = { seed: SEED, edit: seen.edit, from: tried?.from };
      if (seen.isSameKey) expect({ ...at, difference: differenceOf(seen) }).toEqual({ ...at, difference: undefined });
      else if (WRITTEN.has(seen.edit) && typeof seen.is !== "string")
        expect({ ...at, digest: seen.is.digest }).not.toEqual({ ...at, digest: seen.was.digest });
      if (seen.isSameKey) same++;
    }
  }
  console.log(`seed ${SEED}: ${cases} built, ${failed} not, ${same} edits with the same key`);
});

const TREE = {
  "app/run": { script: "#!/bin/sh\n" },
  "app/dir/one": "one\n",
  "app/dir/two": { script: "two\n" },
  "app/link": { link: "dir/two" },
};
const OTHER_MODES = {
  ...TREE,
  "app/run": "#!/bin/sh\n",
  "app/dir/one": { script: "one\n" },
  "app/dir/two": "two\n",
};
type Written = { readonly lines: readonly string[]; readonly tree?: Case["tree"]; readonly target?: string };

/** `@B` is the base, `@P` the same with its digest, `@L` its name with nothing behind it, by which it is there too. */
test.each<[name: string, one: Written, other: Written]>([
  [
    "a digest behind the name of an image",
    {
      lines: [
        "FROM @B AS a",
        "RUN echo >a",
        "FROM @B",
        "COPY --from=@B /etc /e",
        "RUN --mount=from=@B,target=/m echo",
        "COPY --from=a a a",
      ],
    },
    {
      lines: [
        "FROM @P AS a",
        "RUN echo >a",
        "FROM @P",
        "COPY --from=@P /etc /e",
        "RUN --mount=from=@P,target=/m echo",
        "COPY --from=a a a",
      ],
    },
  ],
  [
    "the modes of files that get another one",
    {
      lines: ["FROM @B", "COPY --chmod=755 run dir link /d/", "ADD --chmod=0640 dir /e/", "COPY --chmod=600 dir/* /f/"],
    },
    {
      lines: ["FROM @B", "COPY --chmod=755 run dir link /d/", "ADD --chmod=0640 dir /e/", "COPY --chmod=600 dir/* /f/"],
      tree: OTHER_MODES,
    },
  ],
  [
    "what the target is called",
    { lines: ["FROM @B AS dev", "RUN echo >a", "FROM dev AS last"], target: "dev" },
    { lines: ["FROM @B AS other", "RUN echo >a", "FROM other AS last"], target: "OTHER" },
  ],
  [
    "that a target is the last stage",
    { lines: ["FROM @B AS dev", "RUN echo >a"], target: "dev" },
    { lines: ["FROM @B", "RUN echo >a"] },
  ],
  [
    "the order of ports",
    { lines: ["FROM @B", "EXPOSE 443 80/udp 9000-9002 443"] },
    { lines: ["FROM @B", "EXPOSE 9000-9002 80/udp 443"] },
  ],
  ["quotes around a path", { lines: ["FROM @B", "COPY dir/one /x"] }, { lines: ["FROM @B", "COPY \"dir/one\" '/x'"] }],
  [
    "how an image is called",
    {
      lines: ["FROM @L AS a", "RUN echo >a", "FROM a", "COPY --from=@L /etc /e", "RUN --mount=from=@L,target=/m echo"],
    },
    {
      lines: [
        "FROM @L:latest AS a",
        "RUN echo >a",
        "FROM a",
        "COPY --from=@L:latest /etc /e",
        "RUN --mount=from=@L:latest,target=/m echo",
      ],
    },
  ],
  [
    "what the Dockerfile says of a name before the first FROM",
    { lines: ["ARG I=@B", "ARG S=a", "FROM $I AS a", "RUN echo >a", "FROM $S"] },
    { lines: ["ARG IMAGE='@P'", "FROM ${IMAGE} AS a", "RUN echo >a", "FROM a"] },
  ],
  [
    "braces around names of variables",
    {
      lines: [
        "FROM @B",
        "ARG V=x U=1 N=one",
        "ENV A=$V-a PATH=$PATH:/$V",
        "LABEL l=$V.b",
        "WORKDIR /$V/c",
        "USER $V:$V",
        "EXPOSE 8$U 80",
        "VOLUME /$V",
        'COPY --chown=$U:1 "dir/$N" /$V/',
      ],
    },
    {
      lines: [
        "FROM @B",
        "ARG V=x U=1 N=one",
        'ENV A=${V}-a PATH="${PATH}:/${V}"',
        "LABEL l=${V}.b",
        "WORKDIR /${V}/c",
        "USER ${V}:$V",
        "EXPOSE 8${U} 80",
        "VOLUME /${V}",
        'COPY --chown=${U}:1 "dir/${N}" /${V}/',
      ],
    },
  ],
  // Older ones do not know the flag.
  ...(NEW
    ? [
        [
          "the order of what is left out",
          { lines: ["FROM @B", "COPY --exclude=one --exclude=t* dir /d/"] },
          { lines: ["FROM @B", "COPY --exclude=t* --exclude=one --exclude=t* dir /d/"] },
        ] satisfies [string, Written, Written],
      ]
    : []),
])("one key, one image: %s", async (_, one, other) => {
  const { image: base } = await makeBase();
  const { image: latest } = await makeBase({ tag: "latest" });
  const digest = await digestOf(base);
  const served = { ...indexOf({ "linux/amd64": "base" }) };
  const names = new Map([
    ["@B", base],
    ["@P", `${base}@${digest}`],
    ["@L", latest.replace(/:latest$/, "")],
  ]);
  const images = { [`${base}@${digest}`]: served, [latest]: served };
  const made = await Promise.all(
    [one, other].map(async ({ lines, tree = TREE, target }) => {
      const text = lines.map((line) => line.replace(/@[BPL]/g, (sign) => names.get(sign) ?? sign));
      const from: Case = { tree: { ...tree }, lines: text, args: {}, target };
      const root = layOut(from);
      const made = { key: await keyOf(root, base, images), image: await build(root, from) };
      rmSync(root, { recursive: true });
      return made;
    }),
  );
  const [was, is] = made.map(({ key, image }) => ({
    key,
    image: typeof image === "string" ? image : image.digest,
  }));
  expect(was?.key).toMatch(/^sha256:/);
  expect(was?.image).not.toMatch(/^failed/);
  expect(is).toEqual(was);
});

async function digestOf(image: string): Promise<string> {
  const told = await docker("buildx", "imagetools", "inspect", image);
  return /^Digest: +(sha256:[0-9a-f]{64})$/m.exec(told)?.[1] ?? told;
}
