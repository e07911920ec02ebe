#!/usr/bin/env bash
# All measurements of a GPU in one command: `benchmarks/gpu.sh [--short] [FOLDER]`.
# Whole runs and steps beside PyTorch; half precision, 64 seeds at once, pmap, --deterministic; L_5000 and AIS of a model.
# FOLDER (runs/gpu) gets table.md, log.txt and the measurements as JSON. --short tries everything in minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
short=false
if [ "${1:-}" = --short ]; then short=true && shift; fi
folder=${1:-runs/gpu}
python=${PYTHON:-python}
mkdir -p "$folder"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
exec 2> >(tee "$folder/log.txt" >&2)
: >"$folder/table.md"

section() { # TITLE COMMAND...; a section that fails says so, and the others go on
  printf '\n## %s\n\n' "$1" | tee -a "$folder/table.md"
  "${@:2}" | tee -a "$folder/table.md" || { failed=1 && echo "failed: ${*:2}" | tee -a "$folder/table.md"; }
}

seconds() { # COMMAND...; its output, and how long it took
  local begin=$SECONDS
  "$@" && printf '\n%d seconds\n' $((SECONDS - begin))
}

throughput=(--contenders jaxvae jaxvae_binarized plain torch torch_compile torch_overhead torch_loader numpyro products)
options=()
training=(--steps 5000)
scores=(--num-samples 5000 --ais --ais-images 100)
if $short; then
  throughput=(--nets mlp --batch-sizes 32 --contenders jaxvae torch products --rounds 1 --seconds 0.05 --starts 1)
  options=(--nets mlp --variants bfloat16 pmap deterministic --batch-size 32 --rounds 1 --seconds 0.05)
  training=(--steps 5 --hidden 8 --latent-dim 2)
  scores=(--num-samples 20 --num-images 20 --ais --ais-images 4 --ais-temperatures 10 --ais-chains 2)
fi

failed=0
section "Beside PyTorch" "$python" benchmarks/throughput.py "${throughput[@]}" --out "$folder/throughput.json"
section "Options" "$python" benchmarks/options.py ${options[@]+"${options[@]}"} --out "$folder/options.json"
section "Training" seconds "$python" experiments/train.py --run-dir "$scratch/run" --no-figures "${training[@]}"
section "L_5000 and AIS" seconds "$python" experiments/evaluate.py --run-dir "$scratch/run" "${scores[@]}"
exit "$failed"
