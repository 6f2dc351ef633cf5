#!/bin/sh
# Build .venv with Holdfast in it, editable: .ci/venv.sh [EXTRA]
# With uv where it is on the PATH, else with python3 -m venv and pip. Both read the machine's own index settings.
set -eu
cd "$(dirname "$0")/.."

project=".${1:+[$1]}"
python=${PYTHON:-python3}

fail() {
    echo "$1" >&2
    exit 1
}

usable() {
    [ -x .venv/bin/python ] && .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

with_uv() {
    # Trust what the machine trusts, as Debian's pip does; the second name is the older uv's.
    export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1
    usable || { rm -rf .venv && uv venv --quiet --no-project --python '>=3.11' .venv; } || return 1
    uv pip install --quiet --python .venv/bin/python --constraint constraints.txt --editable "$project"
}

with_pip() {
    command -v "$python" >/dev/null || fail 'Python 3.11 or newer is needed: apt-get install python3 python3-venv'
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, $("$python" --version) is here: set PYTHON to a newer one"
    # A stock Debian has the venv module without ensurepip, and leaves half an environment behind.
    "$python" -c 'import ensurepip, venv' 2>/dev/null || .ci/packages.sh python3-venv
    if ! usable || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        rm -rf .venv
        "$python" -m venv .venv
    fi
    .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check \
        --constraint constraints.txt --editable "$project"
}

echo "Building .venv" >&2
if command -v uv >/dev/null; then
    # uv does not read pip's settings; a machine whose index is set only there needs pip.
    with_uv || { echo 'uv could not do it; trying pip' >&2 && with_pip; }
else
    with_pip
fi
