#!/usr/bin/env bash
#
# Plays another machine to a command, in a mount and a process namespace: only what this one's kernel and package sources are stays.
#
#   unshare --mount --pid --fork --kill-child setsid bash test/e2e/machine.sh FEATURE,… COMMAND…
#
# binfmt-mounted   binfmt_misc is mounted where systemd mounts it; else it is mounted nowhere
# autofs           it would be when somebody looks, as systemd has it, and whoever looks waits for ever
# chroot           the command is run in another root folder
#
# What the command left behind is told in lines that begin with "left: ". What other bring-ups have in the kernel is told too: who asks knows the name.
set -euo pipefail

readonly features=,$1,
shift
has() { [[ $features == *,$1,* ]]; }

readonly entries=/proc/sys/fs/binfmt_misc
while umount "$entries" 2>/dev/null; do :; done
mount -t proc proc /proc
! has binfmt-mounted || mount -t binfmt_misc binfmt_misc "$entries"
# In a process group of its own: the one of this script is to the kernel the one that serves the autofs, and waits for nothing.
into=(setsid --wait)
if has autofs; then
  mkfifo "$TMPDIR/automount"
  exec 3<>"$TMPDIR/automount"
  mount -t autofs -o "fd=3,pgrp=$$,minproto=5,maxproto=5,direct" automount "$entries"
  exec 3>&-
fi
if has chroot; then
  root=$(mktemp -d)
  mount --rbind / "$root"
  into+=(chroot "$root" env --chdir "$PWD")
fi

mounts() { cut -d ' ' -f 5 /proc/self/mountinfo | sort; }

# The processes but for this script, a line each. A zombie has no words.
running() {
  local folder words
  for folder in /proc/[1-9]*; do
    if [[ ${folder#/proc/} == 1 || ${folder#/proc/} == "$BASHPID" ]]; then continue; fi
    mapfile -d '' -t words <"$folder/cmdline" || continue
    ((${#words[@]} == 0)) || echo "left: process ${words[*]}"
  done 2>/dev/null
}

before=$(mounts)
code=0
"${into[@]}" "$@" || code=$?

# What was killed may take a moment.
for _ in {1..100}; do
  processes=$(running)
  [[ -n $processes ]] || break
  sleep 0.1
done
printf '%s\n' "$processes"
diff <(echo "$before") <(mounts) | sed -n 's/^>/left: mount/p' || true
[[ -z ${root-} ]] || { umount --recursive "$root" && rmdir "$root"; }
find "$TMPDIR" -maxdepth 1 -name 'dcc.*' | sed 's/^/left: file /'
has binfmt-mounted || mount -t binfmt_misc binfmt_misc "$entries"
find "$entries" /sys/class/net /sys/fs/cgroup '(' -name 'dev-container-cache-*' -o -name 'dcc-*' ')' | sed 's/^/left: in the kernel /'
exit "$code"
