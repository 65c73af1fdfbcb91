import { describe, expect, test } from "vitest";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { findWrongLines } from "../../src/dockerfile/wrong-lines.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

// What is refused here, BuildKit has refused, and what is not, it has built: each line was put into a Dockerfile and given to buildx.

const find = (text: string, argument?: string) => findWrongLines(parseDockerfile(text, "Dockerfile"), argument);
const lines = (line: string, top = ""): string => `${top}FROM scratch\nCOPY ok /\n${line}\n`;

test.each([
  ["RUNN x", /no instruction RUNN/],
  ["APT-GET install", /no instruction APT-GET/],
  ["COPY x", /COPY names no destination/],
  ["COPY", /COPY names no destination/],
  ['COPY ["x"]', /COPY names no destination/],
  ["COPY []", /COPY names no destination/],
  ["COPY <<EOF\nx\nEOF", /COPY names no destination/],
  ["ADD x", /ADD names no destination/],
  ["ENV", /nothing behind ENV/],
  ["ENV A", /ENV gives A no value/],
  ["ENV A=1 B", /ENV gives B no value/],
  ["ENV =x", /ENV gives a value to no name/],
  ["LABEL", /nothing behind LABEL/],
  ["LABEL a", /LABEL gives a no value/],
  ["ARG", /nothing behind ARG/],
  ["ARG =x", /ARG has no name/],
  ["USER", /nothing behind USER/],
  ["WORKDIR", /nothing behind WORKDIR/],
  ["EXPOSE", /nothing behind EXPOSE/],
  ["STOPSIGNAL", /nothing behind STOPSIGNAL/],
  ["MAINTAINER", /nothing behind MAINTAINER/],
  ["VOLUME", /nothing behind VOLUME/],
  ["VOLUME []", /nothing behind VOLUME/],
  ['VOLUME [""]', /VOLUME names an empty path/],
  ["SHELL /bin/sh", /no list of texts in JSON/],
  ["SHELL []", /no list of texts in JSON/],
  ['SHELL ["a", 1]', /no list of texts in JSON/],
  ['RUN ["a", 1]', /list behind RUN holds something else/],
  ["HEALTHCHECK", /nothing behind HEALTHCHECK/],
  ["HEALTHCHECK FOO", /knows CMD and NONE, and no FOO/],
  ["HEALTHCHECK NONE x", /NONE takes nothing more/],
  ["HEALTHCHECK CMD", /CMD names no command/],
  ["ONBUILD", /nothing behind ONBUILD/],
  ["ONBUILD FROM x", /ONBUILD takes no FROM/],
  ["ONBUILD ONBUILD RUN x", /ONBUILD takes no ONBUILD/],
  ["ONBUILD MAINTAINER x", /ONBUILD takes no MAINTAINER/],
  ["ONBUILD ENV A", /ENV gives A no value/],
  ["COPY --chown a b", /--chown has no value/],
  ["COPY --link=maybe a b", /--link is neither true nor false/],
  ["COPY --from=a --from=b x y", /--from stands twice/],
  ["FROM --platform scratch", /--platform has no value/],
  ["FROM scratch AS 1x", /No build stage can be called 1x/],
])("refused, with its line, also under docker's own # syntax=: %s", async (line, words) => {
  expect(await refusalOf(() => find(lines(line)))).toMatchObject({ code: "E_DOCKERFILE", at: { line: 3 } });
  expect(() => find(lines(line, "# syntax=docker/dockerfile:1\n"))).toThrow(words);
  expect(() => find(lines(line), "docker.io/docker/dockerfile:1.7")).toThrow(words);
});

test.each([
  ...[
    "ENV A=",
    "ENV A b c",
    "ARG A B",
    "ARG --x=1 A",
    "CMD",
    "CMD []",
    'CMD ["a',
    "ENTRYPOINT",
    "RUN",
    "RUN [ 1 -eq 1 ]",
  ],
  ...["COPY --from=a --exclude=b --exclude=c x y", "COPY --link a b", "COPY --link=TRUE a b", "COPY <<EOF /x\na\nEOF"],
  ...["RUN --mount=type=cache,target=/a --mount=type=cache,target=/b x", "STOPSIGNAL --x=1 9", "HEALTHCHECK none"],
  ...['SHELL ["/bin/sh", "-c"]', "VOLUME /a /b", "FROM scratch AS A.b-c_1", "ONBUILD COPY a b", "ONBUILD RUN x"],
  "HEALTHCHECK --interval=1s CMD a",
])("nothing is said of %s", (line) => {
  expect(find(lines(line))).toEqual([]);
});

describe("a warning where a newer builder may know better, or only who builds on the image fails", () => {
  test.each([
    ["COPY --frm=x a b", /COPY has no flag --frm .* it has .*--from/],
    ["RUN --foo=1 x", /RUN has no flag --foo/],
    ["USER --x=1 a", /USER has no flag --x that is known here, it has none/],
    ["FROM --frm=1 scratch", /FROM has no flag --frm/],
    ["ONBUILD --x RUN a", /ONBUILD has no flag --x/],
    ["ONBUILD RUNN", /no instruction RUNN\. Nothing can be built on an image/],
    ["ONBUILD COPY x", /COPY names no destination\. Nothing can be built on an image/],
    ["ONBUILD ARG", /nothing behind ARG\. Nothing can be built on an image/],
    ["ONBUILD COPY --frm=x a b", /COPY has no flag --frm/],
  ])("%s", (line, text) => {
    expect(find(lines(line))).toEqual([{ text: expect.stringMatching(text), at: { file: "Dockerfile", line: 3 } }]);
  });

  test.each(["docker/dockerfile:1-labs", "docker/dockerfile-upstream:master"])("under %s", (frontend) => {
    expect(find(lines("RUNN x", `# syntax=${frontend}\n`))).toMatchObject([
      { text: expect.stringMatching(/RUNN/), at: { line: 4 } },
    ]);
  });
});

test.each(["acme/frontend:1", "gcr.io/acme/dockerfile"])("the frontend %s decides for itself", (frontend) => {
  expect(find(lines("RUNN x", `# syntax=${frontend}\n`))).toEqual([]);
  expect(find(lines("RUNN x"), frontend)).toEqual([]);
});

test("a line of a stage that nothing needs is refused too, for the builder reads them all", async () => {
  expect(await refusalOf(() => find("FROM a AS b\nENV A\nFROM c\n"))).toMatchObject({ at: { line: 2 } });
});
