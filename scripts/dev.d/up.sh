# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Sub-commands around the running stack: up, down, status, logs, psql, token, chat, part, build.

env_write() {
    write_if_changed "$STATE/env" <<TEXT
TODO_URL=http://127.0.0.1:$GATEWAY_PORT
TODO_WS_URL=ws://127.0.0.1:$GATEWAY_PORT/ws
TODO_MQTT_URL=mqtt://127.0.0.1:$MOSQUITTO_PORT
TODO_KAFKA_BROKERS=127.0.0.1:$KAFKA_PORT
TODO_DATABASE_URL=$(database_url)
TODO_GATEWAY_PID=$(record_pid gateway || true)
TODO_BRIDGE_PID=$(record_pid bridge || true)
TODO_GATEWAY_INTERNAL_URL=http://127.0.0.1:$GATEWAY_INTERNAL_PORT
TODO_BRIDGE_INTERNAL_URL=http://127.0.0.1:$BRIDGE_INTERNAL_PORT
TODO_BUS=$BUS
TODO_DAPRD=$DAPRD
TODO_GATEWAY_SIDECAR_URL=http://127.0.0.1:${GATEWAYSIDECAR_PORT:-}
TODO_BRIDGE_SIDECAR_URL=http://127.0.0.1:${BRIDGESIDECAR_PORT:-}
TEXT
}

# What a step calls: the ports are settled by then, each step only reads them.
part_up() { # NAME
    ports_load
    ensure "$1"
}

# Written down for all later commands. A sidecar asks its app only once what to bring, so that where the bus
# changes the daemons stop before it starts; the sidecars of a stack that goes back to the direct bus stop, too.
bus_settle() { # BUS
    local name
    if [[ $(cat "$STATE/bus" 2>/dev/null || printf kafka) != "$1" ]]; then
        for name in gateway bridge; do
            stop "$name" TERM 20
        done
    fi
    printf '%s\n' "$1" | write_if_changed "$STATE/bus"
    BUS=$1
    parts_settle
    [[ $BUS != kafka ]] || for name in bridgesidecar gatewaysidecar; do
        stop "$name" TERM 20
    done
}

stack_up() { # [parts]: everything, or all but the daemons
    keys_init
    ports_settle
    step_start "PostgreSQL" part_up postgres
    step_start "Apache Kafka" kafka_up
    [[ $BUS != dapr ]] || step_start "daprd" daprd_install
    if [[ -z ${TODO_DEV_NO_BUILD:-} ]]; then
        step_start "build (release)" build_release
        [[ ! -f $ROOT/web/package.json ]] || step_start "web page" web_build
    fi
    steps_wait || return 1
    step_start "mosquitto" part_up mosquitto
    steps_wait || return 1
    if [[ $BUS == dapr ]]; then
        step_start "topics and resources" dapr_prepare
        steps_wait || return 1
        step_start "sidecar of todo-bridge" part_up bridgesidecar
        step_start "sidecar of todo-gateway" part_up gatewaysidecar
        steps_wait || return 1
    fi
    if [[ ${1:-} != parts ]]; then
        step_start "todo-bridge" part_up bridge
        step_start "todo-gateway" part_up gateway
        steps_wait || return 1
    fi
    env_write
}

stack_down() {
    local name pids=()
    ports_load
    for name in gateway bridge; do
        "${name}_stop" &
        pids+=($!)
    done
    wait "${pids[@]}"
    pids=()
    for name in bridgesidecar gatewaysidecar; do
        stop "$name" TERM 20 &
        pids+=($!)
    done
    wait "${pids[@]}"
    pids=()
    for name in kafka mosquitto postgres; do
        "${name}_stop" &
        pids+=($!)
    done
    wait "${pids[@]}"
    rm -f "$STATE/env"
}

on_interrupt() {
    trap '' INT TERM HUP
    steps_abort
    ((${#FOLLOWERS[@]} == 0)) || kill "${FOLLOWERS[@]}" 2>/dev/null || true
    say ''
    say 'stopping …'
    exec 9>"$STATE/lock"
    flock -w 60 9 || true
    stack_down
    say 'stopped; the data is kept'
    exit 130
}

cmd_up() {
    local detach=0 parts='' started bus=${TODO_DEV_BUS:-kafka}
    while (($#)); do
        case $1 in
        --detach | -d) detach=1 ;;
        --parts) parts=parts ;; # without the daemons: for tests that bring their own
        --dapr) bus=dapr ;;
        *) misuse "up: unknown argument \"$1\"" ;;
        esac
        shift
    done
    FOLLOWERS=()
    started=$(now_ms)
    state_init
    state_lock
    trap on_interrupt INT TERM HUP
    bus_settle "$bus"
    step "system packages" install_packages
    stack_up "$parts" || {
        say "up failed; what did start goes on (scripts/dev down stops it)" >&2
        exit 1
    }
    say "ready in $(seconds_since "$started") s"
    if [[ -z $parts ]]; then
        say ''
        say "  chat:  $(sign_in_url)"
        say '         (signs in user "demo"; the link works once, within 60 s: scripts/dev status gives another)'
        say "  also:  scripts/dev chat · scripts/dev logs · scripts/dev psql · scripts/dev down"
    fi
    trap - INT TERM HUP
    ((detach)) || foreground
}

# Shows all logs until Ctrl-C, and says so when something dies.
foreground() {
    local name told=' '
    say ''
    say 'logs follow; Ctrl-C stops everything'
    trap on_interrupt INT TERM HUP
    state_unlock
    logs_follow 0 "${ALL_PARTS[@]}"
    while sleep 1; do
        [[ -f $STATE/env ]] || break # stopped from elsewhere
        for name in "${ALL_PARTS[@]}"; do
            if [[ -f $STATE/run/$name ]] && ! alive "$name" && [[ $told != *" $name "* ]]; then
                say "scripts/dev: $name has died: $(last_words "$name"); scripts/dev up --detach (elsewhere) restarts it" >&2
                told+="$name "
            fi
        done
    done
    kill "${FOLLOWERS[@]}" 2>/dev/null || true
    say 'stopped by scripts/dev down'
}

logs_follow() { # LINES NAME…: in the background, each line with its part's name
    local lines=$1 name
    shift
    for name in "$@"; do
        touch "$STATE/log/$name.log"
        tail -n "$lines" -F "$STATE/log/$name.log" 2>/dev/null > >(exec sed -u "s/^/$(printf '%-9s' "$name") | /") &
        FOLLOWERS+=($!)
    done
}

sign_in_url() {
    local code
    code=$(curl -fsS -m 5 -H 'content-type: application/json' -d '{"user":"demo"}' \
        "http://127.0.0.1:$GATEWAY_INTERNAL_PORT/codes" | sed -n 's/.*"code":"\([0-9a-f]*\)".*/\1/p')
    printf 'http://127.0.0.1:%s/#code=%s' "$GATEWAY_PORT" "$code"
}

cmd_down() {
    [[ -d $STATE/run ]] || return 0
    state_init
    state_lock
    stack_down
}

cmd_build() {
    state_init
    step "system packages" install_packages
    [[ -f $BUILD/build.ninja ]] || (cd "$ROOT" && cmake --preset release)
    cmake --build "$BUILD"
}

cmd_status() {
    local name pid state port up=0
    ports_load
    for name in "${ALL_PARTS[@]}"; do
        port=${name^^}_PORT
        [[ $name != bridge ]] || port=BRIDGE_INTERNAL_PORT
        pid=-
        if pid=$(record_pid "$name"); then
            state=running
            "${name}_ready" || state='running, not ready'
            [[ $state != running ]] || up=$((up + 1))
        elif [[ -f $STATE/run/$name ]]; then
            state='died'
        else
            state='stopped'
        fi
        printf '%-10s %-19s pid %-8s port %s\n' "$name" "$state" "${pid:--}" "${!port:--}"
    done
    ((up == ${#ALL_PARTS[@]})) || return 1
    say "chat: $(sign_in_url)"
}

cmd_logs() {
    local names=() follow=0 name
    [[ ! -t 1 ]] || follow=1
    while (($#)); do
        case $1 in
        -f) follow=1 ;;
        *)
            [[ " ${ALL_PARTS[*]} " == *" $1 "* ]] || misuse "logs: no part \"$1\" (there are: ${ALL_PARTS[*]})"
            names+=("$1")
            ;;
        esac
        shift
    done
    ((${#names[@]})) || names=("${ALL_PARTS[@]}")
    if ((follow)); then
        FOLLOWERS=()
        trap 'kill "${FOLLOWERS[@]}" 2>/dev/null || true' EXIT
        logs_follow 50 "${names[@]}"
        wait
    fi
    for name in "${names[@]}"; do
        [[ ! -f $STATE/log/$name.log ]] || tail -n 200 "$STATE/log/$name.log" | sed "s/^/$(printf '%-9s' "$name") | /"
    done
}

need_part() { # NAME…
    local name
    ports_load
    for name in "$@"; do
        alive "$name" || die "$name does not run: scripts/dev up"
    done
}

cmd_psql() {
    need_part postgres
    exec psql "$(database_url)" "$@"
}

cmd_token() {
    (($#)) || misuse "token: which user?"
    [[ -s $STATE/secret ]] || die "no key yet: scripts/dev up makes one"
    token "$@"
}

cmd_chat() {
    local user=${1:-demo} token
    need_part gateway
    [[ -f $VENV/complete ]] || step "Python packages" venv_install
    token=$(token "$user")
    TODO_TOKEN=$token PYTHONPATH=$ROOT/tests exec "$VENV/bin/python" -m support.chat "ws://127.0.0.1:$GATEWAY_PORT/ws"
}

# One part alone. `kill` is SIGKILL: what a test of a crash needs.
cmd_part() {
    local verb=${1:-} name pid
    shift || true
    [[ $verb == start || $verb == stop || $verb == kill ]] || misuse "part: start, stop or kill NAME…"
    (($#)) || misuse "part $verb: which of ${ALL_PARTS[*]}?"
    state_init
    state_lock
    keys_init
    ports_settle
    for name in "$@"; do
        [[ " ${ALL_PARTS[*]} " == *" $name "* ]] || misuse "part: no part \"$name\" (there are: ${ALL_PARTS[*]})"
        case $verb in
        start) ensure "$name" ;;
        stop) "${name}_stop" ;;
        kill)
            pid=$(record_pid "$name") || die "$name does not run"
            kill -KILL "$pid"
            ;;
        esac
    done
    env_write
}
