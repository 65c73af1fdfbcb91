import type { Transform } from "node:stream";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import type { Gunzip, OpenUnpack } from "../world.ts";

const unpackAsync = promisify(zlib.gunzip);

/** Unpacks gzip with the runtime's own library. */
export const gunzip: Gunzip = async (packed, limit) => {
  try {
    return await unpackAsync(packed, { maxOutputLength: limit });
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
};

/** Unpacks gzip piece by piece. What stands behind its end is not looked at. */
export const openGunzip: OpenUnpack = () => openStream(zlib.createGunzip());

/** Unpacks zstd piece by piece, where the runtime has it. */
export const openUnzstd: OpenUnpack | undefined = findUnzstd();

function findUnzstd(): OpenUnpack | undefined {
  // The types are those of Node 20, which has none.
  const create: unknown = Reflect.get(zlib, "createZstdDecompress");
  return typeof create === "function" ? () => openStream(create()) : undefined;
}

function openStream(stream: Transform): ReturnType<OpenUnpack> {
  let failed: Error | undefined;
  let unpacked: Uint8Array[] = [];
  stream.on("data", (chunk: Uint8Array) => unpacked.push(chunk));
  // A stream that is over, or broken, calls nobody back.
  const over = new Promise<void>((tell) => {
    stream.on("end", tell);
    stream.on("error", (error) => {
      failed = error;
      tell();
    });
  });
  return async (packed) => {
    await Promise.race([over, new Promise<void>((done) => stream.write(packed, () => done()))]);
    const given = unpacked;
    unpacked = [];
    return failed ? { wrong: failed.message } : given;
  };
}
