import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countResults } from '../../../scripts/commands/vitest.mjs'
import { addTotals, closingLine } from '../../../scripts/commands/totals.mjs'
import { withLock } from '../../../scripts/setup/lock.mjs'
import { findOutdatedPackages } from '../../../scripts/setup/packages.mjs'
import { cacheFolder, repositoryRoot } from '../../../scripts/setup/paths.mjs'
import { cudaWheels, electronFallbacks, nodeRuntimes, tensorflowCpu, tensorflowCuda } from '../../../scripts/setup/pins.mjs'
import { isSetupCurrent, readSetup, setupEnvironment } from '../../../scripts/setup/read-setup.mjs'
import { summarise } from '../../../scripts/setup/summary.mjs'
import { explainMissingGpu } from '../../../scripts/setup/tensorflow/diagnose.mjs'
import { readBackboneManifests } from '../../../scripts/setup/weights.mjs'

let folder
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'lacuna-setup-')) })
afterEach(async () => { await rm(folder, { recursive: true, force: true }) })

const setup = {
  fingerprint: 'x', nodePath: '/c/node/bin/node', nodeVersion: '24.21.0',
  electronPath: '/c/electron/electron', electronVersion: '42.0.0', electronSource: 'fallback', electronReason: 'official download: blocked',
  tensorflow: { kind: 'cpu', version: '2.21.0', reason: 'no NVIDIA GPU', folder: null },
  weights: { minilm: join('/c', 'weights', 'minilm'), resnet50: join('/c', 'weights', 'resnet50') },
  cacheDir: '/c', hasXvfb: true, missingSystemPackages: [],
}

describe('pins', () => {
  it('carry a full-length hash for every file that is fetched', () => {
    const packages = [...Object.values(nodeRuntimes), ...Object.values(electronFallbacks), ...readBackboneManifests(repositoryRoot)]
    for (const pin of packages) expect(pin.integrity, pin.package).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/)
    for (const pin of [tensorflowCpu, tensorflowCuda, ...cudaWheels]) expect(pin.sha256, pin.requirement).toMatch(/^[0-9a-f]{64}$/)
    for (const manifest of readBackboneManifests(repositoryRoot)) {
      for (const file of manifest.files) expect(file.sha256, file.path).toMatch(/^[0-9a-f]{64}$/)
    }
  })

  it('name exact versions, never ranges', () => {
    for (const pin of [tensorflowCpu, tensorflowCuda, ...cudaWheels]) expect(pin.requirement).toMatch(/^[a-z0-9-]+==[0-9.]+$/)
    for (const pin of [...Object.values(nodeRuntimes), ...Object.values(electronFallbacks)]) expect(pin.version).toMatch(/^\d+\.\d+\.\d+$/)
  })
})

describe('cacheFolder', () => {
  it.each([
    [{ LACUNA_CACHE: '/data/cache' }, 'linux', '/data/cache'],
    [{}, 'linux', '/home/ada/.cache/lacuna'],
    [{}, 'darwin', '/home/ada/Library/Caches/lacuna'],
    [{ LOCALAPPDATA: '/local' }, 'win32', '/local/Lacuna/cache'],
  ])('%j on %s is %s', (env, platform, expected) => {
    expect(cacheFolder(env, platform, '/home/ada')).toBe(expected)
  })
})

describe('findOutdatedPackages', () => {
  const lock = { packages: { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' }, 'node_modules/mac-only': { version: '1.0.0', optional: true } } }

  it('is empty when every package is there in its version, other platforms aside', () => {
    expect(findOutdatedPackages(lock, { packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } } })).toEqual([])
  })

  it('names what is missing or of another version', () => {
    expect(findOutdatedPackages(lock, { packages: { 'node_modules/a': { version: '1.0.1' } } })).toEqual(['node_modules/a', 'node_modules/b'])
    expect(findOutdatedPackages(lock, undefined)).toEqual(['node_modules'])
  })
})

describe('setup record', () => {
  it('is absent before the first set-up and when a kill cut it off', async () => {
    expect(readSetup(join(folder, 'none.json'))).toBeUndefined()
    await writeFile(join(folder, 'cut.json'), '{ "fingerprint": ')
    expect(readSetup(join(folder, 'cut.json'))).toBeUndefined()
  })

  it('counts as outdated when it was made for other pins', () => {
    expect(isSetupCurrent(undefined)).toBe(false)
    expect(isSetupCurrent({ ...setup, fingerprint: 'other' })).toBe(false)
  })

  it('becomes the environment of app, engine and command line', () => {
    const env = setupEnvironment(setup, '/repo')
    expect(env).toMatchObject({ LACUNA_NODE: '/c/node/bin/node', LACUNA_WEIGHTS: '/c/weights', LACUNA_ELECTRON: '/c/electron/electron', LACUNA_ROOT: '/repo' })
    expect(env['LACUNA_COMPUTE_REASON']).toContain('no NVIDIA GPU')
    const buildFor = (tensorflow) => setupEnvironment({ ...setup, tensorflow: { ...setup.tensorflow, ...tensorflow } }, '/repo')['LACUNA_TENSORFLOW_BUILD']
    expect(buildFor({ folder: '/c/tensorflow/cpu-2.21.0' })).toBe('cpu')
    // The CUDA libraries lie there although the set-up found no card it could use.
    expect(buildFor({ folder: '/c/tensorflow/cuda-2.21.0' })).toBe('cuda')
    expect(buildFor({ kind: 'none' })).toBe('none')
    expect(setupEnvironment({ ...setup, electronPath: null }, '/repo')).not.toHaveProperty('LACUNA_ELECTRON')
  })

  it('is summed up with Electron, Node, backend and reason, and what is left to do', () => {
    const text = summarise(setup, { command: 'sudo apt-get install -y xvfb', missingLibraries: ['libgtk-3.so.0'] })
    for (const part of ['42.0.0 (fallback)', '24.21.0', 'TensorFlow 2.21.0', 'no NVIDIA GPU', 'sudo apt-get install -y xvfb', 'libgtk-3.so.0']) expect(text).toContain(part)
    const wasm = summarise({ ...setup, tensorflow: { kind: 'none', version: null, reason: 'pip is missing', folder: null } }, { missingLibraries: [] })
    expect(wasm).toContain('WebAssembly, a last resort')
    expect(wasm).toContain('pip is missing')
  })
})

it.each([
  ["W dso_loader.cc:60] Could not load dynamic library 'libcudnn.so.9'; dlerror: x\nW gpu_device.cc Cannot dlopen some GPU libraries.", 'the library libcudnn.so.9 is missing'],
  ['W gpu_device.cc:2348] Cannot dlopen some GPU libraries. Please make sure', 'a CUDA or cuDNN library is missing'],
  ['E cuda_executor.cc:1228] failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected', 'the driver refuses to start: CUDA_ERROR_NO_DEVICE'],
  ['I cuda_diagnostics.cc:155] failed call to cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH', 'the NVIDIA driver was updated without a restart'],
  ['Ignoring visible gpu device (device: 0, name: GTX 970). The minimum required Cuda capability is 6.0.', 'the card is too old: compute capability 6.0 is needed'],
  ['I0000 oneDNN custom operations are on.', undefined],
])('tells why the CUDA build found no card: %s', (stderr, expected) => {
  expect(explainMissingGpu(stderr)).toBe(expected)
})

describe('withLock', () => {
  it('lets one run in at a time and frees the lock, also after an error', async () => {
    const path = join(folder, 'lock')
    let inside = 0
    let most = 0
    const work = () => withLock(path, 'test', async () => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 50))
      inside--
    })
    await Promise.all([work(), work(), work()])
    expect(most).toBe(1)
    await expect(withLock(path, 'test', async () => { throw new Error('broken') })).rejects.toThrow('broken')
    expect(existsSync(path)).toBe(false)
  })

  it('takes over the lock of a killed run', async () => {
    const path = join(folder, 'lock')
    const child = spawn(process.execPath, ['-e', ''])
    await new Promise((resolve) => child.on('exit', resolve))
    await writeFile(path, JSON.stringify({ pid: child.pid, nonce: 'gone' }))
    await expect(withLock(path, 'test', async () => 'in')).resolves.toBe('in')
  })

  it('takes over a lock cut off while it was written, once it is old', async () => {
    const path = join(folder, 'lock')
    await writeFile(path, '')
    const old = new Date(Date.now() - 120_000)
    await utimes(path, old, old)
    await expect(withLock(path, 'test', async () => 'in')).resolves.toBe('in')
  })
})

describe('counting', () => {
  const report = { numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 0, testResults: [{ status: 'failed', assertionResults: [{ status: 'failed' }] }] }

  it('adds a file that broke before its first test', () => {
    expect(countResults(report, 1)).toEqual({ passed: 5, failed: 1, skipped: 2 })
    expect(countResults({ ...report, testResults: [...report.testResults, { status: 'failed', assertionResults: [] }] }, 1).failed).toBe(2)
  })

  it('never reads a run that ended badly as green', () => {
    expect(countResults({ ...report, numFailedTests: 0, testResults: [] }, 1).failed).toBe(1)
    expect(countResults(undefined, 1).failed).toBe(1)
  })

  it('ends with one line', () => {
    expect(closingLine(addTotals({ passed: 3, failed: 0, skipped: 0 }, { passed: 4, failed: 1, skipped: 0 }))).toBe('7 passed, 1 failed')
    expect(closingLine({ passed: 3, failed: 0, skipped: 2 })).toBe('3 passed, 0 failed, 2 skipped')
  })
})

describe('package.json', () => {
  it('starts every command through the one entry', () => {
    const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'))
    for (const [name, command] of Object.entries(scripts)) expect(command).toBe(`node scripts/run.mjs ${name}`)
  })
})
