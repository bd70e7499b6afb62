#!/bin/sh
# The house rules. Runs every check, also after one has failed, and fails when any did.
set -u

cd "$(dirname "$0")/.."
bin=.venv/bin
failed=""

check() {
    title="$1"
    shift
    printf '== %s\n' "$title"
    "$@" || failed="$failed $title;"
}

check "style" $bin/ruff check "$@"
check "format" $bin/ruff format --check "$@"
check "sizes and silencers" $bin/python tools/house.py "$@" ui/src
check "layers" $bin/lint-imports
check "types" $bin/pyright
check "API document" $bin/python tools/openapi.py --check
check "SDK" $bin/python tools/sdk.py --check
check "web interface" sh tools/ui.sh check
check "settings page" $bin/python tools/reference.py --check
check "lock file" $bin/uv lock --check --no-python-downloads

if [ -n "$failed" ]; then
    printf 'make check failed:%s\n' "$failed" >&2
    exit 1
fi
echo "make check: all rules hold"
