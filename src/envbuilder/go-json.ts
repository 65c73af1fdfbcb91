/** How one type of Go's goes in and out of JSON, as `encoding/json` does it. */
export type Codec<T> = {
  /** What is there before anything was read, and what `null` leaves. */
  readonly zero: T;
  readonly read: (json: unknown) => T | Refused;
  readonly write: (value: T) => string;
  /** Whether `omitempty` leaves it out. */
  readonly isEmpty: (value: T) => boolean;
};

/** What Go refuses, or what cannot be told without its parser: a number that is no whole one, two names for one field. */
export const REFUSED: unique symbol = Symbol("refused");
type Refused = typeof REFUSED;

/**
 * A text as Go's encoder writes it: `<`, `>`, `&` and the two line separators are escaped, half of a surrogate pair is U+FFFD.
 * @see https://pkg.go.dev/encoding/json#Marshal
 */
export function goString(text: string): string {
  return JSON.stringify(wellFormed(text)).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** The order of Go's strings: that of their bytes in UTF-8, which is that of their code points. */
export function compareBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const [one, other] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (one !== other) return rank(one) - rank(other);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points behind all that are written with one unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

export const text: Codec<string> = {
  zero: "",
  read: (json) => (json === null ? "" : typeof json === "string" ? wellFormed(json) : REFUSED),
  write: goString,
  isEmpty: (value) => value === "",
};

export const integer: Codec<number> = {
  zero: 0,
  read: (json) => (json === null ? 0 : Number.isSafeInteger(json) ? Number(json) : REFUSED),
  write: String,
  isEmpty: (value) => value === 0,
};

export const flag: Codec<boolean> = {
  zero: false,
  read: (json) => (json === null ? false : typeof json === "boolean" ? json : REFUSED),
  write: String,
  isEmpty: (value) => !value,
};

/** `[]byte` as Go writes it: base64 with its padding. */
export const bytes: Codec<string> = {
  zero: "",
  read: (json) =>
    json === null
      ? ""
      : typeof json === "string" && /^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(json)
        ? json
        : REFUSED,
  write: goString,
  isEmpty: (value) => value === "",
};

export const ZERO_TIME = "0001-01-01T00:00:00Z";
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

/** `time.Time`: nine digits of a second at most, without noughts at their end. A struct is never empty. */
export const time: Codec<string> = {
  zero: ZERO_TIME,
  read: (json) => {
    if (json === null) return ZERO_TIME;
    const [, seconds, fraction = "", zone = ""] = typeof json === "string" ? (TIME.exec(json) ?? []) : [];
    if (seconds === undefined || Number.isNaN(Date.parse(`${seconds}Z`))) return REFUSED;
    const digits = fraction.slice(0, 9).replace(/0+$/, "");
    return seconds + (digits === "" ? "" : `.${digits}`) + (/^[+-]00:00$/.test(zone) ? "Z" : zone);
  },
  write: goString,
  isEmpty: () => false,
};

/** `[]T`: nothing is nil, which is `null` and not an empty list. */
export function list<T>(item: Codec<T>): Codec<readonly T[] | undefined> {
  return {
    zero: undefined,
    read: (json) => {
      if (json === null) return undefined;
      if (!Array.isArray(json)) return REFUSED;
      const items: T[] = [];
      for (const one of json) {
        const value = item.read(one);
        if (value === REFUSED) return REFUSED;
        items.push(value);
      }
      return items;
    },
    write: (items) => (items === undefined ? "null" : `[${items.map((one) => item.write(one)).join(",")}]`),
    isEmpty: (items) => items === undefined || items.length === 0,
  };
}

/** `map[string]T`: its keys are written in the order of their bytes. */
export function map<T>(item: Codec<T>): Codec<ReadonlyMap<string, T> | undefined> {
  return {
    zero: undefined,
    read: (json) => {
      if (json === null) return undefined;
      if (!isObject(json)) return REFUSED;
      const entries = new Map<string, T>();
      for (const [key, one] of Object.entries(json)) {
        const value = item.read(one);
        if (value === REFUSED) return REFUSED;
        entries.set(wellFormed(key), value);
      }
      return entries;
    },
    write: (entries) => {
      if (entries === undefined) return "null";
      const sorted = [...entries].sort(([left], [right]) => compareBytes(left, right));
      return `{${sorted.map(([key, value]) => `${goString(key)}:${item.write(value)}`).join(",")}}`;
    },
    isEmpty: (entries) => entries === undefined || entries.size === 0,
  };
}

/** `struct{}`, whatever it holds. */
export const nothing: Codec<true> = {
  zero: true,
  read: (json) => (json === null || isObject(json) ? true : REFUSED),
  write: () => "{}",
  isEmpty: () => false,
};

/** `*T`. */
export function pointer<T>(to: Codec<T>): Codec<T | undefined> {
  return {
    zero: undefined,
    read: (json) => (json === null ? undefined : to.read(json)),
    write: (value) => (value === undefined ? "null" : to.write(value)),
    isEmpty: (value) => value === undefined,
  };
}

/** A field of a struct: its name in JSON, and whether it stands there when it is empty. */
export type Field<T> = { readonly name: string; readonly codec: Codec<T>; readonly omitEmpty: boolean };

export function always<T>(name: string, codec: Codec<T>): Field<T> {
  return { name, codec, omitEmpty: false };
}

export function omitEmpty<T>(name: string, codec: Codec<T>): Field<T> {
  return { name, codec, omitEmpty: true };
}

type Fields<T> = { readonly [K in keyof T]: Field<T[K]> };

/** A struct: its fields in the order of their declaration; names are read in any case, and what has no field is dropped. */
export function struct<T extends object>(fields: Fields<T>): Codec<T> {
  const keys = Object.keys(fields) as (keyof T & string)[];
  const zero = Object.fromEntries(keys.map((key) => [key, fields[key].codec.zero])) as T;
  const byName = new Map(keys.map((key) => [fields[key].name.toLowerCase(), key]));
  const read = (json: unknown): T | Refused => {
    if (json === null) return zero;
    if (!isObject(json)) return REFUSED;
    const found = new Map<string, unknown>();
    for (const [name, one] of Object.entries(json)) {
      // Go folds these two to ASCII letters.
      if (/[\u017f\u212a]/.test(name)) return REFUSED;
      const key = byName.get(name.toLowerCase());
      if (key === undefined) continue;
      if (found.has(key)) return REFUSED;
      const value = fields[key].codec.read(one);
      if (value === REFUSED) return REFUSED;
      found.set(key, value);
    }
    return { ...zero, ...(Object.fromEntries(found) as Partial<T>) };
  };
  const write = (value: T): string => {
    const written = keys.flatMap((key) => {
      const { name, codec, omitEmpty } = fields[key];
      return omitEmpty && codec.isEmpty(value[key]) ? [] : [`${goString(name)}:${codec.write(value[key])}`];
    });
    return `{${written.join(",")}}`;
  };
  return { zero, read, write, isEmpty: () => false };
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
