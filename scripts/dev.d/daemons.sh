# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Our two daemons: their configuration for development, start, readiness, stop.

SERVICE_TOKEN_TTL=$((400 * 86400))

bus_config() { # PART's sidecar port
    if [[ $BUS == dapr ]]; then
        cat <<TEXT
bus = dapr
dapr.url = http://127.0.0.1:$1
dapr.token.file = $STATE/conf/dapr.token
dapr.app.token.file = $STATE/conf/app.token
TEXT
    else
        printf 'kafka.brokers = 127.0.0.1:%s\n' "$KAFKA_PORT"
    fi
}

bridge_config() {
    cat <<TEXT
# Written by scripts/dev at each start.
database.url = $(database_url)
$(bus_config "${BRIDGESIDECAR_PORT:-}")
mqtt.url = mqtt://127.0.0.1:$MOSQUITTO_PORT
mqtt.token.file = $STATE/conf/bridge.token
internal.port = $BRIDGE_INTERNAL_PORT
audit.dir = $STATE/audit
webhooks.private = allow
TEXT
}

gateway_config() {
    cat <<TEXT
# Written by scripts/dev at each start.
database.url = $(database_url)
$(bus_config "${GATEWAYSIDECAR_PORT:-}")
mqtt.url = mqtt://127.0.0.1:$MOSQUITTO_PORT
mqtt.token.file = $STATE/conf/gateway.token
auth.secret.file = $STATE/secret
listen.port = $GATEWAY_PORT
internal.port = $GATEWAY_INTERNAL_PORT
web.root = $ROOT/web/dist
TEXT
}

# TODO_BIN_DIR: tests may run another build's daemons (a sanitizer's, say).
daemon_binary() { printf '%s/todo-%s' "${TODO_BIN_DIR:-$BUILD/bin}" "$1"; }

daemon_fingerprint() { # NAME
    ("$1_config" && fingerprint_of "$(daemon_binary "$1")") | sha256sum | cut -c1-16
}

# A token is kept: a new one at each start would change nothing but the broker's log.
daemon_start() { # NAME FINGERPRINT
    local file=$STATE/conf/$1
    if [[ ! -s $file.token || $(($(date +%s) - $(stat -c %Y "$file.token"))) -gt $((SERVICE_TOKEN_TTL / 2)) ]]; then
        (umask 077 && token --role service --ttl "$SERVICE_TOKEN_TTL" "todo-$1" >"$file.token")
    fi
    (umask 077 && "$1_config" >"$file.conf")
    [[ -x $(daemon_binary "$1") ]] || die "todo-$1 is not built: $(daemon_binary "$1")"
    spawn "$1" "$2" "$(daemon_binary "$1")" --config "$file.conf"
}

daemon_ready() { # INTERNAL_PORT
    curl -fsS -m 2 -o /dev/null "http://127.0.0.1:$1/readyz" 2>/dev/null
}

bridge_fingerprint() { daemon_fingerprint bridge; }
bridge_start() { daemon_start bridge "$1"; }
bridge_ready() { daemon_ready "$BRIDGE_INTERNAL_PORT"; }
bridge_stop() { stop bridge TERM 20; }

# It serves the page as it was at its start.
gateway_fingerprint() { (daemon_fingerprint gateway && cat "$ROOT/web/dist/index.html" 2>/dev/null) | sha256sum | cut -c1-16; }
gateway_start() { daemon_start gateway "$1"; }
gateway_ready() { daemon_ready "$GATEWAY_INTERNAL_PORT"; }
gateway_stop() { stop gateway TERM 20; }
