# shellcheck shell=bash
# Shared host-side helpers. Sourced by the scripts next to lib/.

RIG_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RIG_LIB=$RIG_DIR/lib
UML_BIN=${UML_BIN:-/usr/bin/linux.uml}
RIG_MEM=${RIG_MEM:-128M}       # RAM of one guest
RIG_CPU=${RIG_CPU:-}           # taskset list for the guests, empty: not pinned

# Exit statuses of `client` (1 is what bash and set -e use; 2 is wrong usage).
# shellcheck disable=SC2034  # used by the scripts that source this file
readonly ST_NOLINK=10 ST_COMMAND=11 ST_GUEST=12 ST_TIMEOUT=124

die() { echo "${0##*/}: $*" >&2; exit 2; }

# need VALUE_COUNT OPTION: an option's value must be there.
need() { [ "$1" -ge 2 ] || die "$2 needs a value"; }

is_uint() { [[ $1 =~ ^[1-9][0-9]{0,8}$ ]]; }
is_name() { [[ $1 =~ ^[A-Za-z0-9_-]{1,15}$ ]]; }

need_root() { [ "$(id -u)" = 0 ] || die "must run as root"; }

# new_run_dir: a private directory that the guest sees, read-write, as /run/rig.
new_run_dir() { mktemp -d "${TMPDIR:-/tmp}/rig.XXXXXX"; }

# put_params FILE NAME...: saves shell variables for the guest to source.
put_params() {
    local file=$1 name
    shift
    for name; do declare -p "$name"; done >"$file"
}

# auth_options ROLE METHOD: pppd options, one a line.
#   client: refuse all other methods; server: require this one.
auth_options() {
    local role=$1 method=$2 m
    local -a all=(pap chap mschap mschap-v2 eap)
    [[ " ${all[*]} any " == *" $method "* ]] || die "unknown auth method: $method"
    case $role-$method in
        server-any) echo auth ;;
        server-*) echo "require-$method" ;;
        client-any) echo noauth ;;
        client-*)
            echo noauth
            for m in "${all[@]}"; do
                [ "$m" = "$method" ] || echo "refuse-$m"
            done
            ;;
    esac
}

# mppe_options MODE: pppd options, one a line.
#   none | 40 | 128 | any | stateless (= 128) | stateful (= 128-stateful)
#   | 40-stateful | 128-stateful | 128-allow-stateful
mppe_options() {
    local mode=$1
    case $mode in stateless) mode=128 ;; stateful) mode=128-stateful ;; esac
    echo nobsdcomp
    echo nodeflate
    case $mode in
        none) echo nomppe; return ;;
        any) echo require-mppe ;;
        40 | 40-*) echo require-mppe-40 ;;
        128 | 128-*) echo require-mppe-128 ;;
        *) die "unknown mppe mode: $1" ;;
    esac
    case $mode in
        *-allow-stateful) echo mppe-stateful ;;
        *-stateful)
            echo mppe-stateful
            echo "plugin /run/rig/force_stateful.so"
            ;;
    esac
}

# build_plugin RUN_DIR MODE: pppd by itself never asks for stateful MPPE; this
# plugin makes it do so. Built only for the modes that want it.
build_plugin() {
    case $2 in stateful | 40-stateful | 128-stateful) ;; *) return 0 ;; esac
    cc -shared -fPIC -O2 -Wall -o "$1/force_stateful.so" \
        "$RIG_LIB/force_stateful.c" || die "cannot build force_stateful.so (run tools/install)"
}

# build_preload RUN_DIR: what linux.uml needs on processors with AMX; harmless on others.
build_preload() {
    cc -shared -fPIC -O2 -Wall -o "$1/wide_xstate.so" "$RIG_LIB/wide_xstate.c" ||
        die "cannot build wide_xstate.so (run tools/install)"
}

# uml_boot ROLE RUN_DIR NETNS IF TRANSPORT LIMIT: becomes one guest (call it in
# the background or in a pipe). The guest is alone in a PID namespace: when this
# process ends, by SIGKILL too, all the guest's processes are gone with it.
uml_boot() {
    local role=$1 run=$2 netns=$3 ifname=$4 transport=$5 limit=$6
    local -a pin=()
    [[ ! $run$RIG_LIB =~ [[:space:]] ]] || die "no blanks allowed in paths: $run $RIG_LIB"
    [ -z "$RIG_CPU" ] || pin=(taskset -c "$RIG_CPU")
    build_preload "$run"
    # Root is the host's, mounted read-only; the guest can write to $run alone.
    # uml_dir holds a socket, whose path must stay short.
    exec unshare --pid --fork --kill-child=KILL -- timeout -s KILL "$limit" \
        ip netns exec "$netns" "${pin[@]}" \
        env "LD_PRELOAD=$run/wide_xstate.so" "$UML_BIN" \
        "mem=$RIG_MEM" quiet loglevel=1 selinux=0 noreboot \
        rootfstype=hostfs rootflags=/ ro "init=$RIG_LIB/guest-init" \
        con=null con0=null,fd:1 "uml_dir=$run" umid=uml \
        "vec0:transport=$transport,ifname=$ifname,depth=128,gro=1" \
        "rig_role=$role" "rig_run=$run" "rig_lib=$RIG_LIB" \
        </dev/null 2>&1
}

# wait_file FILE SECONDS PID: until FILE is there (0), or PID or the time is
# over (1).
wait_file() {
    local -i tries=$(($2 * 20))
    while [ "$tries" -gt 0 ]; do
        [ ! -e "$1" ] || return 0
        kill -0 "$3" 2>/dev/null || return 1
        tries+=-1
        sleep 0.05
    done
    return 1
}

# with_server ID DIR SERVER_ARGS CLIENT_ARGS: the names of two arrays. Makes
# network ID, runs server-pptpd and one client against it, and removes it all.
# Logs go to DIR/server.log and DIR/client.log; gives the client's status.
# Call it in a subshell: it sets traps.
with_server() {
    local dir=$2 rc=0
    local -n sargs=$3 cargs=$4
    net_id=$1 server=''     # global: the trap reads them
    # shellcheck disable=SC2317  # runs from the trap
    end_server() {
        [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
        "$RIG_DIR/net" down "$net_id"
    }
    mkdir -p "$dir"
    rm -f "$dir/ready"
    "$RIG_DIR/net" up "$net_id" || return "$ST_GUEST"
    trap end_server EXIT
    trap 'exit 143' INT TERM HUP
    "$RIG_DIR/server-pptpd" --netns "$net_id-srv" --ready "$dir/ready" "${sargs[@]}" \
        >"$dir/server.log" 2>&1 &
    server=$!
    wait_file "$dir/ready" 30 "$server" || return "$ST_GUEST"
    "$RIG_DIR/client" --netns "$net_id-cli" "${cargs[@]}" >"$dir/client.log" 2>&1 || rc=$?
    return "$rc"
}
