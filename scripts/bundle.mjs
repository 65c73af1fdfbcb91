// Makes dist/ of what tsc has written to build/: ncc bundles, esbuild minifies (what ncc's own minifier writes starts 15 ms later on Node 24), and the licences
// of all packages are collected.
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";

const ncc = (entry, to, ...options) =>
  execFileSync("npx", ["ncc", "build", entry, "--no-cache", "--quiet", "-o", to, ...options], { stdio: "inherit" });

// Of @actions/core only the runner's commands are used. It does not say that its modules can be left out one by one, so its HTTP client, and undici with that,
// would be read by every run, for an OIDC token that none asks for: some 25 ms.
cpSync("node_modules/@actions/core", "build/node_modules/@actions/core", { recursive: true });
const core = "build/node_modules/@actions/core/package.json";
writeFileSync(core, JSON.stringify({ ...JSON.parse(readFileSync(core, "utf8")), sideEffects: false }));

ncc("build/src/main.js", "dist");
for (const name of readdirSync("dist").filter((file) => file.endsWith(".js"))) {
  const { code } = transformSync(readFileSync(`dist/${name}`, "utf8"), {
    minify: true,
    format: "esm",
    target: "node20",
    legalComments: "none",
  });
  writeFileSync(`dist/${name}`, code);
}

// ncc's list names the packages of one chunk only, where several hold some: so it is made from a bundle of nothing but the dependencies.
const names = Object.keys(JSON.parse(readFileSync("package.json", "utf8")).dependencies);
const lines = names.map((name, at) => `import * as package${at} from "${name}";`);
writeFileSync("build/all.js", [...lines, `console.log(${names.map((_, at) => `package${at}`)});`].join("\n"));
ncc("build/all.js", "build/all", "--license", "licenses.txt");
copyFileSync("build/all/licenses.txt", "dist/licenses.txt");
rmSync("build", { recursive: true });
for (const name of readdirSync("dist")) console.log(`dist/${name}: ${readFileSync(`dist/${name}`).length} bytes`);
