import { parseReference } from "../oci/reference.ts";
import { type ReadInput, text, wrong } from "./read-input.ts";
import { isSwitch } from "./slips.ts";

/** The name of an image. @throws ActionError E_INPUT for what is none, or none that anybody can have meant. */
export function image(read: ReadInput, name: string): string | undefined {
  const value = text(read, name);
  if (value === undefined) return undefined;
  const why = faultOfImage(value);
  if (why === undefined) return value;
  throw wrong(name, value, "Allowed: an image's name, like debian:12 or ghcr.io/team/app:1.", why);
}

/** What is wrong with the name of an image as a sentence's end. Docker Hub would have some of these, in its own library. */
export function faultOfImage(value: string): string | undefined {
  if (/^sha256:[0-9a-f]{64}$/.test(value)) return "it is a digest alone, without the repository in front";
  if (value === "latest") return "it is a tag alone, without the image in front";
  if (isSwitch(value)) return "it is the word of a switch";
  const reference = parseReference(value);
  if ("wrong" in reference) return `it is no image: ${reference.wrong}`;
  return /^[^/:]*\.[^/]*$/.test(value) ? "it is a registry without a repository" : undefined;
}
