import type { OpenUnpack, World } from "../world.ts";

/** How a layer of an image is unpacked, or, as the end of a sentence about its type, why it is not. */
export function unpackerOf(
  mediaType: string,
  { openGunzip, openUnzstd }: Pick<World, "openGunzip" | "openUnzstd">,
): OpenUnpack | string {
  if (/[+.]gzip$/.test(mediaType)) return openGunzip;
  if (mediaType.endsWith("+zstd"))
    return openUnzstd ?? ", which Node unpacks from 22.15 on: have the job run where there is a newer one";
  return mediaType.endsWith(".tar") ? () => async (bytes) => [bytes] : ", which is not read here";
}
