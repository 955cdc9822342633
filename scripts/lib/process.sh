# shellcheck shell=bash
# Commands that do not outlive the script which started them.
#
# Each run of a script has an id. Everything it starts carries the id in its environment (COURIER_RUN), so that all of
# it can be found again, whatever forked or detached itself. (Servers that overwrite their environment, as PostgreSQL and
# Redis do, are found by the folder they work in: see services.sh.) The file .local/runs/ID is locked as long as the run lives;
# the kernel drops the lock with the process, so a run that was killed leaves no false trace.

RUN_ID=$$_$(date +%s)
declare -A children=() # pid -> name
at_exit=()             # functions to call before leaving, last one first

begin_run() {
    trap finish EXIT
    trap 'caught=INT; exit 130' INT
    trap 'caught=TERM; exit 143' TERM
    trap 'caught=HUP; exit 129' HUP
    lock services # so that nobody takes the file for a dead run's before it is locked
    exec 8>"$LOCAL/runs/$RUN_ID"
    flock 8
    end_dead_runs
    unlock
}

# Take the named lock of this checkout; signals are heard while waiting.
lock() { # NAME
    exec 9>"$LOCAL/$1.lock"
    flock -n 9 && return 0
    [[ $1 == services ]] || say "Waiting for another script of this checkout to finish its $1"
    until flock -w 1 9; do
        (($? == 1)) || return 1 # not for lack of patience: there is no file to lock any more
    done
}

unlock() { exec 9>&-; }

# Start a command in the background, as one of ours; its pid is in $!. It keeps our stdin, and reacts to Ctrl-C.
launch() { # COMMAND...
    env --default-signal=INT,QUIT COURIER_RUN="${COURIER_RUN:+$COURIER_RUN/}$RUN_ID" "$@" <&0 8>&- 9>&- &
    children[$!]=$*
}

# Run a command to its end and give its exit code. Not in the foreground: bash would not hear signals meanwhile. If
# something that was launched before ends during it, the command cannot go well, and the script stops.
run() { # COMMAND...
    local pid ended='' code=0
    launch "$@"
    pid=$!
    if ((BASHPID == $$)); then wait -n -p ended "${!children[@]}" || code=$?; fi
    if [[ -n $ended && $ended != "$pid" ]]; then ended_by_itself "$ended" "$code"; fi
    if [[ -z $ended ]]; then wait "$pid" || code=$?; fi # in a subshell, where the others are not ours to wait for
    unset "children[$pid]"
    return "$code"
}

# Wait until something that was launched ends, which it should not.
watch() {
    local ended='' code=0
    wait -n -p ended "${!children[@]}" || code=$?
    ended_by_itself "$ended" "$code"
}

ended_by_itself() { # PID CODE
    local name=${children[$1]}
    unset "children[$1]"
    die "$name ended by itself with code $2, so everything is stopped" "Its last words are above, or in $LOG."
}

marked() { # RUN-ID
    local pid
    grep -slzE "^COURIER_RUN=(.*/)?$1(/|$)" /proc/[0-9]*/environ | cut -d/ -f3
    [[ $1 == "$RUN_ID" ]] || return 0
    for pid in "${!children[@]}"; do # some may have overwritten their environment
        ! grep -qsE "^PPid:\s$$\$" "/proc/$pid/status" || echo "$pid"
    done
}

signal_marked() { # SIGNAL RUN-ID
    local pids
    mapfile -t pids < <(marked "$2")
    ((${#pids[@]} == 0)) || kill -s "$1" "${pids[@]}" 2>/dev/null || true
}

# True when nothing of the run is left, at the latest after so many tenths of a second.
all_gone() { # RUN-ID TENTHS
    local tenths=$2
    while [[ -n $(marked "$1") ]]; do
        ((tenths-- > 0)) || return 1
        sleep 0.1
    done
}

end_run() { # RUN-ID
    all_gone "$1" 0 && return 0
    signal_marked TERM "$1"
    all_gone "$1" 10 && return 0
    signal_marked KILL "$1"
    all_gone "$1" 50
}

# Ask our children to end (they end theirs) and give them STOP_SECONDS for it, then end whatever is left.
end_children() {
    local tenths=${STOP_SECONDS:-12}0
    all_gone "$RUN_ID" 0 && return 0
    [[ ${caught:-} != INT ]] || all_gone "$RUN_ID" "$tenths" || true # Ctrl-C reached them too
    ((${#children[@]} == 0)) || kill -s TERM "${!children[@]}" 2>/dev/null || true
    all_gone "$RUN_ID" "$tenths" || true
    end_run "$RUN_ID"
}

# Runs that were killed outright could not tidy up: do it for them.
end_dead_runs() {
    local file
    for file in "$LOCAL"/runs/*; do
        [[ -e $file && $file != "$LOCAL/runs/$RUN_ID" ]] || continue
        flock -n "$file" true || continue
        end_run "${file##*/}" || true
        drop_test_redis "${file##*/}"
        rm -f "$file"
    done
}

# Called by the trap. Functions used here say `return 0`: a bare `return` would give the script's own exit code.
finish() {
    local code=$? i
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    end_children
    for ((i = ${#at_exit[@]} - 1; i >= 0; i--)); do "${at_exit[i]}"; done
    leave_services
    exit "$code"
}
