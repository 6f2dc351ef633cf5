#!/bin/sh
# Install what the test suite needs beyond Python. Never fails: tests say themselves what they miss.
set -eu
cd "$(dirname "$0")/.."

missing=
need() { # COMMAND PACKAGE
    PATH="$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')" command -v "$1" >/dev/null || missing="$missing $2"
}

need chromium chromium
need node nodejs
need postgres postgresql
need strace strace
need tmux tmux

# shellcheck disable=SC2086 # a list of words
[ -z "$missing" ] || .ci/packages.sh $missing || echo 'Tests that need them will be skipped.' >&2

.ci/agents.sh
