#!/usr/bin/env bash
#
# A Docker engine that builds linux/amd64 and linux/arm64 and a container registry, for the tests and the main job.
#
#   scripts/services.sh run -- COMMAND…   brings them up, runs the command, takes them down whatever happens
#   scripts/services.sh up                brings them up and leaves them; then: eval "$(scripts/services.sh env)"
#   scripts/services.sh env               the variables of what `up` left
#   scripts/services.sh down              takes down what `up` left
#   scripts/services.sh clean             forgets the unpacked packages
#
# What the command finds in its environment:
#
#   TEST_REGISTRY  host:port of the registry: plain http, on the loopback interface
#   TEST_REGISTRY_PROGRAM  the docker-registry that serves it, for tests that need one with TLS or logins
#   TEST_BUSYBOX   a folder with amd64/busybox and arm64/busybox, static: what base images are made of
#   DOCKER_HOST, DOCKER_CONFIG, BUILDX_CONFIG, BUILDX_BUILDER, PATH   so that `docker buildx build` just works
#
# A machine whose engine answers and has buildx: that engine is used. Otherwise (Debian 12 or newer, Ubuntu 24.04 or newer, as root) Docker comes from
# the machine's own package sources. Nothing is installed: packages are unpacked into a cache folder, apt works on a private state, and the engine
# lives in namespaces of its own with all its data in one temporary folder. SERVICES_SUITE=sid takes Docker from another Debian suite, for tests
# with a newer engine; SERVICES_ENGINE=own ignores the machine's.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/dev-container-cache/services

# The folder of one bring-up: configuration, logs, the engine's data, and `undo`, the commands that take it down, last one first.
state=

say() { printf 'services: %s\n' "$*" >&2; }

die() {
  say "$1"
  for log in "${@:2}"; do
    [[ ! -s $log ]] || { printf -- '---- the end of %s\n' "$log" && tail -n 25 "$log"; } >&2
  done
  exit 1
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

# Remembers a command for the way down.
later() {
  printf '%q ' "$@" >>"$state/undo"
  printf '\n' >>"$state/undo"
}

# Polls until a command succeeds: await SECONDS COMMAND…
await() {
  local -r end=$((SECONDS + $1))
  until "${@:2}" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

# Ends a process that we started, and waits for it.
stop() {
  kill -KILL "$1" 2>/dev/null || return 0
  await 10 gone "$1"
}

# A zombie counts as gone: whoever started it may be slow to notice.
gone() { ! grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status"; }

# ---------------------------------------------------------------------------------------------------------------------------------- packages

# shellcheck disable=SC1091 # every Debian and Ubuntu has it
os_release() { (. /etc/os-release && printf '%s' "${!1-}"); }

native() { case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) die "This machine is a $(uname -m); amd64 and arm64 are known." ;; esac; }

machine_of() { case $1 in amd64) echo x86_64 ;; *) echo aarch64 ;; esac; }

foreign() { case $(native) in amd64) echo arm64 ;; *) echo amd64 ;; esac; }

# The packages of a set. NAME@docker are those that may have to come from a newer suite than the machine's own; the others want its libraries.
packages() {
  case $1 in
    engine) echo docker.io@docker docker-cli@docker containerd@docker docker-buildx@docker runc tini ;;
    buildx) echo docker-buildx@docker ;;
    registry) echo docker-registry ;;
    emulator) echo qemu-user-static ;;
    busybox-*) echo "busybox-static:${1#busybox-}" ;;
  esac
}

# The suite that Docker comes from; empty: whatever the machine's sources offer. Debian 12 has Docker 20.10, from before the containerd image store and
# buildx. trixie's engine 26.1.5 and buildx 0.13.1 run on it unpacked and do all that the action needs (two platforms in one push, provenance, source
# policy, metadata file; rawjson progress comes indented, over several lines, where buildx 0.29 writes one line each). sid is not needed.
docker_suite() {
  if [[ -n ${SERVICES_SUITE-} ]]; then
    echo "$SERVICES_SUITE"
  elif [[ $(os_release VERSION_CODENAME) == bookworm ]]; then
    echo trixie
  fi
}

set_folder() { echo "$cache/$(os_release ID)-$(os_release VERSION_CODENAME)-$(native)/$1${SERVICES_SUITE:+-$SERVICES_SUITE}"; }

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
  cat >"$apt/settings/zz-services" <<CONF
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

# Has the sets unpacked in the cache folder: fetch SET…
fetch() {
  local name package missing=()
  mkdir -p "$cache"
  exec 8>"$cache/lock"
  flock 8
  for name in "$@"; do
    [[ -d $(set_folder "$name") ]] || missing+=("$name")
  done
  if ((${#missing[@]})); then unpack "${missing[@]}"; fi
  exec 8>&-
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
    die "apt cannot fetch ${*:3}: a working package source, or Docker with buildx, is needed." "$1/log"
  for file in "$debs"/*.deb; do
    say "  $(basename "${file//%3a/:}" .deb)"
    dpkg -x "$file" "$into"
  done
}

unpack() {
  local -r own=$(os_release VERSION_CODENAME) newer=$(docker_suite) work=$cache/work
  local name package folder wanted
  rm -rf "$work"
  write_apt "$work/apt" "$own" "$newer"
  export APT_CONFIG=$work/apt/apt.conf
  say "unpacking packages of $(os_release PRETTY_NAME)${newer:+, Docker of $newer,} into $cache; nothing is installed"
  # A source that fails (a third party's, without a newer suite) matters only when a package is then missing.
  apt-get update >"$work/log" 2>&1 || true
  for name in "$@"; do
    wanted=()
    for package in $(packages "$name"); do
      case $package in
        *@docker) wanted+=("${package%@docker}${newer:+/$newer}") ;;
        *) wanted+=("$package${newer:+/$own}") ;;
      esac
    done
    # Ubuntu's docker.io brings the client that Debian has in docker-cli.
    if [[ $(os_release ID) == ubuntu ]]; then wanted=("${wanted[@]/#docker-cli*/}"); fi
    # shellcheck disable=SC2068 # the emptied name of above vanishes
    take "$work" "$name" ${wanted[@]}
    # From Debian 13 on, qemu-user-static holds only links to what qemu-user has; before, qemu-user needs libraries.
    if [[ $name == emulator && ! -e $work/$name/$(emulator_path) ]]; then take "$work" "$name" qemu-user; fi
    # Some releases have busybox in /bin, some in /usr/bin.
    [[ -e $work/$name/bin ]] || ln -s usr/bin "$work/$name/bin"
    # Documentation, and the emulators of thirty other machines.
    rm -rf "${work:?}/$name/usr/share"
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

# ------------------------------------------------------------------------------------------------------------------------------------ engine

# Whether the machine has an engine that answers, and a docker client.
machine_has_engine() { [[ ${SERVICES_ENGINE-} != own ]] && command -v docker >/dev/null && timeout 20 docker version >/dev/null 2>&1; }

# Runs in new mount and process namespaces, and becomes the engine. Whatever it mounts, and whatever it starts, ends with it.
# /run and /opt get a layer of their own: containerd, its shims and runc insist on folders there.
become_engine() {
  state=$1
  local pid layer
  read -r pid _ </proc/self/stat
  echo "$pid" >"$state/engine.pid"
  mount -t proc proc /proc
  mount -t tmpfs tmpfs "$state/private"
  for layer in run opt; do
    mkdir -p "$state/private/$layer"/{upper,work}
    mount -t overlay overlay -o "lowerdir=/$layer,upperdir=$state/private/$layer/upper,workdir=$state/private/$layer/work" "/$layer"
  done
  mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  emulate
  exec dockerd --config-file "$state/daemon.json"
}

# What the kernel knows the emulator of the other architecture by: a name of this bring-up, so that two of them, or the machine's own, do not meet.
emulator_name() { echo "dev-container-cache-${state##*.}"; }

# Registers the emulator. Flag F: the kernel opens it now, so containers need not see the file. From Linux 6.7 on the entry ends with the mount.
emulate() {
  local -r emulator=$(set_folder emulator)/$(emulator_path)
  local magic='\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  if [[ $(foreign) == amd64 ]]; then
    magic=${magic/'\xb7'/'\x3e'}
    mask='\xff\xff\xff\xff\xff\xfe\xfe\xfc\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  fi
  printf '%s' ":$(emulator_name):M::$magic:$mask:$emulator:OPF" >/proc/sys/fs/binfmt_misc/register
}

forget_emulator() {
  local -r entry=/proc/sys/fs/binfmt_misc/dev-container-cache-${1##*.}
  [[ ! -e $entry ]] || echo -1 >"$entry"
}

start_engine() {
  local -r engine=$(set_folder engine) busybox=$(set_folder "busybox-$(native)")/bin/busybox bridge=dcc$$ guard=("$@")
  local storage=
  # An overlay cannot lie on an overlay, which is what a container that plays the machine has.
  [[ $(stat -f -c %T "$state") != overlayfs ]] || storage='"storage-driver": "native",'
  # A bridge of its own: docker0 may belong to another engine. No firewall rules: steps of a build reach the network only with --network host.
  "$busybox" ip link add "$bridge" type bridge || die "No network bridge can be made: this needs real root rights (in a container: --privileged)."
  later remove_bridge "$busybox" "$bridge"
  mkdir -p "$state"/{docker/cli-plugins,private}
  cat >"$state/daemon.json" <<JSON
{
  "data-root": "$state/engine",
  "exec-root": "$state/exec",
  "pidfile": "$state/dockerd.pid",
  "hosts": ["unix://$state/docker.sock"],
  "features": { "containerd-snapshotter": true }, $storage
  "insecure-registries": ["127.0.0.0/8"],
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "cgroup-parent": "/$bridge",
  "bridge": "$bridge",
  "userland-proxy": false,
  "iptables": false,
  "ip6tables": false,
  "ip-forward": false,
  "ip-masq": false
}
JSON
  ln -s "$engine/usr/libexec/docker/cli-plugins/docker-buildx" "$state/docker/cli-plugins/docker-buildx"
  # docker-init is a link to a program that no package of ours puts there.
  mkdir "$state/bin"
  ln -s "$engine/usr/bin/tini-static" "$state/bin/docker-init"
  later await 10 remove_cgroups "$bridge"
  export PATH=$state/bin:$engine/usr/sbin:$engine/usr/bin:$PATH
  setsid "${guard[@]}" unshare --mount --propagation slave --pid --fork --kill-child \
    bash "$here/services.sh" become-engine "$state" >"$state/engine.log" 2>&1 </dev/null &
  disown
  later stop_engine "$state"
  export DOCKER_HOST=unix://$state/docker.sock DOCKER_CONFIG=$state/docker
  unset DOCKER_CONTEXT DOCKER_TLS DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION BUILDX_BUILDER BUILDX_CONFIG
  provide PATH DOCKER_HOST DOCKER_CONFIG
  printf 'unset DOCKER_CONTEXT DOCKER_TLS DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION BUILDX_BUILDER BUILDX_CONFIG\n' >>"$state/env"
}

stop_engine() {
  local -r pid=$(cat "$1/engine.pid")
  # The kernel before 6.7 keeps the emulator when the mount is gone.
  nsenter --target "$pid" --mount bash "$here/services.sh" forget-emulator "$1" 2>/dev/null || true
  # Asked first, it puts away what a build in flight has half made (a pair of network interfaces); then it has to.
  kill -TERM "$pid" 2>/dev/null && await 3 gone "$pid"
  stop "$pid"
}

remove_bridge() {
  local port
  for port in "/sys/class/net/$2/brif"/*; do
    [[ ! -e $port ]] || "$1" ip link delete "${port##*/}"
  done
  "$1" ip link delete "$2"
}

# Fails as long as a process of it is still ending.
remove_cgroups() {
  find /sys/fs/cgroup -depth -type d -path "*/$1*" -exec rmdir {} + 2>/dev/null
  [[ -z $(find /sys/fs/cgroup -type d -name "$1") ]]
}

# With the machine's engine: its own emulators, else ours, told to the machine's kernel.
ensure_emulator() {
  ! docker buildx inspect --bootstrap 2>/dev/null | grep -q "linux/$(foreign)" || return 0
  fetch emulator
  say "the engine cannot run linux/$(foreign): the machine's kernel is told of $(set_folder emulator)/usr/bin until the end"
  local -r me=(bash "$here/services.sh")
  if ! mountpoint -q /proc/sys/fs/binfmt_misc; then
    as_root mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    later as_root umount /proc/sys/fs/binfmt_misc
  fi
  as_root env "XDG_CACHE_HOME=${cache%/dev-container-cache/services}" "${me[@]}" emulate "$state" ||
    die "Registering the emulator needs root, or sudo without a password."
  later as_root "${me[@]}" forget-emulator "$state"
}

# Uses what is there. buildx keeps notes: they go to our folder, never to ~/.docker.
adopt_engine() {
  say "using the Docker engine of this machine ($(docker version --format '{{.Server.Version}}'))"
  if ! docker buildx version >/dev/null 2>&1; then
    command -v apt-get >/dev/null || die "The docker client has no buildx, and there is no apt to get it with: install the buildx plugin."
    say "its client has no buildx: using the one from $cache"
    DOCKER_HOST=${DOCKER_HOST-$(docker context inspect --format '{{.Endpoints.docker.Host}}')}
    DOCKER_CONFIG=$state/docker
    mkdir -p "$DOCKER_CONFIG/cli-plugins"
    ln -s "$(set_folder buildx)/usr/libexec/docker/cli-plugins/docker-buildx" "$DOCKER_CONFIG/cli-plugins/docker-buildx"
    export DOCKER_HOST DOCKER_CONFIG
    provide DOCKER_HOST DOCKER_CONFIG
  fi
  export BUILDX_CONFIG=$state/buildx
  unset BUILDX_BUILDER
  provide BUILDX_CONFIG
  printf 'unset BUILDX_BUILDER\n' >>"$state/env"
  ensure_emulator
}

# Images that were pulled from, or built for, a registry that is gone are of no use to the machine's owner. (Its build cache cleans itself.)
forget_images() {
  docker image ls --digests --format '{{.Repository}}{{if eq .Tag "<none>"}}@{{.Digest}}{{else}}:{{.Tag}}{{end}}' |
    awk -v registry="$1/" 'index($0, registry) == 1' | xargs --no-run-if-empty docker image rm --force
}

# A builder that can do what the machine's engine cannot (its classic image store keeps one platform). Its image comes from Docker Hub.
add_builder() {
  say "the engine's own builder cannot push two platforms: making a docker-container builder, image moby/buildkit from Docker Hub"
  local -r name=dev-container-cache-${state##*.}
  docker buildx create --name "$name" --driver docker-container --driver-opt network=host >"$state/builder.log" 2>&1 || return
  later env "BUILDX_CONFIG=$state/buildx" docker buildx rm --force "$name"
  export BUILDX_BUILDER=$name
  provide BUILDX_BUILDER
}

# Builds for both platforms, runs a step in both, pushes: what all the rest relies on.
can_build() {
  local -r context=$state/probe
  mkdir -p "$context"
  cp -r "$TEST_BUSYBOX"/{amd64,arm64} "$context/"
  # shellcheck disable=SC2016 # BuildKit expands it
  printf '%s\n' 'FROM scratch' 'ARG TARGETARCH' 'COPY $TARGETARCH/busybox /busybox' 'RUN ["/busybox", "true"]' >"$context/Dockerfile"
  docker buildx build --platform linux/amd64,linux/arm64 --tag "$TEST_REGISTRY/services/probe:1" --push --progress plain "$context" \
    >"$state/builder.log" 2>&1 </dev/null
}

# ---------------------------------------------------------------------------------------------------------------------------------- registry

start_registry() {
  local -r guard=("$@")
  if ! command -v apt-get >/dev/null; then
    registry_container
    return
  fi
  cat >"$state/registry.yml" <<YAML
version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: "$state/registry" }, delete: { enabled: true } }
http: { addr: "127.0.0.1:0" }
YAML
  setsid "${guard[@]}" "$(set_folder registry)/usr/bin/docker-registry" serve "$state/registry.yml" >"$state/registry.log" 2>&1 </dev/null &
  later stop $!
  disown
  await 20 grep -q 'listening on 127' "$state/registry.log" || die "The registry did not start." "$state/registry.log"
  TEST_REGISTRY=$(grep -o 'listening on 127\.0\.0\.1:[0-9]*' "$state/registry.log" | grep -o '127.*')
  export TEST_REGISTRY TEST_REGISTRY_PROGRAM
  TEST_REGISTRY_PROGRAM=$(set_folder registry)/usr/bin/docker-registry
  provide TEST_REGISTRY
  provide TEST_REGISTRY_PROGRAM
}

# A machine with Docker and without apt: the registry and busybox come from Docker Hub.
registry_container() {
  say "no apt here: the registry and busybox are the images registry:2 and busybox:musl of Docker Hub"
  local id
  id=$(docker run --detach --rm --publish 127.0.0.1::5000 registry:2) || die "docker run registry:2 failed."
  later docker rm --force --volumes "$id"
  TEST_REGISTRY=$(docker port "$id" 5000/tcp | head -n 1)
  export TEST_REGISTRY
  provide TEST_REGISTRY
}

collect_busybox() {
  TEST_BUSYBOX=$state/busybox
  local arch id
  for arch in amd64 arm64; do
    mkdir -p "$TEST_BUSYBOX/$arch"
    if command -v apt-get >/dev/null; then
      cp "$(set_folder "busybox-$arch")/bin/busybox" "$TEST_BUSYBOX/$arch/busybox"
    else
      id=$(docker create --platform "linux/$arch" busybox:musl) || die "docker cannot fetch busybox:musl for $arch."
      docker cp --quiet "$id:/bin/busybox" "$TEST_BUSYBOX/$arch/busybox"
      docker rm "$id" >/dev/null
    fi
    chmod 0755 "$TEST_BUSYBOX/$arch/busybox"
  done
  export TEST_BUSYBOX
  provide TEST_BUSYBOX
}

# ------------------------------------------------------------------------------------------------------------------------------------- story

# Notes exported variables for `env`.
provide() {
  local name
  for name in "$@"; do printf 'export %s=%q\n' "$name" "${!name}" >>"$state/env"; done
}

# bring_up [GUARD…]: the guard is put before what is started.
bring_up() {
  local -r guard=("$@")
  state=$(mktemp -d "${TMPDIR:-/tmp}/dcc.XXXXXX")
  : >"$state/undo"
  trap take_down EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if machine_has_engine; then
    bring_up_on_machine "${guard[@]}"
  else
    ((EUID == 0)) || die "No Docker engine answers here, and only root can start one: run this as root, or install Docker with buildx."
    command -v apt-get >/dev/null || die "No Docker engine answers here, and there is no apt to get one with: install Docker with buildx."
    fetch registry busybox-amd64 busybox-arm64 engine emulator
    bring_up_engine "${guard[@]}"
  fi
  rm -rf "$state/probe"
  say "registry $TEST_REGISTRY, engine $(docker version --format '{{.Server.Version}}'), $(docker buildx version | cut -d ' ' -f 1,2)"
}

bring_up_on_machine() {
  local wanted=(registry busybox-amd64 busybox-arm64)
  docker buildx version >/dev/null 2>&1 || wanted+=(buildx)
  # All that it lacks in one go: reading the package lists is what takes time.
  ! command -v apt-get >/dev/null || fetch "${wanted[@]}"
  adopt_engine
  collect_busybox
  start_registry "$@"
  later forget_images "$TEST_REGISTRY"
  if can_build || { add_builder && can_build; }; then return; fi
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    die "This machine's Docker cannot build and push for linux/amd64 and linux/arm64." "$state/builder.log"
  fi
  say "nor can that one ($(tail -n 1 "$state/builder.log")): an engine of our own instead"
  fetch engine emulator
  bring_up_engine "$@"
}

bring_up_engine() {
  start_engine "$@"
  if [[ -z ${TEST_REGISTRY-} ]]; then
    collect_busybox
    start_registry "$@"
  fi
  await 60 docker version || die "The engine did not start." "$state/engine.log"
  can_build || die "The engine cannot build and push for linux/amd64 and linux/arm64." "$state/engine.log" "$state/builder.log"
}

take_down() {
  local -r code=$?
  trap - EXIT
  trap '' INT TERM HUP
  [[ -f $state/undo ]] || exit "$code"
  local line
  while read -r line; do
    eval "$line" >>"$state/down.log" 2>&1 || true
  done < <(tac "$state/undo")
  # Processes that were just ended may hold a last mount or file for a moment.
  await 10 rm -rf "$state" || { say "left behind: $state" && exit 1; }
  exit "$code"
}

run() {
  local child code=0
  if [[ -n ${TEST_REGISTRY-} ]]; then
    say "using the services of the environment: $TEST_REGISTRY"
    exec "$@"
  fi
  # The guard: should this script itself be killed, so are the engine and the registry.
  bring_up setpriv --pdeathsig KILL
  # A process group of its own, so that a signal reaches the command and its children, and we clean up after them.
  set -m
  "$@" &
  child=$!
  set +m
  trap 'say "stopping"; kill -TERM -- "-$child" 2>/dev/null' INT TERM HUP
  wait "$child" || code=$?
  # A trapped signal ends `wait` early: give the command its time.
  if ((code > 128)); then
    await 20 gone "$child" || true
  fi
  kill -KILL -- "-$child" 2>/dev/null || true
  exit "$code"
}

main() {
  local -r pointer=$cache/up
  case ${1-} in
    run)
      if [[ ${2-} != -- ]] || (($# < 3)); then die "Write: services.sh run -- COMMAND…"; fi
      run "${@:3}"
      ;;
    up)
      [[ ! -f $pointer/env ]] || die "Already up: scripts/services.sh env, or down."
      bring_up
      ln -sfn "$state" "$pointer"
      trap - EXIT
      ;;
    env)
      [[ -f $pointer/env ]] || die "Nothing is up: scripts/services.sh up"
      cat "$pointer/env"
      ;;
    down)
      [[ -d $pointer ]] || die "Nothing is up."
      state=$(readlink "$pointer")
      rm "$pointer"
      # shellcheck disable=SC1091 # the machine's docker may have been reached through what it says
      . "$state/env"
      trap take_down EXIT
      ;;
    clean)
      [[ ! -f $pointer/env ]] || die "Still up: scripts/services.sh down"
      rm -rf "$cache"
      ;;
    # For ourselves, in another namespace or as another user.
    become-engine) become_engine "$2" ;;
    emulate) state=$2 && emulate ;;
    forget-emulator) forget_emulator "$2" ;;
    *)
      sed -n '/^#   scripts/s/^# //p' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
}

main "$@"
