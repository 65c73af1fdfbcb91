// Makes dist/ of what tsc has written to build/: ncc bundles, esbuild minifies (what ncc's own minifier writes starts 15 ms later on Node 24), and the licences
// of all packages are collected.
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";

const ncc = (entry, to, ...options) =>
  execFileSync("npx", ["ncc", "build", entry, "--no-cache", "--quiet", "-o", to, ...options], { stdio: "inherit" });

// What nobody here uses of some packages is left out of the copies of them that are bundled: else it would be more than a third of what runners download.
const inCopy = (path) => `build/node_modules/${path}`;
const rewrite = (path, change) => writeFileSync(inCopy(path), change(readFileSync(inCopy(path), "utf8")));
const rewriteJson = (path, change) => rewrite(path, (text) => JSON.stringify(change(JSON.parse(text))));
for (const name of [
  "@actions",
  "@azure",
  "@typespec",
  "@protobuf-ts",
  "@octokit/plugin-rest-endpoint-methods",
  "jsonc-parser",
  "undici",
])
  cpSync(`node_modules/${name}`, inCopy(name), { recursive: true });

// Of @actions/core only the runner's commands are used. It does not say that its modules can be left out one by one, so its HTTP client, and undici with that,
// would be read by every run, for an OIDC token that none asks for: some 25 ms.
rewriteJson("@actions/core/package.json", (core) => ({ ...core, sideEffects: false }));
// @azure's packages say that of themselves, and in the folder of their modules stands another package.json, which does not.
for (const path of readdirSync(inCopy(""), { recursive: true }).filter((name) =>
  name.endsWith("/dist/esm/package.json"),
))
  rmSync(inCopy(path));
// CommonJS is bundled whole, and these are there as modules too.
for (const name of ["@protobuf-ts/runtime", "@protobuf-ts/runtime-rpc", "jsonc-parser"])
  rewriteJson(`${name}/package.json`, (its) => ({ ...its, main: its.module, sideEffects: false }));
// One branch is asked for, of a thousand things that GitHub can be asked for.
const endpoints = "@octokit/plugin-rest-endpoint-methods/dist-src/generated/endpoints.js";
const { getBranch } = (await import(`../${inCopy(endpoints)}`)).default.repos;
rewrite(endpoints, () => `export default ${JSON.stringify({ repos: { getBranch } })};`);
// Connections are used, and what a browser has on top of them is not; what reads HTTP is there twice, for a processor without SIMD too.
rewrite("undici/lib/llhttp/llhttp_simd-wasm.js", () => 'module.exports = require("./llhttp-wasm.js");');
for (const folder of ["mock", "web/websocket", "web/eventsource", "web/cookies"])
  for (const file of readdirSync(inCopy(`undici/lib/${folder}`)))
    if (file.endsWith(".js")) rewrite(`undici/lib/${folder}/${file}`, () => "module.exports = {};");

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
