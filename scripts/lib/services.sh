# shellcheck shell=bash
# A private PostgreSQL (with PostGIS) and a private Redis for this checkout, unless DATABASE_URL and REDIS_URL name others.
#
# They listen on Unix sockets in a folder that only their owner may enter, on no network port. PostgreSQL trusts the
# operating system's word on who is calling (peer), so there is no password. The last script to leave stops them.

use_services() {
    use_secret_key
    lock services
    [[ -n ${DATABASE_URL:-} ]] || use_postgres
    [[ -n ${REDIS_URL:-} ]] || use_redis
    unlock
    export DATABASE_URL REDIS_URL
}

# As long as our run's file says so, nobody stops the services.
hold_services() { echo "uses services" >&8; }

# What codes and tokens are keyed with: SECRET_KEY, else one made for this checkout and kept.
use_secret_key() {
    local file=$LOCAL/secret_key
    [[ -z ${SECRET_KEY:-} ]] || return 0
    if [[ ! -s $file ]]; then
        (umask 077 && head -c 48 /dev/urandom | base64 -w 0 >"$file.$RUN_ID")
        mv -n "$file.$RUN_ID" "$file" # another script may have been first
        rm -f "$file.$RUN_ID"
    fi
    SECRET_KEY=$(<"$file")
    export SECRET_KEY
}

# The operator's signing key and the evidence's master key: OPERATOR_KEYS, else made for this checkout and kept.
use_keys() {
    local given=${OPERATOR_KEYS:-}
    name_folders
    [[ ! -s $OPERATOR_KEYS/operator.key || ! -s $OPERATOR_KEYS/evidence.keys ]] || return 0
    # A folder that somebody named and that holds no keys is a wrong name or a failed mount, not a new operator.
    [[ -z $given ]] || die "there are no keys in OPERATOR_KEYS=$given" \
        "Restore them from your backup, or for a new installation:  scripts/operate keys make"
    step keys "See the log above." .venv/bin/python -m scripts.commands.operator keys make
}

# By their full paths, so that a command may run in another folder.
name_folders() {
    export OPERATOR_KEYS=${OPERATOR_KEYS:-$LOCAL/keys} EVIDENCE_STORE=${EVIDENCE_STORE:-$LOCAL/evidence}
    export GRAPH_DIR=${GRAPH_DIR:-$LOCAL/graph}
}

# Run a module of ours where the caller stands: the files that he names are there.
from_callers_folder() { # FOLDER MODULE [ARGUMENTS...]
    local folder=$1
    shift
    cd "$folder"
    PYTHONPATH=$ROOT run "$ROOT/.venv/bin/python" -m "$@"
}

use_postgres() {
    hold_services
    unset PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGDATA PGOPTIONS PGSERVICE
    find_postgres
    place_postgres
    place_sockets
    start_postgres
    DATABASE_URL="postgresql+psycopg2://courier@/courier?host=$sockets&port=5432"
}

use_redis() {
    hold_services
    find_redis
    place_sockets
    start_redis "$LOCAL/redis" "$sockets/redis.sock"
    REDIS_URL="unix://$sockets/redis.sock?db=0"
}

# Forget our use of the services, and stop them if it was the last.
leave_services() {
    local file
    lock services || return 0
    rm -f "$LOCAL/runs/$RUN_ID"
    exec 8>&-
    for file in "$LOCAL"/runs/*; do
        [[ ! -s $file ]] || flock -n "$file" true || return 0 # still used
    done
    stop_services
    unlock
}

stop_services() {
    stop_postgres
    stop_redis "$LOCAL/redis"
    [[ ! -e $LOCAL/sockets || $(sed -n 1p "$LOCAL/sockets") != "$ROOT" ]] || rm -rf "$(sed -n 2p "$LOCAL/sockets")" "$LOCAL/sockets"
}

# PostgreSQL refuses to run as root: root runs it as the distribution's user for it.
db_user() { if ((EUID == 0)); then echo postgres; else id -un; fi; }

as_db_user() { # COMMAND...
    local switch=()
    ((EUID != 0)) || switch=(setpriv --reuid=postgres --regid=postgres --init-groups)
    (cd / && exec env -u COURIER_RUN HOME=/ "${switch[@]}" "$@" 8>&- 9>&-)
}

# The processes of one program that work in a folder, as servers do in their data folder.
servers_in() { # PROGRAM FOLDER
    local process
    for process in /proc/[0-9]*; do
        [[ $process/cwd -ef $2 && $(cat "$process/comm" 2>/dev/null) == "$1" ]] && echo "${process#/proc/}"
    done
    return 0
}

# --- where things are ------------------------------------------------------------------------------------------------

# Sets pg_bin: of the version that the data is of, else of the newest one with PostGIS.
find_postgres() {
    newest_postgres || { install_packages postgresql-postgis && newest_postgres; } ||
        die "PostgreSQL with PostGIS was not found under /usr/lib/postgresql" "Run:  apt-get install -y postgresql-postgis"
    local version
    [[ -e $LOCAL/postgres/data/PG_VERSION ]] || return 0
    version=$(<"$LOCAL/postgres/data/PG_VERSION")
    pg_bin=/usr/lib/postgresql/$version/bin
    [[ -x $pg_bin/postgres ]] || die "the data in $LOCAL/postgres is of PostgreSQL $version, which is not installed" \
        "Install postgresql-$version-postgis-3, or delete $LOCAL/postgres to begin with an empty database."
}

find_redis() { command -v redis-server redis-cli >/dev/null || install_packages redis-server; }

newest_postgres() {
    local version
    for version in $(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -rn); do
        pg_bin=/usr/lib/postgresql/$version/bin
        [[ ! -x $pg_bin/initdb || ! -e /usr/share/postgresql/$version/extension/postgis.control ]] || return 0
    done
    return 1
}

# Make .local/postgres. When the database's user cannot reach it (a checkout below /root), it links to a folder it can.
place_postgres() {
    local elsewhere
    elsewhere=/var/lib/courier-checkouts/$(printf %s "$ROOT" | sha256sum | cut -c1-16)
    if [[ ! -L $LOCAL/postgres ]]; then
        [[ -d $LOCAL/postgres ]] || install -d -m 700 -o "$(db_user)" "$LOCAL/postgres"
        as_db_user test -w "$LOCAL/postgres" && return 0
        [[ ! -e $LOCAL/postgres/data ]] || die "the user $(db_user) cannot reach $LOCAL/postgres" "Let it enter every folder above, or move the checkout."
        rmdir "$LOCAL/postgres"
    fi
    install -d -m 711 "${elsewhere%/*}"
    install -d -m 700 -o "$(db_user)" "$elsewhere"
    ln -sfn "$elsewhere" "$LOCAL/postgres"
}

# Sets sockets: .local/run, or a short private folder when the path is long (107 bytes at most), unusual or out of reach.
place_sockets() {
    sockets=$LOCAL/run
    if ((${#sockets} <= 80)) && [[ $sockets =~ ^[A-Za-z0-9/._-]+$ ]]; then
        [[ -d $sockets ]] || install -d -m 700 -o "$(db_user)" "$sockets"
        ! as_db_user test -w "$sockets" || return 0
    fi
    if [[ -e $LOCAL/sockets && $(sed -n 1p "$LOCAL/sockets") == "$ROOT" ]]; then
        sockets=$(sed -n 2p "$LOCAL/sockets")
        [[ -L $sockets || $(stat -c '%U %a' "$sockets" 2>/dev/null) != "$(db_user) 700" ]] || return 0
    fi
    sockets=$(TMPDIR=/tmp mktemp -dt courier.XXXXXX)
    chown "$(db_user)" "$sockets"
    printf '%s\n' "$ROOT" "$sockets" >"$LOCAL/sockets"
}

# --- PostgreSQL ------------------------------------------------------------------------------------------------------

start_postgres() {
    local data
    data=$(postgres_data)
    [[ -e $data/PG_VERSION ]] || make_cluster "$data"
    ! postgres_runs "$data" || return 0
    forget_dead_postgres "$data"
    # the log is opened here, since the database's user may not write there
    as_db_user "$pg_bin/pg_ctl" start --silent --wait --timeout=120 -D "$data" -o "-k $sockets -p 5432" >"$LOG/postgres.log" 2>&1 </dev/null ||
        failed_step postgres "If the data can be thrown away: delete $LOCAL/postgres and run this again." 1
    make_database >"$LOG/database.log" 2>&1 || failed_step database "See the log above." 1
}

# By its real path: the database's user may not be able to pass through the checkout.
postgres_data() { echo "$(readlink -f "$LOCAL/postgres")/data"; }

make_cluster() { # FOLDER
    say "Making a database cluster in ${1#"$ROOT"/}"
    as_db_user rm -rf "$1.new"
    as_db_user "$pg_bin/initdb" --username=postgres --auth=peer --encoding=UTF8 --locale=C.UTF-8 --data-checksums -D "$1.new" \
        >"$LOG/initdb.log" 2>&1 </dev/null || failed_step initdb "Is the disk full? Otherwise see the log above." 1
    cluster_settings | as_db_user tee -a "$1.new/postgresql.conf" >/dev/null
    echo "local all all peer map=checkout" | as_db_user tee "$1.new/pg_hba.conf" >/dev/null
    printf 'checkout %s postgres\ncheckout %s courier\n' "$(db_user)" "$(db_user)" "$(id -un)" "$(id -un)" |
        sort -u | as_db_user tee "$1.new/pg_ident.conf" >/dev/null
    as_db_user mv "$1.new" "$1"
}

# For a small machine of 2 cores that does other things too. Commits stay durable.
cluster_settings() {
    cat <<'SETTINGS'

# Set by scripts/lib/services.sh
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
random_page_cost = 1.1
jit = off
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
SETTINGS
}

# After a kill -9 or a power cut, postmaster.pid may name a process that is another program's by now: look at its folder.
postgres_runs() { # FOLDER
    local pid
    [[ -e $1/postmaster.pid ]] && read -r pid <"$1/postmaster.pid" && [[ /proc/$pid/cwd -ef $1 ]]
}

# PostgreSQL would take such a process for a running server, and not start.
forget_dead_postgres() { # FOLDER
    local tenths=100
    until [[ -z $(servers_in postgres "$1") ]]; do # the children of a killed server are still leaving
        ((tenths-- > 0)) || die "processes of a dead PostgreSQL linger: $(servers_in postgres "$1" | xargs)" "End them, then run this again."
        sleep 0.1
    done
    as_db_user rm -f "$1/postmaster.pid" "$sockets/.s.PGSQL.5432" "$sockets/.s.PGSQL.5432.lock"
}

psql_as_admin() { as_db_user psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 -h "$sockets" -p 5432 -U postgres "$@"; }

# The application's role is no superuser, as with a managed server; so the extensions are made here, and put into the
# template as well, where every new database finds them. Only done right after a start, when no one is connected.
make_database() {
    local extensions='CREATE EXTENSION IF NOT EXISTS postgis; CREATE EXTENSION IF NOT EXISTS btree_gist;
        CREATE EXTENSION IF NOT EXISTS unaccent; CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS pgcrypto;'
    psql_as_admin -d template1 -c "$extensions"
    psql_as_admin -d postgres <<'SQL'
SELECT 'CREATE ROLE courier LOGIN CREATEDB' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'courier') \gexec
SELECT 'CREATE DATABASE courier OWNER courier' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'courier') \gexec
SQL
    psql_as_admin -d courier -c "$extensions"
}

stop_postgres() {
    local data
    data=$(postgres_data)
    postgres_runs "$data" || return 0
    [[ -n ${pg_bin:-} ]] || find_postgres
    as_db_user "$pg_bin/pg_ctl" stop --silent --wait --timeout=60 --mode=fast -D "$data" >>"$LOG/postgres.log" 2>&1 ||
        as_db_user "$pg_bin/pg_ctl" stop --silent --wait --mode=immediate -D "$data" >>"$LOG/postgres.log" 2>&1 ||
        say "PostgreSQL did not stop: see $LOG/postgres.log"
}

# --- Redis -----------------------------------------------------------------------------------------------------------

# Jobs must survive a crash, and none may be evicted.
redis_settings=(--port 0 --unixsocketperm 700 --appendonly yes --appendfsync everysec --save "" --maxmemory-policy noeviction)

start_redis() { # FOLDER SOCKET
    install -d -m 700 "$1"
    if [[ -z $(servers_in redis-server "$1") ]]; then
        env -u COURIER_RUN redis-server "${redis_settings[@]}" --unixsocket "$2" --dir "$1" \
            --daemonize yes --pidfile "" --logfile "$LOG/redis.log" >"$LOG/redis-start.log" 2>&1 </dev/null 8>&- 9>&- ||
            failed_step redis-start "See the log above." 1
    fi
    await_redis "$2" || failed_step redis "If the queued jobs can be thrown away: delete $1 and run this again." 1
}

await_redis() { # SOCKET
    local tenths=300
    until [[ $(redis-cli -s "$1" ping 2>/dev/null) == PONG ]]; do
        ((tenths-- > 0)) || return 1
        sleep 0.1
    done
}

stop_redis() { # FOLDER
    local pid tenths=300
    pid=$(servers_in redis-server "$1")
    [[ -n $pid ]] || return 0
    kill -s TERM "$pid"
    while [[ -n $(servers_in redis-server "$1") ]]; do
        ((tenths-- > 0)) || { kill -s KILL "$pid"; return 0; }
        sleep 0.1
    done
}

# Another Redis for one run of the tests, empty at first and gone afterwards.
use_test_redis() {
    find_redis
    lock services
    hold_services
    place_sockets
    at_exit+=(drop_test_redis)
    start_redis "$LOCAL/test-redis/$RUN_ID" "$sockets/$RUN_ID.sock"
    unlock
    export REDIS_URL="unix://$sockets/$RUN_ID.sock?db=0"
}

drop_test_redis() { # [RUN-ID]
    local data=$LOCAL/test-redis/${1:-$RUN_ID}
    stop_redis "$data"
    rm -rf "$data"
}
