#!/bin/sh
# Makes what the compose file needs and nobody else may have, in `secrets`: passwords, a certificate authority with the database's
# certificate, and the URLs with which each role connects. What is there already is kept. Needs openssl.
#
#     deploy/fleet/prepare.sh [FOLDER]
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/secrets}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$folder"

for name in admin owner worker reader grafana; do
    [ -s "$name.password" ] || openssl rand -hex 24 >"$name.password"
done

if [ ! -s ca.crt ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=zkml fleet" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key -out ca.crt 2>/dev/null
fi
# Renewed by removing server.crt and calling this again; clients trust the authority.
if [ ! -s server.crt ]; then
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=database" -keyout server.key -out server.csr 2>/dev/null
    printf 'subjectAltName=DNS:database,DNS:localhost\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n' >server.ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 -extfile server.ext -out server.crt 2>/dev/null
    rm -f server.csr server.ext ca.srl
fi

for role in owner worker reader; do
    printf 'postgres://zkml_%s:%s@database/zkml?sslmode=verify-full&sslrootcert=/run/secrets/ca.crt\n' \
        "$role" "$(cat "$role.password")" >"$role.url"
done

# Containers run as whoever owns these; of an administrator's, as the image's user, who needs neither key of the certificates.
user=$(id -u):$(id -g)
if [ "$(id -u)" = 0 ]; then
    user=10001:10001
    find . -maxdepth 1 ! -name ca.key ! -name server.key -exec chown "$user" {} +
fi
# Read by other users of the images: certificates are no secret.
chmod 0644 ca.crt server.crt
if [ ! -e "$here/.env" ] && [ "$folder" = "$here/secrets" ]; then
    sed "s/^ZKML_USER=.*/ZKML_USER=$user/" "$here/.env.example" >"$here/.env"
    echo "deploy/fleet/.env: fill it in" >&2
fi
for name in fleet.identity fleet.identity.pub keystore.json keystore.password rpc.url; do
    [ -s "$name" ] || echo "$folder/$name: still missing" >&2
done
