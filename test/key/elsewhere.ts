import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { keysOf } from "./around.ts";
import { filesOf, IMAGES, LAYOUTS } from "./layouts.ts";

// A program: `make FOLDER` checks every layout out into that folder, with the modes that the umask leaves, as git does; `read FOLDER` prints
// the keys of what it finds there. It is bundled, so that every Node can run it.

const [, , what, folder = ""] = argv;

if (what === "make")
  for (const [at, layout] of LAYOUTS.entries())
    for (const [path, content] of Object.entries(filesOf(layout))) {
      const full = join(folder, String(at), path);
      mkdirSync(dirname(full), { recursive: true });
      if (typeof content === "string") writeFileSync(full, content);
      else if ("script" in content) writeFileSync(full, content.script, { mode: 0o777 });
      else symlinkSync(content.link, full);
    }
else {
  const env = Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ""]));
  const found = readdirSync(folder).sort();
  const keys = found.map((name) => keysOf({ workspace: join(folder, name), images: IMAGES, env }));
  console.log(JSON.stringify(await Promise.all(keys)));
}
