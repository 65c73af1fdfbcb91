import { describe, expect, test } from "vitest";
import { compareBytes, goString } from "../../src/envbuilder/go-json.ts";
import {
  readConfigFile,
  readGoManifest,
  readIndexManifest,
  writeConfigFile,
  writeGoManifest,
} from "../../src/envbuilder/image-json.ts";

describe("a text is written as Go writes it", () => {
  test.each([
    ["quotes and backslashes", `a"b\\c`, `"a\\"b\\\\c"`],
    ["what HTML would read", "<a>&b", String.raw`"\u003ca\u003e\u0026b"`],
    ["short escapes", "\b\f\n\r\t", String.raw`"\b\f\n\r\t"`],
    ["other control characters, lower-case", "\u0000\u001f\u000b", String.raw`"\u0000\u001f\u000b"`],
    ["line separators", "\u2028\u2029", String.raw`"\u2028\u2029"`],
    ["delete, apostrophe and slash are plain", "\u007f'/", `"\u007f'/"`],
    ["beyond the first plane", "😀é", `"😀é"`],
    ["half a pair", "a\ud800b\udc00", `"a\ufffdb\ufffd"`],
  ])("%s", (_name, text, written) => {
    expect(goString(text)).toBe(written);
  });
});

test("texts are sorted by their bytes in UTF-8, not by UTF-16 units", () => {
  const sorted = ["", "A", "a", "aa", "b", "\u007f", "é", "\ud7ff", "\ue000", "\uffff", "😀"];
  expect([...sorted].reverse().sort(compareBytes)).toEqual(sorted);
  expect([...sorted].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))).toEqual(sorted);
});

const rewritten = (json: string): string | undefined => {
  const read = readConfigFile(json);
  return read && writeConfigFile(read);
};

describe("a config is read and written as go-containerregistry does", () => {
  const least = (config: string) =>
    `{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"","diff_ids":null},"config":${config}}`;

  test.each([
    ["nothing", "{}", least("{}")],
    ["nothing but null", `{"config":null,"history":null,"rootfs":null,"created":null,"os":null}`, least("{}")],
    [
      "unknown names are lost",
      `{"moby.buildkit.cache":1,"config":{"Memory":1,"Healthcheck":{"StartInterval":5}}}`,
      least(`{"Healthcheck":{}}`),
    ],
    ["names in any case", `{"CONFIG":{"env":["A=1"],"workingdir":"/"}}`, least(`{"Env":["A=1"],"WorkingDir":"/"}`)],
    ["what is empty is left out", `{"config":{"Env":[],"Labels":{},"Cmd":null,"User":"","Tty":false}}`, least("{}")],
    ["sets are objects", `{"config":{"Volumes":{"/b":{"x":1},"/a":null}}}`, least(`{"Volumes":{"/a":{},"/b":{}}}`)],
    [
      "labels by their bytes",
      `{"config":{"Labels":{"b":"<","a":"2","__proto__":"p","B":"1","\\ud83d\\ude00":"","\\uffff":""}}}`,
      least(`{"Labels":{"B":"1","__proto__":"p","a":"2","b":"\\u003c","\uffff":"","😀":""}}`),
    ],
    [
      "nanoseconds",
      `{"config":{"Healthcheck":{"Test":["NONE"],"Interval":30000000000,"Retries":3}}}`,
      least(`{"Healthcheck":{"Test":["NONE"],"Interval":30000000000,"Retries":3}}`),
    ],
    [
      "an empty list of layers is none",
      `{"rootfs":{"type":"layers","diff_ids":[]}}`,
      least("{}").replace(`{"type":"","diff_ids":null}`, `{"type":"layers","diff_ids":[]}`),
    ],
    [
      "a fraction without noughts",
      `{"created":"2024-05-01T10:00:00.120000000Z"}`,
      least("{}").replace("0001-01-01T00:00:00Z", "2024-05-01T10:00:00.12Z"),
    ],
    [
      "no fraction of noughts, no zone of noughts",
      `{"created":"2024-05-01T10:00:00.000+00:00"}`,
      least("{}").replace("0001-01-01T00:00:00Z", "2024-05-01T10:00:00Z"),
    ],
    [
      "a zone stays",
      `{"created":"2024-05-01T10:00:00.1234567891+02:00"}`,
      least("{}").replace("0001-01-01T00:00:00Z", "2024-05-01T10:00:00.123456789+02:00"),
    ],
  ])("%s", (_name, json, written) => {
    expect(rewritten(json)).toBe(written);
  });

  test.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["a number for a text", `{"os":1}`],
    ["a text for a list", `{"config":{"Env":"A=1"}}`],
    ["half a number", `{"config":{"Healthcheck":{"Retries":1.5}}}`],
    ["a number that JavaScript cannot hold", `{"config":{"Healthcheck":{"Interval":9007199254740993}}}`],
    ["a digest that is none", `{"rootfs":{"diff_ids":["sha256:1"]}}`],
    ["a time that is none", `{"created":"yesterday"}`],
    ["one field under two names", `{"os":"linux","OS":"windows"}`],
    ["a letter that Go folds to k", `{"moby.build\u212ait":1}`],
  ])("refused: %s", (_name, json) => {
    expect(rewritten(json)).toBeUndefined();
  });
});

describe("a manifest is read and written as go-containerregistry does", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const config = `{"mediaType":"c","size":1,"digest":"${digest}"}`;

  test.each([
    [
      "the order of a descriptor's fields",
      `{"layers":[{"digest":"${digest}","size":2,"mediaType":"l","annotations":{"b":"<1>","a":""}}],"config":${config},"mediaType":"m","schemaVersion":2}`,
      `{"schemaVersion":2,"mediaType":"m","config":${config},"layers":[{"mediaType":"l","size":2,"digest":"${digest}","annotations":{"a":"","b":"\\u003c1\\u003e"}}]}`,
    ],
    [
      "no type stays no type, no layers are null, the artifact's type is lost",
      `{"schemaVersion":2,"config":${config},"artifactType":"x"}`,
      `{"schemaVersion":2,"config":${config},"layers":null}`,
    ],
    [
      "addresses, data and platform",
      `{"schemaVersion":2,"config":${config},"layers":[{"mediaType":"l","size":2,"digest":"${digest}","data":"YQ==","urls":["u"],"platform":{"os":"linux","architecture":"arm","variant":"v7"},"artifactType":"t"}]}`,
      `{"schemaVersion":2,"config":${config},"layers":[{"mediaType":"l","size":2,"digest":"${digest}","data":"YQ==","urls":["u"],"platform":{"architecture":"arm","os":"linux","variant":"v7"},"artifactType":"t"}]}`,
    ],
  ])("%s", (_name, json, written) => {
    const read = readGoManifest(json);
    expect(read && writeGoManifest(read)).toBe(written);
  });

  test("one without a config is refused, and an index lists its descriptors", () => {
    expect(readGoManifest(`{"schemaVersion":2,"layers":[]}`)).toBeUndefined();
    expect(readIndexManifest(`{"manifests":[${config}]}`)?.manifests).toMatchObject([{ mediaType: "c", digest }]);
  });
});
