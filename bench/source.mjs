// The action's own reading and probing, from source, for the benches that need neither an engine nor a registry.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** @param folder where the bundle is written: a temporary one of the bench's own. */
export async function loadSource(folder) {
  const outfile = join(folder, "source.mjs");
  await build({
    stdin: {
      contents: `
        export { featureOf, hostOf, indexOf, inputsOf, portsOf, readFrom, registryOf } from "./test/plan-of.ts";
        export { openFiles } from "./src/host/files.ts";
        export { probe } from "./src/probe/probe.ts";
      `,
      resolveDir: process.cwd(),
    },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    mainFields: ["module", "main"],
    logLevel: "error",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  return import(pathToFileURL(outfile));
}
