/** What TensorFlow says on stderr when its CUDA build finds no usable card, from the most to the least telling. */
const signs = [
  [/Could not load dynamic library '([^']+)'/, (match) => `the library ${match[1]} is missing`],
  [/The minimum required Cuda capability is ([\d.]+)/, (match) => `the card is too old: compute capability ${match[1].replace(/\.$/, '')} is needed`],
  [/CUDA_ERROR_SYSTEM_DRIVER_MISMATCH/, () => 'the NVIDIA driver was updated without a restart'],
  [/CUDA_ERROR_SYSTEM_NOT_READY/, () => 'the card is not ready yet'],
  [/CUDA driver version is insufficient|kernel version .* does not match DSO version/, () => 'the NVIDIA driver is too old'],
  [/failed call to cuInit: ([A-Z_]+)/, (match) => `the driver refuses to start: ${match[1]}`],
  [/Cannot dlopen some GPU libraries/, () => 'a CUDA or cuDNN library is missing'],
  [/Could not find cuda drivers/, () => 'no CUDA driver was found'],
]

/** The cause in a few words, or undefined when TensorFlow named none. */
export function explainMissingGpu(stderr) {
  for (const [sign, say] of signs) {
    const match = sign.exec(stderr)
    if (match) return say(match)
  }
  return undefined
}
