import { promisify } from "node:util";
import { gunzip as unpack } from "node:zlib";
import type { Gunzip } from "../world.ts";

const unpackAsync = promisify(unpack);

/** Unpacks gzip with the runtime's own library. */
export const gunzip: Gunzip = async (packed, limit) => {
  try {
    return await unpackAsync(packed, { maxOutputLength: limit });
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
};
