import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { makeCheckout } from "../checkout.ts";
import { makeBase, REGISTRY, runAction, runImage, tags, unique } from "./harness.ts";

// ADD of an address: the real builder fetches it from a server of this test's own.

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

type Served = { readonly etag: string; readonly body: string };

/** @param serve what somebody is given who names himself so. */
async function openFiles(serve: (userAgent: string) => Served): Promise<string> {
  const server = createServer(({ headers }, answer) => {
    const { etag, body } = serve(headers["user-agent"] ?? "");
    answer.writeHead(200, { etag, "last-modified": "Sun, 29 Nov 2026 12:00:00 GMT" });
    answer.end(body);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openStory(serve: (userAgent: string) => Served) {
  const host = await openFiles(serve);
  const { image } = await makeBase({ repository: unique("base/os") });
  const workspace = makeCheckout({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile": `FROM ${image}\nARG NAME=tool*1\nADD --chmod=0755 http://${host}/$NAME?a=\\$1 /tool\n`,
  });
  const repository = unique("e2e/add");
  const inputs = { "cache-repo": `${REGISTRY}/${repository}`, platforms: "linux/amd64", insecure: host };
  return { repository, run: () => runAction({ workspace, inputs }) };
}

test("a miss holds what was looked at, the next run hits, and another version is another image", async () => {
  let served: Served = { etag: '"1"', body: "one" };
  const { run } = await openStory(() => served);
  const seen = async (image: string | undefined) =>
    runImage(image ?? "", "linux/amd64", "sh", "-c", "cat /tool; echo; stat -c %a /tool");
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
  expect(await seen(built.outputs.image)).toBe("one\n755");
  expect((await run()).outputs).toMatchObject({ result: "hit", digest: built.outputs.digest });

  served = { etag: '"2"', body: "two" };
  const moved = await run();
  expect(moved.outputs.result, moved.log).toBe("built");
  expect(moved.log).toContain("serves something else now");
  expect(await seen(moved.outputs.image)).toBe("two\n755");
  served = { etag: '"1"', body: "one" };
  expect((await run()).outputs).toMatchObject({ result: "hit", digest: built.outputs.digest });
});

test("what the builder is given in the place of what was looked at is refused, and nothing is pushed", async () => {
  const { run, repository } = await openStory((userAgent) => ({
    etag: '"1"',
    body: userAgent === "dev-container-cache" ? "looked at" : "given to the builder",
  }));
  const { code, outputs, log } = await run();
  expect({ code, result: outputs.result, pushed: outputs.pushed }, log).toEqual({
    code: 1,
    result: "failed",
    pushed: "false",
  });
  expect(log).toMatch(/ADD http:.* fetches changed between the probe and the build.*\[E_CHANGED\]/);
  expect(await tags(repository)).toEqual([]);
});
