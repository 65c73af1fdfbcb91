import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseBuildContext, parseExtraHost, parseLabel, parseTarget } from "../../src/arguments/options.ts";

const wrong = (words: RegExp) => ({ wrong: expect.stringMatching(words) });

describe("labels", () => {
  test.each([
    ["a=b", { name: "a", value: "b" }],
    [" org.opencontainers.image.title = My app ", { name: "org.opencontainers.image.title", value: "My app" }],
    ['title="quoted", with a comma', { name: "title", value: '"quoted", with a comma' }],
    ["a=", { name: "a", value: "" }],
    ["a=b=c", { name: "a", value: "b=c" }],
    ["a", wrong(/KEY=VALUE/)],
    ["=b", wrong(/its key is empty/)],
    ["a b=c", wrong(/white space/)],
    ['"a=b"', wrong(/quotation marks/)],
    ["devcontainer.metadata=[]", wrong(/the action itself writes that label/)],
  ])("%j", (line, label) => {
    expect(parseLabel(line)).toEqual(label);
  });
});

describe("add-hosts", () => {
  test.each([
    ["db:10.0.0.1", { name: "db", address: "10.0.0.1" }],
    ["db.example=255.255.255.255", { name: "db.example", address: "255.255.255.255" }],
    ["db = 10.0.0.1", { name: "db", address: "10.0.0.1" }],
    ["db:::1", { name: "db", address: "::1" }],
    ["db=[2001:db8::1]", { name: "db", address: "2001:db8::1" }],
    ["db:::ffff:10.0.0.1", { name: "db", address: "::ffff:10.0.0.1" }],
    ["host.docker.internal:host-gateway", { name: "host.docker.internal", address: "host-gateway" }],
    ["db", wrong(/host:address or host=address/)],
    ["db:", wrong(/host:address or host=address/)],
    [":10.0.0.1", wrong(/host:address or host=address/)],
    ["a b:10.0.0.1", wrong(/host:address or host=address/)],
    ["-db:10.0.0.1", wrong(/host:address or host=address/)],
    ["db:10.0.0", wrong(/"10.0.0" is neither an IP address nor host-gateway/)],
    ["db:10.0.0.256", wrong(/neither an IP address/)],
    ["db:10.0.0.1.", wrong(/neither an IP address/)],
    ["db:010.0.0.1", wrong(/neither an IP address/)],
    ["db:10.0.0.1.2", wrong(/neither an IP address/)],
    ["db:1::2::3", wrong(/neither an IP address/)],
    ["db:other.example", wrong(/neither an IP address/)],
    ["db:10.0.0.1,10.0.0.2", wrong(/neither an IP address/)],
  ])("%j", (line, host) => {
    expect(parseExtraHost(line)).toEqual(host);
  });
});

describe("build-contexts", () => {
  test.each([
    ["shared=../shared", { name: "shared", kind: "folder", value: "../shared" }],
    ["shared = .", { name: "shared", kind: "folder", value: "." }],
    [
      `debian:12=docker-image://debian@sha256:${"a".repeat(64)}`,
      { name: "debian:12", kind: "image", value: `debian@sha256:${"a".repeat(64)}` },
    ],
    ["base=docker-image://ghcr.io/team/base:1", { name: "base", kind: "image", value: "ghcr.io/team/base:1" }],
    ["x=a=b", { name: "x", kind: "folder", value: "a=b" }],
    ["shared", wrong(/name=folder or name=docker-image/)],
    ["shared=", wrong(/name=folder/)],
    ["=shared", wrong(/name=folder/)],
    ["Shared Code=.", wrong(/"Shared Code" is not a name/)],
    ["x=docker-image://", wrong(/"" is not an image: it is empty/)],
    ["x=docker-image://UPPER", wrong(/not an image/)],
    ["x=https://github.com/team/app.git", wrong(/what "https:.*cannot be told before the build/)],
    ["x=git@github.com:team/app.git", wrong(/cannot be told/)],
    ["x=oci-layout://folder", wrong(/cannot be told/)],
    ["x=target:base", wrong(/cannot be told/)],
    ["x=-", wrong(/cannot be told/)],
  ])("%j", (line, context) => {
    expect(parseBuildContext(line)).toEqual(context);
  });
});

test.each([
  ["dev", { stage: "dev" }],
  ["Dev_1.x-y", { stage: "Dev_1.x-y" }],
  ["0", { stage: "0" }],
  ["1st", wrong(/stage's name/)],
  ["a b", wrong(/stage's name/)],
  ["--push", wrong(/stage's name/)],
  ["", wrong(/stage's name/)],
])("target: %j", (text, stage) => {
  expect(parseTarget(text)).toEqual(stage);
});

describe("what is written out is read back as it was", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}[a-z0-9]$/);
  const value = fc.string().map((text) => text.trim());

  test("labels", () => {
    fc.assert(
      fc.property(name, value, (key, text) => {
        expect(parseLabel(`${key}=${text}`)).toEqual({ name: key, value: text });
      }),
    );
  });

  test("hosts", () => {
    fc.assert(
      fc.property(name, fc.oneof(fc.ipV4(), fc.ipV6()), fc.constantFrom(":", "="), (host, address, separator) => {
        expect(parseExtraHost(`${host}${separator}${address}`)).toEqual({ name: host, address });
      }),
    );
  });
});

test("whatever is written: a value, or a sentence", () => {
  const scrap = fc.constantFrom("a", "=", ":", "[", "]", "//", "docker-image", "index", ",", " ", ".", "1", "@", "-");
  const text = fc.oneof(
    fc.string(),
    fc.array(scrap).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (line) => {
      for (const parse of [parseLabel, parseExtraHost, parseBuildContext, parseTarget])
        expect(parse(line)).toBeTypeOf("object");
    }),
  );
});
