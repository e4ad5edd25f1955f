#!/bin/sh
# Makes a fresh machine ready and hands over: sh workshop/setup.sh quickstart|test|bench|check|build [arguments]
#
# Debian packages that are missing, `npm ci` where package-lock.json changed, the build where sources changed; a
# second run finds nothing to do. Written for sh, because before it nothing is there but a shell and some Node.
# With «packages NAME…» it only makes the programs of a purpose available: node, run, image, test, bench.
set -eu

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
NODE=$ROOT/node_modules/.bin/node
CACHE=/var/cache/berth
# Debian's programs that would come with a service: unpacked here, never installed.
UNPACKED=$CACHE/unpacked
# The oldest kernel that is still maintained; Debian 12, which this is written for, has 6.1 (docs/decisions/0052).
KERNEL=5.10

# Node 26 is linked to it, and a small Debian lacks it.
PACKAGES_NODE='libatomic1'
PACKAGES_RUN='conmon crun runc nftables iproute2 socat procps tini golang-github-containers-common'
PACKAGES_IMAGE='debootstrap'
# docker-compose is a program alone: the engine it would like, docker.io, is only recommended.
PACKAGES_TEST='busybox-static apache2-utils openssl erofs-utils docker-compose'
# Loads for networks.
PACKAGES_BENCH='iperf3 wrk dnsperf'
# Another firewall, beside which ours are tried: what it needs but itself.
PACKAGES_FIREWALLD='dbus-daemon python3-dbus python3-gi python3-nftables python3-cap-ng gir1.2-glib-2.0'
# What dockerd and podman are linked to or call, where they are unpacked.
PACKAGES_DOCKERD='libdevmapper1.02.1 iptables'
PACKAGES_PODMAN='libdevmapper1.02.1 libgpgme11 libsubid4 iptables'

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# --- can this machine run it? ---------------------------------------------------------------------------------

check_machine() {
  [ "$(uname -s)" = Linux ] || fail "Berth runs containers on Linux's kernel, and this is $(uname -s). Use a Linux machine or a virtual one."
  case $(uname -m) in
    x86_64 | aarch64) ;;
    *) fail "Berth runs on x86_64 and aarch64, and this is $(uname -m)." ;;
  esac
  release=$(uname -r)
  lower=$(printf '%s\n%s\n' "$KERNEL" "${release%%-*}" | sort -V | head -n 1)
  [ "$lower" = "$KERNEL" ] || fail "Berth needs Linux $KERNEL or later, and this is $release: too old."
  command -v npm >/dev/null || fail 'Berth needs npm (with Node 20 or later) for the set-up, and there is none on the PATH.'
}

# as_root COMMAND…: through sudo where we are not root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# explain_sudo WHAT-FOR
explain_sudo() {
  [ "$(id -u)" != 0 ] || return 0
  command -v sudo >/dev/null || fail "Not root, and there is no sudo: run this as root. It is needed to $1."
  say "sudo: to $1."
}

# --- Debian packages ------------------------------------------------------------------------------------------

# missing_packages NAME…: those that are not installed.
missing_packages() {
  # dpkg-query also fails for each package it does not know, and that is what is asked here.
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p') || :
  for package in "$@"; do
    printf '%s\n' "$installed" | grep -qxF -- "$package" || printf '%s ' "$package"
  done
}

LOG=''

# apt ARGUMENTS…: quiet, and patient with another apt that is at work.
apt() {
  [ -n "$LOG" ] || LOG=$(mktemp "${TMPDIR:-/tmp}/berth-setup-XXXXXX")
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o APT::Sandbox::User=root "$@" >>"$LOG" 2>&1
}

update_lists() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    apt update && return 0
    # Only the lock is worth waiting for: another apt is updating.
    tail -n 3 "$LOG" | grep -q 'lock' || return 1
    sleep 5
  done
  return 1
}

# with_lists ARGUMENTS…: apt, and once more with fresh package lists where it failed.
with_lists() {
  apt "$@" && return 0
  update_lists && apt "$@" && return 0
  tail -n 8 "$LOG" >&2
  fail "apt-get $1 failed (above); the whole is in $LOG"
}

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# Put here by workshop/setup.sh while it installs packages, which start no services.'
remove_policy() {
  if grep -qsF "$POLICY_MARK" "$POLICY"; then as_root rm -f "$POLICY"; fi
}

# install_packages NAME…: without starting any service.
install_packages() {
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || fail "This set-up knows Debian's packages only. Install these yourself and run it again: $missing"
  explain_sudo "install Debian packages ($missing)"
  say "Installing Debian packages: $missing"
  if [ ! -e "$POLICY" ]; then
    trap 'remove_policy; exit 130' INT TERM HUP
    trap remove_policy EXIT
    printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
  fi
  # shellcheck disable=SC2086 # a list of words
  with_lists install --no-install-recommends $missing
  remove_policy
  trap - INT TERM HUP EXIT
}

# unpack_program PROGRAM PACKAGE…: makes a program available without installing its package, where there is none.
# Installed, these packages would run a service from the next boot on.
unpack_program() {
  program=$1
  shift
  ! command -v "$program" >/dev/null || return 0
  explain_sudo "unpack $* into $UNPACKED"
  say "Unpacking (not installing) $*"
  folder=$(mktemp -d)
  cd "$folder"
  with_lists download "$@"
  as_root mkdir -p "$UNPACKED"
  for archive in *.deb; do as_root dpkg -x "$archive" "$UNPACKED"; done
  cd "$ROOT"
  rm -rf "$folder"
}

# make_available node|run|image|test|bench…
make_available() {
  packages=''
  for need in "$@"; do
    case $need in
      node) packages="$packages $PACKAGES_NODE" ;;
      run) packages="$packages $PACKAGES_RUN" ;;
      image) packages="$packages $PACKAGES_IMAGE" ;;
      test) packages="$packages $PACKAGES_TEST" ;;
      bench) packages="$packages $PACKAGES_BENCH" ;;
      *) fail "nothing is called $need" ;;
    esac
  done
  # shellcheck disable=SC2086 # a list of words
  install_packages $packages
  for need in "$@"; do
    case $need in
      image) unpack_program docker-registry docker-registry ;;
      bench) unpack_program nginx nginx ;;
      # The docker CLI drives the engine in tests; dockerd is the oracle of the API suite, podman the other peer.
      test)
        if ! command -v docker >/dev/null || ! command -v dockerd >/dev/null; then
          # shellcheck disable=SC2086 # a list of words
          install_packages $PACKAGES_DOCKERD
          unpack_program dockerd docker.io containerd
        fi
        if ! command -v podman >/dev/null; then
          # shellcheck disable=SC2086 # a list of words
          install_packages $PACKAGES_PODMAN
          unpack_program podman podman
        fi
        if ! command -v firewalld >/dev/null; then
          # shellcheck disable=SC2086 # a list of words
          install_packages $PACKAGES_FIREWALLD
          unpack_program firewalld firewalld python3-firewall
        fi
        # It is linked to what podman is.
        if ! command -v skopeo >/dev/null; then
          # shellcheck disable=SC2086 # a list of words
          install_packages $PACKAGES_PODMAN
          unpack_program skopeo skopeo
        fi
        ;;
    esac
  done
  [ -z "$LOG" ] || rm -f "$LOG"
  LOG=''
}

# --- Node packages and the build ------------------------------------------------------------------------------

install_modules() {
  cd "$ROOT"
  if [ -x "$NODE" ] && [ node_modules/.package-lock.json -nt package-lock.json ]; then return 0; fi
  say 'Installing Node packages (npm ci)'
  # No package needs its install script: what is native comes built (docs/decisions/0051).
  for attempt in 1 2; do
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && break
    [ "$attempt" = 1 ] || fail 'npm ci failed (above).'
    say 'npm ci failed; once more'
  done
  [ -x "$NODE" ] || fail "npm ci did not bring Node for $(uname -m): are optional dependencies switched off (npm config get omit)?"
}

build_programs() {
  cd "$ROOT"
  stamp=dist/.built
  if [ -e "$stamp" ] && [ -z "$(find cli tui mcp engine package.json package-lock.json workshop/build.ts -newer "$stamp" -print -quit)" ]; then
    return 0
  fi
  mkdir -p dist
  # Taken before the build: what changes meanwhile is newer.
  touch "$stamp.$$"
  if ! "$NODE" workshop/build.ts; then
    rm -f "$stamp.$$"
    fail 'The build failed (above).'
  fi
  mv "$stamp.$$" "$stamp"
}

# --- the jobs -------------------------------------------------------------------------------------------------

# npm puts node_modules/.bin first on the PATH; `npm ci` must not run on a Node that it is about to replace.
PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -v '/node_modules/.bin$' | grep -v '/node-gyp-bin$' | paste -sd: -)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:$UNPACKED/usr/bin:$UNPACKED/usr/sbin
export PATH

[ $# -gt 0 ] || fail 'usage: sh workshop/setup.sh quickstart|test|bench|check|build [arguments]'
job=$1
shift
if [ "$job" = packages ]; then
  make_available "$@"
  exit 0
fi
check_machine
# One set-up at a time in one clone; a lock on a file that is there anyway leaves nothing behind.
exec 9<"$ROOT/package.json"
flock 9
case $job in
  quickstart) make_available node run ;;
  test) make_available node run image test ;;
  bench) make_available node run image test bench ;;
  check | build) make_available node ;;
  *) fail "no such job: $job" ;;
esac
install_modules
case $job in
  build) exec "$NODE" workshop/build.ts "$@" ;;
  check) exec 9<&- && exec "$NODE" workshop/check.ts "$@" ;;
esac
build_programs
exec 9<&-
case $job in
  quickstart) explain_sudo "put the command «berth» on the PATH and run the engine, which mounts and makes namespaces" ;;
  *) explain_sudo "run engines and containers, which takes mounts and namespaces" ;;
esac
if [ "$(id -u)" = 0 ]; then exec "$NODE" "$ROOT/workshop/$job.ts" "$@"; fi
as_root env PATH="$PATH" "$NODE" "$ROOT/workshop/$job.ts" "$@"
