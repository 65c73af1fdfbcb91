import { expect, test } from "vitest";
import { nameContexts } from "../../src/dockerfile/named-contexts.ts";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { type BaseConfig, type FinalUser, finalUser } from "../../src/dockerfile/user.ts";
import { ActionError } from "../../src/errors.ts";

// Expectations are written by hand, from what BuildKit puts into the config of the image.

type Row = {
  readonly name: string;
  readonly text: string;
  readonly user: string;
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly contexts?: Readonly<Record<string, string | undefined>>;
  readonly base?: Partial<BaseConfig>;
};

const from = (...lines: readonly string[]): string => `FROM base\n${lines.join("\n")}\n`;

const ROWS: readonly Row[] = [
  { name: "nobody says anything: root", text: from("RUN a"), user: "root" },
  { name: "the base says it", text: from("RUN a"), base: { user: "node" }, user: "node" },
  { name: "USER over the base", text: from("USER dev"), base: { user: "node" }, user: "dev" },
  { name: "the last USER", text: from("USER root", "RUN a", "USER dev", "RUN b"), user: "dev" },
  { name: "a number", text: from("USER 1000"), user: "1000" },
  { name: "user and group", text: from("USER dev:staff"), user: "dev:staff" },
  { name: "numbers of both", text: from("USER 1000:1001"), user: "1000:1001" },
  { name: "in double quotes", text: from('USER "dev"'), user: "dev" },
  { name: "in single quotes a dollar is one", text: from("USER '$dev'"), user: "$dev" },
  { name: "quotes in the middle", text: from('USER d"e"v'), user: "dev" },
  { name: "over two lines", text: from("USER \\", "  dev"), user: "dev" },
  {
    name: "over two lines with another escape character",
    text: `# escape=\`\n${from("USER `", "  dev")}`,
    user: "dev",
  },
  { name: "in lower case, with blanks behind", text: from("user dev  "), user: "dev" },
  { name: "line ends of Windows", text: "FROM base\r\nUSER dev\r\n", user: "dev" },
  { name: "a comment that looks like one", text: from("USER dev", "# USER root"), user: "dev" },
  { name: "a here-document that looks like one", text: from("USER dev", "RUN <<EOF", "USER root", "EOF"), user: "dev" },
  { name: "ONBUILD is for others", text: from("USER dev", "ONBUILD USER root"), user: "dev" },

  { name: "an ARG with a default", text: from("ARG WHO=dev", "USER $WHO"), user: "dev" },
  { name: "an ARG that is given", text: from("ARG WHO=dev", "USER $WHO"), args: { WHO: "ada" }, user: "ada" },
  { name: "an ARG that is given and not declared", text: from("USER x$WHO"), args: { WHO: "ada" }, user: "x" },
  {
    name: "an ARG from before FROM, declared again",
    text: `ARG WHO=dev\n${from("ARG WHO", "USER $WHO")}`,
    user: "dev",
  },
  { name: "an ARG from before FROM, not declared again", text: `ARG WHO=dev\n${from("USER x$WHO")}`, user: "x" },
  { name: "an ARG that is declared too late", text: from("USER x$WHO", "ARG WHO=dev"), user: "x" },
  { name: "an ENV", text: from("ENV WHO=dev", "USER ${WHO}"), user: "dev" },
  { name: "an ENV that is set again later", text: from("ENV WHO=dev", "USER $WHO", "ENV WHO=root"), user: "dev" },
  {
    name: "an ENV made of the base's",
    text: from("ENV WHO=$NAME", "USER $WHO"),
    base: { env: { NAME: "dev" } },
    user: "dev",
  },
  { name: "an ENV of the base", text: from("USER $WHO"), base: { env: { WHO: "dev" } }, user: "dev" },
  {
    name: "an ARG over an ENV of the base",
    text: from("ARG WHO=ada", "USER $WHO"),
    base: { env: { WHO: "dev" } },
    user: "ada",
  },
  {
    name: "an ARG without a value leaves the base's ENV",
    text: from("ARG WHO", "USER $WHO"),
    base: { env: { WHO: "dev" } },
    user: "dev",
  },
  { name: "a default in the word", text: from("USER ${WHO:-dev}"), user: "dev" },
  { name: "a default that is not needed", text: from("USER ${WHO:-dev}"), base: { env: { WHO: "ada" } }, user: "ada" },
  { name: "nothing is left of it: root", text: from("USER $WHO"), base: { user: "node" }, user: "root" },
  { name: "the target's architecture", text: from("ARG TARGETARCH", "USER dev-$TARGETARCH"), user: "dev-arm64" },

  { name: "a stage below", text: "FROM base AS one\nUSER dev\nFROM one\nRUN a\n", user: "dev" },
  { name: "two stages below", text: "FROM base AS one\nUSER dev\nFROM one AS two\nFROM two\n", user: "dev" },
  { name: "the upper stage wins", text: "FROM base AS one\nUSER dev\nFROM one\nUSER ada\n", user: "ada" },
  { name: "a stage beside it does not count", text: "FROM base AS one\nUSER dev\nFROM base\nRUN a\n", user: "root" },
  {
    name: "a stage that is only copied from does not count",
    text: "FROM base AS one\nUSER dev\nFROM base\nCOPY --from=one /a /a\n",
    user: "root",
  },
  {
    name: "the target, not the last stage",
    text: "FROM base AS one\nUSER dev\nFROM one AS two\nUSER ada\n",
    target: "ONE",
    user: "dev",
  },
  { name: "a stage named like its image", text: "FROM base AS base\nUSER dev\nFROM base\n", user: "dev" },
  { name: "an ENV of the stage below", text: "FROM base AS one\nENV WHO=dev\nFROM one\nUSER $WHO\n", user: "dev" },
  // https://docs.docker.com/reference/dockerfile/#scope: child stages inherit it.
  { name: "an ARG of the stage below", text: "FROM base AS one\nARG WHO=dev\nFROM one\nUSER $WHO\n", user: "dev" },
  {
    name: "an ARG of the stage below and an ENV of the base: what is in the image comes back",
    text: "FROM base AS one\nARG WHO=ada\nFROM one\nUSER $WHO\n",
    base: { env: { WHO: "dev" } },
    user: "dev",
  },
  { name: "from scratch", text: "FROM scratch\nARG WHO=dev\nUSER $WHO\n", user: "dev" },

  { name: "a trigger of the base", text: from("RUN a"), base: { user: "node", triggers: ["USER dev"] }, user: "dev" },
  { name: "USER after a trigger of the base", text: from("USER ada"), base: { triggers: ["USER dev"] }, user: "ada" },
  {
    name: "a trigger of the base sees the build arg",
    text: from("RUN a"),
    base: { triggers: ["ARG WHO", "USER $WHO"] },
    args: { WHO: "dev" },
    user: "dev",
  },
  {
    name: "a trigger of the base runs in the lowest stage alone",
    text: "FROM base AS one\nUSER ada\nFROM one\nRUN a\n",
    base: { triggers: ["USER dev"] },
    user: "ada",
  },
  { name: "a trigger of the stage below", text: "FROM base AS one\nONBUILD USER dev\nFROM one\nRUN a\n", user: "dev" },
  {
    name: "a trigger of the stage below the one below has run there",
    text: "FROM base AS one\nONBUILD USER dev\nFROM one AS two\nUSER ada\nFROM two\n",
    user: "ada",
  },
  {
    name: "a trigger without sense",
    text: from("RUN a"),
    base: { user: "node", triggers: [""] },
    user: "node",
  },
];

const read = ({ text, target, args = {}, contexts = {}, base }: Omit<Row, "name" | "user">): FinalUser =>
  finalUser(
    parseDockerfile(text, "Dockerfile"),
    target,
    {
      args: new Map(Object.entries(args)),
      platform: { os: "linux", architecture: "arm64" },
      contexts: nameContexts(Object.entries(contexts)),
    },
    { user: "", env: {}, triggers: [], ...base },
  );

test.each(ROWS)("the user of the image: $name", ({ user, ...row }) => {
  expect(read(row)).toEqual({ kind: "user", user });
});

test.each([
  ["the builder's own platform", from("ARG BUILDARCH", "USER dev-$BUILDARCH"), ["BUILDARCH"], 3],
  ["what came of it by an ENV", from("ARG BUILDOS", "ENV WHO=$BUILDOS", "RUN a", "USER $WHO"), ["WHO"], 5],
  ["a pattern that BuildKit refuses", from("USER ${WHO^}"), ["${WHO^}"], 2],
])("the user cannot be told: %s", (_, text, names, line) => {
  expect(read({ text })).toEqual({ kind: "unresolved", names, line });
});

test("a later USER makes up for one that cannot be told", () => {
  const text = from("ARG BUILDARCH", "USER dev-$BUILDARCH", "USER dev");
  expect(read({ text })).toEqual({ kind: "user", user: "dev" });
});

test("a target that is not there", () => {
  expect(() => read({ text: from("USER dev"), target: "other" })).toThrow(ActionError);
});
