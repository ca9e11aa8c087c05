#!/bin/sh
# Creates the secrets that docker-compose.yml mounts. Existing files are not changed.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
umask 022 # Containers' users must read the files; the folder's mode keeps others out.

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

create() {
    [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
}

create postgres_password "$(random)"
create autolynx_database_url \
    "postgresql://autolynx:$(cat secrets/postgres_password)@db:5432/autolynx"
create autolynx_webhook_secret "$(random)"
create autolynx_vapi_api_key "${AUTOLYNX_VAPI_API_KEY:-}"
[ -s secrets/autolynx_vapi_api_key ] ||
    echo "Put the provider's private key into deploy/secrets/autolynx_vapi_api_key." >&2
