# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# libFuzzer on one target or all. What it learns stays in .cache/fuzz/; a crash is left there too and
# belongs, minimised, into tests/fuzz/corpus/TARGET/ together with its fix.

fuzz_targets() { find "$ROOT/tests/fuzz" -maxdepth 1 -name '*.c' ! -name replay.c -printf '%f\n' | sed 's/\.c$//' | sort; }

fuzz_build() {
    cd "$ROOT"
    cmake --preset fuzz >/dev/null
    # shellcheck disable=SC2046
    cmake --build --preset fuzz --target $(printf 'fuzz_%s ' "$@")
}

fuzz_one() { # TARGET SECONDS
    local corpus=$ROOT/.cache/fuzz/$1 seeds=$ROOT/tests/fuzz/corpus/$1
    mkdir -p "$corpus"
    "$ROOT/build/fuzz/tests/fuzz_$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$corpus/crash-" "$corpus" "$seeds" || die "$1: an input breaks it, see $corpus/crash-*"
    say "# new corpus $(find "$corpus" -type f | wc -l)"
}

cmd_fuzz() {
    local targets=() seconds=30 target
    while (($#)); do
        case $1 in
        [0-9]*) seconds=$1 ;;
        *)
            [[ -f $ROOT/tests/fuzz/$1.c && $1 != replay ]] || misuse "fuzz: no target \"$1\" (there are: $(fuzz_targets | tr '\n' ' '))"
            targets+=("$1")
            ;;
        esac
        shift
    done
    ((${#targets[@]})) || mapfile -t targets < <(fuzz_targets)
    ((${#targets[@]})) || misuse "fuzz: there is no target yet"
    state_init
    step "system packages" install_packages
    step "build (fuzz)" fuzz_build "${targets[@]}"
    for target in "${targets[@]}"; do
        step "fuzz $target" fuzz_one "$target" "$seconds"
    done
}
