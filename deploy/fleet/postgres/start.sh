#!/bin/sh
# Starts PostgreSQL with TLS. The server refuses a key that is not its own user's, and a mounted secret is of whoever made it.
set -eu
install -d -o postgres -g postgres -m 0700 /run/tls
install -o postgres -g postgres -m 0600 /run/secrets/server.key /run/tls/server.key
install -o postgres -g postgres -m 0644 /run/secrets/server.crt /run/tls/server.crt
exec docker-entrypoint.sh postgres \
    -c ssl=on -c ssl_cert_file=/run/tls/server.crt -c ssl_key_file=/run/tls/server.key -c ssl_min_protocol_version=TLSv1.3 \
    -c hba_file=/etc/fleet/pg_hba.conf -c password_encryption=scram-sha-256 "$@"
