import type { Secret } from "../arguments/secrets.ts";
import type { Ssh } from "../arguments/ssh.ts";
import { resolvePath } from "../devcontainer/paths.ts";
import type { Warning } from "../errors.ts";
import { ActionError, type Place } from "../errors.ts";
import type { BuildInputs } from "../inputs/build-inputs.ts";
import type { Files } from "../world.ts";
import type { Definition } from "./definition-shape.ts";
import { type Readable, tellWithheld } from "./readable.ts";

/** What a configuration gets of the secrets and agents that it names, and what the inputs name, which goes over it. */
export type GrantedSecrets = {
  readonly secrets: readonly Secret[];
  readonly ssh: readonly Ssh[];
  /** Why a build cannot have what was withheld: without it another image would come out. A fork's is tried all the same. */
  readonly withoutSecrets: ActionError | undefined;
  readonly warnings: readonly Warning[];
};

type Named = {
  readonly definition: Pick<Definition, "secrets" | "ssh">;
  readonly build: Pick<BuildInputs, "secrets" | "ssh">;
  readonly readable: Readable;
};

/**
 * A secret that the configuration names goes wherever the configuration wants. So it gets none of the run's own, whatever variable or file
 * it is in, and a fork's gets none at all. Of those that inputs name RUN can read each: a stranger's gets those alone whose variable the
 * input local-env names as well.
 */
export async function grantSecrets(
  { definition, build, readable }: Named,
  checkout: { readonly files: Pick<Files, "readText" | "realPath" | "stat">; readonly workspace: string },
): Promise<GrantedSecrets> {
  const configured = {
    secrets: definition.secrets.filter(({ id }) => !build.secrets.some((input) => input.id === id)),
    ssh: definition.ssh.filter(({ id }) => !build.ssh.some((input) => input.id === id)),
  };
  const judged = [
    ...(await Promise.all(
      configured.secrets.map(async (one) => ({ one, why: await whyNoSecret(one, readable, checkout) })),
    )),
    ...configured.ssh.map((one) => ({ one, why: whyNoAgent(one, readable) })),
  ];
  const refused = judged.flatMap(({ one, why }) => (why === undefined ? [] : [{ one, why }]));
  const isGranted = (one: object): boolean => !refused.some((other) => other.one === one);
  const [first] = readable.isFork ? [] : refused;
  const handed = {
    secrets: build.secrets.filter(({ source }) => readable.hands(source.kind === "env" ? source.name : undefined)),
    ssh: build.ssh.filter(({ written }) => readable.hands(written.length === 0 ? "SSH_AUTH_SOCK" : undefined)),
  };
  return {
    secrets: [...configured.secrets.filter(isGranted), ...handed.secrets],
    ssh: [...configured.ssh.filter(isGranted), ...handed.ssh],
    withoutSecrets: first ? withheldFromConfiguration(first) : withheldFromStranger(build, handed),
    warnings: refused.map(({ one, why }) => ({ text: `The configuration names ${why}`, at: one.at })),
  };
}

function withheldFromConfiguration({
  one: { at },
  why,
}: {
  readonly one: { readonly at: Place };
  readonly why: string;
}): ActionError {
  return new ActionError("E_CONFIG", {
    what: `The configuration names ${why}.`,
    fix: "Without it another image would be built, so none is.",
    at,
  });
}

type Inputs = Pick<BuildInputs, "secrets" | "ssh">;

function withheldFromStranger(asked: Inputs, handed: Inputs): ActionError | undefined {
  const secret = asked.secrets.find((one) => !handed.secrets.includes(one));
  const one = secret ?? asked.ssh.find((other) => !handed.ssh.includes(other));
  if (one === undefined) return undefined;
  const input = secret ? "build-secrets" : "ssh";
  return new ActionError("E_INPUT", {
    what: `The input ${input} names ${one.id}, and this run counts as a fork's, whose code gets no secret and no agent: RUN could send it anywhere.`,
    fix: `An image that is there is found all the same. Where a stranger may have it, name its variable${secret ? "" : " (SSH_AUTH_SOCK)"} in local-env as well.`,
  });
}

const FOR_FORKS = "this run counts as a fork's, whose configuration gets no secret and no agent";

async function whyNoSecret(
  { id, source }: Secret,
  readable: Readable,
  { files, workspace }: Parameters<typeof grantSecrets>[1],
): Promise<string | undefined> {
  const subject = `the secret ${id}`;
  if (readable.isFork)
    return `${subject}: ${FOR_FORKS}. Where a stranger may have it, name it in the input build-secrets, and its variable in local-env`;
  if (source.kind === "env") {
    const found = readable.withheld(source.name);
    return found && `${subject} from ${tellWithheld(found)}`;
  }
  const path = resolvePath(workspace, source.written);
  const real = (await files.realPath(path)) ?? path;
  const isFile = (await files.stat(real))?.kind === "file";
  // actions/checkout writes its token there.
  const isGit = [path, real].some((one) => one.split("/").includes(".git"));
  if (!isGit && !(isFile && readable.holdsSecret((await files.readText(real)) ?? ""))) return undefined;
  return `${subject} from a file that holds a secret of this run, or may hold one, and is withheld. Hand it to the build by the input build-secrets`;
}

function whyNoAgent({ id, written }: Ssh, readable: Readable): string | undefined {
  const subject = `the ssh id ${id}`;
  if (readable.isFork)
    return `${subject}: ${FOR_FORKS}. Where a stranger may have it, name it in the input ssh, and SSH_AUTH_SOCK in local-env`;
  const found = written.length === 0 ? readable.withheld("SSH_AUTH_SOCK") : undefined;
  return found && `${subject} from ${tellWithheld(found)}`;
}
