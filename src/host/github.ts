import type { GitHub, Web, WebAnswer } from "../world.ts";

/** More than GitHub tells of a branch. */
const LIMIT = 256 * 1024;

/**
 * GitHub's API through `@actions/github`, which is read only where it is asked. Its requests go our own way to the network: one proxy, one trust,
 * no redirects, and no answer without an end.
 */
export function openGitHub(web: Web): GitHub {
  return async ({ base, owner, repository }, branch, token) => {
    const { getOctokit } = await import("@actions/github");
    let told: WebAnswer = { kind: "failure", words: "nothing was asked" };
    const fetch = async (url: string, { headers }: { readonly headers: Readonly<Record<string, string>> }) => {
      told = await web(url, { headers, limit: LIMIT });
      if (told.kind === "failure") throw new Error(told.words);
      const type = told.headers["content-type"];
      return new Response(told.status === 200 ? told.body : undefined, {
        status: told.status,
        headers: typeof type === "string" ? { "content-type": type } : {},
      });
    };
    // What it makes of an answer that is none of a branch is thrown; what the server said says more.
    await getOctokit(token, { baseUrl: base, request: { fetch } })
      .rest.repos.getBranch({ owner, repo: repository, branch })
      .catch(() => undefined);
    return told;
  };
}
