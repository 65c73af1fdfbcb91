import type { Clock, RegistryError } from "../world.ts";
import { type Challenge, chooseChallenge } from "./challenge.ts";
import { errorOf } from "./errors.ts";
import { follow, persist, type TimedHttp } from "./transport.ts";

const LIMIT = 64 * 1024;

/**
 * Asks a registry as a whole what it wants of those who have a login, as docker does before everything else.
 * @returns its challenge; nothing where it wants none; an error where that could not be found out.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#determining-support
 */
export async function askForChallenge(
  http: TimedHttp,
  clock: Clock,
  origin: URL,
): Promise<Challenge | RegistryError | undefined> {
  const request = { method: "GET", url: new URL("/v2/", origin), headers: {}, limit: LIMIT } as const;
  const reply = await persist(http, clock, () => follow(http, { ...request, authorization: undefined }));
  if (reply.kind === "failed") return reply.error;
  const { response, url } = reply;
  // Nobody else may say where a login goes.
  if (url.origin !== origin.origin) return undefined;
  const challenge = chooseChallenge(response.headers["www-authenticate"]);
  if (response.status === 401 && challenge) return challenge;
  const error = errorOf(reply);
  return error.kind === "absent" || error.kind === "malformed" ? undefined : error;
}
