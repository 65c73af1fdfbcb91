import type { Difference } from "./row.ts";

/** A dev container in which the user `dev` is to get the uid 1001: lines of its Dockerfile, as root, and what else the configuration says. */
export type UidRow = {
  readonly name: string;
  readonly made: readonly string[];
  /** Of the image. */
  readonly user?: string;
  readonly json?: Readonly<Record<string, unknown>>;
};

/** A line that what the one leaves holds and the other's does not; or how the one's build ends. */
type Left = string | { readonly fails: RegExp };

export type UidDeviation = UidRow & Difference & { readonly theirs: Left; readonly ours: Left };

/** A user with a home in which something is root's, and with nothing elsewhere. */
export const DEV: readonly string[] = [
  "echo dev:x:1000:1000:Dev:/home/dev:/bin/sh >> /etc/passwd",
  "echo dev:x:1000: >> /etc/group",
  "mkdir -p /home/dev/.cache /opt/tool",
  "touch /home/dev/.profile /opt/tool/file",
  "chown -R 1000:1000 /home/dev",
  "touch /home/dev/.cache/of-root",
  "ln -s /opt/tool/file /home/dev/link",
];

/** In these the reference CLI's `up` and we leave the same users, groups and owners. */
export const SAME: readonly UidRow[] = [
  { name: "a user with a home", made: DEV },
  { name: "a group that has the number", made: [...DEV, "echo docker:x:1001: >> /etc/group"] },
  { name: "a user who has the uid", made: DEV.map((line) => line.replaceAll("1000", "1001")) },
  {
    name: "a user who has the uid, in another group",
    made: DEV.map((line) => line.replace("dev:x:1000:1000", "dev:x:1001:1000")),
  },
  { name: "the image's own user", made: DEV, user: "dev", json: { remoteUser: undefined } },
  { name: "root", made: DEV, json: { remoteUser: "root" } },
  { name: "a configuration that does not want it", made: DEV, json: { updateRemoteUserUID: false } },
];

export const UID_DIFFERENCES: readonly UidDeviation[] = [
  {
    name: "a uid that is another user's",
    cli: "leaves the remote user as it is, without an error",
    here: "fails the build, and names that user",
    why: "a later job could not write in its folders, and nobody would know why",
    made: [...DEV, "echo node:x:1001:1001::/home/node:/bin/sh >> /etc/passwd"],
    theirs: "dev:x:1000:1000:Dev:/home/dev:/bin/sh",
    ours: { fails: /cannot give dev the uid 1001: it is the uid of node in this image.*\[E_INPUT\]/ },
  },
  {
    name: "a remote user that the image does not have",
    cli: "is passed over",
    here: "fails the build",
    why: "no container could be used as that user",
    made: DEV,
    json: { remoteUser: "nobody-here" },
    theirs: "dev:x:1000:1000:Dev:/home/dev:/bin/sh",
    ours: { fails: /cannot give nobody-here the uid 1001: there is no such user in \/etc\/passwd.*\[E_INPUT\]/ },
  },
  {
    name: "what the user owns outside of the home",
    cli: "keeps the old number, and is nobody's",
    here: "moves along",
    why: "what was the user's to write in stays so",
    made: [...DEV, "chown 1000:1000 /opt/tool"],
    theirs: "1000:1000 /opt/tool",
    ours: "1001:1001 /opt/tool",
  },
  {
    name: "a user whose group is root's",
    cli: "takes the group's number from root",
    here: "keeps that group",
    why: "files of root's group would be the user's group's no more",
    made: DEV.map((line) => line.replace("dev:x:1000:1000", "dev:x:1000:0")),
    theirs: "root:x:1001:",
    ours: "root:x:0:",
  },
  {
    name: "a user whose name ends like the remote user's",
    cli: "fails the build",
    here: "is left alone",
    why: "it is somebody else",
    made: [...DEV, "echo webdev:x:1500:1500::/home/web:/bin/sh >> /etc/passwd"],
    theirs: { fails: /updateUID\.Dockerfile/ },
    ours: "webdev:x:1500:1500::/home/web:/bin/sh",
  },
];
