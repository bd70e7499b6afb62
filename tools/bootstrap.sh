#!/bin/sh
# Sets up .venv from uv.lock with nothing but Python 3.11+ on the machine; quick when nothing has changed.
#
#     sh tools/bootstrap.sh run     what the product needs
#     sh tools/bootstrap.sh dev     and what `make test` and `make check` need
#
# uv is taken from PATH when recent enough, otherwise installed into .tools/ (git ignores both folders).
set -eu

profile="${1:-dev}"
uv_version="0.13.9"
uv_oldest="0.9"

cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "error: $1"
    shift
    for line in "$@"; do say "  $line"; done
    exit 1
}

find_python() {
    for name in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3}; do
        found="$("$name" -c 'import sys; print(sys.executable if sys.version_info >= (3, 11) else "")' \
            2>/dev/null)" || continue
        [ -n "$found" ] && printf '%s\n' "$found" && return
    done
    fail "Python 3.11 or newer is needed${PYTHON:+, and $PYTHON is not it}." \
        "Debian and Ubuntu: apt-get install python3 python3-venv" \
        "or name one: make install PYTHON=/path/to/python3.12"
}

recent_enough() {
    found="$("$1" --version 2>/dev/null | cut -d' ' -f2)" || return 1
    [ -n "$found" ] || return 1
    [ "$(printf '%s\n%s\n' "$uv_oldest" "$found" | sort -V | head -n 1)" = "$uv_oldest" ]
}

install_uv() {
    say "Installing uv $uv_version into .tools (once) ..."
    rm -rf .tools
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .tools || fail "A virtual environment could not be made in .tools."
        pip_install "$PWD/.tools/bin/python" && return
    elif "$python" -m pip --version >/dev/null 2>&1; then
        pip_install "$python" --target .tools/lib && mkdir -p .tools/bin && ln -s ../lib/bin/uv .tools/bin/uv && return
    else
        venv_from_apt
        return
    fi
    rm -rf .tools
    fail "uv $uv_version could not be installed." "Is the package registry reachable? Running it again goes on."
}

pip_install() {
    interpreter="$1"
    shift
    "$interpreter" -m pip install --quiet --disable-pip-version-check --retries 5 "$@" "uv==$uv_version"
}

venv_from_apt() {
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -z "${tried_apt:-}" ]; then
        tried_apt=yes
        say "Python has neither venv nor pip; installing $package ..."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >&2 \
            || fail "$package could not be installed."
        install_uv
        return
    fi
    fail "Python at $python has neither venv nor pip." "As root: apt-get install $package"
}

# What .venv was made from: when none of it has changed, there is nothing to do.
fingerprint() {
    { pwd; printf '%s\n' "$python"; cat pyproject.toml uv.lock packages/*/pyproject.toml tools/bootstrap.sh; } | cksum
}

up_to_date() {
    [ -x .venv/bin/raptorflow ] && .venv/bin/python -c '' 2>/dev/null || return 1
    for stamp in "$@"; do
        [ "$(cat ".venv/.synced-$stamp" 2>/dev/null)" = "$now" ] && return 0
    done
    return 1
}

python="$(find_python)"
now="$(fingerprint)"
case "$profile" in
    run) up_to_date run dev && exit 0 ;;
    dev) up_to_date dev && exit 0 ;;
    *) fail "The profile is run or dev, not \"$profile\"." ;;
esac

uv="$(command -v uv || true)"
if [ -z "$uv" ] || ! recent_enough "$uv"; then
    uv="$PWD/.tools/bin/uv"
    recent_enough "$uv" || install_uv
fi

say "Setting up .venv with $python (the first time this downloads a few hundred MB) ..."
# --inexact: the tools of `make test` stay when `make run` asks for less.
set -- sync --frozen --inexact --python "$python" --no-python-downloads
[ "$profile" = run ] && set -- "$@" --no-dev
unset VIRTUAL_ENV
# The web interface is built by tools/ui.sh, and only for those who use it.
export RAPTORFLOW_SKIP_UI=1
# The system's certificates hold the public ones and those of the network's own proxy; uv's hold only the former.
if [ -z "${SSL_CERT_FILE:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ]; then
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-true}"
fi
UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-120}" UV_HTTP_RETRIES="${UV_HTTP_RETRIES:-5}" "$uv" "$@" \
    || fail "The packages of uv.lock could not be installed." "Running it again goes on where it stopped."
printf '%s\n' "$now" > ".venv/.synced-$profile"
