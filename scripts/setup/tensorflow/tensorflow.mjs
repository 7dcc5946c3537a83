import { existsSync, readdirSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchWheel, findPip } from '../fetch/python-wheel.mjs'
import { stageFolder } from '../fetch/staged.mjs'
import { extractZip } from '../fetch/zip.mjs'
import { cudaWheels, tensorflowCpu, tensorflowCuda } from '../pins.mjs'
import { report, SetupError } from '../progress.mjs'
import { lastLines, runProgram, succeeds } from '../process.mjs'
import { libraryEnvironment } from './environment.mjs'
import { explainMissingGpu } from './diagnose.mjs'
import { bindingPackage, ensureBinding, linkBinding, unlinkBinding } from './binding.mjs'
import { ensureKernels } from './kernels.mjs'

/** Headers the binding includes, below tensorflow/include in the wheel; the other 5,000 are left out. */
const headerFolders = ['tensorflow/c/', 'tensorflow/core/platform/', 'xla/tsl/c/', 'tsl/']
const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']

/**
 * Starts the download of the library early, beside the other downloads.
 * @param {Promise<{ missing: string[], command?: string }>} system apt step, which may bring pip
 * @returns {Promise<{ kind: 'cuda' | 'cpu', folder: string, notes: string[] } | { failure: string }>} never rejects
 */
export async function fetchTensorflow(cache, system) {
  if (process.env.LACUNA_TENSORFLOW === 'none') return { failure: 'LACUNA_TENSORFLOW=none is set' }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { failure: `there is no TensorFlow wheel route for ${process.platform}-${process.arch}` }
  }
  const notes = []
  if (wantsCuda(notes)) {
    try {
      return { kind: 'cuda', folder: await fetchLibrary('cuda', tensorflowCuda, cudaWheels, cache, system), notes }
    } catch (error) {
      notes.push(`the CUDA build failed (${error.message})`)
      report('tensorflow', `CUDA build not available: ${error.message}`)
    }
  }
  try {
    return { kind: 'cpu', folder: await fetchLibrary('cpu', tensorflowCpu, [], cache, system), notes }
  } catch (error) {
    report('tensorflow', `not available: ${error.message}`)
    return { failure: [...notes, `the CPU build failed (${error.message}${error.fix ? ` ${error.fix}` : ''})`].join('; ') }
  }
}

function wantsCuda(notes) {
  if (process.env.LACUNA_TENSORFLOW === 'cpu') {
    notes.push('LACUNA_TENSORFLOW=cpu is set')
    return false
  }
  const hasGpu = succeeds('nvidia-smi', ['-L'])
  notes.push(hasGpu ? 'nvidia-smi lists a GPU' : 'no NVIDIA GPU (nvidia-smi does not run)')
  return hasGpu
}

async function fetchLibrary(kind, pin, extraWheels, cache, system) {
  const folder = join(cache, 'tensorflow', `${kind}-${pin.version}`)
  if (existsSync(folder)) return folder
  let pip = findPip()
  if (!pip) {
    await system
    pip = findPip()
  }
  if (!pip) throw new SetupError('pip is missing.', 'Install it (Debian: apt-get install python3-pip), then run "npm run setup".')
  const wheel = await fetchWheel('tensorflow', pin, pip, cache)
  const extras = []
  for (const extra of extraWheels) extras.push(await fetchWheel('tensorflow', extra, pip, cache))
  report('tensorflow', 'unpacking the libraries')
  await stageFolder(folder, async (partial) => {
    await extractZip(wheel, join(partial, 'deps'), placeOfLibrary)
    // The libraries look for CUDA in ../nvidia/*/lib, beside their own folder, as pip would install it.
    for (const extra of extras) await extractZip(extra, join(partial, 'deps'), (name) => /^nvidia\/[^/]+\/(lib|bin|nvvm)\//.test(name) ? name : undefined)
    const missing = libraries.filter((name) => !existsSync(join(partial, 'deps', 'lib', name)))
    if (missing.length > 0) throw new SetupError(`The wheel ${pin.requirement} lacks ${missing.join(', ')}.`)
    const tools = join(partial, 'deps', 'nvidia', 'cuda_nvcc', 'bin')
    if (existsSync(tools)) for (const tool of readdirSync(tools)) await chmod(join(tools, tool), 0o755)
  })
  for (const path of [wheel, ...extras]) await rm(path, { force: true })
  return folder
}

function placeOfLibrary(name) {
  const library = libraries.find((file) => name === `tensorflow/${file}`)
  if (library) return join('lib', library)
  const prefix = 'tensorflow/include/'
  if (!name.startsWith(prefix)) return undefined
  const header = name.slice(prefix.length)
  return headerFolders.some((folder) => header.startsWith(folder)) ? join('include', header) : undefined
}

/**
 * Compiles, links and tries the library, falling back in the order: wheel, the package's own installer, none (WASM).
 * @returns {Promise<{ kind: 'cuda' | 'cpu' | 'package' | 'none', version?: string, folder?: string, reason: string }>}
 */
export async function installTensorflow(root, fetched, node) {
  let failure = fetched.failure
  if (!failure) {
    try {
      await ensureBinding(root, fetched.folder, node)
      await ensureKernels(root, fetched.folder, node)
      await linkBinding(root, fetched.folder)
      const probe = await probeTensorflow(root, node, libraryEnvironment(fetched.folder))
      const kind = fetched.kind === 'cuda' && probe.isGpu ? 'cuda' : 'cpu'
      const notes = [...fetched.notes]
      if (fetched.kind === 'cuda' && !probe.isGpu) notes.push(`the CUDA build found no usable GPU${probe.why ? ` (${probe.why})` : ''} and runs on the CPU`)
      return { kind, version: probe.version, folder: fetched.folder, reason: notes.join('; ') }
    } catch (error) {
      failure = [...fetched.notes, error.message, error.fix].filter(Boolean).join('; ')
    }
  }
  await unlinkBinding(root)
  return installFromPackage(root, node, failure)
}

/**
 * tfjs-node-gpu's own installer (TensorFlow 2.9, CUDA 11) publishes no hashes, so it runs only when asked for by name:
 * everything else here is checked against a pin.
 */
async function installFromPackage(root, node, failure) {
  if (process.env.LACUNA_ALLOW_UNPINNED !== '1') {
    return { kind: 'none', reason: `${failure}; WebAssembly instead (slow). The tfjs-node-gpu installer downloads files without published hashes: set LACUNA_ALLOW_UNPINNED=1 and run "npm run setup" to allow it` }
  }
  report('tensorflow', `${failure}; running the installer of tfjs-node-gpu`)
  const folder = bindingPackage(root)
  const type = succeeds('nvidia-smi', ['-L']) ? 'gpu' : 'cpu'
  const bin = join(root, 'node_modules', '.bin')
  const result = await runProgram(process.execPath, [join(folder, 'scripts', 'install.js'), type, 'download'], {
    cwd: folder, timeoutMs: 600_000, env: { ...process.env, PATH: `${bin}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}` },
  })
  try {
    if (result.status !== 0) throw new SetupError(lastLines(result.stderr, 2))
    const probe = await probeTensorflow(root, node, {})
    return { kind: 'package', version: probe.version, reason: `${failure}; installer of tfjs-node-gpu, files not checked against a pin` }
  } catch (error) {
    return { kind: 'none', reason: `${failure}; the installer of tfjs-node-gpu failed too (${error.message}); WebAssembly instead (slow)` }
  }
}

async function probeTensorflow(root, node, env) {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'probe.cjs')
  const result = await runProgram(node.path, [script, root], { timeoutMs: 120_000, env: { ...process.env, ...env, TF_CPP_MIN_LOG_LEVEL: '0' } })   // its warnings name a missing library
  if (result.status !== 0) throw new SetupError(`TensorFlow does not load: ${lastLines(result.stderr, 3)}`)
  const probe = JSON.parse(result.stdout.slice(result.stdout.lastIndexOf('{')))
  if (!probe.isRight) throw new SetupError('TensorFlow loads but multiplies two matrices wrongly.')
  return { ...probe, why: probe.isGpu ? undefined : explainMissingGpu(result.stderr) }
}
