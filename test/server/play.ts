import { type Play, play, type Told } from "../stories/harness.ts";
import type { Gitea } from "./gitea.ts";

type Step = Pick<Play, "workspace" | "git"> & {
  /** Whose job it is. */
  readonly repository: string;
  readonly inputs: Readonly<Record<string, string>>;
};

/** Plays the action once as a step of a job of that server, with the stories' stand-in for docker. `requests` are the server's lines. */
export async function playOn(gitea: Gitea, { repository, inputs, ...step }: Step): Promise<Told> {
  const before = gitea.requests().length;
  const told = await play({
    ...step,
    registry: { host: gitea.host, requests: [] },
    inputs: { "cache-repo": "", ...inputs },
    env: {
      ...{ GITEA_ACTIONS: "true", GITEA_ACTIONS_RUNNER_VERSION: "v1.0.8", GITHUB_REPOSITORY: repository },
      ...{ GITHUB_SERVER_URL: gitea.url, GITHUB_API_URL: `${gitea.url}/api/v1` },
    },
  });
  return { ...told, requests: gitea.requests().slice(before) };
}

/** What was said, without what the runner was told to hide. */
export const saidBy = ({ log, summary, outputs }: Told): string =>
  [log.replace(/^::add-mask::.*\n/gm, ""), summary, JSON.stringify(outputs)].join("\n");
