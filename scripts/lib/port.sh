# shellcheck shell=bash
# Where the site listens: HOST and PORT, by default 127.0.0.1 and the first free port from 8080.

port_is_free() { # HOST PORT
    .venv/bin/python -I -c '
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((host, port))' "$1" "$2" 2>/dev/null
}

# Sets HOST, PORT and address, the two of them as a URL writes them.
choose_port() {
    HOST=${HOST:-127.0.0.1}
    if [[ -n ${PORT:-} ]]; then
        port_is_free "$HOST" "$PORT" || die "port $PORT on $HOST cannot be had: another program may hold it" \
            "Choose another, or none to take a free one:  PORT=8090 ${0#"$ROOT"/}"
    else
        for ((PORT = 8080; PORT < 8180; PORT++)); do
            ! port_is_free "$HOST" "$PORT" || break
        done
        ((PORT < 8180)) || die "no free port from 8080 to 8179 on $HOST" "Choose one:  PORT=9000 ${0#"$ROOT"/}"
    fi
    address=$HOST:$PORT
    [[ $HOST != *:* ]] || address="[$HOST]:$PORT"
    export HOST PORT address
}
