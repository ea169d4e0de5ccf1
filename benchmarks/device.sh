#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: is it correct, and how fast is it? In under nine minutes.
#
#     OUT=results benchmarks/device.sh                            # the tests, then all tables
#     OUT=more TESTS=0 benchmarks/device.sh compiled sizes-tf32   # these tables alone
#
# Leaves log.txt, gpu.json and gpu.md in $OUT. Nothing is installed or downloaded: Python (PYTHON,
# else python3) needs CuPy, PyTorch, pytest and Hypothesis; JAX, pytest-xdist and compute-sanitizer
# are used where they are. What matters most comes first; a part that fails or takes too long does
# not stop the others. Exit status: 0 correct; 1 a test failed, or an engine computed something
# else; 3 there is no GPU. DATA=folder: MNIST's four files, else noise takes their place.
# DEVICE=cpu tries the script itself without a GPU. The GPU's settings are read, never set.
set -u -o pipefail
cd "$(dirname "$0")/.."
OUT=${OUT:-gpu-results} PYTHON=${PYTHON:-python3} DEVICE=${DEVICE:-cuda} TOTAL=${TOTAL:-510}
export PYTHONUNBUFFERED=1 OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} PYTHONDONTWRITEBYTECODE=1
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
: > "$OUT/log.txt"

say() { echo "== [$SECONDS s] $*" | tee -a "$OUT/log.txt"; }

part() { # NAME SECONDS COMMAND...: with a time limit, into the log; its status
    local name=$1 limit=$2 status
    shift 2
    if ((limit > TOTAL - SECONDS)); then limit=$((TOTAL - SECONDS)); fi
    if ((limit < 5)); then say "$name: no time was left"; return 124; fi
    say "$name (at most $limit s)"
    timeout -k 5 "$limit" "$@" 2>&1 | tee -a "$OUT/log.txt"
    status=${PIPESTATUS[0]}
    if ((status == 124 || status == 137)); then status=124; say "$name: stopped after $limit s"; fi
    say "$name: status $status"
    return "$status"
}

more=() WORKERS=()
if [ "$DEVICE" = cpu ]; then
    export MINITORCH_GPU_TESTS=cpu
    more+=(--device cpu --quick)
elif ! part machine 30 nvidia-smi; then
    say "there is no GPU here"
    exit 3
fi
part versions 60 "$PYTHON" -c '
import sys; print("python", sys.version)
for name in ("numpy", "minitorch", "torch", "cupy", "jax", "hypothesis"):
    try: print(name, __import__(name).__version__)
    except Exception as error: print(name, repr(error))
import torch, minitorch
seen = {"minitorch": minitorch.cuda.is_available(), "torch": torch.cuda.is_available()}
print("GPU seen by", seen)
sys.exit(not all(seen.values()))'
if (($? != 0)) && [ "$DEVICE" = cuda ]; then
    say "both minitorch (through CuPy) and PyTorch must see the GPU"
    exit 3
fi
if "$PYTHON" -c 'import xdist' 2> /dev/null && [ "$DEVICE" = cuda ]; then WORKERS=(-n 8); fi
if [ -n "${DATA:-}" ]; then more+=(--data "$DATA"); fi

wrong=()
# Warnings of other libraries are no errors here.
run_tests=("$PYTHON" -m pytest -m gpu -W default -p no:cacheprovider -ra)
if [ "${TESTS:-1}" != 0 ]; then
    part tests 150 "${run_tests[@]}" "${WORKERS[@]}" tests/gpu/test_gpu_graphs.py \
        tests/gpu/test_gpu_cases.py || wrong+=(tests)
    # It is skipped where there is no compute-sanitizer; when stopped it has found nothing, as is
    # said, and that is no failure.
    part sanitizer 80 "${run_tests[@]}" "${WORKERS[@]}" tests/gpu/test_gpu_sanitizer.py
    case $? in 0 | 124) ;; *) wrong+=(sanitizer) ;; esac
fi
budget=$((TOTAL - SECONDS - 10))
part benchmarks $((budget + 10)) "$PYTHON" -m benchmarks.gpu "$@" --budget "$budget" \
    --json "$OUT/gpu.json" --table "$OUT/gpu.md" "${more[@]}"
if (($? == 1)); then wrong+=(benchmarks); fi

if ((${#wrong[@]})); then
    say "NOT CORRECT, or not shown to be: ${wrong[*]}"
    exit 1
fi
if [ "${TESTS:-1}" = 0 ]; then say "no tests were run"; else say "correct"; fi
