#!/bin/sh
# Import the transcript that ships with the repository and show it; without HOLDFAST_HOME, in a home thrown away after.
set -eu
cd "$(dirname "$0")/.."

if [ -z "${HOLDFAST_HOME:-}" ]; then
    HOLDFAST_HOME=$(mktemp -d)
    export HOLDFAST_HOME
    trap 'rm -rf "$HOLDFAST_HOME"' EXIT
    trap 'exit 130' INT TERM
fi

try() {
    echo "\$ holdfast $*"
    .venv/bin/holdfast "$@"
    echo
}

id=$(.venv/bin/python -c 'import json; print(next(json.loads(line)["sessionId"]
    for line in open("docs/examples/claude-session.jsonl") if "sessionId" in line))')
try import docs/examples/claude-session.jsonl
try ls
try show "$id"
try verify
