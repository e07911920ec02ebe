#!/usr/bin/env bash
# Install jaxvae on a worker of a TPU pod, in the folder in which it was copied: bash deploy/tpu_worker.sh
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m pip install --quiet --user uv # which brings a Python of its own where the machine's is too old
python3 -m uv venv --quiet --allow-existing --python ">=3.11" .venv
python3 -m uv pip install --quiet --python .venv/bin/python -r requirements-tpu.txt
python3 -m uv pip install --quiet --python .venv/bin/python --no-deps --editable .
