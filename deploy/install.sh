#!/usr/bin/env bash
# Installs what a cluster's processes need into .venv-cluster, in the versions of
# requirements-cluster.lock; needs ../install.sh first. The package itself is imported from here.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements-cluster.lock
if cmp -s "$lock" .venv-cluster/installed.lock; then
  exit 0
fi
.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv-cluster
.venv/bin/uv pip sync --quiet --system-certs --compile-bytecode --python .venv-cluster \
  --require-hashes "$lock"
cp "$lock" .venv-cluster/installed.lock
