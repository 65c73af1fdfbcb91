/** What the README's table says of a deviation. Those with the same `what` share a line. */
export type Difference = {
  readonly name: string;
  /** How the README names it, where several share a line or Markdown helps. */
  readonly what?: string;
  /** What the reference CLI does. */
  readonly cli: string;
  /** What happens here. */
  readonly here: string;
  readonly why: string;
};

/** What rows that share a line say of themselves. */
export type Shared = Required<Omit<Difference, "name">>;

/** What the config of a base image says. */
export type Base = {
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly triggers?: readonly string[];
};

/** A workspace, what it is built for, and how the reference CLI and we read it; `R/` in names of images stands for a registry, `DIGEST` for what it serves. */
export type Row = {
  readonly name: string;
  readonly config: object;
  readonly files?: Readonly<Record<string, string>>;
  /** The workspace folder is the link `folder` of the checkout, to the folder of it in which the configuration lies. */
  readonly link?: { readonly folder: string; readonly to: string };
  /** By platform; the same empty one for all where nothing is said. */
  readonly bases?: Readonly<Record<string, Base>>;
  readonly platforms?: readonly string[];
  readonly labels?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What `docker compose config` says. */
  readonly compose?: string;
  /** The local engine has no image yet: the registry has to be asked. */
  readonly withoutLocalImages?: true;
  readonly reference: object;
  readonly ours: object;
};

/** An image's config with what matters of it. */
export function configOf({ user = "", env = {}, label, triggers = [] }: Base) {
  return {
    User: user,
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: label === undefined ? {} : { "devcontainer.metadata": label },
    OnBuild: triggers,
  };
}

/** A row in which the two say something else, on purpose. */
export type Deviation = Row & Difference;

/** The platforms of a row; `linux/amd64` where it names none. */
export function platformsOf({ platforms = ["linux/amd64"] }: Pick<Row, "platforms">): readonly [string, ...string[]] {
  const [first = "", ...others] = platforms;
  return [first, ...others];
}
