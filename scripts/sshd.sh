#!/usr/bin/env bash
#
# OpenSSH's server, for the tests that clone over ssh.
#
#   bash scripts/sshd.sh   prints the program, and the folder of the libraries that it needs, which is empty for the machine's own
#
# The machine's own is used where there is one. Otherwise it is Debian's or Ubuntu's package, unpacked (scripts/packages.sh).
set -euo pipefail
# shellcheck source=scripts/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

if [[ -x /usr/sbin/sshd ]]; then
  printf '%s\n' /usr/sbin/sshd ''
else
  command -v apt-get >/dev/null || die "There is no sshd here, and no apt to get it with: install OpenSSH's server (openssh-server)."
  fetch sshd
  folder=$(set_folder sshd)
  printf '%s\n' "$folder/usr/sbin/sshd" "$folder/usr/lib/$(machine_of "$(native)")-linux-gnu"
fi
