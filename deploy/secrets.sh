#!/bin/sh
# Makes the secrets that docker-compose.yml mounts; what is there already is kept.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
umask 022 # The containers' users read single files; the folder keeps others out.

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

keep() {
    [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
}

keep postgres_password "$(random)"
keep autolynx_database_url \
    "postgresql://autolynx:$(cat secrets/postgres_password)@db:5432/autolynx"
keep autolynx_webhook_secret "$(random)"
keep autolynx_vapi_api_key "${AUTOLYNX_VAPI_API_KEY:-}"
[ -s secrets/autolynx_vapi_api_key ] ||
    echo "Put the provider's private key into deploy/secrets/autolynx_vapi_api_key." >&2
