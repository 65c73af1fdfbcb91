import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { openFiles } from "../../src/host/files.ts";
import type { ContextEntry } from "../../src/key/ingredients.ts";
import { readUsedContext } from "../../src/sources/used-context.ts";
import type { Effort, Files } from "../../src/world.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const { files } = openFiles(tmpdir());

const UNLIMITED: Effort = { spend: () => undefined };

async function taken(
  root: string,
  copy: string,
  through: Files = files,
  effort: Effort = UNLIMITED,
  { checkout = root, dockerfilePath }: { readonly checkout?: string; readonly dockerfilePath?: string } = {},
): Promise<readonly ContextEntry[]> {
  const scope = { args: new Map(), platform: undefined };
  const user = {
    root,
    checkout,
    dockerfilePath,
    dockerfile: parseDockerfile(`FROM a\n${copy}\n`, "Dockerfile"),
    target: undefined,
    platforms: new Map([["linux/amd64", { scope, triggers: [] }]]),
  };
  const { entries } = await readUsedContext(through, user, effort);
  return entries.get("linux/amd64") ?? [];
}

const paths = async (...asked: Parameters<typeof taken>): Promise<string[]> =>
  (await taken(...asked)).map(({ path }) => path);

const TREE: Readonly<Record<string, Content>> = {
  "app/one.txt": "1\n",
  "app/two.txt": "2\n",
  "data/large/x": "x\n",
  ".dockerignore": "data/large\n",
};

/** The file system, which writes down what was asked of it, and refuses some paths as it does another user's. */
function watched(root: string, refused: readonly string[] = []): { readonly through: Files; readonly asked: string[] } {
  const asked: string[] = [];
  const watch =
    <T>(what: string, ask: (path: string) => Promise<T>) =>
    async (path: string): Promise<T> => {
      const relative = path.slice(root.length + 1);
      asked.push(`${what} ${relative}`);
      if (refused.includes(relative)) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
      return ask(path);
    };
  const through = {
    ...files,
    list: watch("list", files.list),
    digest: watch("digest", files.digest),
    stat: watch("stat", files.stat),
  };
  return { through, asked };
}

test("what no instruction reads is not read, and no folder that none enters", async () => {
  const root = makeCheckout(TREE);
  const { through, asked } = watched(root);
  expect(await paths(root, "COPY app/one.txt /", through)).toEqual(["app", "app/one.txt"]);
  const ofTheTree = asked.filter((line) => !line.includes(".dockerignore"));
  expect(new Set(ofTheTree)).toEqual(new Set(["stat app", "stat app/one.txt", "digest app/one.txt"]));
});

test("a pattern lists its own folder alone; what is ignored as a whole is not entered", async () => {
  const root = makeCheckout(TREE);
  const { through, asked } = watched(root);
  expect(await paths(root, "COPY app/t* data /", through)).toEqual(["app", "app/two.txt", "data"]);
  expect(asked.filter((line) => line.startsWith("list"))).toEqual(["list app", "list data"]);
  expect(asked).not.toContain("stat app/one.txt");
});

test.each(["app/one.txt", "app"])("another user's %s: nobody cares who does not read it", async (path) => {
  const root = makeCheckout({ ...TREE, other: "o\n" });
  const { through } = watched(root, [path]);
  expect(await paths(root, "COPY other /", through)).toEqual(["other"]);
  expect(await refusalOf(() => paths(root, "COPY app /", through))).toMatchObject({
    code: "E_CONTEXT",
    message: expect.stringMatching(/^app.*this user may not read it/),
    fix: expect.stringContaining(".dockerignore"),
  });
});

test("a name that is not UTF-8 matters only where it is taken", async () => {
  const root = makeCheckout(TREE);
  const bytes = (name: readonly number[]): Buffer => Buffer.concat([Buffer.from(`${root}/app/`), Buffer.from(name)]);
  writeFileSync(bytes([0x61, 0xe2, 0x82, 0x2e, 0x73]), "");
  expect(await paths(root, "COPY app/one.txt /")).toEqual(["app", "app/one.txt"]);
  expect(await paths(root, "COPY app/*.txt app/b* /")).toEqual(["app", "app/one.txt", "app/two.txt"]);
  for (const copy of ["COPY app /", "COPY app/a* /", "COPY app/*.s /", "COPY app/???s app/one.txt /", "COPY . /"])
    expect(await refusalOf(() => paths(root, copy)), copy).toMatchObject({ code: "E_CONTEXT" });
});

test("a pipe is refused by its name where it is taken, and matters nowhere else", async () => {
  const root = makeCheckout(TREE);
  execFileSync("mkfifo", [join(root, "app/pipe")]);
  expect(await paths(root, "COPY app/*.txt /")).toEqual(["app", "app/one.txt", "app/two.txt"]);
  expect(await refusalOf(() => paths(root, "COPY app /"))).toMatchObject({
    code: "E_CONTEXT",
    message: expect.stringContaining("app/pipe"),
  });
});

test("links in a circle lead nowhere, and do not keep anybody busy", async () => {
  const root = makeCheckout({ a: { link: "b" }, b: { link: "a" }, up: { link: "." }, in: "1\n" });
  expect(await paths(root, "COPY a* in /")).toEqual(["a", "b", "in"]);
  expect(await paths(root, "COPY a/x/* in /")).toEqual(["a", "b", "in"]);
  expect(await paths(root, "COPY up/up/up/in /")).toEqual(["in", "up"]);
});

test("a link that is ignored is not there, and what is ignored behind a link is not either", async () => {
  const root = makeCheckout({
    ".dockerignore": "gone\nsecret\n",
    gone: { link: "f" },
    l: { link: "secret" },
    f: "1\n",
    secret: "s\n",
  });
  expect(await paths(root, "COPY gon* f* l* /")).toEqual(["f", "l"]);
});

test("long names that are held against long patterns are told to the effort as the work that they are", async () => {
  const workOf = async (name: string, pattern: string): Promise<number> => {
    let sum = 0;
    const effort: Effort = {
      spend: (amount) => {
        sum += amount;
      },
    };
    const names = Array.from({ length: 100 }, (_, at) => [`${name}${at}`, "x"]);
    await taken(makeCheckout(Object.fromEntries(names)), `COPY ${pattern} /x`, files, effort);
    return sum;
  };
  const short = await workOf("a", "b*");
  expect(await workOf("a".repeat(200), "b*")).toBeGreaterThan(1.2 * short);
  expect(await workOf("a".repeat(200), "*a*a*a*a*a*a*a*a*a*b")).toBeGreaterThan(4 * short);
});

test.each([
  ["gone.sh", /^COPY names gone\.sh, which is not in the build context \(app\)\.$/, /initializeCommand/],
  ["Setup.sh", /not in the build context \(app\)\. Was setup\.sh meant\?$/, /upper and lower case count/],
  ["lib/mian.sh", /Was lib\/main\.sh meant\?$/, /counts from the build context/],
  ["secret.txt", /^COPY names secret\.txt, which line 3 of app\/\.dockerignore leaves out/, /: !secret\.txt$/],
  ["data/x", /data\/x, which line 2 of app\/\.dockerignore leaves out/, /: !data\/x$/],
  ["data/none", /is not in the build context \(app\)\.$/, /initializeCommand/],
  ["../top.sh", /context: that is the folder app, and the checkout has top\.sh\.$/, /^Set the build context/],
  [
    "app/setup.sh",
    /that is the folder app, and the checkout has app\/setup\.sh\.$/,
    /not from the Docker.*write setup\.sh\.$/,
  ],
  ["near.sh", /the checkout has app\/docker\/near\.sh\.$/, /write docker\/near\.sh\.$/],
  ["../away/passwd", /is not in the build context \(app\)\.$/, /initializeCommand/],
  [`${"x/".repeat(3000)}y`, /is not in the build context \(app\)\.$/, /initializeCommand/],
])("why a file is not in the build context: %.40s", async (source, words, fix) => {
  const checkout = makeCheckout({
    "app/.dockerignore": "# large\ndata\n*.txt\n",
    "app/secret.txt": "s\n",
    "app/data/x": "x\n",
    "app/setup.sh": "s\n",
    "app/lib/main.sh": "s\n",
    "app/docker/near.sh": "s\n",
    "top.sh": "s\n",
    away: { link: "/etc" },
  });
  const around = { checkout, dockerfilePath: `${checkout}/app/docker/Dockerfile` };
  const asking = () => taken(`${checkout}/app`, `COPY ${source} /`, files, UNLIMITED, around);
  const { code, message, fix: advice, at } = await refusalOf(asking);
  expect({ code, at }).toEqual({ code: "E_CONTEXT", at: { file: "Dockerfile", line: 2 } });
  expect(message.replace(source.length > 99 ? source : "\0", "x")).toMatch(words);
  expect(advice).toMatch(fix);
});
