import { expect, it } from "vitest";
import { refusalOf } from "../devcontainer/refusal.ts";
import { DEVCONTAINER, read } from "./project.ts";
import type { Row } from "./rows.ts";

type Refused = Omit<Row, "says"> & { readonly what: string; readonly fix?: string; readonly at: string };

const rows: readonly Refused[] = [
  {
    name: "no such service",
    files: "services:\n  web: {image: a}\n  db: {image: b}\n",
    what: 'service is "app", and the compose files have no such service.',
    fix: "The services there are: web, db.",
    at: `${DEVCONTAINER}:2`,
  },
  {
    name: "no compose file",
    files: {},
    what: "dockerComposeFile names compose.yml, and there is no such file.",
    fix: "Correct the path, or check the file in; upper and lower case count.",
    at: `${DEVCONTAINER}:1`,
  },
  {
    name: "a compose file outside of the workspace",
    files: {},
    compose: ["../compose.yml"],
    what: 'dockerComposeFile is "/home/dev/compose.yml", which leaves the checkout.',
    fix: "Keep what the image is built from inside the repository: nothing else is in the commit.",
    at: `${DEVCONTAINER}:1`,
  },
  {
    name: "no YAML",
    files: "services:\n  app:\n\timage: a\n",
    what: "compose.yml is not YAML: Tabs are not allowed as indentation.",
    fix: "Correct the line; indentation counts.",
    at: "compose.yml:3",
  },
  {
    name: "nothing in the file",
    files: "---\n",
    what: "compose.yml does not hold a mapping at its top.",
    at: "compose.yml:1",
  },
  {
    name: "a name twice",
    files: "services:\n  app:\n    image: a\n    user: b\n    image: c\n",
    what: "image occurs twice in one mapping; first in line 3.",
    at: "compose.yml:5",
  },
  {
    name: "a name that is a number",
    files: "services:\n  app:\n    build:\n      args:\n        1: x\n",
    what: "The name 1 is not a text to YAML.",
    fix: "Put it between quotes.",
    at: "compose.yml:5",
  },
  {
    name: "a name that is a list",
    files: "services:\n  ? [app]\n  : x\n",
    what: "A name is not a text.",
    at: "compose.yml:2",
  },
  {
    name: "an alias without an anchor",
    files: "services:\n  app:\n    image: *i\n",
    what: "There is no anchor &i before the alias *i.",
    fix: "Put &i on the value that is meant, above this line.",
    at: "compose.yml:3",
  },
  {
    name: "an anchor in itself",
    files: "services:\n  app: &a\n    build: *a\n",
    what: "An anchor contains an alias of itself.",
    at: "compose.yml:3",
  },
  {
    name: "an image that is a number",
    files: "services:\n  app:\n    image: 5\n",
    what: "services.app.image is 5, which is not a text.",
    at: "compose.yml:3",
  },
  {
    name: "a context that leaves the checkout",
    files: "services:\n  app:\n    build:\n      context: ../../x\n",
    what: 'services.app.build.context is "../../x", which leaves the checkout.',
    fix: "Keep what the image is built from inside the repository: nothing else is in the commit.",
    at: "compose.yml:4",
  },
  {
    name: "a context that comes from the environment, whose value is not told",
    files: "services:\n  app:\n    build: $FOLDER\n",
    env: { FOLDER: "/secret" },
    what: "services.app.build.context is a value from the environment, which leaves the checkout.",
    at: "compose.yml:3",
  },
  {
    name: "a context in the home folder",
    files: "services:\n  app:\n    build: ~/x\n",
    what: 'services.app.build.context is "~/x", which leaves the checkout.',
    at: "compose.yml:3",
  },
  {
    name: "a Dockerfile that leaves the checkout",
    files: "services:\n  app:\n    build: {dockerfile: /etc/passwd}\n",
    what: 'services.app.build.dockerfile is "/etc/passwd", which leaves the checkout.',
    at: "compose.yml:3",
  },
  {
    name: "an additional context that leaves the checkout",
    files: "services:\n  app:\n    build:\n      additional_contexts:\n        up: ..\n",
    what: 'services.app.build.additional_contexts.up is "..", which leaves the checkout.',
    at: "compose.yml:5",
  },
  {
    name: "a key that leaves the checkout",
    files: "services:\n  app:\n    build:\n      ssh: [k=~/.ssh/id]\n",
    what: 'services.app.build.ssh.k is "~/.ssh/id", which leaves the checkout.',
    at: "compose.yml:4",
  },
  {
    name: "a key outside the workspace in an id",
    files: "services:\n  app:\n    build:\n      ssh: { 'k=/root/.ssh/id_rsa': }\n",
    what: 'services.app.build.ssh names the id "k=/root/.ssh/id_rsa".',
    at: "compose.yml:4",
  },
  {
    name: "a second key in an id",
    files: "services:\n  app:\n    build:\n      ssh: { 'k=/root/.ssh/id_rsa,x': ./key }\n",
    what: 'services.app.build.ssh names the id "k=/root/.ssh/id_rsa,x".',
    at: "compose.yml:4",
  },
  {
    name: "an address in the name of an additional context",
    files: "services:\n  app:\n    build:\n      additional_contexts: { 'a=https://evil.test/x?': . }\n",
    what: 'services.app.build.additional_contexts names the context "a=https://evil.test/x?": docker would take what stands behind the = for where it is.',
    at: "compose.yml:4",
  },
  {
    name: "extends a file that leaves the checkout",
    files: "services:\n  app:\n    extends: {service: a, file: ../a.yml}\n",
    what: 'services.app.extends.file is "../a.yml", which leaves the checkout.',
    at: "compose.yml:3",
  },
  {
    name: "includes a file that leaves the checkout",
    files: "include: [/etc/x.yml]\n",
    what: 'include.path is "/etc/x.yml", which leaves the checkout.',
    at: "compose.yml:1",
  },
  {
    name: "extends a file that is not there",
    files: "services:\n  app:\n    extends: {service: a, file: sub/a.yml}\n",
    what: "services.app.extends.file names sub/a.yml, and there is no such file.",
    fix: "Correct the path, or check the file in; upper and lower case count.",
    at: "compose.yml:3",
  },
  {
    name: "extends a service that is not there",
    files: {
      "compose.yml": "services:\n  app:\n    extends: {service: a, file: b.yml}\n",
      "b.yml": "services: {c: {}}\n",
    },
    what: 'services.app extends "a", and there is no such service in b.yml.',
    fix: "The services there are: c.",
    at: "compose.yml:3",
  },
  {
    name: "services that extend one another",
    files: "services:\n  app:\n    extends: b\n  b:\n    extends: app\n",
    what: "Services extend one another in a circle: app in compose.yml → b in compose.yml → app in compose.yml.",
    at: "compose.yml:3",
  },
  {
    name: "files that include one another",
    files: { "compose.yml": "include: [b.yml]\n", "b.yml": "include:\n  - compose.yml\n" },
    what: "Compose files include one another in a circle, which comes back to compose.yml.",
    at: "b.yml:2",
  },
  {
    name: "an included service that is there already",
    files: {
      "compose.yml": "include: [b.yml]\nservices:\n  app: {image: a}\n",
      "b.yml": "services: {app: {image: b}}\n",
    },
    what: "services.app is also in b.yml:1, which is included here.",
    at: "compose.yml:3",
  },
  {
    name: "an image of a variable that is not set",
    files: "services:\n  app:\n    image: ${NOPE}\n",
    what: "services.app.image is empty once its variables are replaced.",
    fix: "Give each of them a value, in the step's environment or in the .env file beside the first compose file, or name an image.",
    at: "compose.yml:3",
  },
  {
    name: "a variable that has to be set",
    files: "services:\n  app:\n    image: ${IMAGE:?say which}\n",
    what: "The variable IMAGE has to be set: say which.",
    fix: "Set IMAGE for this step (env:), or in the .env file beside the first compose file.",
    at: "compose.yml:3",
  },
  {
    name: "what has to be set does not tell what is set",
    files: "services:\n  app:\n    image: ${IMAGE:?not $TOKEN}\n",
    env: { TOKEN: "secret" },
    what: "The variable IMAGE has to be set: not $TOKEN.",
    at: "compose.yml:3",
  },
  {
    name: "no form of a variable",
    files: "services:\n  app:\n    image: ${IMAGE!}\n",
    what: "A ${ in this value does not begin a variable.",
    fix: "Write ${NAME} or ${NAME:-default}, and $$ for a dollar sign.",
    at: "compose.yml:3",
  },
  {
    name: "lines of .env that double one another",
    files: {
      "compose.yml": "services: {}\n",
      ".env": `V0=${"x".repeat(1024)}\n${Array.from({ length: 40 }, (_, number) => `V${number + 1}=$V${number}$V${number}\n`).join("")}`,
    },
    what: "With its variables replaced this value has more than 1048576 characters.",
    fix: "Look for variables that are made of one another several times over.",
    at: ".env:12",
  },
  {
    name: "a line of .env, whose text is not told",
    files: { "compose.yml": "services: {}\n", ".env": "A=1\nB='two\nlines'\nmy secret!\n" },
    what: "This line does not begin with the name of a variable.",
    fix: "Write NAME=value; a comment begins with #.",
    at: ".env:4",
  },
  {
    name: "an env file that is not there",
    files: "services: {}\n",
    env: { COMPOSE_ENV_FILES: "a.env" },
    what: "COMPOSE_ENV_FILES names a.env, and there is no such file.",
    at: `${DEVCONTAINER}:1`,
  },
  {
    name: "two forms that do not go together",
    files: {
      "a.yml": "services:\n  app:\n    build:\n      cache_from: [a]\n",
      "b.yml": "services:\n  app:\n    build:\n      cache_from: a\n",
    },
    compose: ["a.yml", "b.yml"],
    what: "build.cache_from is a scalar here and a list in a.yml:4: compose cannot put them together.",
    at: "b.yml:4",
  },
  {
    name: "a secret that is not defined",
    files: "services:\n  app:\n    build:\n      secrets: [a]\nsecrets: {b: {environment: B}}\n",
    what: 'A build wants the secret "a", and the compose files have none of that name.',
    fix: "Those there are: b.",
    at: "compose.yml:4",
  },
  {
    name: "a secret whose name comes from the environment",
    files: "services:\n  app:\n    build:\n      secrets: [$A]\n",
    env: { A: "hidden" },
    what: "A build wants the secret a value from the environment, and the compose files have none of that name.",
    at: "compose.yml:4",
  },
  {
    name: "a file whose name comes from the environment",
    files: "services:\n  app:\n    extends: {service: a, file: $A}\n",
    env: { A: "hidden" },
    what: "services.app.extends.file names a file by a value from the environment, and there is no such file.",
    at: "compose.yml:3",
  },
  {
    name: "an included file whose name comes from the environment",
    files: "include: [$A]\n",
    env: { A: "hidden" },
    what: "include names a file by a value from the environment, and there is no such file.",
    at: "compose.yml:1",
  },
  {
    name: "a limit that is a text from the environment",
    files: "services:\n  app:\n    build:\n      ulimits: {nofile: $N}\n",
    env: { N: "5" },
    what: "services.app.build.ulimits.nofile is a value from the environment, which is not a whole number.",
    at: "compose.yml:4",
  },
];

it.each(rows)("$name", async ({ what, fix, at, ...row }) => {
  const refusal = await refusalOf(() => read(row));
  expect(refusal).toMatchObject({ code: "E_CONFIG", message: what });
  expect(`${refusal.at?.file}:${refusal.at?.line}`).toBe(at);
  if (fix !== undefined) expect(refusal.fix).toBe(fix);
});
