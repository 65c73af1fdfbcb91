import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const JOB = `jobs:
  container:
    runs-on: ubuntu-latest
    permissions: { contents: read, packages: write }
    steps:
`;

/** An example of the README that is a part of a step stands for this one's. */
const STEP = `      - uses: ${/uses: (\S+\/dev-container-cache@\S+)/.exec(readFileSync("README.md", "utf8"))?.[1]}\n`;

/** The README's examples as whole workflows: what all of them leave out is added. */
function examples(): readonly string[] {
  const blocks = [...readFileSync("README.md", "utf8").matchAll(/^```yaml\n(.*?)^```$/gms)].map(
    ([, text = ""]) => text,
  );
  return blocks.map((text) => {
    const jobs = /^jobs:$/m.test(text) ? text : JOB + (/^ *- /.test(text) ? text : STEP + text);
    return [
      ...(/^on:/m.test(text) ? [] : ["on: push"]),
      ...(/^permissions:/m.test(text) ? [] : ["permissions: {}"]),
      jobs,
    ].join("\n");
  });
}

/** Everything that people copy or call, by the name of a file for it: the reusable workflows, the starters, the README's examples. */
export function workflowDocuments(): ReadonlyMap<string, string> {
  const below = (folder: string, prefix: string): readonly (readonly [string, string])[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".yml"))
      .map((name) => [`${prefix}${name}`, readFileSync(join(folder, name), "utf8")] as const);
  return new Map([
    ...below("workflows", ""),
    ...below("workflows/starters", "starter-"),
    ...examples().map((text, index) => [`readme-${index}.yml`, text] as const),
  ]);
}
