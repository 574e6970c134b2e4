#!/usr/bin/env bash
# Starts the servers that the integration tests talk to, and stops them:
#
#   scripts/services.sh start   installs what is missing, starts, prints the exports for `cargo test`
#   scripts/services.sh stop    stops what `start` started
#   scripts/services.sh env     prints the exports of the servers that run
#
# A real Kafka broker (KRaft, one node), moto (S3), versitygw (S3, strict signatures and checksums) and
# Apicurio (a schema registry with Confluent's API), all on free ports of 127.0.0.1. Everything is
# installed once below target/services and reused. The ports can be chosen: KAFKA_PORT, MOTO_PORT,
# VERSITYGW_PORT, REGISTRY_PORT.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
services=${CONNECT_TEST_SERVICES:-${CARGO_TARGET_DIR:-$root/target}/services}
run=$services/run
kafka_version=4.3.1
moto_version=5.2.5
versitygw_version=v1.7.0
registry_version=2.6.13.Final
access_key=AK
secret_key=SKSKSKSK

say() { printf '%s services: %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
missing=()

has() { command -v "$1" >/dev/null 2>&1; }

# need COMMAND APT-PACKAGES HINT: the command is there, or apt can bring it, or the hint is told.
need() {
    has "$1" && return 0
    if [ -n "$2" ] && [ "$(id -u)" = 0 ] && has apt-get; then
        say "installing $2"
        [ -e "$services/.apt-updated" ] || { apt-get update -qq >&2 && touch "$services/.apt-updated"; } || true
        # shellcheck disable=SC2086 # several packages
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2 >&2 || true
        hash -r
        has "$1" && return 0
    fi
    missing+=("$3")
}

install_kafka() {
    [ -e "$services/kafka/installed-$kafka_version" ] && return 0
    say "installing Kafka $kafka_version (about 50 MB, once)"
    rm -rf "$services/kafka" && mkdir -p "$services/kafka"
    cp "$root/scripts/kafka-distribution.xml" "$services/kafka/pom.xml"
    (cd "$services/kafka" && mvn -q -B "-Dkafka.version=$kafka_version" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory=libs >&2)
    touch "$services/kafka/installed-$kafka_version"
}

install_registry() {
    [ -e "$services/registry/installed-$registry_version" ] && return 0
    say "installing the schema registry Apicurio $registry_version (about 140 MB, once)"
    rm -rf "$services/registry" && mkdir -p "$services/registry"
    (cd "$services/registry" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        "-Dartifact=io.apicurio:apicurio-registry-app:$registry_version:tar.gz:all" -DoutputDirectory=. >&2 \
        && tar xzf "apicurio-registry-app-$registry_version-all.tar.gz" \
        && rm "apicurio-registry-app-$registry_version-all.tar.gz")
    touch "$services/registry/installed-$registry_version"
}

install_moto() {
    [ -e "$services/moto/installed-$moto_version" ] && return 0
    say "installing moto $moto_version (once)"
    rm -rf "$services/moto"
    python3 -m venv "$services/moto"
    "$services/moto/bin/pip" install -q --disable-pip-version-check "moto[server,s3]==$moto_version" >&2
    touch "$services/moto/installed-$moto_version"
}

install_versitygw() {
    [ -e "$services/versitygw/installed-$versitygw_version" ] && return 0
    say "building versitygw $versitygw_version (about a minute, once)"
    mkdir -p "$services/versitygw"
    GOBIN=$services/versitygw GOFLAGS=-modcacherw go install "github.com/versity/versitygw/cmd/versitygw@$versitygw_version" >&2
    touch "$services/versitygw/installed-$versitygw_version"
}

install() {
    mkdir -p "$services"
    need java default-jre-headless "Java 17 or newer (Debian: apt-get install default-jre-headless): runs the Kafka broker"
    need mvn maven "Maven 3.8 or newer (Debian: apt-get install maven): downloads the Kafka broker"
    need python3 "python3 python3-venv" "Python 3.9 or newer with venv (Debian: apt-get install python3 python3-venv): runs moto"
    need go "" "Go 1.24 or newer, on the PATH: builds versitygw"
    need promtool prometheus "promtool, part of Prometheus (Debian: apt-get install prometheus): checks the metrics page"
    if has python3 && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        need ensurepip-for-python3 python3-venv "the venv module of Python (Debian: apt-get install python3-venv): installs moto"
        python3 -c 'import ensurepip, venv' 2>/dev/null && unset "missing[-1]"
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        say "cannot start the test servers; please install:"
        printf '  - %s\n' "${missing[@]}" >&2
        exit 1
    fi
    install_kafka
    install_moto
    install_versitygw
    install_registry
}

# A port on which nothing listens.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_for NAME PORT SECONDS: until the port answers, or the log's end is shown.
wait_for() {
    local deadline=$((SECONDS + $3))
    until listens "$2"; do
        if [ $SECONDS -ge $deadline ] || ! kill -0 "$(cat "$run/$1.pid")" 2>/dev/null; then
            say "$1 did not start; the end of its log $run/$1.log:"
            tail -n 20 "$run/$1.log" >&2
            exit 1
        fi
        sleep 0.1
    done
    say "$1 listens on 127.0.0.1:$2"
}

start_kafka() {
    local port=$1 controller
    controller=$(free_port)
    sed -e "s|@DATA@|$run/kafka-data|g" -e "s|@PORT@|$port|g" -e "s|@CONTROLLER@|$controller|g" \
        "$root/scripts/kafka-server.properties" >"$run/kafka.properties"
    cp "$root/scripts/kafka-log4j2.properties" "$run/kafka-log4j2.properties"
    java -cp "$services/kafka/libs/*" -Dlog4j2.configurationFile="file:$run/kafka-log4j2.properties" \
        kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAA -c "$run/kafka.properties" >"$run/kafka.log" 2>&1
    java -Xms256m -Xmx640m -XX:+UseSerialGC -Dlog4j2.configurationFile="file:$run/kafka-log4j2.properties" \
        -cp "$services/kafka/libs/*" kafka.Kafka "$run/kafka.properties" >>"$run/kafka.log" 2>&1 </dev/null &
    echo $! >"$run/kafka.pid"
}

start_moto() {
    "$services/moto/bin/moto_server" -H 127.0.0.1 -p "$1" >"$run/moto.log" 2>&1 </dev/null &
    echo $! >"$run/moto.pid"
}

start_versitygw() {
    mkdir -p "$run/versitygw-data"
    ROOT_ACCESS_KEY=$access_key ROOT_SECRET_KEY=$secret_key "$services/versitygw/versitygw" --quiet \
        --port "127.0.0.1:$1" --virtual-domain "localhost:$1" posix "$run/versitygw-data" >"$run/versitygw.log" 2>&1 </dev/null &
    echo $! >"$run/versitygw.pid"
}

start_registry() {
    (cd "$services/registry" && exec java -Xmx384m -XX:+UseSerialGC -Dquarkus.http.host=127.0.0.1 "-Dquarkus.http.port=$1" \
        -jar "apicurio-registry-app-$registry_version-runner.jar" >"$run/registry.log" 2>&1 </dev/null) &
    echo $! >"$run/registry.pid"
}

start() {
    stop
    install
    rm -rf "$run" && mkdir -p "$run"
    local kafka=${KAFKA_PORT:-$(free_port)} moto=${MOTO_PORT:-$(free_port)} versitygw=${VERSITYGW_PORT:-$(free_port)}
    local registry=${REGISTRY_PORT:-$(free_port)}
    start_kafka "$kafka"
    start_registry "$registry"
    start_moto "$moto"
    start_versitygw "$versitygw"
    wait_for versitygw "$versitygw" 30
    wait_for moto "$moto" 60
    wait_for kafka "$kafka" 120
    wait_for registry "$registry" 120
    cat >"$run/env" <<EOF
export CONNECT_TEST_KAFKA=127.0.0.1:$kafka
export CONNECT_TEST_KAFKA_LIBS=$services/kafka/libs
export CONNECT_TEST_REGISTRY=http://127.0.0.1:$registry/apis/ccompat/v7
export CONNECT_TEST_S3_MOTO=http://127.0.0.1:$moto
export CONNECT_TEST_S3_VERSITYGW=http://127.0.0.1:$versitygw
export CONNECT_TEST_S3_ACCESS_KEY=$access_key
export CONNECT_TEST_S3_SECRET_KEY=$secret_key
EOF
}

stop() {
    local name pid
    for name in kafka moto versitygw registry; do
        [ -e "$run/$name.pid" ] || continue
        pid=$(cat "$run/$name.pid")
        if kill "$pid" 2>/dev/null; then
            for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
            kill -9 "$pid" 2>/dev/null || true
            say "$name stopped"
        fi
        rm -f "$run/$name.pid"
    done
}

case ${1:-} in
    start) start && cat "$run/env" ;;
    stop) stop ;;
    env) cat "$run/env" ;;
    *) sed -n '2,11p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
