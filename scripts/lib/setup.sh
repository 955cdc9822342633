# shellcheck shell=bash
# What every script here starts with: paths, messages, a tame environment, and the set-up itself.
#
#   . "$(dirname "${BASH_SOURCE[0]}")/lib/setup.sh"
#   set_up test                  # or: runtime; Python, its packages and the web libraries
#   use_services                 # PostgreSQL and Redis; exports DATABASE_URL and REDIS_URL
#   run .venv/bin/python -m ...  # a command that does not outlive this script
#
# All messages go to stderr, so that a script's own output stays clean.
set -euo pipefail
trap 'exit 130' INT # before anything else: bash may overlook an early Ctrl-C
trap 'exit 143' TERM
trap 'exit 129' HUP

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
LOCAL=$ROOT/.local
LOG=$LOCAL/log

say() { printf '%s\n' "$@" >&2; }

die() { # MESSAGE [WHAT TO DO...]
    printf '\nfailed: %s\n' "$1" >&2
    shift
    (($# == 0)) || printf '  %s\n' "$@" >&2
    exit 1
}

# Run one step quietly; when it fails, say so, show the end of its log, and say what to do.
step() { # NAME WHAT-TO-DO COMMAND...
    local name=$1 advice=$2 code=0
    shift 2
    run "$@" >"$LOG/$name.log" 2>&1 || code=$?
    ((code == 0)) || failed_step "$name" "$advice" "$code"
}

failed_step() { # NAME WHAT-TO-DO CODE
    say "" "--- the end of ${LOG#"$ROOT"/}/$1.log"
    tail -n 50 "$LOG/$1.log" >&2 || true
    die "$1 (exit code $3)" "Log: $LOG/$1.log" "$2"
}

# Install packages of the distribution, or say the one command that does.
install_packages() { # PACKAGE...
    local as_root=()
    command -v apt-get >/dev/null || die "missing: $*" "Install what your distribution calls these packages, then run this again."
    if ((EUID != 0)); then
        as_root=(sudo -n)
        sudo -n true 2>/dev/null || die "missing system packages: $*" "Run:  sudo apt-get update && sudo apt-get install -y $*"
    fi
    say "Installing system packages: $*"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -o DPkg::Lock::Timeout=300)
    step apt-update "Check the network and /etc/apt/sources.list." "${apt[@]}" update
    step apt-install "Try by hand: apt-get install $*" "${apt[@]}" install -y --no-install-recommends "$@"
}

# Make and install everything but the services. Two scripts of one checkout take turns.
set_up() { # runtime | test
    lock setup
    set_up_python "$1"
    set_up_kernel
    set_up_web "$1"
    unlock
}

# The environment may be empty or odd: a cron job, a container, `env -i`, a home that does not exist.
tame_environment() {
    export PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    export LC_ALL=C.UTF-8 NUMBA_CACHE_DIR=$LOCAL/numba
    unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX CDPATH
    { : <&0; } 2>/dev/null || exec </dev/null
    [[ -d ${TMPDIR:-/tmp} ]] || unset TMPDIR

    mkdir -p "$LOCAL" 2>/dev/null || true
    [[ -O $LOCAL && -w $LOCAL ]] || die "$LOCAL is not yours to write in" \
        "It was made by $(stat -c %U "$LOCAL" 2>/dev/null || echo 'another user'): run this as that user, or delete it first."
    chmod 711 "$LOCAL"
    mkdir -p "$LOG" "$LOCAL/runs" "$NUMBA_CACHE_DIR"

    account_home=$(getent passwd "$EUID" | cut -d: -f6)
    real_home=${HOME:-$account_home}
    if ! [[ -d ${HOME:-} && -w ${HOME:-} ]]; then # caches of pip, npm and uv need a home
        export HOME=$LOCAL/home
        mkdir -p "$HOME"
    fi
}

. "$ROOT/scripts/lib/process.sh"
. "$ROOT/scripts/lib/python.sh"
. "$ROOT/scripts/lib/web.sh"
. "$ROOT/scripts/lib/services.sh"
. "$ROOT/scripts/lib/port.sh"

cd "$ROOT"
tame_environment
begin_run
