#!/bin/sh
# Install the agents of others that journeys drive, into build/agents/NAME-VERSION, from the ordinary registries.
# Never fails: a journey whose agent is not there says so and is skipped.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/agents

report() { # PLACE: what was written there while it was installed, where that failed
    tail -n 3 "$1.log" >&2
    echo "Journeys with ${1##*/} will be skipped." >&2
}

from_npm() { # NAME PACKAGE VERSION
    place="build/agents/$1-$3"
    [ ! -e "$place/.done" ] || return 0
    echo "Installing $2@$3" >&2
    rm -rf "$place" && mkdir "$place"
    # Scripts of packages are not run: these agents work without, and nothing of theirs should run before it is asked to.
    { timeout 300 npm install --prefix "$place" --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error \
        "$2@$3" >"$place.log" 2>&1 && touch "$place/.done"; } || report "$place"
}

# The example agent of the SDK is in its source archive only.
example() {
    version=$(sed -n 's/^agent-client-protocol==//p' constraints.txt)
    place="build/agents/sdk-example-$version"
    [ ! -e "$place/.done" ] || return 0
    echo "Fetching the example agent of the ACP SDK $version" >&2
    rm -rf "$place" && mkdir "$place"
    { timeout 300 "$1" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$place" \
        "agent-client-protocol==$version" >"$place.log" 2>&1 &&
        tar -xzf "$place"/*.tar.gz -C "$place" --strip-components 1 && touch "$place/.done"; } || report "$place"
}

if command -v npm >/dev/null; then
    while read -r name package version; do
        from_npm "$name" "$package" "$version" &
    done <.ci/agents.txt
else
    echo 'npm is missing: journeys with the agents of others will be skipped. apt-get install npm' >&2
fi
for python in .venv/bin/python "${PYTHON:-python3}"; do
    if "$python" -m pip --version >/dev/null 2>&1; then
        example "$python" &
        break
    fi
done
wait
