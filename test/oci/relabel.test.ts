import { expect, test } from "vitest";
import { relabelConfig, withConfig } from "../../src/oci/relabel.ts";
import { sha } from "../plan-of.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (written: Uint8Array | { readonly wrong: string }): string =>
  "wrong" in written ? written.wrong : new TextDecoder().decode(written);
const AMD64 = { os: "linux", architecture: "amd64" };
const label = { name: "l", value: 'new "one"', platform: AMD64, layers: 1 };
const rootfs = '"rootfs":{"type":"layers","diff_ids":["sha256:a"]}';
const relabelled = (config: string, more: Partial<typeof label> = {}): string =>
  text(relabelConfig(bytes(config), { ...label, ...more }));

test.each<[string, string, string]>([
  [
    "all of it as it was, in its order",
    `{"created":"2026-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"User":"u","Labels":{"l":"old","z":"1","a":"2"},"Healthcheck":{"Interval":30000000000},"OnBuild":null},${rootfs},"history":[{"created_by":"x","empty_layer":true}],"unknown":[1,{}]}`,
    `{"created":"2026-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"User":"u","Labels":{"l":"new \\"one\\"","z":"1","a":"2"},"Healthcheck":{"Interval":30000000000},"OnBuild":null},${rootfs},"history":[{"created_by":"x","empty_layer":true}],"unknown":[1,{}]}`,
  ],
  [
    "no labels yet",
    `{"architecture":"amd64","os":"linux","config":{"Labels":null},${rootfs}}`,
    `{"architecture":"amd64","os":"linux","config":{"Labels":{"l":"new \\"one\\""}},${rootfs}}`,
  ],
  [
    "labels that every object of JavaScript has",
    `{"architecture":"amd64","os":"linux","config":{"Labels":{"__proto__":"a","constructor":"b"}},${rootfs}}`,
    `{"architecture":"amd64","os":"linux","config":{"Labels":{"__proto__":"a","constructor":"b","l":"new \\"one\\""}},${rootfs}}`,
  ],
  [
    "no config at all",
    `{"architecture":"amd64","os":"linux",${rootfs}}`,
    `{"architecture":"amd64","os":"linux",${rootfs},"config":{"Labels":{"l":"new \\"one\\""}}}`,
  ],
])("a label in a config: %s", (_, before, after) => {
  expect(relabelled(before)).toBe(after);
});

test.each<[string, string, RegExp]>([
  ["no JSON", "<html>", /written out again/],
  ["behind a byte order mark", `\ufeff{"architecture":"amd64","os":"linux",${rootfs}}`, /written out again/],
  [
    "a number that would be rounded",
    `{"architecture":"amd64","os":"linux","config":{"Healthcheck":{"Interval":9007199254740993}},${rootfs}}`,
    /written out again/,
  ],
  ["a number with a fraction", `{"architecture":"amd64","os":"linux","x":1.5,${rootfs}}`, /written out again/],
  ["another platform", `{"architecture":"arm64","os":"linux",${rootfs}}`, /for linux\/amd64/],
  ["no platform", `{${rootfs}}`, /for linux\/amd64/],
  ["labels that are a list", `{"architecture":"amd64","os":"linux","config":{"Labels":["l=old"]},${rootfs}}`, /labels/],
  ["other layers", `{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]}}`, /layers/],
  ["no layers", `{"architecture":"amd64","os":"linux"}`, /layers/],
])("a config that is not written out again: %s", (_, config, why) => {
  expect(relabelled(config)).toMatch(why);
});

test("a config of no layers is one", () => {
  expect(relabelled('{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":null}}', { layers: 0 })).toContain(
    "new",
  );
});

test("another config in a manifest: all else as it was, and no old config inside its descriptor", () => {
  const manifest = `{"schemaVersion":2,"mediaType":"m","config":{"mediaType":"c","digest":"${sha("old")}","size":3,"data":"b2xk"},"layers":[{"mediaType":"l","digest":"${sha("layer")}","size":9,"urls":["https://a.test"]}],"annotations":{"b":"1","a":"2"}}`;
  const config = { mediaType: "c", digest: sha("new!"), size: 4 };
  expect(text(withConfig(bytes(manifest), config))).toBe(
    manifest.replace(`"${sha("old")}","size":3,"data":"b2xk"`, `"${sha("new!")}","size":4`),
  );
  expect(text(withConfig(bytes("[]"), config))).toMatch(/written out again/);
});
