# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Benchmarks are programs tests/bench/NAME.py: each prints a table and writes build/bench/NAME.json
# through support.bench, which holds the common form.

bench_names() { find "$ROOT/tests/bench" -maxdepth 1 -name '*.py' ! -name '_*' -printf '%f\n' 2>/dev/null | sed 's/\.py$//' | sort; }

cmd_bench() {
    local names=() minutes=1 name failed=0
    while (($#)); do
        case $1 in
        --minutes)
            [[ ${2:-} =~ ^[0-9]+$ ]] || misuse "bench: --minutes wants a number"
            minutes=$2
            shift
            ;;
        *)
            [[ -f $ROOT/tests/bench/$1.py ]] || misuse "bench: no bench \"$1\" (there are: $(bench_names | tr '\n' ' '))"
            names+=("$1")
            ;;
        esac
        shift
    done
    ((${#names[@]})) || mapfile -t names < <(bench_names)
    ((${#names[@]})) || misuse "bench: there is none yet"
    state_init
    step "system packages" install_packages
    step "Python packages" venv_install
    step "build (release)" build_release
    for name in "${names[@]}"; do
        # Each begins with an empty database: what another left behind would be worked off beside it.
        TODO_DEV_DIR=$STATE/pytest "$DEV" down >/dev/null 2>&1 || true
        rm -rf "$STATE/pytest"
        TODO_BENCH_MINUTES=$minutes PYTHONPATH=$ROOT/tests "$VENV/bin/python" "$ROOT/tests/bench/$name.py" || failed=1
    done
    return $failed
}
