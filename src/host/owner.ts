import { readFileSync, readlinkSync } from "node:fs";
import type { Owner } from "../world.ts";

/**
 * Tells processes apart by where a process id counts (the machine's present start and the namespace of process ids), the id itself, and
 * when it was started, for ids are used again.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (22: starttime)
 * @see https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
 */
export function openOwner(): Owner {
  const place = placeOfProcesses();
  const started = startOf(process.pid);
  return {
    self: place === undefined || started === undefined ? undefined : `${place}:${process.pid}:${started}`,
    isDead: (owner) => {
      const [, where, pid, when] = /^([0-9a-f-]+:\d+):(\d+):(\d+)$/.exec(owner) ?? [];
      return place !== undefined && where === place && startOf(Number(pid)) !== when;
    },
  };
}

function placeOfProcesses(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
    return namespace === undefined ? undefined : `${boot}:${namespace}`;
  } catch {
    return undefined;
  }
}

/** In ticks since the machine was started. A process that has ended and was not yet waited for is gone. */
function startOf(pid: number): string | undefined {
  try {
    // The second field is the program's name in parentheses, whatever that holds.
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
