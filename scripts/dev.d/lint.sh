# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lint and fmt. Each check is a step; a failing one shows what it found.

sources() { git -C "$ROOT" ls-files -co --exclude-standard -- "$@"; }

shell_scripts() {
    local file
    sources '*.sh'
    while read -r file; do
        ! head -n 1 "$ROOT/$file" | grep -qE '^#!.*\b(ba)?sh\b' || printf '%s\n' "$file"
    done < <(sources scripts .ci admin infra charts | grep -vE '\.[a-z0-9]+$')
}

lint_format() {
    sources '*.c' '*.h' '*.cc' | xargs -r clang-format --dry-run -Werror ||
        die "run scripts/dev fmt"
}

lint_source() { /usr/bin/python3 scripts/dev.d/check_source.py; }

lint_shell() { shell_scripts | sort -u | xargs -r shellcheck -x; }

lint_python() {
    venv_install
    "$VENV/bin/ruff" check -q . && "$VENV/bin/ruff" format -q --check . || die "run scripts/dev fmt, and see above"
}

# The product only: the analysis is the slow part, and tests run under sanitizers anyway.
# The analysis of one file depends on it, the headers, the checks and the tool: what passed with the
# same of all is not looked at again.
lint_tidy() {
    local cache=$CACHE/tidy common file key todo=() keys=() started
    mkdir -p "$cache"
    cmake --preset dev >/dev/null
    cmake --build --preset dev --target generated >/dev/null
    common=$(sources '*.h' '*.def' .clang-tidy cmake | sort | tr '\n' '\0' | xargs -0 sha256sum | sha256sum; clang-tidy --version)
    while read -r file; do
        grep -qF "\"file\": \"$ROOT/$file\"" build/dev/compile_commands.json || continue
        key=$( (printf '%s' "$common" && cat "$file") | sha256sum | cut -c1-32)
        [[ ! -f $cache/$key ]] || continue
        todo+=("$file") keys+=("$file=$key")
    done < <(sources '*.c' ':!tests')
    started=$(now_ms)
    ((${#todo[@]})) || return 0
    printf '%s\n' "${keys[@]}" | TIDY_CACHE=$cache xargs -P "$(nproc)" -n 1 "$DEV" @run tidy_one ||
        die "clang-tidy found something"
    say "# ${#todo[@]} files in $(seconds_since "$started") s"
}

tidy_one() { # FILE=KEY
    local file=${1%=*} out
    if out=$(clang-tidy -p "$ROOT/build/dev" --quiet "$ROOT/$file" 2>&1); then
        touch "$TIDY_CACHE/${1##*=}"
    else
        printf '%s\n' "$out" | grep -A 2 'error:'
        return 1
    fi
}

lint_web() {
    web_packages
    (cd "$ROOT/web" && npm run lint)
}

cmd_lint() {
    state_init
    cd "$ROOT"
    step "system packages" install_packages
    step_start "clang-format" lint_format
    step_start "own rules" lint_source
    step_start "shellcheck" lint_shell
    step_start "ruff" lint_python
    step_start "clang-tidy" lint_tidy
    ! grep -q '"lint"' web/package.json 2>/dev/null || step_start "web page" lint_web
    steps_wait || exit 1
}

cmd_fmt() {
    state_init
    cd "$ROOT"
    step "Python packages" venv_install
    sources '*.c' '*.h' '*.cc' | xargs -r clang-format -i
    "$VENV/bin/ruff" check -q --fix . || true
    "$VENV/bin/ruff" format -q .
}

# Tests compare these with what they are made from.
cmd_docs() {
    local file
    state_init
    (cd "$ROOT" && cmake --preset dev && cmake --build --preset dev --target print_tables) >/dev/null
    for file in configuration.md metrics.md man/todo-gateway.8 man/todo-bridge.8; do
        "$ROOT/build/dev/tests/print_tables" "${file%.*}" >"$ROOT/docs/$file"
        say "docs/$file"
    done
    "$ROOT/.venv/bin/python" "$ROOT/scripts/dev.d/openapi.py"
    say "docs/openapi.json"
}
