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
  ["FROM scratch AS \u0131x", /No build stage can be called \u0131x/],
  ["COPY a <<EOF\nx\nEOF", /destination of COPY is a here-document/],
  ['ADD ["a", "<<EOF"]', /destination of ADD is a here-document/],
  ['HEALTHCHECK CMD ["a", 1]', /list behind HEALTHCHECK CMD holds something else/],
  ...["1", "1d", "foo", "-1s", "1us", "1 s", "1e3s", "2562048h", "1\u00b5s"].map((time): [string, RegExp] => [
    `HEALTHCHECK --interval='${time}' CMD a`,
    /--interval wants a time of at least 1ms, like 30s or 1m30s, and not "/,
  ]),
  ["HEALTHCHECK --timeout=5 CMD a", /--timeout wants a time .* and not "5"/],
  ["HEALTHCHECK --start-period=x CMD a", /--start-period wants a time/],
  ["HEALTHCHECK --start-interval=0.5ms CMD a", /--start-interval wants a time/],
  ...["x", "-1", "1.5", "1_0", "0x1", "2147483648"].map((count): [string, RegExp] => [
    `HEALTHCHECK --retries=${count} CMD a`,
    /--retries wants a whole number, 0 or more, and not "/,
  ]),
  ["RUN --network=foo a", /--network is one of default, none, host, as it is written there, and not "foo"/],
  ["RUN --network=HOST a", /--network is one of/],
  ["RUN --network= a", /--network is one of/],
  ["RUN --security=foo a", /--security is one of sandbox, insecure/],
  ["RUN --mount= a", /--mount lists its fields .* like type=cache,target=\/path, and not ""/],
  ["RUN --mount=type=cache,'target=\"/a' b", /--mount lists its fields/],
  ["RUN --mount=from=$STAGE,target=/a b", /--mount takes no variable in from/],
  ["RUN --device= a", /--device lists its fields/],
  ["RUN --device=a,b c", /--device names more than one device/],
  ["RUN --device=a,required=yes c", /--device wants true or false for required/],
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
  ...["HEALTHCHECK --interval=1s CMD a", "HEALTHCHECK --interval= --timeout=1h1.5m --retries=+3 CMD a"],
  ...["HEALTHCHECK --interval=0 --start-period=2562047h CMD a", "HEALTHCHECK --interval=foo --bar NONE"],
  ...["RUN --network=host --security=insecure a", "RUN --device=vendor/class=name,required a", "RUN --mount=from=a$ b"],
  ...['RUN --mount="type=cache,target=/a" b', "RUN --mount=type=$TYPE,target=/a b"],
  // To Go a number beyond a float64 makes a text no JSON, and so a command.
  ...["RUN [1e400]", "CMD [[-1e999]]"],
  // Go folds \u0130 down to an i, and the sign for kelvin to a k, alone.
  ...["FROM scratch AS \u0130", "FROM scratch AS \u212a", "WOR\u212aD\u0130R /a"],
  // To Go a byte order mark is no blank.
  "VOLUME \ufeff",
])("nothing is said of %s", (line) => {
  expect(find(lines(line))).toEqual([]);
});

describe("a warning where a newer builder may know better, or only who builds on the image fails", () => {
  test.each([
    ["COPY --frm=x a b", /COPY has no flag --frm .* it has .*--from.*; --from was probably meant: unless/],
    ["RUN --foo=1 x", /RUN has no flag --foo/],
    ["USER --x=1 a", /USER has no flag --x that is known here, it has none/],
    ["FROM --frm=1 scratch", /FROM has no flag --frm/],
    ["ONBUILD --x RUN a", /ONBUILD has no flag --x/],
    ["ADD --from=x a b", /ADD has no flag --from/],
    [
      "RUN --mount=type=cahce,target=/a b",
      /--mount has no type "cahce" .* it has bind, cache, .*; cache was probably meant: .* this stage will fail/,
    ],
    [
      "RUN --mount=type=cache,traget=/a b",
      /--mount has no option "traget" .* it has type, .*rw, required; target was probably meant: unless/,
    ],
    [
      "RUN --mount=type=cache, target=/a b",
      /^A comma ends --mount: the blank behind it ends the list, and the rest belongs to the command: unless/,
    ],
    ["RUN --mount=type=cache,target=/a,sharing=lock b", /--mount has no sharing "lock"/],
    ["ONBUILD RUNN", /no instruction RUNN; RUN was probably meant\. Nothing can be built on an image/],
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

test.each([
  ["COPY --from=0 /a /a", /from=0 copies from the stage that it stands in/],
  ["FROM scratch AS One\nCOPY --from=one /a /a", /from=one copies from the stage that it stands in/],
  ["FROM scratch\nCOPY --from=1 /a /a", /from=1 copies from the stage that it stands in/],
  ["FROM scratch\nCOPY --from=2 /a /a", /no stage 2: the last one is 1/],
  ["FROM scratch\nCOPY --from=-1 /a /a", /no stage -1/],
])("a COPY from where no build gets anything: %s", async (line, words) => {
  expect(await refusalOf(() => find(lines(line)))).toMatchObject({
    code: "E_DOCKERFILE",
    message: expect.stringMatching(words),
  });
});

test.each([
  "FROM scratch\nCOPY --from=0 /a /a",
  "FROM scratch\nCOPY --from=+0 /a /a",
  "COPY --from=99999999999999999999 /a /a",
  "FROM scratch\nCOPY --from=a /a /a\nCOPY --from=2 /a /a",
  "FROM scratch\nRUN --mount=from=9 true\nCOPY --from=2 /a /a",
  "FROM scratch AS a\nFROM scratch AS b\nCOPY --from=A /a /a\nFROM a",
  "FROM scratch AS a\nCOPY --from=a /a /a\nFROM scratch AS a",
  "COPY --from=1 /a /a\nFROM scratch",
  "ONBUILD COPY --from=7 /a /a",
])("a COPY from a stage, or from what may be one: %s", (line) => {
  expect(find(lines(line))).toEqual([]);
});
