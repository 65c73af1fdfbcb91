import { tellSome } from "../errors.ts";
import { tellMeant } from "../nearest.ts";
import { readFields, readMount } from "./flags.ts";
import { parseGoDuration } from "./go-duration.ts";
import { lowerCase } from "./text.ts";

/**
 * What is wrong with the value of a flag that every frontend of Docker's refuses where it reads the line.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/instructions/parse.go (parseHealthcheck), commands_runmount.go,
 * commands_runnetwork.go, commands_runsecurity.go, commands_rundevice.go
 */
export function wrongValue(name: string, value: string): string | undefined {
  switch (name) {
    case "network":
      return oneOf(name, value, ["default", "none", "host"]);
    case "security":
      return oneOf(name, value, ["sandbox", "insecure"]);
    case "interval":
    case "timeout":
    case "start-period":
    case "start-interval":
      return isInterval(value) ? undefined : `--${name} wants a time of at least 1ms, like 30s or 1m30s`;
    case "retries":
      return isCount(value) ? undefined : "--retries wants a whole number, 0 or more";
    case "mount":
      return wrongMount(value);
    case "device":
      return wrongDevice(value);
    default:
      return undefined;
  }
}

function oneOf(name: string, value: string, allowed: readonly string[]): string | undefined {
  return allowed.includes(value) ? undefined : `--${name} is one of ${allowed.join(", ")}, as it is written there`;
}

const MILLISECOND = 1e6;

function isInterval(text: string): boolean {
  const duration = text === "" ? 0 : parseGoDuration(text);
  return duration !== undefined && (duration === 0 || duration >= MILLISECOND);
}

/** An empty one is none. */
function isCount(text: string): boolean {
  return /^(?:[+-]?[0-9]+)?$/.test(text) && Number(text) >= 0 && Number(text) < 2 ** 31;
}

const NO_FIELDS = "lists its fields with commas, a field with a comma in double quotes";

function wrongMount(value: string): string | undefined {
  const options = readMount(`--mount=${value}`);
  if (!options) return `--mount ${NO_FIELDS}, like type=cache,target=/path`;
  const isVariable = options.some(([key, from]) => key === "from" && /\$./s.test(from));
  return isVariable ? "--mount takes no variable in from: name a stage there" : undefined;
}

function wrongDevice(value: string): string | undefined {
  const fields = readFields(value);
  if (!fields) return `--device ${NO_FIELDS}`;
  let name = "";
  for (const field of fields) {
    const equals = field.indexOf("=");
    const key = lowerCase(equals < 0 ? field : field.slice(0, equals));
    const given = equals < 0 ? undefined : field.slice(equals + 1);
    if (key === "required" && given === undefined) continue;
    if (key === "required" && !isGoBoolean(given ?? "")) return "--device wants true or false for required";
    if (key === "required") continue;
    if (name !== "") return "--device names more than one device";
    name = key === "name" && given !== undefined ? given : field;
  }
  return undefined;
}

/** https://pkg.go.dev/strconv#ParseBool */
function isGoBoolean(text: string): boolean {
  return /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(text);
}

const TYPES: readonly string[] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const SWITCHES: readonly string[] = ["readonly", "ro", "readwrite", "rw", "required"];
const OPTIONS: readonly string[] = [
  ...[
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "id",
    "sharing",
    "size",
    "mode",
    "uid",
    "gid",
    "env",
  ],
  ...SWITCHES,
];
const SHARINGS: readonly string[] = ["shared", "private", "locked"];

/**
 * What nothing up to now knows in a `--mount`. The builder looks at it once the stage is built, and replaces variables before that.
 * @returns sentences without their end.
 */
export function unknownInMount(flag: string): readonly string[] {
  return (readMount(flag) ?? []).flatMap(([key, value]): readonly string[] => {
    if (key === "" && value === "")
      return ["A comma ends --mount: the blank behind it ends the list, and the rest belongs to the command"];
    if (!OPTIONS.includes(key)) return unknownWord("option", key, OPTIONS);
    if (key === "type") return unknownWord("type", value, TYPES);
    return key === "sharing" ? unknownWord("sharing", value, SHARINGS) : [];
  });
}

function unknownWord(name: string, value: string, known: readonly string[]): readonly string[] {
  if (value.includes("$") || known.includes(lowerCase(value))) return [];
  const meant = tellMeant(value, known);
  return [
    `--mount has no ${name} ${tellSome([JSON.stringify(value)])} that is known here, it has ${known.join(", ")}${meant}`,
  ];
}
