import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Connection, remoteGit } from "../../src/git/invocation.ts";

const CONNECTION: Connection = {
  url: { scheme: "ssh", url: "git@git.example:a/b", host: "git.example", user: "git", path: "a/b", name: "b" },
  login: undefined,
  keyFile: undefined,
  certificateFile: undefined,
  knownHostsFile: undefined,
  insecure: false,
  proxy: undefined,
  home: "/nonexistent/home",
};

/** A user's own configuration, of which only how that user logs in is wanted. */
const USERS = `Host *
	IdentityFile ~/.ssh/team
	KnownHostsCommand /bin/cat /tmp/believed
	VerifyHostKeyDNS yes
	UpdateHostKeys yes
	ControlMaster auto
	ControlPath /tmp/control-%C
	ControlPersist yes
	ForwardAgent yes
	ForwardX11 yes
	StrictHostKeyChecking no
	LocalCommand touch /tmp/ran
	PermitLocalCommand yes
`;

test.each<[string, Partial<Connection>]>([
  ["without a key of ours", {}],
  ["with known hosts of ours", { knownHostsFile: "/nonexistent/known" }],
])("ssh %s: the user's configuration says who logs in, and not whom to believe", (_, more) => {
  const folder = mkdtempSync(join(tmpdir(), "ssh-"));
  writeFileSync(join(folder, "config"), USERS);
  const { env } = remoteGit({ ...CONNECTION, ...more }, { PATH: "/usr/bin:/bin" });
  // What is resolved of all that is said, ssh tells itself.
  const told = execFileSync("sh", ["-c", `${env.GIT_SSH_COMMAND} -F ${folder}/config -G git@git.example`], {
    encoding: "utf8",
  });
  rmSync(folder, { recursive: true });
  const of = (name: string): readonly string[] =>
    told.split("\n").flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
  expect(of("identityfile")).toEqual(["~/.ssh/team"]);
  expect(of("knownhostscommand").filter((value) => value !== "none")).toEqual([]);
  expect(of("controlpath").filter((value) => value !== "none")).toEqual([]);
  expect([of("controlmaster"), of("forwardagent"), of("forwardx11")].flat()).toEqual(["false", "no", "no"]);
  expect([of("verifyhostkeydns"), of("updatehostkeys"), of("permitlocalcommand")].flat()).toEqual([
    "false",
    "false",
    "no",
  ]);
  expect(of("stricthostkeychecking")).toEqual(["true"]);
});
