#!/bin/bash
# Golden check, agreement with the processor's numbers and benchmark on a graphics card, from the folder that pack-gpu.mjs made.
#   bash tests/gpu/run-gpu.sh [folder for the results]
# A workstation with network needs none of this: npm run setup, then LACUNA_BACKEND=cuda npm run golden, LACUNA_BACKEND=cuda npm run bench.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=${1:-${OUT:-.lacuna/gpu-results}}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
cp -r .lacuna/gpu/. "$work" || { echo 'Run "node tests/gpu/pack-gpu.mjs" first.'; exit 1; }
unpack() {
  if command -v xz > /dev/null; then xz -d "$1.xz"; else python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1] + ".xz"), open(sys.argv[1], "wb"))' "$1"; fi
}
unpack "$work/node" && chmod +x "$work/node"
unpack "$work/node_modules/webgpu/dist/linux-x64/dawn.node"
export LD_LIBRARY_PATH="$work${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" LACUNA_BACKEND=${LACUNA_BACKEND:-webgpu} LACUNA_DAWN=${LACUNA_DAWN:-backend=vulkan} LACUNA_ROOT=$PWD
for driver in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /usr/share/vulkan/icd.d/nvidia_icd.json /etc/vulkan/icd.d/nvidia_icd.json; do
  [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && [ -f "$driver" ] && export VK_DRIVER_FILES=$driver
done
nvidia-smi -L 2> /dev/null
status=0
"$work/node" "$work/agreement.mjs" > "$out/agreement.json" || status=1
tail -n 1 "$out/agreement.json" | cut -c 1-300
# LACUNA_GPU_GOLDEN names other reference folders; a software renderer takes half an hour for all of them.
"$work/node" "$work/golden.mjs" --dir "${LACUNA_GPU_GOLDEN:-tests/golden}" | tee "$out/golden.txt" | grep -E 'FAIL|passed'
[ "${PIPESTATUS[0]}" -eq 0 ] || status=1
for size in ${LACUNA_GPU_SIZES-default vilt}; do
  "$work/node" "$work/bench.mjs" matmul | tail -n 1
  for mode in all cached; do
    "$work/node" "$work/bench.mjs" "$size" "$mode" 10 | tail -n 1 | tee -a "$out/bench.jsonl"
  done
done
exit $status
