#!/bin/sh
# Puts secrets that are files into the environment, for this process only: of each NAME_FILE, its content becomes NAME. They are in no
# `docker inspect` then, and on no command line.
set -eu
for variable in $(env | sed -n 's/^\([A-Z][A-Z0-9_]*\)_FILE=.*/\1/p'); do
    file=$(printenv "${variable}_FILE")
    [ -r "$file" ] || { echo "$variable: cannot read $file" >&2; exit 5; }
    value=$(cat "$file")
    export "$variable=$value"
    unset "${variable}_FILE"
done
# The chain's entry names the variable of its endpoint's URL.
if [ -n "${ZKML_RPC_VARIABLE:-}" ] && [ -n "${ZKML_RPC_URL:-}" ]; then
    export "$ZKML_RPC_VARIABLE=$ZKML_RPC_URL"
    unset ZKML_RPC_URL
fi
exec zkml-chain "$@"
