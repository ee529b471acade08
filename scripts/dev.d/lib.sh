# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What all sub-commands share: places, messages, timed steps, processes on record, ports.
#
# shellcheck disable=SC2034 # most of these names are used by the other files

STATE=${TODO_DEV_DIR:-$ROOT/.dev}
CACHE=${TODO_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-$ROOT}/.cache}/todo-chatbot}
BUILD=$ROOT/build/release
# The bus of this stack: kafka, or dapr with a sidecar for each daemon. `up` writes it down.
BUS=${TODO_DEV_BUS:-$(cat "$STATE/bus" 2>/dev/null || printf kafka)}
parts_settle() {
    ALL_PARTS=(postgres kafka mosquitto)
    [[ $BUS != dapr ]] || ALL_PARTS+=(bridgesidecar gatewaysidecar)
    ALL_PARTS+=(bridge gateway)
}
parts_settle
export PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
die() {
    printf 'scripts/dev: %s\n' "$*" >&2
    exit 1
}
# A wrong call, as opposed to a thing that went wrong.
misuse() {
    printf 'scripts/dev: %s\n' "$*" >&2
    exit 2
}

state_init() {
    mkdir -p "$STATE"/{run,log,conf,audit} 2>/dev/null || die "cannot write to $STATE"
    [[ -O $STATE ]] || die "$STATE belongs to $(stat -c %U "$STATE"): run as that user, or remove it"
}

# One up or down at a time in a checkout. Long-lived children must not inherit descriptor 9.
state_lock() {
    exec 9>"$STATE/lock"
    flock -w 300 9 || die "another scripts/dev has held $STATE/lock for 5 minutes"
}
state_unlock() { exec 9>&-; }

now_ms() {
    local t=${EPOCHREALTIME/[.,]/}
    printf '%s' $((t / 1000))
}
seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# --- steps -------------------------------------------------------------------------------------
# A step is a function run in a fresh shell (so that `set -e` holds whatever calls it) and in a
# process group of its own (so that an interrupt ends it with all it started). One line per step.

STEP_PIDS=()
STEP_LABELS=()
STEP_LOGS=()
STEP_STARTS=()

step_start() { # LABEL FUNCTION [ARGUMENT…]
    local label=$1 log
    shift
    log=$STATE/log/step-$1${2:+-${2//[^a-z]/}}.log
    setsid -- "$DEV" @run "$@" >"$log" 2>&1 </dev/null &
    STEP_PIDS+=($!) STEP_LABELS+=("$label") STEP_LOGS+=("$log") STEP_STARTS+=("$(now_ms)")
}

step_report() { # INDEX STATUS
    local label=${STEP_LABELS[$1]} log=${STEP_LOGS[$1]} note
    note=$(sed -n 's/^# //p' "$log" | tail -n 1)
    if (($2 == 0)); then
        printf '  %-28s %6s s  %s\n' "$label" "$(seconds_since "${STEP_STARTS[$1]}")" "$note"
    else
        note=$(sed -n 's/^scripts\/dev: //p' "$log" | tail -n 1)
        printf '  %-28s FAILED: %s\n' "$label" "${note:-see $log}"
        grep -v '^scripts/dev: ' "$log" | tail -n 20 | sed 's/^/      | /'
    fi >&2
}

# Waits for all steps begun, telling of each as it ends; fails when one did.
steps_wait() {
    local failed=0 left=${#STEP_PIDS[@]} i status
    local done_=()
    while ((left > 0)); do
        for i in "${!STEP_PIDS[@]}"; do
            [[ -z ${done_[i]:-} ]] || continue
            ! kill -0 "${STEP_PIDS[i]}" 2>/dev/null || continue
            status=0
            wait "${STEP_PIDS[i]}" || status=$?
            step_report "$i" "$status"
            ((status == 0)) || failed=1
            done_[i]=1
            left=$((left - 1))
        done
        ((left == 0)) || sleep 0.05
    done
    STEP_PIDS=() STEP_LABELS=() STEP_LOGS=() STEP_STARTS=()
    return $failed
}

steps_abort() {
    local pid
    for pid in "${STEP_PIDS[@]}"; do
        kill -TERM -- "-$pid" 2>/dev/null || true
    done
    STEP_PIDS=()
}

step() { # LABEL FUNCTION [ARGUMENT…]
    step_start "$@"
    steps_wait || exit 1
}

# --- processes on record -----------------------------------------------------------------------
# run/NAME holds "PID START FINGERPRINT". A pid alone may have been given to somebody else since;
# with its start time (clock ticks since boot) it cannot.

proc_start_time() { # PID: prints nothing when there is none, or only its zombie
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
    stat=${stat##*) }
    [[ $stat != Z* ]] || return 0
    # shellcheck disable=SC2086
    set -- $stat
    printf '%s' "${20}"
}

record_pid() { # NAME: prints the pid when that very process still runs
    local pid start _
    [[ -f $STATE/run/$1 ]] || return 1
    read -r pid start _ <"$STATE/run/$1" || return 1
    [[ -n $pid && $(proc_start_time "$pid") == "$start" ]] || return 1
    printf '%s' "$pid"
}

alive() { record_pid "$1" >/dev/null; }

spawn() { # NAME FINGERPRINT COMMAND…
    local name=$1 fingerprint=$2 log=$STATE/log/$1.log pid
    shift 2
    if [[ -f $log && $(stat -c %s "$log") -gt 20000000 ]]; then
        mv -f "$log" "$log.1"
    fi
    setsid -- "$@" </dev/null >>"$log" 2>&1 9>&- &
    pid=$!
    printf '%s %s %s\n' "$pid" "$(proc_start_time "$pid")" "$fingerprint" >"$STATE/run/$name"
}

stop() { # NAME SIGNAL SECONDS
    local pid deadline=$(($(now_ms) + $3 * 1000))
    pid=$(record_pid "$1") || {
        rm -f "$STATE/run/$1"
        return 0
    }
    kill "-$2" "$pid" 2>/dev/null || true
    while alive "$1"; do
        if (($(now_ms) > deadline)); then
            say "$1 did not stop within $3 s: killed" >&2
            kill -KILL "$pid" 2>/dev/null || true
            deadline=$((deadline + 10000))
        fi
        sleep 0.05
    done
    rm -f "$STATE/run/$1"
}

# Starts a part unless it runs as it should, then waits until it truly answers. A part brings
# NAME_fingerprint (a change means: restart), NAME_start, NAME_ready, NAME_stop.
ensure() { # NAME
    local name=$1 want have='' deadline pid
    want=$("${name}_fingerprint")
    if alive "$name"; then
        read -r _ _ have <"$STATE/run/$name"
        if [[ $have == "$want" ]]; then
            say "# running already"
        else
            "${name}_stop"
            say "# restarted: it changed"
        fi
    elif [[ -f $STATE/run/$name ]]; then
        say "# restarted: it had died"
    fi
    alive "$name" || "${name}_start" "$want"
    deadline=$(($(now_ms) + 60000))
    until "${name}_ready"; do
        if ! alive "$name"; then
            tail -n 15 "$STATE/log/$name.log"
            die "$name ended while starting: $(last_words "$name")"
        fi
        if (($(now_ms) > deadline)); then
            tail -n 15 "$STATE/log/$name.log"
            die "$name runs but is not ready after 60 s: $(last_words "$name")"
        fi
        sleep 0.1
    done
    pid=$(record_pid "$name") || die "$name ended just after it was ready (log: $STATE/log/$name.log)"
    say "pid $pid"
}

# The most telling line of a log: the last that speaks of an error, else the last.
last_words() { # NAME
    local line
    line=$(tail -n 40 "$STATE/log/$1.log" | grep -iE 'error|fatal|cannot|could not|failed|refused' | tail -n 1) || true
    [[ -n $line ]] || line=$(tail -n 1 "$STATE/log/$1.log")
    printf '%s' "${line:0:300}"
}

# --- ports -------------------------------------------------------------------------------------
# Chosen once per checkout, below the kernel's ephemeral range, and kept in .dev/ports.

PORT_NAMES=(POSTGRES_PORT KAFKA_PORT KAFKA_CONTROLLER_PORT MOSQUITTO_PORT
    GATEWAY_PORT GATEWAY_INTERNAL_PORT BRIDGE_INTERNAL_PORT)
for part in BRIDGESIDECAR GATEWAYSIDECAR; do
    PORT_NAMES+=("${part}_PORT" "${part}_GRPC_PORT" "${part}_PEER_PORT" "${part}_METRICS_PORT")
done

port_taken() { # PORT: somebody listens there
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v p="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == p { f = 1 } END { exit !f }'
}

port_free() {
    local port
    for port in $(shuf -i 20000-31999 -n 200); do
        [[ " ${PORTS_USED:-} " != *" $port "* ]] || continue
        port_taken "$port" || {
            PORTS_USED="${PORTS_USED:-} $port"
            PORT_FREE=$port
            return 0
        }
    done
    die "found no free port between 20000 and 31999"
}

ports_load() {
    # shellcheck source=/dev/null
    [[ ! -f $STATE/ports ]] || . "$STATE/ports"
}

# Makes sure that each port is chosen, and free where its part does not run.
ports_settle() {
    local name part tries changed=0
    ports_load
    for name in "${PORT_NAMES[@]}"; do
        part=${name%%_*}
        part=${part,,}
        if [[ -n ${!name:-} ]]; then
            alive "$part" && continue
            # Children of a part that was killed may hold its socket for a moment.
            for ((tries = 0; tries < 50; tries++)); do
                port_taken "${!name}" || continue 2
                sleep 0.1
            done
            say "  port ${!name} of $part is used by another program: choosing a new one" >&2
        fi
        port_free
        printf -v "$name" '%s' "$PORT_FREE"
        changed=1
    done
    ((changed)) || return 0
    for name in "${PORT_NAMES[@]}"; do
        printf '%s=%s\n' "$name" "${!name}"
    done >"$STATE/ports.new"
    mv "$STATE/ports.new" "$STATE/ports"
}

# --- other -------------------------------------------------------------------------------------

random_hex() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# A password or key made once: private_file PATH BYTES
private_file() {
    [[ -s $1 ]] || (
        umask 077
        random_hex "$2" >"$1.new"
        mv "$1.new" "$1"
    )
}

# write_if_changed PATH < text: keeps the old file, and its time, when nothing changed.
write_if_changed() {
    local new
    new=$(mktemp "$1.XXXXXX")
    cat >"$new"
    if [[ -f $1 ]] && cmp -s "$new" "$1"; then
        rm -f "$new"
    else
        mv "$new" "$1"
    fi
}

# Identity of files: path, size, time. Cheap enough to ask on every `up`.
fingerprint_of() { { stat -c '%n %s %Y' -- "$@" 2>/dev/null || true; } | sha256sum | cut -c1-16; }

# As root a part runs as an unprivileged user. Where the checkout lies in a folder which that user
# may not enter (/root, say) it keeps CAP_DAC_OVERRIDE, so that the data can stay in .dev/.
run_as() { # USER FOLDER: fills RUN_AS, the prefix of the command
    RUN_AS=()
    ((EUID == 0)) || return 0
    id "$1" >/dev/null 2>&1 || die "there is no user \"$1\" on this machine"
    RUN_AS=(setpriv "--reuid=$1" "--regid=$(id -g "$1")" --clear-groups)
    "${RUN_AS[@]}" test -x "$2" 2>/dev/null ||
        RUN_AS+=(--inh-caps=+dac_override --ambient-caps=+dac_override)
}
