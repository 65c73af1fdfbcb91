import { expect, test } from "vitest";
import { mayHearLogin } from "../../src/registry/origins.ts";

test.each<[string, string, boolean]>([
  ["https://auth.example/token", "https://registry.example", true],
  ["https://registry.example/token", "https://registry.example", true],
  ["http://auth.example/token", "https://registry.example", false],
  ["http://registry.example/token", "http://registry.example", true],
  ["http://registry.example:81/token", "http://registry.example", false],
  ["https://10.0.0.1/token", "https://registry.example", false],
  ["https://192.168.7.1/token", "https://192.168.7.1", true],
  ["https://[fd00::1]/token", "https://registry.example", false],
  ["https://172.32.0.1/token", "https://registry.example", true],
  ["http://127.0.0.1:5001/token", "http://127.0.0.1:5000", true],
  ["http://localhost:5000/token", "http://127.0.0.1:5000", true],
  ["https://127.0.0.1/token", "https://registry.example", false],
  ["http://127.0.0.1/token", "https://registry.example", false],
  ["http://169.254.169.254/token", "https://registry.example", false],
  ["http://auth.example/token", "http://127.0.0.1:5000", false],
  ["https://user:pass@auth.example/token", "https://registry.example", false],
  ["ftp://auth.example/token", "https://registry.example", false],
])("a login may go to %s for %s: %s", (realm, origin, expected) => {
  expect(mayHearLogin(new URL(realm), new URL(origin))).toBe(expected);
});
