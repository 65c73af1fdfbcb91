import type { Content } from "../checkout.ts";
import { openGitServer } from "../fakes/git-server.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

/** What stories of repositories begin with: a registry, a server of git's, and a job's checkout that must play no part. */
export async function openGitSample() {
  const { registry, workspace, close } = await openSample();
  const server = await openGitServer();
  return {
    registry,
    server,
    files: (label: string, more = {}) => repositoryFiles(registry, label, more),
    /** Docker's builder is a stand-in, and what it is handed is what counts. */
    run: (inputs: Readonly<Record<string, string>>, more: Partial<Play> = {}): Promise<Told> =>
      play({ workspace, registry, git: true, inputs, ...more }),
    close: async (): Promise<void> => {
      await server.close();
      await close();
    },
  };
}

function repositoryFiles(
  registry: FakeRegistry,
  label: string,
  more: Readonly<Record<string, Content>>,
): Readonly<Record<string, Content>> {
  return {
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile": `FROM ${registry.host}/base/os:1
ARG REVISION
COPY setup.sh /setup.sh
LABEL of=${label}
`,
    ".devcontainer/setup.sh": { script: `echo ${label}\n` },
    ...more,
  };
}

export const argsOf = ({ builds }: Told): string => builds[0]?.args.join(" ") ?? "";

export const builtCommit = (told: Told): string => /REVISION=([0-9a-f]+)/.exec(argsOf(told))?.[1] ?? told.log;

/** What the runner shows as an error, on one line. */
export const errorOf = ({ log }: Told): string => /^::error.*$/m.exec(log)?.[0].replaceAll("%0A", " ") ?? log;

/** Temporary folders that have git in them. */
export const leftOf = ({ left }: Told): readonly string[] => left.filter((name) => /-(git|source)-/.test(name));
