import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { arePackagesInstalled } from './packages.mjs'
import { cacheFolder, repositoryRoot, setupFile } from './paths.mjs'
import { libraryEnvironment } from './tensorflow/environment.mjs'

/** The record the last set-up left, or undefined before the first one. */
export function readSetup(path = setupFile) {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined   // cut off by a kill: as good as none
  }
}

/** Hash of everything the set-up depends on; another value means the set-up runs again. */
export function setupFingerprint(root = repositoryRoot) {
  const hash = createHash('sha256')
  const files = ['package-lock.json', 'scripts/setup/pins.mjs', 'resources/backbones/minilm.json', 'resources/backbones/resnet50.json']
  for (const file of files) hash.update(readFileSync(join(root, file)))
  hash.update([process.platform, process.arch, cacheFolder(), process.env.LACUNA_TENSORFLOW ?? ''].join('\n'))
  return hash.digest('hex')
}

/** True when the record fits this checkout and everything it names is still there. Takes milliseconds. */
export function isSetupCurrent(setup, root = repositoryRoot) {
  if (!setup || setup.fingerprint !== setupFingerprint(root)) return false
  const binding = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8', 'tfjs_binding.node')
  const needed = [setup.nodePath, ...Object.values(setup.weights)]
  if (setup.electronPath) needed.push(setup.electronPath)
  if (setup.tensorflow.kind !== 'none') needed.push(binding)
  return needed.every((path) => existsSync(path)) && arePackagesInstalled(root)
}

/**
 * The environment of everything that runs after the set-up: where Node, Electron and the weights are, what computes
 * and why, and what TensorFlow's libraries need.
 * @returns {Record<string, string>}
 */
export function setupEnvironment(setup, root = repositoryRoot) {
  const { kind, version, reason } = setup.tensorflow
  const env = {
    LACUNA_ROOT: root,
    LACUNA_NODE: setup.nodePath,
    LACUNA_NODE_VERSION: setup.nodeVersion,
    LACUNA_WEIGHTS: dirname(setup.weights.minilm),
    LACUNA_TENSORFLOW_BUILD: buildOf(setup.tensorflow),
    LACUNA_COMPUTE_REASON: `TensorFlow ${version ? `${version} ` : ''}(${kind}): ${reason}`,
    TF_CPP_MIN_LOG_LEVEL: '2',
    ...(setup.tensorflow.folder ? libraryEnvironment(setup.tensorflow.folder) : {}),
  }
  if (setup.electronPath) {
    env.LACUNA_ELECTRON = setup.electronPath
    // The electron package itself (playwright, electron-builder) then finds the same binary and downloads nothing.
    env.ELECTRON_OVERRIDE_DIST_PATH = dirname(setup.electronPath)
  }
  return env
}

/** Which libraries lie there, whatever they found: the CUDA build without a usable card counts as `cuda`. */
function buildOf({ kind, folder }) {
  if (kind === 'none') return 'none'
  return kind === 'cuda' || /(^|[\\/])cuda-[^\\/]*$/.test(folder ?? '') ? 'cuda' : 'cpu'
}
