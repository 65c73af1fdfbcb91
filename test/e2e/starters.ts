import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMap, parseDocument, visit } from "yaml";
import { workflowDocuments } from "../workflow-documents.ts";
import { REGISTRY, unique } from "./harness.ts";
import { type Event, openRepository, type Repository, type Runner } from "./runs.ts";

// What people copy, as it stands, in a repository of a machine without any other registry.

const REPOSITORY = { default_branch: "main", full_name: "team/app" };
export const PUSH: Event = { name: "push", payload: { ref: "refs/heads/main", repository: REPOSITORY } };
export const SCHEDULE: Event = { name: "schedule", payload: { ref: "refs/heads/main", repository: REPOSITORY } };
export const pullRequest = (head: string): Event => ({
  name: "pull_request",
  payload: {
    number: 7,
    repository: REPOSITORY,
    pull_request: {
      head: { ref: "change", repo: { full_name: head } },
      base: { ref: "main", repo: { full_name: "team/app" } },
    },
  },
});

const DOCKERFILE = `ARG BASE
FROM \${BASE}
ARG VARIANT=plain
RUN echo 'dev:x:1000:1000::/tmp:/bin/sh' >> /etc/passwd \\
 && printf '#!/bin/sh\\necho "%s says $WORD to $(id -un)"\\n' "\${VARIANT}" > /bin/greet && chmod 0755 /bin/greet
`;

/** What stands for the servers of an example that no test can reach. */
export type Elsewhere = {
  /** Texts of the workflow, each with what it is here. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Inputs of the action that such a server takes. */
  readonly inputs?: Readonly<Record<string, string>>;
};

/**
 * A workflow as it is copied, but for what a registry on this machine cannot be: the place of the images, a feature from elsewhere, and a
 * project with something to test.
 */
function localized(text: string, cache: string, { instead = {}, inputs: more = {} }: Elsewhere): string {
  const document = parseDocument(text);
  visit(document, {
    Map: (_, map) => {
      if (!/\/dev-container-cache[/@]/.test(String(map.get("uses")))) return;
      if (!map.has("with")) map.set("with", document.createNode({}));
      const inputs = map.get("with", true);
      if (!isMap(inputs)) throw new Error("The inputs of the action or of a workflow of ours are no map.");
      for (const [name, value] of Object.entries({ ...more, "cache-repo": `${REGISTRY}/${cache}` }))
        inputs.set(name, value);
      inputs.delete("additional-features");
    },
  });
  const here = String(document).replaceAll(/\bmake( -C \w+)? test\b/g, "greet");
  return Object.entries(instead).reduce((all, [name, other]) => all.replaceAll(name, other), here);
}

/** act knows the job's token only as a secret. */
const SECRETS = {
  REGISTRY_TOKEN: "personal-token",
  GITHUB_TOKEN: "token-of-the-job",
  NPM_TOKEN: "token-of-npm",
  GIT_TOKEN: "token-of-git",
};
export const { GIT_TOKEN } = SECRETS;

export type Scene = { readonly cache: string; readonly repository: Repository };

/** A repository with dev containers and the workflow, as a runner's. @param base what they are built on. */
export function openScene(
  runner: Runner,
  base: string,
  text: string,
  folders: readonly string[] = [".devcontainer"],
  elsewhere: Elsewhere = {},
): Scene {
  const cache = unique("team/starter");
  const repository = openRepository(runner, mkdtempSync(join(tmpdir(), "starter-")), SECRETS);
  for (const folder of folders) {
    const build = { dockerfile: "Dockerfile", args: { BASE: base } };
    const configuration = { name: folder, build, remoteUser: "dev", remoteEnv: { WORD: "two words" } };
    repository.write(`${folder}/devcontainer.json`, JSON.stringify(configuration));
    repository.write(`${folder}/Dockerfile`, DOCKERFILE);
  }
  repository.write(".github/workflows/ci.yml", localized(text, cache, elsewhere));
  return { cache, repository };
}

export const starter = (name: string): string => readFileSync(`workflows/starters/${name}.yml`, "utf8");

/** What tells each example of the README from all others. */
export const EXAMPLES = {
  first: /setup-qemu-action/,
  reusable: /\/devcontainer\.yml@(.*\n)*.*container-options/,
  otherRepository: /allowed-sources/,
  envbuilder: /dialect: envbuilder/,
  previousImage: /previous-image/,
  buildArguments: /build-arg-files/,
} as const;

/** One of the README's examples, as a workflow for one platform. */
export function example(name: keyof typeof EXAMPLES): string {
  const [text = ""] = examplesLike(EXAMPLES[name]);
  return text.replace("linux/amd64,linux/arm64", "linux/amd64");
}

export function examplesLike(isIt: RegExp): readonly string[] {
  return [...workflowDocuments()].flatMap(([name, text]) =>
    name.startsWith("readme-") && isIt.test(text) ? [text] : [],
  );
}

/** What a later job says in the image: as its user, and in its environment. */
export const SAID = "plain says two words to dev";
export const LEG = "build linux/amd64 on ubuntu-latest: success";
