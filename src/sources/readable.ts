import type { NamePattern } from "../arguments/argument.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Digest } from "../oci/digest.ts";
import type { Files, Host } from "../world.ts";
import {
  type FindSecret,
  type HoldsSecret,
  isToken,
  knownSecrets,
  openFinder,
  openSecrets,
  proxyPasswords,
  type Search,
  secretContents,
} from "./known-secrets.ts";
import { watch } from "./watched.ts";

/** What a configuration may read of the step's environment. */
export type Readable = {
  readonly env: Readonly<Record<string, string>>;
  /** All of the step's, for what inputs name: tokens are among them. */
  readonly step: () => Readonly<Record<string, string>>;
  /** Which variables were asked for so far, by either; `undefined` where nobody can tell. */
  readonly asked: () => readonly string[] | undefined;
  /** Why a variable that is set is not among them; nothing for one that is, and for one that is not set. */
  readonly withheld: (name: string) => Withheld | undefined;
  readonly holdsSecret: HoldsSecret;
  /** Opens a look for what must not be published. Nothing that is handed on shows the secrets themselves. */
  readonly openFinder: (looking: Looking) => FindSecret;
  /** Names the secret that is all that a file of this digest holds. */
  readonly secretOf: (content: Digest) => string | undefined;
  /** Whether a fork's code wrote the configuration: it names no secret and no agent then. */
  readonly isFork: boolean;
  /** Whether what inputs name goes to the build. To a stranger's only what the input local-env names too. */
  readonly hands: (variable: string | undefined) => boolean;
};

/** `own`: what the build's own secrets hold. `behindProxy`: a proxy's login may be in it, as docker itself tells one to a build. */
type Looking = Search & { readonly own: readonly string[]; readonly behindProxy: boolean };

/** `token`: it is one, or holds one. `local-env`: the input does not name it. `fork`: nothing is read without that input. */
export type Withheld = { readonly name: string; readonly why: "token" | "local-env" | "fork" };

/** What the workflow tells compose, which is no less its word for being a variable. */
const FOR_COMPOSE: ReadonlySet<string> = new Set([
  ...["COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES"],
  "COMPOSE_DISABLE_ENV_FILE",
]);

/**
 * Parts the step's environment into what a configuration may read and what it may not: a token never, else what the input local-env
 * says. What is withheld is as if it were not set.
 */
export async function readableEnvironment(
  { inputs, workspace }: { readonly inputs: Inputs; readonly workspace: string },
  { files, host }: { readonly files: Files; readonly host: Host },
): Promise<Readable> {
  const { env, event } = host;
  const [secrets, proxies] = await Promise.all([
    knownSecrets({ inputs, workspace }, { files, host }),
    proxyPasswords({ files, host }),
  ]);
  const contents = secretContents(secrets);
  const holdsSecret = openSecrets(secrets.map(({ value }) => value));
  const judge = (name: string, value: string): Withheld["why"] | undefined => {
    if (isToken(name) || holdsSecret(value)) return "token";
    return FOR_COMPOSE.has(name) || isNamed(inputs.localEnv, name, event.isFork) ? undefined : reasonOf(inputs);
  };
  const withheld = new Map(
    Object.entries(env).flatMap(([name, value]) => {
      const why = judge(name, value);
      return why === undefined ? [] : [[name, { name, why }] as const];
    }),
  );
  const own = watch(Object.fromEntries(Object.entries(env).filter(([name]) => !withheld.has(name))));
  const step = watch(env);
  return {
    env: own.env,
    step: () => step.env,
    asked: () => {
      const [some, more] = [own.asked(), step.asked()];
      return some && more ? [...new Set([...some, ...more])].sort() : undefined;
    },
    withheld: (name) => withheld.get(name),
    holdsSecret,
    secretOf: (content) => contents.get(content),
    openFinder: ({ own: held, behindProxy, ...looking }) =>
      openFinder(
        [
          ...secrets,
          ...(behindProxy ? [] : proxies),
          ...held.map((value) => ({ name: "a secret of the build", value })),
        ],
        looking,
      ),
    isFork: event.isFork,
    hands: (variable) =>
      !event.isFork || (variable !== undefined && (inputs.localEnv ?? []).some(({ matches }) => matches(variable))),
  };
}

function isNamed(patterns: readonly NamePattern[] | undefined, name: string, isFork: boolean): boolean {
  return patterns === undefined ? !isFork : patterns.some(({ matches }) => matches(name));
}

function reasonOf({ localEnv }: Pick<Inputs, "localEnv">): "local-env" | "fork" {
  return localEnv === undefined ? "fork" : "local-env";
}

/** How a warning goes on behind the place that reads the variable. */
export function tellWithheld({ name, why }: Withheld): string {
  const result = "is withheld: its default takes its place, or nothing";
  switch (why) {
    case "token":
      return `${name}, which is a token or holds a secret of this run, and ${result}. Hand what the build needs to it by the input build-secrets`;
    case "local-env":
      return `${name}, which the input local-env does not name, and ${result}. Name it there`;
    case "fork":
      return `${name}, and this run counts as a fork's: it ${result}, so that the image may be another one than that of a push. Name it in the input local-env where a stranger may read it`;
  }
}
