# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The real parts: PostgreSQL, Apache Kafka (KRaft, one node), mosquitto with our plug-in.
# Each has NAME_fingerprint, NAME_start, NAME_ready, NAME_stop (see ensure in lib.sh).

# --- PostgreSQL --------------------------------------------------------------------------------

postgres_bin() {
    local folders=(/usr/lib/postgresql/*/bin)
    printf '%s' "${folders[-1]}"
}

database_url() {
    printf 'postgresql://todo:%s@127.0.0.1:%s/todo' "$(<"$STATE/conf/database.password")" "$POSTGRES_PORT"
}

# The superuser's password is the same: the cluster is ours alone. The product gets a plain role.
postgres_sql() { # DATABASE ARGUMENTS…
    PGPASSWORD=$(<"$STATE/conf/database.password") psql -X -q -A -t -v ON_ERROR_STOP=1 \
        -h 127.0.0.1 -p "$POSTGRES_PORT" -U postgres -d "$1" "${@:2}"
}

postgres_fingerprint() { printf '%s' "$POSTGRES_PORT" | sha256sum | cut -c1-16; }

# After kill -9 the old postmaster may stay a zombie until its parent (in a container perhaps nobody)
# collects it. PostgreSQL takes that for a live one. It is stale once no process works in the folder.
postgres_clear_stale() { # DATA
    local pid tries
    [[ -f $1/postmaster.pid ]] || return 0
    pid=$(head -n 1 "$1/postmaster.pid")
    [[ -e /proc/$pid && -z $(proc_start_time "$pid") ]] || return 0
    for ((tries = 0; tries < 100; tries++)); do
        if [[ -z $(find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$1" 2>/dev/null) ]]; then
            rm -f "$1/postmaster.pid" "$1"/.s.PGSQL.*
            return 0
        fi
        sleep 0.1
    done
}

postgres_start() { # FINGERPRINT
    local data=$STATE/postgres sockets=$STATE/postgres
    # A socket's path holds 107 bytes at most.
    ((${#sockets} <= 85)) || sockets=
    run_as postgres "$STATE"
    if [[ ! -f $data/PG_VERSION ]]; then
        rm -rf "$data"
        mkdir -m 700 "$data"
        ((EUID != 0)) || chown postgres: "$data"
        cp "$STATE/conf/database.password" "$STATE/pwfile"
        ((EUID != 0)) || chown postgres: "$STATE/pwfile"
        "${RUN_AS[@]}" "$(postgres_bin)/initdb" -D "$data" -U postgres -E UTF8 --locale=C.UTF-8 --no-sync \
            --auth-local=trust --auth-host=scram-sha-256 --pwfile="$STATE/pwfile"
        rm -f "$STATE/pwfile"
    fi
    postgres_clear_stale "$data"
    spawn postgres "$1" "${RUN_AS[@]}" "$(postgres_bin)/postgres" -D "$data" \
        -c "port=$POSTGRES_PORT" -c listen_addresses=127.0.0.1 -c "unix_socket_directories=$sockets" \
        -c max_connections=100 -c shared_buffers=256MB -c max_wal_size=4GB \
        -c 'log_line_prefix=%m [%p] ' -c log_timezone=UTC -c timezone=UTC
}

# Answers, lets us in, and the product's database is there.
postgres_ready() {
    "$(postgres_bin)/pg_isready" -q -h 127.0.0.1 -p "$POSTGRES_PORT" || return 1
    if [[ -z $(postgres_sql postgres -c "select 1 from pg_roles where rolname = 'todo'") ]]; then
        postgres_sql postgres -c "create role todo login createdb password '$(<"$STATE/conf/database.password")'" || return 1
    fi
    [[ -n $(postgres_sql postgres -c "select 1 from pg_database where datname = 'todo'") ]] ||
        postgres_sql postgres -c 'create database todo owner todo'
}

# INT is PostgreSQL's fast shutdown: open transactions end, a checkpoint is written.
postgres_stop() { stop postgres INT 30; }

# --- Apache Kafka ------------------------------------------------------------------------------

kafka_cluster_id() { printf 'T%s' "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c1-21)"; }

kafka_properties() { # DATA PORT CONTROLLER_PORT
    cat <<TEXT
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$3
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$3
advertised.listeners=PLAINTEXT://127.0.0.1:$2
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$1
num.partitions=4
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=true
log.retention.hours=168
log.segment.bytes=67108864
TEXT
}

kafka_fingerprint() {
    kafka_properties "$STATE/kafka" "$KAFKA_PORT" "$KAFKA_CONTROLLER_PORT" | sha256sum | cut -c1-16
}

kafka_start() { # FINGERPRINT
    local archive=()
    kafka_jvm_options
    kafka_properties "$STATE/kafka" "$KAFKA_PORT" "$KAFKA_CONTROLLER_PORT" >"$STATE/conf/kafka.properties"
    [[ ! -f $KAFKA_ARCHIVE ]] || archive=("-XX:SharedArchiveFile=$KAFKA_ARCHIVE")
    if [[ ! -f $STATE/kafka/meta.properties ]]; then
        rm -rf "$STATE/kafka"
        java "${archive[@]}" "${KAFKA_JVM[@]}" kafka.tools.StorageTool format -t "$(kafka_cluster_id)" -c "$STATE/conf/kafka.properties"
    fi
    spawn kafka "$1" java "${archive[@]}" "${KAFKA_JVM[@]}" kafka.Kafka "$STATE/conf/kafka.properties"
}

kafka_ready() {
    port_taken "$KAFKA_PORT" || return 1
    timeout 5 kcat -L -b "127.0.0.1:$KAFKA_PORT" -m 4 2>/dev/null | grep -q '^ 1 brokers:'
}

kafka_stop() { stop kafka TERM 30; }

# Fetch, archive and start: one step, beside the build.
kafka_up() {
    kafka_install
    kafka_archive
    ports_load
    ensure kafka
}

# --- mosquitto ---------------------------------------------------------------------------------

MOSQUITTO_PLUGIN=$BUILD/lib/todo-mosquitto-auth.so

mosquitto_config() {
    cat <<TEXT
listener $MOSQUITTO_PORT 127.0.0.1
allow_anonymous false
plugin $MOSQUITTO_PLUGIN
plugin_opt_jwks_file $STATE/mosquitto/jwks.json
plugin_opt_issuer todo-chatbot
plugin_opt_audience todo-chatbot
plugin_opt_hs256_dev true
persistence true
persistence_location $STATE/mosquitto/
autosave_interval 30
max_queued_messages 10000
log_dest stdout
log_timestamp_format %Y-%m-%dT%H:%M:%S
connection_messages true
TEXT
}

mosquitto_fingerprint() { (mosquitto_config && fingerprint_of "$MOSQUITTO_PLUGIN") | sha256sum | cut -c1-16; }

mosquitto_start() { # FINGERPRINT
    [[ -f $MOSQUITTO_PLUGIN ]] || die "the broker's plug-in is not built: $MOSQUITTO_PLUGIN"
    mkdir -p "$STATE/mosquitto"
    chmod 700 "$STATE/mosquitto"
    keys_jwks | write_if_changed "$STATE/mosquitto/jwks.json"
    mosquitto_config >"$STATE/mosquitto/mosquitto.conf"
    chmod 600 "$STATE/mosquitto/jwks.json"
    ((EUID != 0)) || chown -R mosquitto: "$STATE/mosquitto"
    run_as mosquitto "$ROOT"
    spawn mosquitto "$1" "${RUN_AS[@]}" mosquitto -c "$STATE/mosquitto/mosquitto.conf"
}

# A signed-in subscription that the broker grants: port, plug-in and keys all work.
mosquitto_ready() {
    port_taken "$MOSQUITTO_PORT" || return 1
    timeout 5 mosquitto_sub -V mqttv5 -h 127.0.0.1 -p "$MOSQUITTO_PORT" -i "dev-check:ready" -u dev-check \
        -P "$(token --ttl 60 dev-check)" -t todo/v1/dev-check/updates -q 1 -E >>"$STATE/log/mosquitto-check.log" 2>&1
}

mosquitto_stop() { stop mosquitto TERM 15; }

# --- keys --------------------------------------------------------------------------------------
# One HS256 secret and one database password per checkout, for development only.

keys_init() {
    private_file "$STATE/secret" 32
    private_file "$STATE/conf/database.password" 16
}

keys_jwks() {
    printf '{"keys":[{"kty":"oct","use":"sig","alg":"HS256","kid":"dev","k":"%s"}]}\n' \
        "$(base64 -w0 <"$STATE/secret" | tr '+/' '-_' | tr -d '=')"
}

token() { /usr/bin/python3 "$ROOT/scripts/dev.d/token.py" --secret-file "$STATE/secret" "$@"; }
