#!/bin/sh
# Install Debian packages: .ci/packages.sh PACKAGE...
# Does it as root on Debian, and in CI; elsewhere prints the one line that would, and exits 1.
set -eu

[ $# -gt 0 ] || exit 0
# dpkg wants the system folders on its path, and a bare environment has none of them.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

as_root=
allowed=false
if command -v apt-get >/dev/null && [ -e /etc/debian_version ]; then
    if [ "$(id -u)" = 0 ]; then
        allowed=true
    elif [ -n "${CI:-}" ] && command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        allowed=true
        as_root='sudo -n'
    fi
fi

if [ "$allowed" = false ]; then
    echo "Missing: $*. This would install it:" >&2
    echo "sudo apt-get update && sudo apt-get install --yes --no-install-recommends $*" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
wait='DPkg::Lock::Timeout=300'
echo "Installing $*" >&2
$as_root apt-get -qq -o "$wait" update >/dev/null
$as_root apt-get -qq -o "$wait" -o Dpkg::Use-Pty=0 install --yes --no-install-recommends "$@" >/dev/null
