# shellcheck shell=bash
#
# Packages of this machine's distribution (Debian 12 or newer, Ubuntu 24.04 or newer), unpacked into a cache folder: nothing is installed, and apt works on
# a private state. Other scripts read this one in, for `fetch` and `set_folder`, `say` and `die`, `at_least`.
#
#   fetch SET…       has sets of packages unpacked
#   set_folder SET   where a set lies
#   have_room FOLDER MEGABYTES WHAT-TO-DO, have_temporary_room FOLDER MEGABYTES   end in words where a folder cannot be written, or has no room
#
# SERVICES_SUITE=sid takes the packages that have to be new from another Debian suite; each suite has folders of its own.

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

# Says why it ends here, and the end of the logs that tell more: die TEXT [LOG…]
die() {
  say "$1"
  for log in "${@:2}"; do
    [[ ! -s $log ]] || { printf -- '---- the end of %s\n' "$log" && tail -n 25 "$log"; } >&2
  done
  exit 1
}

[[ -n ${XDG_CACHE_HOME:-${HOME-}} ]] ||
  die "Neither HOME nor XDG_CACHE_HOME is set: set one of them to a folder that can be written; what is fetched is kept there."
readonly packages=${XDG_CACHE_HOME:-$HOME/.cache}/dev-container-cache/packages

# Makes a folder where there is none, and ends here where that or its space will not do: have_room FOLDER MEGABYTES WHAT-TO-DO
have_room() {
  local said free
  said=$(mkdir -p "$1" 2>&1) || die "The folder $1 cannot be made (${said##*: }): $3."
  [[ -w $1 ]] || die "The folder $1 cannot be written by $(id -un): $3."
  free=$(df --output=avail --block-size=1M "$1" | tail -n 1)
  ((free >= $2)) || die "The disk of $1 has ${free// /} MB left, and some $2 MB are needed: free some, or $3."
}

# The same for the folder of temporary files, which is never made: have_temporary_room FOLDER MEGABYTES
have_temporary_room() {
  [[ -d $1 ]] || die "There is no folder $1 for temporary files: set TMPDIR to one that is there."
  have_room "$1" "$2" "set TMPDIR to another folder"
}

# Whether the first version is at least the second.
at_least() { printf '%s\n%s\n' "$2" "$1" | sort --version-sort --check=silent; }

# shellcheck disable=SC1091 # every Debian and Ubuntu has it
os_release() { (. /etc/os-release && printf '%s' "${!1-}"); }

native() { case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) die "This machine is a $(uname -m); amd64 and arm64 are known." ;; esac; }

machine_of() { case $1 in amd64) echo x86_64 ;; *) echo aarch64 ;; esac; }

foreign() { case $(native) in amd64) echo arm64 ;; *) echo amd64 ;; esac; }

# The packages of a set, as apt is asked for them: packages_of SET OWN NEWER. Those that may have to be newer than the machine's own release come from
# the suite NEWER, where there is one; the others want the libraries of the release itself, OWN.
packages_of() {
  local -r own=${3:+/$2} newer=${3:+/$3}
  case $1 in
    engine)
      # Ubuntu's docker.io brings the client along.
      [[ $(os_release ID) == ubuntu ]] || echo "docker-cli$newer"
      echo "docker.io$newer" "containerd$newer" "docker-buildx$newer" "runc$own" "tini$own"
      ;;
    buildx) echo "docker-buildx$newer" ;;
    compose) echo "docker-compose$newer" ;;
    registry) echo "docker-registry$own" ;;
    emulator) echo "qemu-user-static$own" ;;
    busybox-*) echo "busybox-static:${1#busybox-}$own" ;;
    runc) echo "runc$own" ;;
    # golang-go itself holds only links.
    go) apt-cache depends "golang-go$newer" | sed -nE "s|^ *Depends: (golang-[0-9.]+)-go$|\1-go$newer \1-src$newer|p" ;;
    skopeo | shellcheck) with_libraries "$1" "$own" ;;
    tinyproxy) with_libraries tinyproxy-bin "$own" ;;
    sshd) with_libraries openssh-server "$own" ;;
    git-lfs) echo "git-lfs$own" ;;
  esac
}

# A package with its libraries and theirs, but for the C library and its kin, which every program here shares with the machine: with_libraries PACKAGE OWN
with_libraries() {
  local direct
  mapfile -t direct < <(libraries_of "$1$2")
  { echo "$1" && printf '%s\n' "${direct[@]}" && libraries_of "${direct[@]/%/$2}"; } | sort -u | sed -n "s|.$|&$2|p"
}

libraries_of() {
  (($# == 0)) || apt-cache depends "$@" | awk '$1 == "Depends:" && $2 ~ /^lib/ && $2 !~ /^lib(c6|gcc-s1|stdc\+\+6)$/ { print $2 }'
}

# The suite that what has to be new comes from; empty: whatever the machine's sources offer. Debian 12 has Docker 20.10, from before the containerd image
# store and buildx. trixie's engine 26.1.5 and buildx 0.13.1 run on it unpacked and do all that the action needs (two platforms in one push, provenance,
# source policy, metadata file; rawjson progress comes indented, over several lines, where buildx 0.29 writes one line each). sid is not needed for them.
newer_suite() {
  if [[ -n ${SERVICES_SUITE-} ]]; then
    echo "$SERVICES_SUITE"
  elif [[ $(os_release VERSION_CODENAME) == bookworm ]]; then
    echo trixie
  fi
}

set_folder() { echo "$packages/$(os_release ID)-$(os_release VERSION_CODENAME)-$(native)/$1${SERVICES_SUITE:+-$SERVICES_SUITE}"; }

# Copies the machine's package sources into a folder, cut down to its own release, with a newer suite beside it. Both forms: stanzas and lines.
write_sources() {
  local -r into=$1 own=$2 newer=$3
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $file ]] || continue
    awk -v own="$own" -v newer="$newer" '
      $1 != "deb" { next }
      {
        line = $0
        sub(/[[:space:]]#.*/, "", line)
        match(line, /^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?/)
        head = substr(line, 1, RLENGTH)
        count = split(substr(line, RLENGTH + 1), part, /[[:space:]]+/)
        sub(/arch(itectures)?=[^] ]*/, "", head)
        gsub(/\[[[:space:]]*\]/, "", head)
        rest = ""
        for (i = 3; i <= count; i++) rest = rest " " part[i]
        if (part[2] ~ "^(" own "|stable|testing|unstable|sid)(-updates|-security)?$") print head part[1], part[2] rest
        if (newer != "" && part[2] == own) print head part[1], newer rest
      }' "$file" >"$into/$(basename "$file")"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] || continue
    awk -v own="$own" -v newer="$newer" '
      function flush(  i, count, part, kept) {
        count = split(suites, part, /[[:space:]]+/)
        for (i = 1; i <= count; i++) {
          if (part[i] ~ "^(" own "|stable|testing|unstable|sid)(-updates|-security)?$") kept = kept " " part[i]
          if (newer != "" && part[i] == own) kept = kept " " newer
        }
        if (kept != "" && !off) print stanza "Types: deb\nSuites:" kept "\n"
        stanza = suites = key = ""; off = 0
      }
      /^[[:space:]]*$/ { flush(); next }
      /^#/ { next }
      /^[^[:space:]]/ { key = tolower($1) }
      key == "suites:" { sub(/^[^[:space:]]*:/, ""); suites = suites " " $0; next }
      key == "enabled:" && tolower($2) ~ /^(no|false|off|0|without)$/ { off = 1 }
      key == "types:" { if ($0 !~ /(^|[[:space:]])deb([[:space:]]|$)/) off = 1; next }
      key == "architectures:" || key == "enabled:" { next }
      { stanza = stanza $0 "\n" }
      END { flush() }' "$file" >"$into/$(basename "$file")"
  done
}

# Ubuntu keeps its two main architectures and the others on different servers: each source is bound to this machine's architecture, and one for the
# other is added. (Not tried: there was no Ubuntu at hand.)
split_ubuntu_sources() {
  local -r folder=$1 own=$2
  local file elsewhere=ports.ubuntu.com/ubuntu-ports
  [[ $(foreign) == arm64 ]] || elsewhere=archive.ubuntu.com/ubuntu
  for file in "$folder"/*; do
    sed -i -E -e "s/^Types: deb$/&\nArchitectures: $(native)/" -e "s/^deb +\[/deb [arch=$(native) /; t" -e "s/^deb /deb [arch=$(native)] /" "$file"
  done
  echo "deb [arch=$(foreign) signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://$elsewhere $own main universe" >"$folder/foreign.list"
}

# An apt of our own in a folder: its own lists, its own sources, the machine's settings (proxies, keys, logins) without its hooks.
write_apt() {
  local -r apt=$1 own=$2 newer=$3
  mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,sources,settings,none}
  : >"$apt/status"
  cat >"$apt/apt.conf" <<CONF
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$apt/settings";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$apt/none";
CONF
  cp /etc/apt/apt.conf.d/* "$apt/settings/" 2>/dev/null || true
  [[ ! -f /etc/apt/apt.conf ]] || cp /etc/apt/apt.conf "$apt/settings/50machine"
  cat >"$apt/settings/zz-private" <<CONF
#clear APT::Update;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large;
#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large-hidpi;
#clear APT::Architectures;
APT::Architectures { "$(native)"; "$(foreign)"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
  write_sources "$apt/sources" "$own" "$newer"
  [[ $(os_release ID) != ubuntu ]] || split_ubuntu_sources "$apt/sources" "$own"
}

# The sets that are not unpacked yet, a line each: lacking SET…
lacking() {
  local name
  for name in "$@"; do
    [[ -d $(set_folder "$name") ]] || echo "$name"
  done
}

# Has the sets unpacked in the cache folder: fetch SET…
fetch() {
  local missing
  mapfile -t missing < <(lacking "$@")
  ((${#missing[@]})) || return 0
  have_room "$packages" $((200 + 50 * ${#missing[@]})) "set XDG_CACHE_HOME to another folder"
  exec 9>"$packages/lock"
  flock 9
  # Another run may have fetched them meanwhile.
  mapfile -t missing < <(lacking "$@")
  if ((${#missing[@]})); then unpack "${missing[@]}"; fi
  exec 9>&-
}

# Where the emulator of the other architecture lies in its set.
emulator_path() { echo "usr/bin/qemu-$(machine_of "$(foreign)")-static"; }

# Downloads packages and unpacks them into one folder: take WORK SET PACKAGE…
take() {
  local -r debs=$1/$2.debs into=$1/$2
  local file
  rm -rf "$debs"
  mkdir -p "$debs" "$into"
  (cd "$debs" && apt-get download "${@:3}") >>"$1/log" 2>&1 ||
    die "apt cannot fetch ${*:3}: look at the network, mend the package sources, or install what $2 stands for." "$1/log"
  for file in "$debs"/*.deb; do
    say "  $(basename "${file//%3a/:}" .deb)"
    dpkg -x "$file" "$into" 2>>"$1/log" || die "$(basename "$file") cannot be unpacked into $into." "$1/log"
  done
}

unpack() {
  local -r own=$(os_release VERSION_CODENAME) newer=$(newer_suite) work=$packages/work
  local name folder wanted
  rm -rf "$work"
  write_apt "$work/apt" "$own" "$newer"
  export APT_CONFIG=$work/apt/apt.conf
  say "unpacking packages of $(os_release PRETTY_NAME)${newer:+ and $newer} into $packages; nothing is installed"
  # A source that fails (a third party's, without a newer suite) matters only when a package is then missing.
  apt-get update >"$work/log" 2>&1 || true
  for name in "$@"; do
    if ! wanted=$(packages_of "$name" "$own" "$newer" 2>>"$work/log") || [[ -z $wanted ]]; then
      die "apt knows no package for $name: look at the network, mend the package sources, or install it." "$work/log"
    fi
    # shellcheck disable=SC2086 # one word for each package
    take "$work" "$name" $wanted
    # From Debian 13 on, qemu-user-static holds only links to what qemu-user has; before, qemu-user needs libraries.
    if [[ $name == emulator && ! -e $work/$name/$(emulator_path) ]]; then take "$work" "$name" qemu-user; fi
    # Some releases have busybox in /bin, some in /usr/bin.
    [[ -e $work/$name/bin ]] || ln -s usr/bin "$work/$name/bin"
    # Documentation, and the emulators of thirty other machines.
    rm -rf "${work:?}/$name/usr/share"/{doc,man}
    find "$work/$name/usr/bin" -name 'qemu-*' ! -name "qemu-$(machine_of "$(foreign)")*" -delete 2>/dev/null || true
  done
  unset APT_CONFIG
  for name in "$@"; do
    folder=$(set_folder "$name")
    mkdir -p "${folder%/*}"
    mv "$work/$name" "$folder"
  done
  rm -rf "$work"
}
