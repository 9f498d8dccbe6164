#!/bin/sh
# Makes the roles, or gives them the passwords in the secrets.
set -eu
for role in owner worker reader; do
    password=$(cat "/run/secrets/$role.password")
    export "ZKML_$(echo "$role" | tr '[:lower:]' '[:upper:]')_PASSWORD=$password"
done
PGPASSWORD=$(cat /run/secrets/admin.password)
export PGPASSWORD
exec psql --no-psqlrc --quiet --file /etc/fleet/roles.sql \
    'host=database dbname=zkml user=postgres sslmode=verify-full sslrootcert=/run/secrets/ca.crt'
