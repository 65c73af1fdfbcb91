// The repositories whose histories bench/histories.mjs makes up, and the commits to them. Each edit says for itself whether it changes what is
// in the image.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where another folder than the root is the workspace. */
export const WORKSPACES = { monorepo: "packages/api" };

const JSON_FILE = ".devcontainer/devcontainer.json";
const configuration = (more) =>
  `{\n  ${more},\n  "customizations": { "vscode": { "extensions": ["a.b"] } },\n  "forwardPorts": [3000]\n}\n`;
const DOCKERFILE = `# the dev container 0
FROM registry.test/base:1 AS tools
RUN echo tools 0
FROM registry.test/private:1 AS unused
RUN echo unused 0
FROM registry.test/base:1
ARG LEVEL=0
COPY --from=tools /etc/os-release /tools
COPY COPIED /opt/
RUN echo built 0
`;

/** Repositories as they begin. */
export const BEGIN = {
  own: {
    [JSON_FILE]: configuration('"build": { "dockerfile": "Dockerfile" }'),
    ".devcontainer/Dockerfile": DOCKERFILE.replace("COPIED", "setup.sh"),
    ".devcontainer/setup.sh": "echo 0\n",
    ".devcontainer/README.md": "read me 0\n",
    "src/main.c": "int main0;\n",
  },
  above: {
    [JSON_FILE]: configuration('"build": { "dockerfile": "Dockerfile", "context": ".." }'),
    ".devcontainer/Dockerfile": DOCKERFILE.replace("COPIED", "requirements*.txt"),
    "requirements.txt": "a==0\n",
    "src/main.c": "int main0;\n",
    "docs/index.md": "docs 0\n",
  },
  all: {
    [JSON_FILE]: configuration('"build": { "dockerfile": "Dockerfile", "context": ".." }'),
    ".devcontainer/Dockerfile": DOCKERFILE.replace("COPIED", "."),
    ".dockerignore": "# 0\n.git\n.devcontainer\n**/*.md\n!docs/kept.md\n",
    "src/main.c": "int main0;\n",
    "docs/index.md": "docs 0\n",
    "docs/kept.md": "kept 0\n",
  },
  image: {
    [JSON_FILE]: configuration('"image": "registry.test/base:1"'),
    "src/main.c": "int main0;\n",
    "README.md": "read me 0\n",
  },
  compose: {
    [JSON_FILE]:
      '{\n  "dockerComposeFile": "../compose.yml",\n  "service": "app",\n  "workspaceFolder": "/w0",\n  "forwardPorts": [3000]\n}\n',
    "compose.yml": `# 0
services:
  app:
    build:
      context: .
      dockerfile: docker/dev.Dockerfile
      target: dev
      args: { LEVEL: "0" }
      labels:
        one: "0"
        two: kept
    ports: ["8000:80"]
    volumes: [".:/w0"]
    depends_on: [db]
  db:
    image: registry.test/db:1
    environment: { WORD: "0" }
`,
    "docker/dev.Dockerfile": `FROM registry.test/base:1 as packages
COPY package.json package-lock*.json /app/
RUN echo packages 0
FROM registry.test/base:1 AS dev
ARG LEVEL=default0
ENV WORD="0" EDITOR=vi
COPY --from=packages /app /app
COPY --chown=0:0 --chmod=755 scripts/*.sh /usr/local/bin/
RUN ["echo", "dev0"]
FROM dev AS production
COPY . /app
RUN echo production 0
`,
    "package.json": "{}\n",
    "package-lock.json": '{ "version": 0 }\n',
    "scripts/setup.sh": "echo 0\n",
    "scripts/README.md": "read me 0\n",
    ".dockerignore": "# 0\nnode_modules\n",
    "src/index.js": "let a0;\n",
  },
  contexts: {
    [JSON_FILE]: configuration(
      '"build": { "dockerfile": "Dockerfile", "options": ["--build-context=lib=lib", "--build-context=docs=docs", "--label=one=0", "--label=two=0"] }',
    ),
    ".devcontainer/Dockerfile": `FROM registry.test/base:1
COPY --from=lib bin/* /usr/local/bin/
RUN --mount=type=bind,from=lib,source=etc,target=/m cp /m/conf /etc/conf
RUN echo built 0
`,
    "lib/bin/tool": "tool 0\n",
    "lib/etc/conf": "conf 0\n",
    "lib/README.md": "read me 0\n",
    "docs/index.md": "docs 0\n",
  },
  features: {
    [JSON_FILE]: `{
  // 0
  "image": "registry.test/base:1",
  "features": {
    "registry.test/f/tool:1": { "version": "0", "flag": true },
    "registry.test/f/other:1": {},
    "./local": { "word": "kept" }
  },
  "overrideFeatureInstallOrder": ["registry.test/f/other"],
  "remoteUser": "user0",
  "forwardPorts": [3000]
}
`,
    ".devcontainer/local/devcontainer-feature.json": '{ "id": "local", "options": { "word": { "default": "a" } } }\n',
    ".devcontainer/local/install.sh": "echo 0\n",
    ".devcontainer/notes.md": "notes 0\n",
    "src/main.c": "int main0;\n",
  },
  monorepo: {
    "packages/api/.devcontainer/devcontainer.json": configuration(
      '"build": { "dockerfile": "Dockerfile", "context": ".." },\n  "remoteUser": "user0",\n  "runArgs": ["--hostname=h0"]',
    ),
    "packages/api/.devcontainer/Dockerfile": `# syntax=docker/dockerfile:1
FROM registry.test/base:1
COPY --parents requirements*.txt plugins/*/requirements.txt /tmp/
COPY <<EOF /etc/level
level 0
EOF
RUN <<EOF
echo 0
EOF
`,
    "packages/api/requirements.txt": "a==0\n",
    "packages/api/plugins/one/requirements.txt": "b==0\n",
    "packages/api/plugins/one/main.py": "one = 0\n",
    "packages/web/index.js": "let a0;\n",
    ".dockerignore": "# 0\n",
    "README.md": "read me 0\n",
  },
};

/** Raises the number behind the first place where a text fits. */
const raise = (path, before) => (root, number) => {
  const text = readFileSync(join(root, path), "utf8");
  const after = text.replace(new RegExp(`(${before})\\d+`), `$1${number}`);
  if (after === text) throw new Error(`${path} has no ${before}`);
  writeFileSync(join(root, path), after);
};
const change = (path, replace) => (root) => {
  const text = readFileSync(join(root, path), "utf8");
  const after = replace(text);
  if (after === text) throw new Error(`${path} is not as it was made`);
  writeFileSync(join(root, path), after);
};
/** The first and the last group of a pattern, each in the place of the other. */
const swap = (path, pattern) =>
  change(path, (text) =>
    text.replace(pattern, (...groups) =>
      groups
        .slice(1, 7)
        .filter((one) => one !== undefined)
        .reverse()
        .join(""),
    ),
  );
const toggle = (path, one, other) =>
  change(path, (text) => (text.includes(one) ? text.replace(one, other) : text.replace(other, one)));
const place = (path) => (root, number) => {
  const full = join(root, path.replace("N", number));
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, `new ${number}\n`);
};
const flip = (path) => (root, number) => chmodSync(join(root, path), number % 2 === 0 ? 0o755 : 0o644);
const move = (one, other) => (root) => {
  const there = execFileSync("git", ["-C", root, "ls-files", one], { encoding: "utf8" }).trim() !== "";
  renameSync(join(root, there ? one : other), join(root, there ? other : one));
};

const IN_DOCKERFILE = [
  { moves: false, edit: raise(".devcontainer/Dockerfile", "# the dev container ") },
  { moves: false, edit: raise(".devcontainer/Dockerfile", "echo unused ") },
  { moves: false, edit: raise(".devcontainer/Dockerfile", "registry.test/private:") },
  { moves: true, edit: raise(".devcontainer/Dockerfile", "echo tools ") },
  { moves: true, edit: raise(".devcontainer/Dockerfile", "echo built ") },
  { moves: true, edit: raise(".devcontainer/Dockerfile", "ARG LEVEL=") },
];
const IN_CONFIGURATION = [
  // The label says it: the image is another one.
  { moves: true, edit: raise(JSON_FILE, '"forwardPorts": \\[') },
  { moves: false, edit: place(".devcontainer/notes/N.md") },
];
/** What a team does to them, and whether that moves what is in the image. */
export const EDITS = {
  own: [
    ...IN_DOCKERFILE,
    ...IN_CONFIGURATION,
    { moves: true, edit: raise(".devcontainer/setup.sh", "echo ") },
    { moves: true, edit: flip(".devcontainer/setup.sh") },
    { moves: false, edit: raise(".devcontainer/README.md", "read me ") },
    { moves: false, edit: raise("src/main.c", "int main") },
  ],
  above: [
    ...IN_DOCKERFILE,
    ...IN_CONFIGURATION,
    { moves: true, edit: raise("requirements.txt", "a==") },
    { moves: true, edit: place("requirements-N.txt") },
    { moves: false, edit: raise("src/main.c", "int main") },
    { moves: false, edit: place("src/N.c") },
    { moves: false, edit: raise("docs/index.md", "docs ") },
    { moves: false, edit: flip("src/main.c") },
  ],
  all: [
    ...IN_DOCKERFILE,
    ...IN_CONFIGURATION,
    { moves: true, edit: raise("src/main.c", "int main") },
    { moves: true, edit: place("src/N.c") },
    { moves: true, edit: flip("src/main.c") },
    { moves: true, edit: raise("docs/kept.md", "kept ") },
    { moves: true, edit: move("src/there.c", "src/here.c") },
    { moves: true, edit: raise(".dockerignore", "# ") },
    { moves: false, edit: raise("docs/index.md", "docs ") },
    { moves: false, edit: place("docs/N.md") },
  ],
  image: [
    ...IN_CONFIGURATION,
    { moves: true, edit: raise(JSON_FILE, "registry.test/base:") },
    { moves: false, edit: raise("src/main.c", "int main") },
    { moves: false, edit: raise("README.md", "read me ") },
  ],
  compose: [
    { moves: false, edit: raise("compose.yml", "# ") },
    { moves: false, edit: raise("compose.yml", '"8') },
    { moves: false, edit: raise("compose.yml", ":/w") },
    { moves: false, edit: raise("compose.yml", "registry.test/db:") },
    { moves: false, edit: raise("compose.yml", 'WORD: "') },
    { moves: false, edit: swap("compose.yml", /( +one: "\d+"\n)()( +two: kept\n)|( +two: kept\n)()( +one: "\d+"\n)/) },
    { moves: true, edit: raise("compose.yml", 'LEVEL: "') },
    { moves: true, edit: raise("compose.yml", 'one: "') },
    { moves: false, edit: raise(JSON_FILE, '"/w') },
    { moves: true, edit: raise(JSON_FILE, '"forwardPorts": \\[') },
    { moves: false, edit: raise("docker/dev.Dockerfile", "default") },
    { moves: false, edit: raise("docker/dev.Dockerfile", "echo production ") },
    { moves: false, edit: toggle("docker/dev.Dockerfile", "as packages", "AS packages") },
    { moves: false, edit: toggle("docker/dev.Dockerfile", "--chown=0:0 --chmod=755", "--chmod=755 --chown=0:0") },
    { moves: false, edit: toggle("docker/dev.Dockerfile", "EDITOR=vi", 'EDITOR="vi"') },
    { moves: false, edit: toggle("docker/dev.Dockerfile", '["echo", "', '["echo","') },
    { moves: true, edit: raise("docker/dev.Dockerfile", 'WORD="') },
    { moves: true, edit: raise("docker/dev.Dockerfile", '"dev') },
    { moves: true, edit: raise("docker/dev.Dockerfile", "echo packages ") },
    { moves: true, edit: raise("package-lock.json", '"version": ') },
    { moves: true, edit: place("package-lock-N.json") },
    { moves: true, edit: place("scripts/N.sh") },
    { moves: true, edit: raise("scripts/setup.sh", "echo ") },
    { moves: false, edit: flip("scripts/README.md") },
    { moves: false, edit: raise("scripts/README.md", "read me ") },
    { moves: false, edit: raise(".dockerignore", "# ") },
    { moves: false, edit: raise("src/index.js", "let a") },
  ],
  contexts: [
    { moves: true, edit: raise("lib/bin/tool", "tool ") },
    { moves: true, edit: place("lib/bin/N") },
    { moves: true, edit: raise("lib/etc/conf", "conf ") },
    { moves: false, edit: raise("lib/README.md", "read me ") },
    { moves: false, edit: place("lib/src/N.c") },
    { moves: false, edit: raise("docs/index.md", "docs ") },
    { moves: true, edit: raise(JSON_FILE, "one=") },
    {
      moves: false,
      edit: swap(JSON_FILE, /("--label=one=\d+")(, )("--label=two=0")|("--label=two=0")(, )("--label=one=\d+")/),
    },
    { moves: true, edit: raise(".devcontainer/Dockerfile", "echo built ") },
  ],
  features: [
    { moves: false, edit: raise(JSON_FILE, "// ") },
    { moves: true, edit: raise(JSON_FILE, '"version": "') },
    { moves: true, edit: raise(JSON_FILE, '"user') },
    { moves: true, edit: raise(JSON_FILE, '"forwardPorts": \\[') },
    {
      moves: false,
      edit: swap(
        JSON_FILE,
        /("[^"]+other:1": \{\})(,\s+)("\.\/local": \{[^}]+\})|("\.\/local": \{[^}]+\})(,\s+)("[^"]+other:1": \{\})/,
      ),
    },
    {
      moves: false,
      edit: swap(JSON_FILE, /("version": "\d+")(, )("flag": true)|("flag": true)(, )("version": "\d+")/),
    },
    { moves: true, edit: raise(".devcontainer/local/install.sh", "echo ") },
    { moves: true, edit: place(".devcontainer/local/N.sh") },
    { moves: false, edit: raise(".devcontainer/notes.md", "notes ") },
    { moves: false, edit: raise("src/main.c", "int main") },
  ],
  monorepo: [
    { moves: true, edit: raise("packages/api/requirements.txt", "a==") },
    { moves: true, edit: raise("packages/api/plugins/one/requirements.txt", "b==") },
    { moves: true, edit: place("packages/api/plugins/N/requirements.txt") },
    { moves: false, edit: raise("packages/api/plugins/one/main.py", "one = ") },
    { moves: false, edit: place("packages/api/plugins/one/N.py") },
    { moves: false, edit: raise("packages/web/index.js", "let a") },
    { moves: false, edit: raise(".dockerignore", "# ") },
    { moves: false, edit: raise("README.md", "read me ") },
    { moves: true, edit: raise("packages/api/.devcontainer/Dockerfile", "level ") },
    { moves: true, edit: raise("packages/api/.devcontainer/Dockerfile", "echo ") },
    { moves: false, edit: raise("packages/api/.devcontainer/devcontainer.json", "hostname=h") },
    // The label says who works there.
    { moves: true, edit: raise("packages/api/.devcontainer/devcontainer.json", '"user') },
  ],
};
