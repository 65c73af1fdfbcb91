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
# the machine's own package sources, and nothing is installed (scripts/packages.sh): the engine lives in namespaces of its own with all its data in one
# temporary folder. SERVICES_SUITE=sid takes Docker from another Debian suite, for tests with a newer engine; SERVICES_ENGINE=own ignores the machine's.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=scripts/packages.sh
. "$here/packages.sh"

# The folder of one bring-up: configuration, logs, the engine's data, and `undo`, the commands that take it down, last one first.
state=
# The process that holds the engine of ours.
engine=

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

# Waits until what was started answers, and no longer than it lives: await_answer NAME PROCESS LOG COMMAND…
await_answer() {
  local -r end=$((SECONDS + 60))
  until "${@:4}" >/dev/null 2>&1; do
    ! gone "$2" || die "The $1 has ended before it answered." "$3"
    ((SECONDS < end)) || die "The $1 does not answer after 60 s." "$3"
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
  mount -t tmpfs tmpfs "$state/private"
  for layer in run opt; do
    mkdir -p "$state/private/$layer"/{upper,work}
    mount -t overlay overlay -o "lowerdir=/$layer,upperdir=$state/private/$layer/upper,workdir=$state/private/$layer/work" "/$layer"
  done
  emulate
  mount -t proc proc /proc
  exec dockerd --config-file "$state/daemon.json"
}

# What the kernel knows the emulator of the other architecture by: a name of this bring-up, so that two of them, or the machine's own, do not meet.
emulator_name() { echo "dev-container-cache-${state##*.}"; }

# The kernel's list of emulators in a folder of ours. What is to be seen at /proc/sys/fs/binfmt_misc is not asked: nothing, an autofs, or a mount that
# `mountpoint` still finds when a newer /proc lies over it.
mount_emulators() {
  [[ ! -e $state/binfmt_misc/register ]] || return 0
  mkdir -p "$state/binfmt_misc"
  mount -t binfmt_misc binfmt_misc "$state/binfmt_misc"
}

# Registers the emulator. Flag F: the kernel opens it now, so containers need not see the file. From Linux 6.7 on the entry ends with the mount.
emulate() {
  local -r emulator=$(set_folder emulator)/$(emulator_path)
  local magic='\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  if [[ $(foreign) == amd64 ]]; then
    magic=${magic/'\xb7'/'\x3e'}
    mask='\xff\xff\xff\xff\xff\xfe\xfe\xfc\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  fi
  mount_emulators
  printf '%s' ":$(emulator_name):M::$magic:$mask:$emulator:OPF" >"$state/binfmt_misc/register"
}

# Needs nothing of what the emulator was registered through: the engine's namespace may be gone.
forget_emulator() {
  mount_emulators
  local -r entry=$state/binfmt_misc/$(emulator_name)
  [[ ! -e $entry ]] || echo -1 >"$entry"
  umount "$state/binfmt_misc"
}

start_engine() {
  local -r docker=$(set_folder engine) busybox=$(set_folder "busybox-$(native)")/bin/busybox bridge=dcc-${state##*.} guard=("$@")
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
  ln -s "$docker/usr/libexec/docker/cli-plugins/docker-buildx" "$state/docker/cli-plugins/docker-buildx"
  # docker-init is a link to a program that no package of ours puts there.
  mkdir "$state/bin"
  ln -s "$docker/usr/bin/tini-static" "$state/bin/docker-init"
  later await 10 remove_cgroups "$bridge"
  # The emulator outlives its mount where binfmt_misc is mounted elsewhere too, and before Linux 6.7.
  later bash "$here/services.sh" forget-emulator "$state"
  export PATH=$state/bin:$docker/usr/sbin:$docker/usr/bin:$PATH
  setsid "${guard[@]}" unshare --mount --propagation slave --pid --fork --kill-child \
    bash "$here/services.sh" become-engine "$state" >"$state/engine.log" 2>&1 </dev/null &
  engine=$!
  disown
  later stop_engine "$state" "$engine"
  export DOCKER_HOST=unix://$state/docker.sock DOCKER_CONFIG=$state/docker
  unset DOCKER_CONTEXT DOCKER_TLS DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION BUILDX_BUILDER BUILDX_CONFIG
  provide PATH DOCKER_HOST DOCKER_CONFIG
  printf 'unset DOCKER_CONTEXT DOCKER_TLS DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION BUILDX_BUILDER BUILDX_CONFIG\n' >>"$state/env"
}

# The second process is the parent of the engine, which ends with it.
stop_engine() {
  local pid
  # Asked first, it puts away what a build in flight has half made (a pair of network interfaces); then it has to.
  if pid=$(cat "$1/engine.pid") && kill -TERM "$pid" 2>/dev/null; then await 3 gone "$pid" || true; fi
  stop "$2"
  [[ -z $pid ]] || await 10 gone "$pid"
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
  local said
  # Not through a pipe to grep -q: who has found enough closes it, and docker fails.
  said=$(docker buildx inspect --bootstrap 2>/dev/null) || true
  [[ $said != *"linux/$(foreign)"* ]] || return 0
  fetch emulator
  say "the engine cannot run linux/$(foreign): the machine's kernel is told of $(set_folder emulator)/usr/bin until the end"
  local -r me=(bash "$here/services.sh")
  later as_root "${me[@]}" forget-emulator "$state"
  as_root env "XDG_CACHE_HOME=${packages%/dev-container-cache/packages}" "${me[@]}" emulate "$state" ||
    die "Registering the emulator needs root, or sudo without a password."
}

# Uses what is there. buildx keeps notes: they go to our folder, never to ~/.docker.
adopt_engine() {
  say "using the Docker engine of this machine ($(docker version --format '{{.Server.Version}}'))"
  if ! docker buildx version >/dev/null 2>&1; then
    command -v apt-get >/dev/null || die "The docker client has no buildx, and there is no apt to get it with: install the buildx plugin."
    say "its client has no buildx: using the one from $packages"
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
  local attempt
  for attempt in 1 2 3; do
    docker buildx build --platform linux/amd64,linux/arm64 --tag "$TEST_REGISTRY/services/probe:$attempt" --push --progress plain "$context" \
      >"$state/builder.log" 2>&1 </dev/null && return
    # Debian's registry answers so where a tag is asked for at the very moment at which it is written.
    grep -q '500 Internal Server Error' "$state/builder.log" || return
  done
  return 1
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
  local -r registry=$!
  later stop "$registry"
  disown
  await_answer registry "$registry" "$state/registry.log" grep -q 'listening on 127' "$state/registry.log"
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
  TEST_REGISTRY=$(docker port "$id" 5000/tcp)
  TEST_REGISTRY=${TEST_REGISTRY%%$'\n'*}
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
  local folder=${TMPDIR:-/tmp}
  # The engine's sockets lie in it, and a path of a socket has 107 letters at most.
  ((${#folder} <= 50)) || folder=/tmp
  have_temporary_room "$folder" 200
  state=$(mktemp -d "$folder/dcc.XXXXXX")
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
  await_answer engine "$engine" "$state/engine.log" timeout 20 docker version
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
  command -v "$1" >/dev/null || die "There is no program $1 on PATH."
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
  local -r pointer=${packages%/*}/up
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
      rm -rf "$packages"
      ;;
    # For ourselves, in another namespace or as another user.
    become-engine) become_engine "$2" ;;
    emulate) state=$2 && emulate ;;
    forget-emulator) state=$2 && forget_emulator ;;
    *)
      sed -n '/^#   scripts/s/^# //p' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
}

main "$@"
