// Writes dist/licenses.txt: the licences of all packages that the bundle may hold. ncc's own list names the packages of one chunk only, where several
// chunks hold some; so it is made from a bundle of nothing but the dependencies, which is thrown away.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const work = "build/licenses";
const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const names = Object.keys(dependencies);
mkdirSync(work, { recursive: true });
const lines = names.map((name, at) => `import * as package${at} from "${name}";`);
writeFileSync(`${work}/all.js`, [...lines, `console.log(${names.map((_, at) => `package${at}`)});`].join("\n"));
const args = [
  "ncc",
  "build",
  `${work}/all.js`,
  "--no-cache",
  "--quiet",
  "--license",
  "licenses.txt",
  "-o",
  `${work}/dist`,
];
execFileSync("npx", args, { stdio: "inherit" });
copyFileSync(`${work}/dist/licenses.txt`, "dist/licenses.txt");
rmSync("build", { recursive: true });
