import { existsSync } from 'node:fs'
import { aptPackages } from './pins.mjs'
import { report, withHeartbeat } from './progress.mjs'
import { findProgram, lastLines, runProgram, succeeds } from './process.mjs'
import { findPip } from './fetch/python-wheel.mjs'

/** Libraries Electron links that a bare server lacks; each is the sign that its apt package is missing. */
const electronLibraries = ['libgtk-3.so.0', 'libnss3.so', 'libasound.so.2', 'libgbm.so.1']

/**
 * Installs the system packages that are missing where this runs as root with apt, else says the exact command.
 * @returns {Promise<{ missing: string[], command?: string }>} what is still missing afterwards
 */
export async function ensureSystemPackages() {
  if (process.platform !== 'linux') return { missing: [] }
  const needed = await findMissing()
  if (needed.length === 0) return { missing: [] }
  const isRoot = process.getuid?.() === 0
  if (!findProgram('apt-get')) {
    return { missing: needed, command: `install with your package manager what Debian calls: ${needed.join(' ')}` }
  }
  const prefix = isRoot ? '' : 'sudo '
  const manual = `${prefix}apt-get update && ${prefix}apt-get install -y --no-install-recommends ${needed.join(' ')}`
  if (!isRoot) return { missing: needed, command: manual }
  report('system', `apt-get install ${needed.join(' ')}`)
  const failure = await withHeartbeat('system', 'apt-get', () => install(needed))
  const missing = await findMissing()
  if (missing.length > 0) report('system', `could not install ${missing.join(' ')}${failure ? `: ${failure}` : ''}`)
  else report('system', 'installed')
  return missing.length > 0 ? { missing, command: manual } : { missing }
}

async function findMissing() {
  const missing = []
  if (!(await hasLibraries(electronLibraries))) missing.push(...aptPackages.electron)
  // A screen is there already when DISPLAY says so; tests and the demo need one of their own otherwise.
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY && !findProgram('Xvfb')) missing.push(...aptPackages.display)
  if (!succeeds('g++', ['--version'])) missing.push(...aptPackages.compiler)
  if (!findPip()) missing.push(...aptPackages.pip)
  return missing
}

async function hasLibraries(names) {
  const ldconfig = ['/sbin/ldconfig', '/usr/sbin/ldconfig'].find((path) => existsSync(path))
  if (!ldconfig) return true   // no way to tell; the check of the Electron binary at the end names what is missing
  const { stdout } = await runProgram(ldconfig, ['-p'])
  return names.every((name) => stdout.includes(`\t${name} `))
}

async function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const wait = ['-o', 'DPkg::Lock::Timeout=180']
  const update = await runProgram('apt-get', [...wait, 'update', '-qq'], { env })
  if (update.status !== 0) report('system', `apt-get update: ${lastLines(update.stderr, 1)}`)
  const names = []
  for (const name of packages) names.push(await currentName(name))
  const result = await runProgram('apt-get', [...wait, 'install', '-y', '-qq', '--no-install-recommends', ...names], { env })
  return result.status === 0 ? undefined : lastLines(result.stderr, 2)
}

/** Debian 13 and Ubuntu 24.04 renamed libraries for 64-bit time (libgtk-3-0t64); the old name may be virtual only. */
async function currentName(name) {
  const { stdout } = await runProgram('apt-cache', ['policy', name])
  const hasCandidate = /Candidate: (?!\(none\))/.test(stdout)
  return hasCandidate ? name : `${name}t64`
}

/** Libraries the Electron binary asks for and this system lacks. */
export async function findMissingLibraries(electronPath) {
  if (process.platform !== 'linux' || !electronPath || !findProgram('ldd')) return []
  const { stdout } = await runProgram('ldd', [electronPath])
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1])
}
