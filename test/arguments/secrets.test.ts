import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type FoundSecret,
  findSecrets,
  parseSecrets,
  readSecretValues,
  type Secret,
  secretArguments,
} from "../../src/arguments/secrets.ts";
import { findSsh, parseSsh, type Ssh, sshArguments } from "../../src/arguments/ssh.ts";
import { joinFields, splitFields } from "../../src/buildx/csv.ts";
import { ActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import { openMemoryFiles } from "../devcontainer/memory-files.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const VALUE = "the-very-secret";
const env = (id: string, name: string): Secret & FoundSecret => ({ id, source: { kind: "env", name } });
const file = (id: string, written: string): Secret => ({ id, source: { kind: "file", written } });
const foundFile = (id: string, path: string): FoundSecret => ({ id, source: { kind: "file", path } });

const files = openMemoryFiles({
  "/work/app/npmrc": VALUE,
  "/work/app/a,b": VALUE,
  "/work/app/empty": "",
  "/work/app/comma": { link: "a,b" },
  "/work/app/inside": { link: "npmrc" },
  "/work/app/outside": { link: "../other" },
  "/work/app/folder/x": "",
  "/work/app/big": "x".repeat(500 * 1024 + 1),
  "/work/other": VALUE,
  "/run/agent": "",
});
const environment = { TOKEN: VALUE, NPM_TOKEN: VALUE, EMPTY: "" };
const checkout = { files, workspace: "/work/app", checkout: "/work/app", environment };

describe("build-secrets: one line", () => {
  test.each<{ readonly name: string; readonly line: string; readonly secret: Secret }>([
    { name: "a variable", line: "id=npm,env=NPM_TOKEN", secret: env("npm", "NPM_TOKEN") },
    { name: "a file", line: "id=npm,src=npmrc", secret: file("npm", "npmrc") },
    { name: "a file by the long word", line: "id=npm,source=npmrc", secret: file("npm", "npmrc") },
    { name: "in another order, in capitals, with blanks", line: " ENV=TOKEN , Id=npm ", secret: env("npm", "TOKEN") },
    { name: "a type", line: "type=file,id=npm,src=npmrc", secret: file("npm", "npmrc") },
    { name: "a type that makes src a variable", line: "type=env,id=npm,src=TOKEN", secret: env("npm", "TOKEN") },
    { name: "a type beside env", line: "type=env,id=npm,env=TOKEN", secret: env("npm", "TOKEN") },
    { name: "an id alone", line: "id=NPM_TOKEN", secret: env("NPM_TOKEN", "NPM_TOKEN") },
    { name: "the short form", line: "npm=NPM_TOKEN", secret: env("npm", "NPM_TOKEN") },
    { name: "the short form of one with a dot", line: "my.npmrc = TOKEN", secret: env("my.npmrc", "TOKEN") },
    { name: "a comma in a path", line: 'id=npm,"src=a,b"', secret: file("npm", "a,b") },
    { name: "a quotation mark in a path", line: 'id=npm,"src=a""b"', secret: file("npm", 'a"b') },
    { name: "an equals sign in a path", line: "id=npm,src=a=b", secret: file("npm", "a=b") },
  ])("$name", ({ line, secret }) => {
    expect(parseSecrets(line)).toEqual([secret]);
  });

  test("lines that are empty do not count", () => {
    expect(parseSecrets("\n a=TOKEN\r\n\n b=EMPTY \n")).toEqual([env("a", "TOKEN"), env("b", "EMPTY")]);
  });

  test.each([
    {
      name: "a value as in docker/build-push-action's secrets",
      line: "token=hid-den/+",
      words: /does not name a variable/,
    },
    {
      name: "a token that could be a name",
      line: `npm=ghp_${"hidden".repeat(6)}`,
      words: /a token of GitHub stands where/,
    },
    { name: "a token for an id alone", line: `id=npm_${"hidden".repeat(6)}`, words: /a token of npm stands where/ },
    { name: "the same in quotation marks", line: '"token=hidden', words: /quotation mark stands alone/ },
    { name: "a value with commas", line: "token=hidden,hidden", words: /each part has to be/ },
    { name: "the value alone", line: "hidden", words: /it has no =/ },
    { name: "no variable's name", line: "id=npm,env=hid-den", words: /does not name a variable/ },
    { name: "no id", line: "env=hidden", words: /no id/ },
    { name: "an empty id", line: "id=,env=hidden", words: /each part/ },
    { name: "an id with blanks", line: "id=hid den,env=A", words: /an id is made of/ },
    { name: "an id that is no variable", line: "id=hid-den", words: /does not name a variable/ },
    { name: "an unknown part", line: "id=npm,env=A,mode=hidden", words: /each part/ },
    { name: "an unknown type", line: "id=npm,type=hidden", words: /neither env nor file/ },
    { name: "a file of no name", line: "id=npm,type=file", words: /names none/ },
    { name: "both", line: "id=npm,env=A,src=hidden", words: /both a variable and a file/ },
    { name: "both, whatever the type", line: "id=npm,type=env,env=A,src=hidden", words: /both a variable and a file/ },
    {
      name: "a variable of type file",
      line: "id=npm,type=file,env=hidden",
      words: /its type is file, and it names none/,
    },
    { name: "the same twice", line: "id=npm,src=hidden,source=hidden", words: /a part is there twice/ },
    { name: "no part between commas", line: "id=npm,,env=A", words: /each part/ },
  ])("refuses $name", async ({ line, words }) => {
    const error = await refusalOf(() => parseSecrets(`ok=A\n${line}`));
    expect(error.code).toBe("E_INPUT");
    expect(error.message).toMatch(words);
    expect(error.message).toMatch(/^Line 2 of the input build-secrets/);
    expect(error.fix).toBeTruthy();
    expect(`${error.message} ${error.fix}`).not.toMatch(/hid.?den/);
  });

  test("refuses an id that comes again", async () => {
    expect((await refusalOf(() => parseSecrets("a=X\nid=a,src=y"))).message).toMatch(/holds the secret a twice/);
  });
});

describe("build-secrets: what is there", () => {
  test("paths become absolute, variables stay names", async () => {
    const found = await findSecrets(
      parseSecrets("a=TOKEN\nid=b,src=npmrc\nid=c,src=./inside\nid=d,src=/work/other\nid=e,src=empty"),
      checkout,
    );
    expect(found).toEqual([
      env("a", "TOKEN"),
      foundFile("b", "/work/app/npmrc"),
      foundFile("c", "/work/app/npmrc"),
      foundFile("d", "/work/other"),
      foundFile("e", "/work/app/empty"),
    ]);
  });

  test.each([
    {
      name: "a variable that is not set",
      line: "npm=UNSET",
      words: /secret npm from the variable UNSET, which is not set/,
    },
    {
      name: "an empty variable, as forks have it",
      line: "npm=EMPTY",
      words: /secret npm from the variable \w+, which is empty/,
    },
    { name: "a variable that only objects have", line: "npm=constructor", words: /not set/ },
    { name: "a file that is missing", line: "id=npm,src=gone", words: /names "gone", and there is no such file/ },
    { name: "a folder", line: "id=npm,src=folder", words: /not a file/ },
    { name: "a file outside", line: "id=npm,src=../other", words: /out of the checkout/ },
    { name: "a link out", line: "id=npm,src=outside", words: /out of the checkout/ },
    { name: "a file that BuildKit does not take", line: "id=npm,src=big", words: /500 KiB/ },
  ])("refuses $name", async ({ line, words }) => {
    const error = await refusalOf(() => findSecrets(parseSecrets(line), checkout));
    expect(error.code).toBe("E_INPUT");
    expect(error.message).toMatch(words);
    expect(error.fix).toBeTruthy();
    expect(`${error.message} ${error.fix}`).not.toContain(VALUE);
  });

  test.each<[string, Secret["source"], RegExp]>([
    ["a variable", { kind: "env", name: "UNSET" }, /^The configuration takes the secret npm .* not set/],
    ["a file", { kind: "file", written: "gone" }, /^The configuration names "gone", and there is no such file/],
  ])("%s of the configuration is no matter of an input", async (_, source, words) => {
    const at = { file: "compose.yaml", line: 3 };
    const error = await refusalOf(() => findSecrets([{ id: "npm", source, at }], checkout));
    expect(error).toMatchObject({ code: "E_INPUT", at, message: expect.stringMatching(words) });
  });

  test("the values, for the log to hide", async () => {
    const found = await findSecrets(parseSecrets("a=TOKEN\nid=b,src=npmrc\nid=c,src=empty"), checkout);
    expect(await readSecretValues(found, checkout)).toEqual([VALUE, VALUE]);
  });

  test("a file that cannot be read", async () => {
    const readText = async () => {
      throw new Error("EACCES: permission denied");
    };
    const error = await refusalOf(() =>
      readSecretValues([foundFile("npm", "/work/app/npmrc")], { environment, files: { ...files, readText } }),
    );
    expect(error).toMatchObject({ code: "E_INPUT", message: expect.stringMatching(/npmrc", which cannot be read/) });
  });
});

describe("build-secrets: what buildx is told", () => {
  test("where they are", async () => {
    const found = await findSecrets(parseSecrets('a=TOKEN\nid=b,src=npmrc\nid=c,"src=a,b"'), checkout);
    expect(secretArguments(found)).toEqual([
      ...["--secret", "id=a,env=TOKEN"],
      ...["--secret", "id=b,src=/work/app/npmrc"],
      ...["--secret", 'id=c,"src=/work/app/a,b"'],
    ]);
  });

  const word = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,6}$/);
  const path = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text === text.trim() && !/[\r\n]/.test(text));
  const source = fc.oneof(
    fc.record({ kind: fc.constant("env" as const), name: word }),
    fc.record({ kind: fc.constant("file" as const), path }),
  );

  test("is read back as it was", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.record({ id: word, source }), { selector: ({ id }) => id }), (secrets) => {
        const items = secretArguments(secrets).filter((argument) => argument !== "--secret");
        const written = secrets.map(({ id, source }) =>
          source.kind === "env" ? env(id, source.name) : file(id, source.path),
        );
        expect(parseSecrets(items.join("\n"))).toEqual(written);
      }),
    );
  });

  test("never holds a value", async () => {
    const value = fc.string({ minLength: 1 }).map((text) => `<${text}>`);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(word, value, { minKeys: 1 }), async (variables) => {
        const names = Object.keys(variables);
        const tree = Object.fromEntries(names.map((name) => [`/w/${name}`, variables[name] ?? ""]));
        const lines = names.flatMap((name) => [`${name}=${name}`, `id=${name}-file,src=${name}`]);
        const found = await findSecrets(parseSecrets(lines.join("\n")), {
          files: openMemoryFiles(tree),
          workspace: "/w",
          checkout: "/w",
          environment: variables,
        });
        expect(secretArguments(found)).toHaveLength(4 * names.length);
        expect(secretArguments(found).join(" ")).not.toMatch(/[<>]/);
        expect(JSON.stringify(found)).not.toMatch(/[<>]/);
      }),
    );
  });
});

test("whatever stands in build-secrets: secrets, or a message to a person that repeats nothing", () => {
  const scrap = fc.constantFrom("id=", "env=", "src=", "type=", ",", '"', "=", "A", " ", "\n", "<secret>");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(scrap).map((parts) => parts.join("")),
      ),
      (text) => {
        try {
          parseSecrets(text);
        } catch (thrown) {
          if (!(thrown instanceof ActionError)) throw thrown;
          expect(thrown.message).not.toContain("<");
        }
      },
    ),
  );
});

describe("comma-separated values", () => {
  test.each<[string, readonly string[] | undefined]>([
    ["", [""]],
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    ["a,", ["a", ""]],
    [",", ["", ""]],
    ['"a,b",c', ["a,b", "c"]],
    ['"a""b"', ['a"b']],
    ['""', [""]],
    ['a"b', undefined],
    ['"a', undefined],
    ['"a"b', undefined],
    [' "a"', undefined],
  ])("%j", (line, fields) => {
    expect(splitFields(line)).toEqual(fields);
  });

  test("may be as long as they like", () => {
    expect(splitFields(`"${'""'.repeat(1_000_000)}",${",".repeat(100_000)}`)).toHaveLength(100_002);
  });

  test("are read back as they were", () => {
    const field = fc.string().filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        expect(splitFields(joinFields(fields))).toEqual(fields);
      }),
    );
  });
});

describe("ssh", () => {
  test.each<{ readonly line: string; readonly ssh: Ssh }>([
    { line: "default", ssh: { id: "default", written: [] } },
    { line: "default=/run/agent", ssh: { id: "default", written: ["/run/agent"] } },
    { line: " deploy = npmrc , inside ", ssh: { id: "deploy", written: ["npmrc", "inside"] } },
    { line: "other", ssh: { id: "other", written: [] } },
  ])("$line", ({ line, ssh }) => {
    expect(parseSsh(line)).toEqual(ssh);
  });

  test.each([
    ["", /not written as default/],
    ["=/run/agent", /not written as default/],
    ["a b=/run/agent", /not written as default/],
    ["default=", /a path is empty/],
    ["default=a,,b", /a path is empty/],
    ["default=~/.ssh/id_rsa", /~/],
  ])("refuses %j", (line, words) => {
    expect(parseSsh(line)).toEqual({ wrong: expect.stringMatching(words) });
  });

  const find = (items: readonly Ssh[], socket?: string) =>
    findSsh(items, { ...checkout, environment: socket === undefined ? {} : { SSH_AUTH_SOCK: socket } });
  const agent: Ssh = { id: "default", written: [] };

  test("paths become absolute, and buildx is told them", async () => {
    const found = await find([agent, { id: "deploy", written: ["npmrc", "/work/other"] }], "/run/agent");
    expect(sshArguments(found)).toEqual(["--ssh", "default", "--ssh", "deploy=/work/app/npmrc,/work/other"]);
  });

  test.each<{
    readonly name: string;
    readonly items: readonly Ssh[];
    readonly socket?: string;
    readonly words: RegExp;
  }>([
    { name: "no agent", items: [agent], words: /SSH_AUTH_SOCK is not set/ },
    { name: "an agent that is gone", items: [agent], socket: "/run/gone", words: /there is none at \/run\/gone/ },
    { name: "an empty SSH_AUTH_SOCK", items: [agent], socket: "", words: /SSH_AUTH_SOCK is not set/ },
    {
      name: "a key that is missing",
      items: [{ id: "a", written: ["gone"] }],
      words: /ssh names "gone", and there is nothing/,
    },
    { name: "a folder", items: [{ id: "a", written: ["folder"] }], words: /a folder/ },
    { name: "a key outside", items: [{ id: "a", written: ["../other"] }], words: /out of the checkout/ },
    { name: "a comma in a path", items: [{ id: "a", written: ["comma"] }], words: /has a comma in its path/ },
    {
      name: "an id that comes again",
      items: [agent, agent],
      socket: "/run/agent",
      words: /holds the id default twice/,
    },
  ])("refuses $name", async ({ items, socket, words }) => {
    const error = await refusalOf(() => find(items, socket));
    expect(error.code).toBe("E_INPUT");
    expect(error.message).toMatch(words);
    expect(error.fix).toBeTruthy();
  });

  describe("with a real socket", () => {
    const server = createServer();
    let root = "";
    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), "ssh-"));
      await new Promise<void>((resolve) => server.listen(join(root, "agent"), resolve));
    });
    afterAll(async () => {
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, { recursive: true });
    });
    const open = () => ({
      files: openFiles(root).files,
      workspace: root,
      checkout: root,
      environment: { SSH_AUTH_SOCK: join(root, "agent") },
    });

    test("the agent is found, by its variable and by its path", async () => {
      const found = await findSsh([agent, { id: "other", written: ["agent"] }], open());
      expect(found).toEqual([
        { id: "default", paths: [] },
        { id: "other", paths: [join(root, "agent")] },
      ]);
    });

    test("a socket beside another path is refused", async () => {
      const error = await refusalOf(() => findSsh([{ id: "a", written: ["agent", "agent"] }], open()));
      expect(error.message).toMatch(/a socket beside other paths/);
    });
  });
});
