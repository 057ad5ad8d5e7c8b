#!/usr/bin/env bash
# Installs the project and all that it needs into .venv, in the versions of requirements.lock.
# Needs nothing but Python 3.11 or later; writes nothing outside this
# directory but uv's cache.
set -euo pipefail
cd "$(dirname "$0")"

python="${PYTHON:-python3}"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "install.sh: $python is not Python 3.11 or later; name one: PYTHON=python3.12 ./install.sh" >&2
  exit 1
fi
if ! "$python" -m venv .venv; then
  echo "install.sh: $python can't make a virtual environment (Debian: apt install python3-venv)" >&2
  exit 1
fi

# uv installs the rest in a fraction of pip's time; its own version and hashes are in the lock, too
awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { exit }' requirements.lock > .venv/uv.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
# the system's certificates: behind a company's proxy uv's own would not do
# compiled once: where Python may not keep what it compiles, each start would do it all again
.venv/bin/uv pip sync --quiet --system-certs --compile-bytecode --python .venv --require-hashes \
  requirements.lock
.venv/bin/uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
