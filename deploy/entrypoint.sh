#!/bin/sh
# Secrets as files: for each variable NAME_FILE that names a file in /run/secrets, NAME is set to its
# content. Others, such as SSL_CERT_FILE, are not ours.
set -eu
secrets="${SECRETS_DIRECTORY:-/run/secrets}"
for name in $(env | sed -n "s|^\([A-Z][A-Z0-9_]*\)_FILE=$secrets/.*|\1|p"); do
  file="$(printenv "${name}_FILE")"
  if [ ! -r "$file" ]; then
    echo "entrypoint: ${name}_FILE names $file, which can't be read" >&2
    exit 1
  fi
  value="$(cat "$file")"
  export "$name=$value"
  unset "${name}_FILE"
done
exec "$@"
