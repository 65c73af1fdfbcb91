import { formatReference, formatRepository, parseRepository, type Repository } from "../oci/reference.ts";
import type { Answer, Registry } from "../world.ts";
import { within } from "./patience.ts";

/** Where the images of one registry are looked for first: `docker.io=mirror.example/hub` puts `library/debian` at `hub/library/debian`. */
export type Mirror = { readonly of: string; readonly registry: string; readonly prefix: string };

/**
 * Reads one line of the input registry-mirrors.
 * @returns the mirror, or a sentence that says what is wrong.
 */
export function parseMirror(line: string): Mirror | { readonly wrong: string } {
  if (line.includes("://")) return { wrong: "there is a scheme in it; leave that out, and write registry=host[/path]" };
  const [written = "", place = "", ...rest] = line.split("=").map((part) => part.trim());
  if (written === "" || place === "" || rest.length > 0) return { wrong: "it is not written as registry=host[/path]" };
  // Any repository will do to have the registry's name read and normalised.
  const of = parseRepository(`${written}/any/any`);
  if ("wrong" in of || written.includes("/")) return { wrong: `"${written}" is not a registry's host name` };
  const at = parseRepository(`${place}/any`);
  if ("wrong" in at || !/[.:]|^localhost(\/|$)/.test(place))
    return { wrong: `"${place}" is not a registry's host name with a path` };
  return { of: of.registry, registry: at.registry, prefix: at.repository.replace(/\/?any$/, "") };
}

type MirrorOptions = {
  /** What is ours is read where it was pushed. */
  readonly except: Repository;
  readonly tell: (line: string) => void;
  /** How many milliseconds a mirror is waited for; where none is told, a quarter of a minute: its origin has to be asked in the same probe. */
  readonly patience?: number;
};

const PATIENCE = 15_000;
/** For what is a hundred megabytes long. */
const LARGE_PATIENCE = 120_000;

/** A registry that reads through mirrors: what a mirror does not give, its origin is asked for, and that is told. Nothing is ever pushed to a mirror. */
export function throughMirrors(
  registry: Registry,
  mirrors: readonly Mirror[],
  { except, tell, patience = PATIENCE }: MirrorOptions,
): Registry {
  if (mirrors.length === 0) return registry;
  // One that does not answer is not waited for a second time.
  const down = new Set<string>();
  /** Those that are asked for it first, and what it is there. */
  const mirrorsOf = <N extends Repository>(name: N): readonly N[] => {
    const isOurs = formatRepository(name) === formatRepository(except);
    const asked = isOurs ? [] : mirrors.filter((mirror) => mirror.of === name.registry && !down.has(mirror.registry));
    return asked.map(({ registry: host, prefix }) => {
      const repository = prefix === "" ? name.repository : `${prefix}/${name.repository}`;
      return { ...name, registry: host, repository };
    });
  };
  const read = async <N extends Repository, T>(
    name: N,
    ask: (name: N) => Promise<Answer<T>>,
    longest = patience,
  ): Promise<Answer<T>> => {
    for (const mirror of mirrorsOf(name)) {
      const answer = await within(longest, ask(mirror));
      if (answer !== "late" && answer.kind === "found") return answer;
      if (answer === "late" || answer.kind === "unavailable") down.add(mirror.registry);
      const why = answer === "late" ? `no answer in ${longest / 1000} s` : `${answer.kind}: ${answer.words}`;
      tell(`The mirror ${mirror.registry} does not give ${formatReference(name)} (${why}); its own registry is asked.`);
    }
    return ask(name);
  };
  return {
    ...registry,
    describe: (reference) => read(reference, registry.describe),
    manifest: (reference) => read(reference, registry.manifest),
    readThrough: (repository, blob, open) =>
      read(repository, (name) => registry.readThrough(name, blob, open), LARGE_PATIENCE),
    blob: (repository, blob, limit) => read(repository, (name) => registry.blob(name, blob, limit)),
    // Behind a mirror that serves all, nobody speaks to the registry itself.
    connect: (name, count) => registry.connect(mirrorsOf(name)[0] ?? name, count),
  };
}
