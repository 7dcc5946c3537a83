import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const require = createRequire(import.meta.url)

/**
 * One of the engine's own compiled addons (../native), or null where the set-up could not build it. They lie beside the TensorFlow binding.
 * An addon that is there but does not load is an error, not a silent fallback.
 */
export function loadNativeLibrary(name: 'lacuna_kernels' | 'lacuna_memory'): unknown {
  const file = path.join(path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib', 'napi-v8', `${name}.node`)
  return existsSync(file) ? require(file) as unknown : null
}

/**
 * Runs `load` while pages of TensorFlow's libraries that are read only once are given back as they come, so that the process never holds
 * all of them: about 210 instead of 385 MB at the highest, for 0.1 to 0.3 s of processor time. Without the addon `load` runs alone.
 */
export function withSmallLibraries<R>(load: () => R): R {
  const memory = loadNativeLibrary('lacuna_memory') as { startTrimming(): void; stopTrimming(): void } | null
  memory?.startTrimming()
  try {
    return load()
  } finally {
    memory?.stopTrimming()
  }
}
