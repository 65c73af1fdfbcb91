import type { Scalar } from "./tree.ts";

const NULL: ReadonlySet<string> = new Set(["", "~", "null", "Null", "NULL"]);
const TRUE: ReadonlySet<string> = new Set(["true", "True", "TRUE"]);
const FALSE: ReadonlySet<string> = new Set(["false", "False", "FALSE"]);
const INFINITE = /^[-+]?\.(?:inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(?:nan|NaN|NAN)$/;
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/**
 * What an unquoted YAML scalar is to compose, whose YAML library knows more kinds of numbers than YAML 1.2 and fewer booleans than 1.1:
 * `0777` is 511, `1_000` is 1000, `yes` is a text. The text is the value as Go prints it.
 * @see https://github.com/yaml/go-yaml/blob/v3.0.4/resolve.go
 */
export function readPlainScalar(written: string): Pick<Scalar, "type" | "text"> {
  if (NULL.has(written)) return { type: "null", text: "" };
  if (TRUE.has(written)) return { type: "boolean", text: "true" };
  if (FALSE.has(written)) return { type: "boolean", text: "false" };
  if (INFINITE.test(written)) return { type: "float", text: written.startsWith("-") ? "-Inf" : "+Inf" };
  if (NOT_A_NUMBER.test(written)) return { type: "float", text: "NaN" };
  if (isTimestamp(written)) return { type: "timestamp", text: written };
  return (/^[-+.0-9]/.test(written) && readNumber(written)) || { type: "text", text: written };
}

function readNumber(written: string): Pick<Scalar, "type" | "text"> | undefined {
  const digits = written.startsWith(".") ? written : written.replaceAll("_", "");
  if (INTEGER.test(digits)) {
    const value = readInteger(digits);
    if (isMachineInteger(value, digits)) return { type: "integer", text: String(value) };
  }
  // What is too large for a float stays a text.
  const value = FLOAT.test(digits) ? Number(digits) : Number.POSITIVE_INFINITY;
  return Number.isFinite(value) ? { type: "float", text: formatFloat(value) } : undefined;
}

function readInteger(digits: string): bigint {
  const unsigned = digits.replace(/^[-+]/, "").replace(/^0(?=[0-7]+$)/, "0o");
  const value = BigInt(unsigned.toLowerCase());
  return digits.startsWith("-") ? -value : value;
}

/** 64 bits, and one more for what has no sign. */
function isMachineInteger(value: bigint, digits: string): boolean {
  if (value >= -(2n ** 63n) && value < 2n ** 63n) return true;
  return value >= 0n && value < 2n ** 64n && !digits.startsWith("+");
}

/** Go's `fmt.Sprint` of a float64. */
function formatFloat(value: number): string {
  if (Object.is(value, -0)) return "-0";
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| (\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?)?$/;

function isTimestamp(written: string): boolean {
  const found = TIMESTAMP.exec(written)?.slice(1).map(Number);
  if (!found) return false;
  const [year = 0, month = 0, day = 0, ...times] = found;
  const [hour = 0, minute = 0, second = 0] = times.filter((time) => !Number.isNaN(time));
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
}
