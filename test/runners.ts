/**
 * How each runner finds commands in what a step prints, written down from their sources and from nothing of ours. Names of commands are as
 * the runner compares them.
 */
export type Command = {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
};

export type Runner = {
  readonly name: string;
  /** Where it ends a line. */
  readonly lines: (transcript: string) => readonly string[];
  /** What it would do for a line; `undefined` where the line is mere text. */
  readonly command: (line: string) => Command | undefined;
};

/** `Char.IsWhiteSpace` of .NET. */
const DOTNET_BLANKS = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** What GitHub's runner has registered; it does not look at capitals. */
const GITHUB_COMMANDS = new Set([
  ...["set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher", "remove-matcher", "stop-commands"],
  ...["warning", "error", "notice", "debug", "group", "endgroup", "echo", "internal-set-repo-path"],
]);

/** actions/runner v2.336.0, `ActionCommand.cs` and `ActionCommandManager.cs`; lines are `StreamReader.ReadLine`'s. */
const github: Runner = {
  name: "GitHub's",
  lines: (transcript) => transcript.split(/\r\n|\r|\n/),
  command: (line) => githubNew(line.replace(DOTNET_BLANKS, "")) ?? githubOld(line),
};

/** Its comparison is a language's and passes over what is invisible: here as if that were not there at all. */
const careless: Runner = {
  ...github,
  name: "GitHub's, blind to what is invisible",
  command: (line) => github.command(line.replaceAll(/[\p{DI}\p{M}]/gu, "")),
};

function githubNew(line: string): Command | undefined {
  const end = line.indexOf("::", 2);
  return line.startsWith("::") && end >= 0 ? githubCommand(line.slice(2, end), ",", line.slice(end + 2)) : undefined;
}

function githubOld(line: string): Command | undefined {
  const start = line.indexOf("##[");
  const end = line.indexOf("]", start);
  return start >= 0 && end >= 0 ? githubCommand(line.slice(start + 3, end), ";", line.slice(end + 1)) : undefined;
}

function githubCommand(info: string, separator: string, data: string): Command | undefined {
  const space = info.indexOf(" ");
  const name = (space < 0 ? info : info.slice(0, space)).toLowerCase();
  if (!GITHUB_COMMANDS.has(name)) return undefined;
  const pairs = space < 0 ? [] : info.slice(space + 1).split(separator);
  return { name, properties: readPairs(pairs, unescapeProperty), data: unescapeData(data) };
}

type Grammar = { readonly ga: RegExp; readonly ado: RegExp };

/** nektos/act v0.2.89 and gitea.com/gitea/runner v1.0.8, `pkg/runner/command.go`: lines with the line feed that ends them. */
const GREEDY: Grammar = {
  ga: /^::([^ ]+)( (.+))?::([^\r\n]*)[\r\n]+$/,
  ado: /^##\[([^ ]+)( (.+))?\]([^\r\n]*)[\r\n]+$/,
};

/** gitea.com/gitea/runner from 3.1 on: capitals do not count. */
const FRUGAL: Grammar = {
  ga: /^::([^ ]+?)( (.+?))?::([^\r\n]*)[\r\n]*$/,
  ado: /^##\[([^ \]]+)( ([^\]]*))?]([^\r\n]*)[\r\n]*$/,
};

function act(name: string, { ga, ado }: Grammar, reporter?: RegExp): Runner {
  return {
    name,
    lines: (transcript) => transcript.split(/(?<=\n)/),
    command: (line) => {
      for (const [form, separator] of [
        [ga, ","],
        [ado, ";"],
      ] as const) {
        const [, command, , properties = "", data = ""] = form.exec(line) ?? [];
        if (command !== undefined)
          return {
            name: command.toLowerCase(),
            properties: readPairs(properties.split(separator), unescapeProperty),
            data: unescapeData(data),
          };
      }
      const [, command, , data = ""] = reporter?.exec(line.replace(/[\r\n]+$/, "")) ?? [];
      return command === undefined
        ? undefined
        : { name: command.toLowerCase(), properties: {}, data: unescapeData(data) };
    },
  };
}

/** The reporter of Gitea's and Forgejo's runner looks at each line once more: `internal/pkg/report/reporter.go`. */
const REPORTER = /^::([^ :]+)( .*)?::(.*)$/;
const NEW_REPORTER = /^::([^ :]+)( [^:]*)?::(.*)$/;

export const RUNNERS: readonly Runner[] = [
  github,
  careless,
  act("act", GREEDY),
  act("Gitea's 1.0", GREEDY, REPORTER),
  act("Gitea's 3", FRUGAL, NEW_REPORTER),
  act("Forgejo's 12", GREEDY, REPORTER),
];

/** The commands that a runner finds in a transcript. Of a name that it does not know it says so and does nothing. */
export function commandsIn(transcript: string, runner: Runner): readonly Command[] {
  return runner.lines(transcript).flatMap((line) => {
    const command = runner.command(line);
    return command && GITHUB_COMMANDS.has(command.name) ? [command] : [];
  });
}

function readPairs(pairs: readonly string[], plain: (text: string) => string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [] : [[pair.slice(0, at), plain(pair.slice(at + 1))]];
    }),
  );
}

function unescapeData(text: string): string {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

function unescapeProperty(text: string): string {
  const plain = text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%3A", ":").replaceAll("%2C", ",");
  return plain.replaceAll("%25", "%");
}
