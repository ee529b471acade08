# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing and nothing else: Debian packages, Kafka's jars, Python and web packages.

KAFKA_VERSION=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$ROOT/scripts/dev.d/kafka/pom.xml")
KAFKA_HOME=$CACHE/kafka-$KAFKA_VERSION
VENV=$ROOT/.venv

packages_missing() {
    local line package command installed release
    release=$(sed -n 's/^VERSION_ID="\?\([0-9]*\).*/\1/p' /etc/os-release)
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
    while read -r line; do
        [[ -n $line && $line != \#* ]] || continue
        [[ $line != *@* || ${line#*@} == "$release" || ${line#*@}${TODO_TEST_ALL:-} == all1 ]] || continue
        line=${line%@*}
        package=${line%%:*}
        command=${line#"$package"}
        command=${command#:}
        if [[ -n $command ]] && type -P "$command" >/dev/null; then
            continue
        fi
        grep -qxF "$package" <<<"$installed" || printf '%s\n' "$package"
    done <"$ROOT/scripts/dev.d/packages.txt"
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif type -P sudo >/dev/null; then
        sudo "$@"
    else
        die "not root, and there is no sudo: as root run: $*"
    fi
}

# apt must not start servers of its own beside ours, hence the policy file for as long as it runs.
install_packages() {
    local missing policy=/usr/sbin/policy-rc.d
    type -P dpkg-query apt-get >/dev/null || die "this needs Debian's apt-get; elsewhere install what scripts/dev.d/packages.txt names"
    mapfile -t missing < <(packages_missing)
    ((${#missing[@]})) || return 0
    say "installing: ${missing[*]}"
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        # shellcheck disable=SC2064
        trap "as_root rm -f $policy" EXIT
    fi
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" || {
        as_root "${apt[@]}" update
        as_root "${apt[@]}" install --no-install-recommends "${missing[@]}"
    } || die "apt-get could not install: ${missing[*]}"
    say "# installed ${#missing[@]} packages"
}

# Two checkouts share the cache: one fills it, the other waits.
cache_lock() {
    mkdir -p "$CACHE"
    exec 8>"$CACHE/lock-$1"
    flock -w 600 8 || die "another scripts/dev has held $CACHE/lock-$1 for 10 minutes"
}

kafka_jvm_options() {
    KAFKA_JVM=(-Xms128m -Xmx384m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData
        "-Dlog4j2.configurationFile=file:$ROOT/scripts/dev.d/kafka/log4j2.properties"
        -cp "$KAFKA_HOME/*")
    KAFKA_ARCHIVE=$KAFKA_HOME/classes-$(java -version 2>&1 | sha256sum | cut -c1-12).jsa
}

kafka_install() {
    [[ ! -f $KAFKA_HOME/complete ]] || return 0
    cache_lock kafka
    if [[ ! -f $KAFKA_HOME/complete ]]; then
        rm -rf "$KAFKA_HOME"
        (cd "$ROOT/scripts/dev.d/kafka" &&
            mvn -q -B -ntp dependency:copy-dependencies -DoutputDirectory="$KAFKA_HOME" -DincludeScope=runtime) ||
            die "Maven could not fetch Kafka $KAFKA_VERSION"
        touch "$KAFKA_HOME/complete"
        say "# Kafka $KAFKA_VERSION fetched"
    fi
    exec 8>&-
}

# A class-data archive halves every later start of the JVM. Java 17 writes it at exit, so it takes
# one short life of a broker with nothing in it.
kafka_archive() {
    local folder pid port
    kafka_jvm_options
    [[ ! -f $KAFKA_ARCHIVE ]] || return 0
    cache_lock kafka
    if [[ ! -f $KAFKA_ARCHIVE ]]; then
        folder=$(mktemp -d "$CACHE/archive.XXXXXX")
        port_free && port=$PORT_FREE && port_free
        kafka_properties "$folder/data" "$port" "$PORT_FREE" >"$folder/server.properties"
        java "${KAFKA_JVM[@]}" kafka.tools.StorageTool format -t "$(kafka_cluster_id)" -c "$folder/server.properties" >/dev/null
        java "-XX:ArchiveClassesAtExit=$folder/classes.jsa" "${KAFKA_JVM[@]}" kafka.Kafka "$folder/server.properties" >"$folder/log" 2>&1 8>&- 9>&- &
        pid=$!
        for ((tries = 0; tries < 600; tries++)); do
            ! grep -q 'Kafka Server started' "$folder/log" || break
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kcat -L -b "127.0.0.1:$port" >/dev/null 2>&1 || true
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" || true
        # Without the archive all works, only slower: no reason to fail.
        [[ ! -f $folder/classes.jsa ]] || mv "$folder/classes.jsa" "$KAFKA_ARCHIVE"
        rm -rf "$folder"
    fi
    exec 8>&-
}

# Debian's own python3: a version manager's may lack a matching venv. Inside a venv PEP 668 is moot.
venv_install() {
    local want
    want=$(cat "$ROOT/tests/requirements.txt" <(/usr/bin/python3 --version) | sha256sum)
    [[ ! -f $VENV/complete || $(<"$VENV/complete") != "$want" ]] || return 0
    rm -f "$VENV/complete"
    [[ -x $VENV/bin/python && $("$VENV/bin/python" --version 2>/dev/null) == "$(/usr/bin/python3 --version)" ]] ||
        /usr/bin/python3 -m venv --clear "$VENV"
    env -u PIP_USER -u PIP_TARGET -u PIP_PREFIX -u PYTHONPATH -u PYTHONHOME \
        "$VENV/bin/python" -m pip install -q --disable-pip-version-check --no-input -r "$ROOT/tests/requirements.txt" ||
        die "pip could not install tests/requirements.txt"
    printf '%s\n' "$want" >"$VENV/complete"
    say "# installed"
}

build_release() {
    [[ -f $BUILD/build.ninja ]] || (cd "$ROOT" && cmake --preset release)
    cmake --build "$BUILD" --target todo-gateway todo-bridge todo-admin todo-nlu todo-mosquitto-auth
}

# Debian 12's Node is older than the page's tools want; npm has newer ones.
node_path() {
    local wanted=20 home=$CACHE/node-20
    [[ $(node --version) =~ ^v([0-9]+) ]] && ((BASH_REMATCH[1] < wanted)) || return 0
    if [[ ! -x $home/node_modules/node/bin/node ]]; then
        cache_lock node
        npm install --no-audit --no-fund --prefix "$home" "node@$wanted" >&2
        exec 8>&-
    fi
    export PATH=$home/node_modules/node/bin:$PATH
}

web_packages() {
    local web=$ROOT/web
    node_path
    [[ ! -d $web/node_modules || $web/package-lock.json -nt $web/node_modules/.complete ]] || return 0
    # npm 11 takes the absent binaries of other platforms for a lock file that does not fit; its
    # install goes by the same lock file.
    (cd "$web" && { npm ci --no-audit --no-fund || npm install --no-save --no-audit --no-fund; })
    touch "$web/node_modules/.complete"
}

# The page is built anew only when a source is newer than the last build.
web_build() {
    local web=$ROOT/web
    web_packages
    if [[ -f $web/dist/.complete ]] &&
        [[ -z $(find "$web" -name node_modules -prune -o -name dist -prune -o -type f -newer "$web/dist/.complete" -print -quit) ]]; then
        return 0
    fi
    (cd "$web" && npm run build)
    touch "$web/dist/.complete"
    say "# built"
}
