import { ActionError } from "../errors.ts";
import type { Ulimit } from "./service.ts";
import { type Scalar, type Tree, wrongType } from "./tree.ts";
import { asInteger, asText, itemsOf, type Section, type Sourced, sectionAt, sourced } from "./values.ts";

const UNITS = "bkmgtp";
const SIZE = /^(\d+(?:\.\d*)?|\.\d+) ?(?:([kmgtp])(?:i?b)?|b)?$/i;

/**
 * A size in bytes: a number, or a text like `64m`, in powers of 1024.
 * @throws E_CONFIG for any other text.
 * @see https://github.com/docker/go-units/blob/v0.5.0/size.go (RAMInBytes)
 */
export function sizeAt({ mapping, path }: Section, name: string): Sourced<number> | undefined {
  const tree = mapping.entries.get(name);
  if (tree === undefined) return undefined;
  if (tree.kind === "scalar" && tree.type === "integer") return sourced(tree, Number(tree.text));
  const scalar = asText(tree, `${path}.${name}`);
  const [, amount, unit = "b"] = SIZE.exec(scalar.text) ?? [];
  if (amount === undefined) throw wrongType(scalar, `${path}.${name}`, "a size like 64m");
  return sourced(scalar, Math.floor(Number(amount) * 1024 ** UNITS.indexOf(unit.toLowerCase())));
}

/** @throws E_CONFIG for anything but whole numbers. */
export function ulimitsAt(build: Section): ReadonlyMap<string, Sourced<Ulimit>> {
  const ulimits = sectionAt(build, "ulimits");
  if (!ulimits) return new Map();
  return new Map(
    [...ulimits.mapping.entries].map(([name, tree]) => [name, readUlimit(tree, `${ulimits.path}.${name}`)]),
  );
}

function readUlimit(tree: Tree, path: string): Sourced<Ulimit> {
  if (tree.kind !== "mapping") {
    const both = asInteger(tree, path);
    return { ...both, value: { soft: both.value, hard: both.value } };
  }
  const soft = tree.entries.get("soft");
  const hard = tree.entries.get("hard");
  if (!soft || !hard) throw wrongType(tree, path, "a number, or a mapping with soft and hard");
  const limit = asInteger(hard, `${path}.hard`);
  return { ...limit, value: { soft: asInteger(soft, `${path}.soft`).value, hard: limit.value } };
}

/**
 * Hosts with their addresses, each as `host=address`, sorted: compose keeps no order of them.
 * @throws E_CONFIG for a host without an address.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/types/hostList.go
 */
export function extraHostsAt(build: Section): readonly Sourced[] {
  return readHosts(build).toSorted((one, other) => (one.value < other.value ? -1 : 1));
}

function readHosts({ mapping, path }: Section): readonly Sourced[] {
  const tree = mapping.entries.get("extra_hosts");
  const full = `${path}.extra_hosts`;
  if (tree === undefined) return [];
  if (tree.kind !== "mapping") return itemsOf(tree, full).flatMap((item) => readHost(asText(item, full), full));
  return [...tree.entries].flatMap(([host, value]) =>
    (value.kind === "list" ? value.items : [value]).map((address) =>
      hostWith(host, asText(address, `${full}.${host}`), full),
    ),
  );
}

function readHost(item: Scalar, path: string): readonly Sourced[] {
  const found = /^(.*?)=(.*)$/s.exec(item.text) ?? /^(.*?):(.*)$/s.exec(item.text);
  if (!found) throw wrongType(item, `An item of ${path}`, "host=address");
  const [, host = "", addresses = ""] = found;
  return addresses.split(",").map((address) => hostWith(host, { ...item, text: address }, path));
}

function hostWith(host: string, address: Scalar, path: string): Sourced {
  if (host === "" || /[:=]/.test(host)) {
    throw new ActionError("E_CONFIG", {
      what: `${path} has an item without the name of a host.`,
      fix: "Write host=address.",
      at: address.at,
    });
  }
  return sourced(address, `${host}=${address.text.replace(/^\[(.+)\]$/, "$1")}`);
}
