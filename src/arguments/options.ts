import { parseReference } from "../oci/reference.ts";

/** The networks that RUN can have; the first is what none named means. */
export const NETWORKS = ["default", "none", "host"] as const;

type Wrong = { readonly wrong: string };

/** A name with a value, as labels have it. */
export type Label = { readonly name: string; readonly value: string };

/**
 * Reads one line of the input labels. The value is taken as it is, quotation marks too: docker/metadata-action writes none around it.
 * @returns the label, or a sentence that says what is wrong.
 */
export function parseLabel(line: string): Label | Wrong {
  const label = splitPair(line);
  return !("wrong" in label) && label.name === "devcontainer.metadata"
    ? { wrong: "the action itself writes that label" }
    : label;
}

function splitPair(line: string): Label | Wrong {
  const end = line.indexOf("=");
  if (end < 0) return { wrong: "it is not written as KEY=VALUE" };
  const pair = { name: line.slice(0, end).trim(), value: line.slice(end + 1).trim() };
  if (/^[^\s"']+$/.test(pair.name)) return pair;
  return { wrong: "its key is empty, or holds white space or quotation marks" };
}

/** A line for /etc/hosts during the build. */
export type ExtraHost = { readonly name: string; readonly address: string };

/**
 * Reads one line of the input add-hosts: `host:address` or `host=address`, with an IPv4 or IPv6 address, or `host-gateway`.
 * @returns the host, or a sentence that says what is wrong.
 */
export function parseExtraHost(line: string): ExtraHost | Wrong {
  const [, name = "", written = ""] = /^([^=:\s]+)\s*[=:]\s*(\S+)$/.exec(line) ?? [];
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name))
    return { wrong: "it is not written as host:address or host=address" };
  const address = /^\[(.*)\]$/.exec(written)?.[1] ?? written;
  if (address === "host-gateway" || isAddress(address)) return { name, address };
  return { wrong: `"${written}" is neither an IP address nor host-gateway` };
}

function isAddress(text: string): boolean {
  if (/^[\da-f:.]*:[\da-f:.]*$/i.test(text)) return URL.canParse(`http://[${text}]/`);
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?=.)|$)){4}$/.test(text);
}

/** A folder, from the workspace on, or an image that a Dockerfile can use by name. */
export type BuildContext = { readonly name: string; readonly kind: "folder" | "image"; readonly value: string };

/**
 * Reads one line of the input build-contexts: `name=folder` or `name=docker-image://image`.
 * @returns the context, or a sentence that says what is wrong.
 */
export function parseBuildContext(line: string): BuildContext | Wrong {
  const end = line.indexOf("=");
  const [name, source] = [line.slice(0, Math.max(end, 0)).trim(), line.slice(end + 1).trim()];
  if (name === "" || source === "") return { wrong: "it is not written as name=folder or name=docker-image://image" };
  if (/,[\w./-]+=/.test(source)) return { wrong: "several contexts stand on one line" };
  if ("wrong" in parseReference(name)) return { wrong: `"${name}" is not a name: those of stages and images are` };
  const image = /^docker-image:\/\/(.*)$/.exec(source)?.[1];
  if (image === undefined)
    return isAddressOf(source)
      ? {
          wrong: `what "${source}" holds cannot be told before the build; folders of the checkout and docker-image:// can`,
        }
      : { name, kind: "folder", value: source };
  const reference = parseReference(image);
  return "wrong" in reference
    ? { wrong: `"${image}" is not an image: ${reference.wrong}` }
    : { name, kind: "image", value: image };
}

/** `https://…`, `oci-layout://…`, `git@…`, `target:…`, and `-`, a tar archive on standard input. */
function isAddressOf(source: string): boolean {
  return source === "-" || /^[A-Za-z][A-Za-z0-9+.-]*:|^git@/.test(source);
}

/**
 * Reads the input target: a stage's name, or its number.
 * @returns the stage, or a sentence that says what is wrong.
 */
export function parseTarget(text: string): { readonly stage: string } | Wrong {
  if (/^(?:[a-z][a-z0-9._-]*|\d+)$/i.test(text)) return { stage: text };
  return { wrong: "a stage's name is a letter, then letters, digits, and _ . -" };
}
