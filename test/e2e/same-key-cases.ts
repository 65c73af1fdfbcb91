import { dirname, relative } from "node:path";
import type { Content } from "../checkout.ts";

// Made-up dev containers, one of everything that an instruction can take, and what people do to them.

/** What only a newer builder knows. */
export const NEW = process.env.NEW_BUILDER === "true";

/** https://en.wikipedia.org/wiki/Linear_congruential_generator */
let state = 0;
const below = (limit: number): number => {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
  return Math.floor((state / 2 ** 31) * limit);
};
/** Where the made-up ones begin: the same seed makes the same ones. */
export function begin(seed: number): void {
  state = seed;
}
export const one = <T>(list: readonly T[]): T => {
  const chosen = list[below(list.length)];
  if (chosen === undefined) throw new Error("the list is empty");
  return chosen;
};
export const chance = (percent: number): boolean => below(100) < percent;

export type Case = {
  readonly tree: Record<string, Content>;
  readonly lines: string[];
  readonly args: Record<string, string>;
  target: string | undefined;
};

const NAMES = ["a", "b", "ab", "c.txt", "d.txt", ".e"];
const path = (): string => Array.from({ length: 1 + below(3) }, () => one(NAMES)).join("/");

function makeTree(root: string, size: number): Record<string, Content> {
  const made: Record<string, Content> = {};
  const isFree = (at: string): boolean =>
    !Object.keys(made).some((other) => other === at || other.startsWith(`${at}/`) || at.startsWith(`${other}/`));
  for (let left = size; left > 0; left--) {
    const at = path();
    if (!isFree(at)) continue;
    made[at] = chance(70) ? `${below(4)}\n` : { script: "#!/bin/sh\n" };
  }
  for (let left = below(4); left > 0; left--) {
    const at = path();
    const paths = Object.keys(made);
    if (!isFree(at) || paths.length === 0) continue;
    const whole = one(paths);
    const to = chance(40) && whole.includes("/") ? dirname(whole) : whole;
    made[at] = { link: one([relative(dirname(at), to) || ".", `/${to}`, `../../../${to}`, "gone"]) };
  }
  return Object.fromEntries(Object.entries(made).map(([at, what]) => [`${root}/${at}`, what]));
}

function bend(written: string): string {
  return written
    .split("/")
    .map((segment) => {
      switch (below(10)) {
        case 9:
          return "**";
        case 0:
          return "*";
        case 1:
          return `${segment.slice(0, 1)}*`;
        case 2:
          return segment.replace(/.$/, "?");
        case 3:
          return segment.replace(/[a-z]/, (char) => `[${char}x]`);
        case 4:
          return `./${segment}`;
        default:
          return segment;
      }
    })
    .join("/");
}

function source(tree: Record<string, Content>, root: string, isBent = true): string {
  const paths = Object.keys(tree)
    .filter((at) => at.startsWith(`${root}/`))
    .map((at) => at.slice(root.length + 1));
  if (chance(7) || paths.length === 0) return ".";
  const segments = one(paths).split("/");
  const cut = segments.slice(0, 1 + below(segments.length)).join("/");
  return isBent ? bend(cut) : cut;
}

let number = 0;
const stageNames = ["base", "tools", "final"];
const mixed = (name: string): string => (chance(25) ? name.toUpperCase() : name);
const value = (): string =>
  one(["x", "y", '"x y"', "'x'", "a\\ b", "$A", '"$A:/x"', "${B:-z}", '"q"', "'$A'", '""', 'x"y"z']);

function instruction(tree: Record<string, Content>, stage: number): string {
  const n = ++number;
  const to = `/o/${n}/`;
  const earlier = stage > 0 ? mixed(one(stageNames.slice(0, stage))) : undefined;
  const flags = (): string =>
    [
      ...(chance(15) ? ["--link"] : []),
      ...(chance(15) ? [`--chmod=${one(["755", "0644", "u+x"])}`] : []),
      ...(chance(10) ? ["--chown=1:1"] : []),
      ...(NEW && chance(12) ? ["--parents"] : []),
      ...(NEW && chance(20)
        ? [`--exclude=${one(["*.txt", "a", "**/a", "b/", "*", "a/b", "**/*.txt", "!a", "./a", "/a"])}`]
        : []),
      ...(NEW && chance(5) ? ["--exclude=**/b"] : []),
    ]
      .map((flag) => `${flag} `)
      .join("");
  switch (
    one([
      "copy",
      "copy",
      "copy",
      "copy",
      "add",
      "json",
      "variable",
      "lib",
      "lib",
      "libmount",
      "mount",
      "stage",
      "stage",
      "stagemount",
      "env",
      "env",
      "label",
      "arg",
      "arg",
      "run",
      "run",
      "onbuild",
      "workdir",
      "cmd",
      "heredoc",
      "copydoc",
      "user",
      "legacy",
      "multi",
    ])
  ) {
    case "copy":
      return `COPY ${flags()}${source(tree, "app")}${chance(25) ? ` ${source(tree, "app")}` : ""} ${to}`;
    case "add":
      return `ADD ${source(tree, "app")} ${to}`;
    case "json":
      return `COPY ["${source(tree, "app")}", "${to}"]`;
    case "variable":
      return `ARG V${n}=${source(tree, "app")}\nCOPY $V${n} ${to}`;
    case "lib":
      return `COPY ${flags()}--from=${"lib"} ${source(tree, "lib")} ${to}`;
    case "libmount":
      return `RUN --mount=type=bind,from=lib,source=${source(tree, "lib", false)},target=/m cp -r /m /m${n}`;
    case "mount":
      return `RUN --mount=${one(["type=bind,", ""])}source=${source(tree, "app", false)},target=/m cp -r /m /m${n}`;
    case "stage":
      return earlier ? `COPY --from=${chance(30) ? below(stage) : earlier} /o ${to}` : "RUN true";
    case "stagemount":
      return earlier ? `RUN --mount=from=${earlier},source=/o,target=/m cp -r /m /m${n}` : "RUN true";
    case "env":
      return `ENV ${one(["A", "B", "C"])}=${value()}`;
    case "legacy":
      return `ENV ${one(["A", "B"])} ${one(["x", "x  y", '"x y"', "$A z"])}`;
    case "multi":
      return `ENV A=${value()} B=${value()}`;
    case "label":
      return `LABEL ${one(["k", '"k"', "l.m"])}=${value()}`;
    case "arg":
      return `ARG ${one(["A", "B", "X", "G"])}${chance(70) ? `=${value()}` : ""}`;
    case "run":
      return one([
        `RUN echo "$A-$B-$X" > /r${n}`,
        `RUN ["sh", "-c", "echo $A > /r${n}"]`,
        `RUN echo a && \\\n  echo b > /r${n}`,
      ]);
    case "onbuild":
      return one([
        `ONBUILD COPY ${source(tree, "app")} ${to}`,
        "ONBUILD ARG X=1",
        `ONBUILD RUN echo $A$X > /n${n}`,
        `ONBUILD COPY --from=lib ${source(tree, "lib")} ${to}`,
      ]);
    case "workdir":
      return `WORKDIR /w/${one(["$A", "x", "${B:-y}"])}`;
    case "cmd":
      return one([
        'CMD ["a", "b"]',
        "CMD a  b",
        'ENTRYPOINT ["x","$A"]',
        'SHELL ["/bin/sh", "-c"]',
        "EXPOSE 80 443/tcp",
        'VOLUME ["/v", "/w"]',
        "STOPSIGNAL 9",
        'HEALTHCHECK --interval=5s --timeout=3s CMD ["x", "y"]',
      ]);
    case "heredoc":
      return `RUN <<EOF\necho "$A" > /h${n}\n# a comment\n  echo b >> /h${n}\nEOF`;
    case "copydoc":
      return `COPY <<${one(["EOF", "'EOF'", "-EOF"])} ${to}\n\t$A text\n# b\nEOF`;
    default:
      return `USER ${one(["0", "0:0", "${U:-0}"])}`;
  }
}

export function makeCase(base: string): Case {
  number = 0;
  const tree = { ...makeTree("app", 3 + below(7)), ...makeTree("lib", 2 + below(4)) };
  if (chance(50)) {
    const rules = Array.from({ length: 1 + below(3) }, () => one(["", "", "!", "**/"]) + bend(path()));
    tree["app/.dockerignore"] = `${rules.join("\n")}\n`;
  }
  if (chance(15)) tree["lib/.dockerignore"] = `${bend(path())}\n`;
  const lines: string[] = [`ARG G=${base}`, ...(chance(40) ? ["ARG A=global"] : [])];
  const stages = 1 + below(3);
  for (let stage = 0; stage < stages; stage++) {
    const from =
      stage > 0 && chance(45)
        ? mixed(one(stageNames.slice(0, stage))).toLowerCase()
        : one([base, "$G", "${G}", base, chance(30) ? "lib" : base]);
    lines.push(`FROM ${from} ${one(["AS", "as"])} ${mixed(stageNames[stage] ?? "x")}`, `COPY <<E /o/e\n${stage}\nE`);
    for (let left = 1 + below(5); left > 0; left--) lines.push(...[instruction(tree, stage)]);
  }
  const args: Record<string, string> = {};
  for (const name of ["A", "B", "X", "N"]) if (chance(25)) args[name] = one(["given", "g h", ""]);
  return { tree, lines, args, target: chance(30) ? mixed(one(stageNames.slice(0, stages))) : undefined };
}

/** Edits of the files; each may say nothing at all. */
export const TREE_EDITS: Readonly<Record<string, (made: Case) => void>> = {
  content: ({ tree }) => {
    const paths = Object.keys(tree).filter((at) => typeof tree[at] === "string" && !at.endsWith(".dockerignore"));
    if (paths.length > 0) tree[one(paths)] = "other\n";
  },
  mode: ({ tree }) => {
    const paths = Object.keys(tree).filter((at) => typeof tree[at] === "string" && !at.endsWith(".dockerignore"));
    if (paths.length === 0) return;
    const at = one(paths);
    const text = tree[at];
    if (typeof text === "string") tree[at] = { script: text };
  },
  remove: ({ tree }) => {
    delete tree[one(Object.keys(tree))];
  },
  add: ({ tree }) => {
    const at = `${one(["app", "app", "lib"])}/${path()}`;
    const isFree = !Object.keys(tree).some(
      (other) => other === at || other.startsWith(`${at}/`) || at.startsWith(`${other}/`),
    );
    if (isFree) tree[at] = "new\n";
  },
  link: ({ tree }) => {
    const links = Object.keys(tree).filter((at) => typeof tree[at] === "object" && "link" in (tree[at] as object));
    if (links.length > 0) tree[one(links)] = { link: one(["a", "b", "/ab", "../c.txt"]) };
  },
  ignored: ({ tree }) => {
    const text = tree["app/.dockerignore"];
    if (typeof text !== "string") return;
    const rules = text.trimEnd().split("\n");
    const at = below(rules.length);
    tree["app/.dockerignore"] = `${one([
      ["# a comment", ...rules],
      rules.map((rule, index) => (index === at ? `${rule}/` : rule)),
      rules.map((rule, index) => (index === at ? `/${rule}` : rule)),
      rules.map((rule, index) => (index === at ? `  ${rule}  ` : rule)),
      [...rules].reverse(),
      [...rules, `nothing${below(9)}`],
      [...rules, "", ""],
    ]).join("\n")}\n`;
  },
};

const replaceLine = (made: Case, wanted: RegExp, change: (line: string) => string): void => {
  const fitting = made.lines.flatMap((line, at) => (wanted.test(line) ? [at] : []));
  if (fitting.length === 0) return;
  const at = one(fitting);
  made.lines[at] = change(made.lines[at] ?? "");
};
export const TEXT_EDITS: Readonly<Record<string, (made: Case) => void>> = {
  comment: (made) => void made.lines.splice(below(made.lines.length), 0, "# a comment"),
  "comment inside": (made) => replaceLine(made, /\\\n/, (line) => line.replace(/\\\n/, "\\\n# inside\n")),
  keyword: (made) => replaceLine(made, /^[A-Z]/, (line) => line.replace(/^[A-Z]+/, (word) => word.toLowerCase())),
  as: (made) =>
    replaceLine(made, /^FROM/i, (line) => line.replace(/ as /i, (word) => (word === " as " ? " AS " : " as "))),
  platform: (made) => replaceLine(made, /^FROM/i, (line) => line.replace(/ /, " --platform=$TARGETPLATFORM ")),
  "stage's case": (made) =>
    replaceLine(made, /^FROM/i, (line) =>
      line.replace(/\S+$/, (word) => (word === word.toLowerCase() ? word.toUpperCase() : word.toLowerCase())),
    ),
  "reference's case": (made) =>
    replaceLine(made, /from=/, (line) =>
      line.replace(
        /from=(\w+)/,
        (_, name) => `from=${name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase()}`,
      ),
    ),
  "stage's name": (made) => {
    const name = one(stageNames);
    const is = `renamed${below(3)}`;
    for (const [at, line] of made.lines.entries())
      made.lines[at] = line
        .replace(new RegExp(`(?<=^FROM.* as )${name}$`, "i"), is)
        .replace(new RegExp(`(?<=^FROM )${name}\\b`, "i"), is)
        .replace(new RegExp(`(?<=from=)${name}\\b`, "gi"), is);
    if (made.target?.toLowerCase() === name) made.target = is;
  },
  "number for a name": (made) =>
    replaceLine(made, /^COPY.*--from=base\b/i, (line) => line.replace(/from=base\b/i, "from=0")),
  blanks: (made) =>
    replaceLine(made, / /, (line) => {
      const [first = "", ...rest] = line.split("\n");
      const places = [...first.matchAll(/ /g)].map(({ index }) => index);
      const at = places.length === 0 ? 0 : one(places);
      return [`${first.slice(0, at)}  ${first.slice(at)}`, ...rest].join("\n");
    }),
  "blank at the end": (made) => replaceLine(made, /^[^<\\]*$/i, (line) => `${line}  `),
  quotes: (made) =>
    replaceLine(made, /^(?:ENV|LABEL|ARG) \S+=/i, (line) =>
      line.replace(/=(\S*)$/, (_, written) =>
        /^"/.test(written) ? `=${written.replaceAll('"', "")}` : `="${written}"`,
      ),
    ),
  "single quotes": (made) =>
    replaceLine(made, /^(?:ENV|LABEL|ARG) \S+=/i, (line) =>
      line.replace(/=(\S*)$/, (_, written) =>
        /^["']/.test(written) ? `=${written.replace(/["']/g, "")}` : `='${written}'`,
      ),
    ),
  legacy: (made) => replaceLine(made, /^(?:ENV|LABEL) \S+=/i, (line) => line.replace("=", " ")),
  "json blanks": (made) => replaceLine(made, /\["/, (line) => line.replaceAll('", "', '","').replace('["', '[ "')),
  "json words": (made) => replaceLine(made, /^COPY \[/, (line) => line.replace(/\["(.*)", "(.*)"\]/, "$1 $2")),
  flags: (made) => replaceLine(made, / --\S+ --\S+/, (line) => line.replace(/ (--(\w+)\S*) (--(?!\2)\S+)/, " $3 $1")),
  link: (made) =>
    replaceLine(made, /--link/, (line) => line.replace(/--link(?:=\w+)?/, one(["--link=true", "--link=false", ""]))),
  default: (made) => replaceLine(made, /^ARG \w+=/i, (line) => line.replace(/=\S+$/, "=changed")),
  "no default": (made) => replaceLine(made, /^ARG \w+=/i, (line) => line.replace(/=\S+$/, "")),
  exclude: (made) =>
    replaceLine(made, /--exclude=/, (line) =>
      line.replace(/--exclude=\S+/, `--exclude=${one(["a", "*.txt", "**/b"])}`),
    ),
  "swap instructions": (made) => {
    const at = 2 + below(Math.max(1, made.lines.length - 2));
    const [here, next] = [made.lines[at], made.lines[at + 1]];
    if (here && next && !/^FROM/i.test(here) && !/^FROM/i.test(next))
      [made.lines[at], made.lines[at + 1]] = [next, here];
  },
  "delete instruction": (made) => {
    const at = below(made.lines.length);
    if (!/^(?:FROM|ARG G)/i.test(made.lines[at] ?? "FROM")) made.lines.splice(at, 1);
  },
  "unused stage": (made) => void made.lines.splice(1, 0, "FROM scratch AS unused", "COPY a /unused"),
  "global arg": (made) => void made.lines.splice(1, 0, `ARG ${one(["A", "B", "UNUSED"])}=global`),
  argument: (made) => {
    made.args[one(["A", "B", "X", "N"])] = one(["given", "other"]);
  },
  target: (made) => {
    made.target =
      made.target === undefined
        ? one(stageNames)
        : made.target === made.target.toLowerCase()
          ? made.target.toUpperCase()
          : undefined;
  },
};
