#!/usr/bin/env node
// Makes the pictures of docs/ from the golden summaries, which are what the report writes: `node scripts/pictures.mjs [name…]`, from the
// repository's root. It fetches what renders them into a temporary folder, and needs a Chromium (Debian: chromium or
// chromium-headless-shell; CHROMIUM names another) and pngquant. A page is laid out as GitHub lays out a job's summary.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const WIDTH = 900;
const LARGEST = 150_000;
const PACKAGES = ["marked@18.0.7", "mermaid@11.12.2", "github-markdown-css@5.9.0"];

const wanted = process.argv.slice(2);
const names = readdirSync("test/golden")
  .flatMap((file) => /^summary-(.+)\.txt$/.exec(file)?.[1] ?? [])
  .filter((name) => wanted.length === 0 || wanted.includes(name));
const folder = mkdtempSync(join(tmpdir(), "pictures-"));
const chromium = findChromium();

try {
  execFileSync("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", ...PACKAGES], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const { marked } = await import(pathToFileURL(join(folder, "node_modules/marked/lib/marked.esm.js")).href);
  mkdirSync("docs", { recursive: true });
  for (const name of names) {
    const page = join(folder, `${name}.html`);
    writeFileSync(page, pageOf(marked.parse(readFileSync(`test/golden/summary-${name}.txt`, "utf8"), { gfm: true })));
    const height = Number(/data-height="(\d+)"/.exec(browse(page, ["--dump-dom"], 2000))?.[1]);
    if (!height) throw new Error(`${name}: the page did not tell its height`);
    const picture = resolve(`docs/summary-${name}.png`);
    browse(page, [`--screenshot=${picture}`, "--force-device-scale-factor=1.5"], height);
    execFileSync("pngquant", ["--force", "--skip-if-larger", "--speed", "1", "--output", picture, "64", picture]);
    const { size } = statSync(picture);
    if (size > LARGEST) throw new Error(`${picture} has ${size} bytes`);
    process.stdout.write(`${picture}: ${WIDTH}x${height}, ${size} bytes\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

function findChromium() {
  const candidates = [process.env.CHROMIUM, "chromium", "chromium-headless-shell", "google-chrome"];
  const found = candidates.find((program) => {
    try {
      return program && execFileSync(program, ["--version"], { stdio: "pipe" });
    } catch {
      return false;
    }
  });
  if (found) return found;
  throw new Error("There is no Chromium: install Debian's chromium-headless-shell, or name one in CHROMIUM.");
}

/** Nothing is fetched from anywhere: the page has all that it needs. */
function browse(page, args, height) {
  return execFileSync(
    chromium,
    [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=20000"],
      ...[`--window-size=${WIDTH},${height}`, "--allow-file-access-from-files", ...args, pathToFileURL(page).href],
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 },
  );
}

function pageOf(body) {
  const css = readFileSync(join(folder, "node_modules/github-markdown-css/github-markdown-light.css"), "utf8");
  return `<!doctype html>
<meta charset="utf-8">
<style>${css}
body { margin: 0; background: #fff; }
.markdown-body { box-sizing: border-box; width: ${WIDTH}px; padding: 20px 28px; font-family: "Liberation Sans", "Noto Color Emoji", sans-serif; }
.markdown-body code, .markdown-body pre { font-family: "DejaVu Sans Mono", monospace; }
.mermaid { text-align: center; }
</style>
<article class="markdown-body">${body}</article>
<script src="node_modules/mermaid/dist/mermaid.min.js"></script>
<script>
  for (const code of document.querySelectorAll("code.language-mermaid")) {
    const div = document.createElement("div");
    div.className = "mermaid";
    div.textContent = code.textContent;
    code.parentElement.replaceWith(div);
  }
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
  mermaid.run().finally(() => {
    document.body.dataset.height = Math.ceil(document.querySelector("article").getBoundingClientRect().height);
  });
</script>`;
}
