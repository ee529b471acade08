# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# test [SUITE…] [--all]. unit and fuzz run under AddressSanitizer and UBSan; integration, e2e and dapr run
# the release build on a private stack of real parts in .dev/test/, which goes away afterwards.

SUITES=(unit integration e2e dapr web fuzz)
RESULTS=$ROOT/build/test-results

build_preset() { # PRESET
    cd "$ROOT"
    cmake --preset "$1"
    cmake --build --preset "$1"
}

run_ctest() { # SUITE LABEL [PRESET]
    local log=$RESULTS/$1${3:+-$3}.log status=0
    ctest --test-dir "$ROOT/build/${3:-asan}" -L "^$2\$" -j "$(nproc)" --output-on-failure --no-tests=ignore \
        --output-junit "$RESULTS/$1${3:+-$3}-ctest.xml" >"$log" 2>&1 || status=$?
    if ((status)); then cat "$log"; else tail -n 6 "$log" | sed '/^$/d'; fi
    return $status
}

# pytest's exit code 5 means that it found no test.
run_pytest() { # SUITE [PATH…]
    local status=0
    [[ -d $ROOT/tests/$1 ]] || return 0
    (cd "$ROOT" && "$VENV/bin/python" -m pytest "tests/$1" "${@:2}" --junit-xml="$RESULTS/$1-pytest.xml") || status=$?
    ((status != 5)) || status=0
    return $status
}

test_unit() {
    run_ctest unit unit || return 1
    [[ -z ${TODO_TEST_ALL:-} ]] || { run_ctest unit unit dev && run_ctest unit unit tsan; }
}

# C tests find the parts in the environment, as .dev/env has them; their database is one of their own,
# so that the stack's daemons do not work in it.
test_integration() {
    local status=0
    stack_env
    psql -X -q "$TODO_DATABASE_URL" -c 'create database ctests'
    TODO_DATABASE_URL=${TODO_DATABASE_URL%/*}/ctests run_ctest integration integration || status=1
    run_pytest integration || status=1
    return $status
}

test_e2e() {
    local status=0
    stack_env
    run_pytest e2e || status=1
    if [[ -n ${TODO_TEST_ALL:-} ]]; then
        e2e_sanitized asan || status=1
        e2e_sanitized tsan || status=1
    fi
    return $status
}

# The same with daemons that watch themselves; a report is a failure. Leaks are known by who made
# them, so ASan must unwind through libraries without frame pointers.
e2e_sanitized() { # PRESET
    local status=0 log=$RESULTS/$1-report bin=$ROOT/build/$1/bin
    say "-- $1"
    [[ $1 != tsan ]] || bin=$(tsan_programs)
    env TODO_DEV_DIR="$STATE/$1" TODO_BIN_DIR="$bin" TODO_TEST_ALL= \
        ASAN_OPTIONS="log_path=$log fast_unwind_on_malloc=0" UBSAN_OPTIONS="log_path=$log print_stacktrace=1" \
        LSAN_OPTIONS="suppressions=$ROOT/tests/support/lsan.supp print_suppressions=0" \
        TSAN_OPTIONS="log_path=$log suppressions=$ROOT/tests/support/tsan.supp" \
        "$DEV" @run e2e_on_own_stack "$1" || status=1
    if compgen -G "$log.*" >/dev/null; then
        cat "$log".*
        status=1
    fi
    return $status
}

e2e_on_own_stack() { # PRESET
    local status=0
    "$DEV" up --detach 7>&- >/dev/null || status=1
    if ((status == 0)); then
        stack_env
        (cd "$ROOT" && "$VENV/bin/python" -m pytest tests/e2e --junit-xml="$RESULTS/e2e-$1-pytest.xml") || status=1
    fi
    "$DEV" down 7>&- >/dev/null || true
    rm -rf "$STATE"
    return $status
}

# Under ThreadSanitizer a daemon needs its threads made by POSIX (tests/support/tsan_threads.c), and
# addresses where the sanitizer expects them.
tsan_programs() {
    local folder=$ROOT/build/tsan/started name
    mkdir -p "$folder"
    for name in gateway bridge admin nlu; do
        printf '#!/bin/sh\nexec env LD_PRELOAD=%q setarch -R %q "$@"\n' \
            "$ROOT/build/tsan/lib/tsan_threads.so" "$ROOT/build/tsan/bin/todo-$name" >"$folder/todo-$name"
        chmod +x "$folder/todo-$name"
    done
    printf '%s' "$folder"
}

# A stack of its own with sidecars: what only this bus has, and the end-to-end suite (with --all the
# whole of it; a wrong bus shows in the short one too).
test_dapr() {
    local status=0 e2e=(tests/e2e/test_reminder.py tests/e2e/test_webhooks.py tests/e2e/test_crash.py)
    [[ -z ${TODO_TEST_ALL:-} ]] || e2e=(tests/e2e)
    export TODO_DEV_BUS=dapr
    "$DEV" up --detach --dapr 7>&- || return 1
    stack_env
    run_pytest dapr "${e2e[@]}" || status=1
    return $status
}

test_fuzz() {
    run_ctest fuzz fuzz || return 1
    [[ -z ${TODO_TEST_ALL:-} ]] || "$DEV" fuzz 60
}

test_web() {
    if [[ ! -f $ROOT/web/package.json ]]; then
        say "no web page yet"
        return 0
    fi
    web_packages
    (cd "$ROOT/web" && npm test -- --reporter=default --reporter=junit --outputFile.junit="$RESULTS/web.xml")
}

stack_env() {
    set -a
    # shellcheck source=/dev/null
    . "$TODO_DEV_DIR/env"
    set +a
}

cmd_test() {
    local wanted=() suite failed=() started status
    while (($#)); do
        case $1 in
        --all) export TODO_TEST_ALL=1 ;;
        *)
            [[ " ${SUITES[*]} " == *" $1 "* ]] || misuse "test: no suite \"$1\" (there are: ${SUITES[*]})"
            wanted+=("$1")
            ;;
        esac
        shift
    done
    ((${#wanted[@]})) || wanted=("${SUITES[@]}")
    started=$(now_ms)
    state_init
    exec 7>"$STATE/test.lock"
    flock -n 7 || die "another test run is under way in this checkout"
    rm -rf "$RESULTS"
    mkdir -p "$RESULTS"

    step "system packages" install_packages
    if needs unit || needs fuzz || needs integration; then
        step "build (asan)" build_preset asan
    fi
    if [[ -n ${TODO_TEST_ALL:-} ]]; then
        step "build (dev)" build_preset dev
        step "build (asan)" build_preset asan
        step "build (tsan)" build_preset tsan
    fi
    if needs dapr; then
        step "daprd" daprd_install
    fi
    if needs integration || needs e2e || needs dapr; then
        step "Python packages" venv_install
        export TODO_DEV_DIR=$STATE/test
        rm_stack
        trap rm_stack EXIT
        trap 'exit 130' INT TERM HUP
        if needs integration || needs e2e; then
            "$DEV" up --detach 7>&-
        fi
    fi
    for suite in "${wanted[@]}"; do
        say ''
        say "== $suite"
        status=0
        "$DEV" @run "test_$suite" 7>&- || status=$?
        ((status == 0)) || failed+=("$suite")
    done
    say ''
    /usr/bin/python3 "$ROOT/scripts/dev.d/counts.py" "$RESULTS"
    if ((${#failed[@]})); then
        say "FAILED: ${failed[*]}, after $(seconds_since "$started") s"
        return 1
    fi
    say "all passed: ${wanted[*]}, in $(seconds_since "$started") s"
}

needs() { [[ " ${wanted[*]} " == *" $1 "* ]]; }

rm_stack() {
    [[ ! -d $TODO_DEV_DIR ]] || "$DEV" down 7>&- || true
    # Its logs are what a failure is understood from.
    if [[ -d $TODO_DEV_DIR/log ]]; then
        rm -rf "$RESULTS/stack-log"
        cp -r "$TODO_DEV_DIR/log" "$RESULTS/stack-log"
    fi
    rm -rf "$TODO_DEV_DIR"
}
