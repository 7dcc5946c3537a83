import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ensureElectron } from './electron.mjs'
import { withLock } from './lock.mjs'
import { ensureNode } from './node-runtime.mjs'
import { ensurePackages } from './packages.mjs'
import { cacheFolder, repositoryRoot, setupFile } from './paths.mjs'
import { report, SetupError } from './progress.mjs'
import { findProgram } from './process.mjs'
import { isSetupCurrent, readSetup, setupFingerprint } from './read-setup.mjs'
import { summarise } from './summary.mjs'
import { ensureSystemPackages, findMissingLibraries } from './system.mjs'
import { fetchTensorflow, installTensorflow } from './tensorflow/tensorflow.mjs'
import { ensureWeights } from './weights.mjs'

/**
 * Makes this checkout ready to run: installs what is missing, then writes `.lacuna/setup.json`.
 * @param {{ isForced?: boolean }} options forced: look at everything again, hashing the weights, and retry what failed
 * @returns {Promise<import('./read-setup.d.mts').Setup>}
 */
export async function ensureSetup({ isForced = false } = {}) {
  const known = readSetup()
  if (!isForced && isSetupCurrent(known)) return known
  const cache = cacheFolder()
  return withLock(join(repositoryRoot, '.lacuna', 'setup.lock'), 'set-up', () =>
    withLock(join(cache, 'setup.lock'), 'set-up', async () => {
      const meanwhile = readSetup()
      if (!isForced && isSetupCurrent(meanwhile)) return meanwhile
      return install(cache, isForced)
    }))
}

async function install(cache, isForced) {
  report('set-up', `cache folder ${cache}`)
  await mkdir(join(cache, 'downloads'), { recursive: true })
  // Downloads share nothing and run side by side; only what builds on another waits for it.
  const system = ensureSystemPackages()
  const packages = ensurePackages(repositoryRoot)
  const runtime = ensureNode(cache)
  const parts = {
    system,
    packages,
    node: runtime,
    weights: ensureWeights(repositoryRoot, cache, isForced),
    electron: Promise.all([runtime, packages]).then(([node]) => ensureElectron(repositoryRoot, cache, node)),
    library: fetchTensorflow(cache, system),
  }
  // Let every part finish before the first failure is told: what is complete stays and is not fetched again.
  const settled = await Promise.allSettled(Object.values(parts))
  const failed = settled.find((part) => part.status === 'rejected')
  if (failed) throw failed.reason
  const [systemResult, , node, weights, electron, library] = settled.map((part) => part.value)
  const tensorflow = await installTensorflow(repositoryRoot, library, node)
  const missingLibraries = await findMissingLibraries(electron.path)
  const setup = {
    fingerprint: setupFingerprint(),
    nodePath: node.path,
    nodeVersion: node.version,
    electronPath: electron.path ?? null,
    electronVersion: electron.version ?? null,
    electronSource: electron.source ?? null,
    electronReason: electron.reason,
    tensorflow: {
      kind: tensorflow.kind,
      version: tensorflow.version ?? null,
      reason: tensorflow.reason,
      folder: tensorflow.folder ?? null,
    },
    weights,
    cacheDir: cache,
    hasXvfb: Boolean(findProgram('Xvfb')),
    missingSystemPackages: systemResult.missing,
  }
  await mkdir(dirname(setupFile), { recursive: true })
  await writeFile(`${setupFile}.partial`, `${JSON.stringify(setup, null, 2)}\n`)
  await rename(`${setupFile}.partial`, setupFile)
  process.stderr.write(summarise(setup, { command: systemResult.command, missingLibraries }))
  return setup
}

/** Prints a failed set-up or build in plain words; what only a bug can cause is thrown on. */
export function explainFailure(error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`\nStopped: ${error.message}\n${error.fix ? `What to do: ${error.fix}\n` : ''}What was fetched and built so far is kept.\n`)
}
