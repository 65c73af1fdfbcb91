import { expect, test } from "vitest";
import { readUidLabel, renumberingOf, uidLabel } from "../../src/sources/image-users.ts";
import { configured } from "../devcontainer/configured.ts";

type Asked = {
  readonly json?: Readonly<Record<string, unknown>>;
  readonly label?: readonly Readonly<Record<string, unknown>>[];
  readonly user?: string;
  readonly serviceUser?: string;
  readonly uid?: number | undefined;
};

function of({ json = {}, label = [], user = "root", serviceUser, ...more }: Asked) {
  const configuration = configured(JSON.stringify(json), { WHO: "ada" });
  const written = { value: serviceUser ?? "", fromEnvironment: false, at: { file: "compose.yaml" } };
  const definition = {
    source: { kind: "image", image: { ...written, value: "base" } },
    target: undefined,
    cacheFrom: [],
    contexts: new Map(),
    counted: [],
    uncounted: [],
    doubt: undefined,
    warnings: [],
    ...(serviceUser === undefined ? {} : { user: written }),
  };
  const gathered = { configuration, definition, remoteUserUid: "uid" in more ? more.uid : 1001 };
  return renumberingOf(gathered as never, { labels: { "devcontainer.metadata": JSON.stringify(label) }, user });
}

const renumbered = (user: string) => ({ kind: "renumbered", user, uid: 1001 });
const stays = (why: RegExp) => ({ kind: "as it is", why: expect.stringMatching(why) });

test.each<[string, Asked, unknown]>([
  ["nothing is asked for", { user: "dev", uid: undefined }, undefined],
  ["the image's own user", { user: "dev" }, renumbered("dev")],
  ["the image's own user, with a group", { user: "dev:staff" }, renumbered("dev")],
  ["the configuration's", { user: "root", json: { remoteUser: "dev" } }, renumbered("dev")],
  ["the container's", { json: { containerUser: "dev" } }, renumbered("dev")],
  ["the base's label's", { label: [{ remoteUser: "vscode" }] }, renumbered("vscode")],
  ["a variable of the environment", { json: { remoteUser: "${localEnv:WHO}" } }, renumbered("ada")],
  ["a variable in the base's label", { label: [{ remoteUser: "${localEnv:WHO}" }], user: "dev" }, renumbered("dev")],
  ["the compose service's", { serviceUser: "dev", user: "other" }, renumbered("dev")],
  ["runArgs', over containerUser", { json: { containerUser: "a", runArgs: ["-u", "dev:b"] } }, renumbered("dev")],
  ["remoteUser, whoever is started", { json: { remoteUser: "ada", runArgs: ["--user=dev"] } }, renumbered("ada")],
  [
    "remoteUser, who is containerUser too",
    { json: { containerUser: "ada", remoteUser: "ada", runArgs: ["--user=dev"] } },
    renumbered("ada"),
  ],
  ["root", { json: { remoteUser: "root" }, user: "dev" }, stays(/root works/)],
  ["root by number", { user: "0:0" }, stays(/root works/)],
  ["a number", { user: "1000:1000" }, stays(/is the number 1000, and only a user with a name/)],
  ["that number", { user: "1001" }, stays(/^1001 works in this dev container already$/)],
  [
    "the base does not want it",
    { user: "dev", label: [{ updateRemoteUserUID: false }] },
    stays(/says updateRemoteUser/),
  ],
  [
    "the base does not want it, and the configuration does",
    { user: "dev", label: [{ updateRemoteUserUID: false }], json: { updateRemoteUserUID: true } },
    renumbered("dev"),
  ],
])("who gets the uid: %s", (_, asked, expected) => {
  expect(of(asked)).toEqual(expected);
});

const labelled = (value: string) => ({ labels: { "dev-container-cache.remote-user-uid": value } });

test("the image says who was given which uid, and nobody is told of what a base says that does not hold", () => {
  const given = uidLabel({ kind: "renumbered", user: "a:b", uid: 1001 }, labelled("other:1"));
  expect(readUidLabel({ labels: given })).toEqual({ user: "a:b", uid: 1001 });
  expect(uidLabel({ kind: "as it is", why: "" }, labelled("other:1"))).toEqual(labelled("").labels);
  expect(uidLabel(undefined, { labels: {} })).toEqual({});
});

test.each(["", "dev", ":1001", "dev:", "dev:x", "dev:-1", "dev:12345678901"])(
  "a label that says nothing: %s",
  (value) => {
    expect(readUidLabel(labelled(value))).toBeUndefined();
  },
);
