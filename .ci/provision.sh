#!/bin/sh
# Install what the test suite needs beyond Python. Never fails: tests say themselves what they miss.
set -eu
cd "$(dirname "$0")/.."

missing=
need() { # COMMAND PACKAGE
    PATH="$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':'):/usr/lib/notification-daemon" command -v "$1" >/dev/null || missing="$missing $2"
}

need chromium chromium
need dbus-daemon dbus-daemon
need dunst dunst
need gdbus libglib2.0-bin
need import imagemagick
need node nodejs
need notification-daemon notification-daemon
need postgres postgresql
need strace strace
need tmux tmux
need xdotool xdotool
need xfce4-panel xfce4-panel
need Xvfb xvfb

# shellcheck disable=SC2086 # a list of words
[ -z "$missing" ] || .ci/packages.sh $missing || echo 'Tests that need them will be skipped.' >&2

.ci/agents.sh
