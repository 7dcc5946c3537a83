import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './lock.mjs'
import { report, SetupError, withHeartbeat } from './progress.mjs'
import { firstLines, runNpm } from './process.mjs'

/**
 * Names what node_modules lacks or has in another version than the lock file says; empty when it is up to date.
 * npm writes the hidden lock file last, so an interrupted install counts as missing.
 * @param {{ packages: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} lock package-lock.json
 * @param {{ packages: Record<string, { version?: string }> } | undefined} installed node_modules/.package-lock.json
 */
export function findOutdatedPackages(lock, installed) {
  if (!installed) return ['node_modules']
  return Object.entries(lock.packages)
    // Optional packages are those of other platforms, or ones npm was allowed to leave out.
    .filter(([path, wanted]) => path !== '' && !wanted.optional && installed.packages[path]?.version !== wanted.version)
    .map(([path]) => path)
}

/** True when node_modules fits package-lock.json. */
export function arePackagesInstalled(root) {
  return outdated(root).length === 0
}

function outdated(root) {
  const hidden = join(root, 'node_modules', '.package-lock.json')
  const installed = existsSync(hidden) ? JSON.parse(readFileSync(hidden, 'utf8')) : undefined
  return findOutdatedPackages(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')), installed)
}

/** Runs `npm ci` when node_modules is missing or does not fit the lock file. */
export async function ensurePackages(root) {
  const pidFile = join(root, '.lacuna', 'npm-ci.pid')
  await waitForOrphan(pidFile)
  const missing = outdated(root)
  if (missing.length === 0) return
  report('packages', `npm ci (${missing[0]}${missing.length > 1 ? ` and ${missing.length - 1} more` : ''} missing or outdated)`)
  // Each package is checked by npm against the integrity in package-lock.json. No install scripts run (.npmrc).
  const result = await withHeartbeat('packages', 'npm ci', () => runNpm(['ci', '--loglevel=error', '--include=dev'], {
    cwd: root,
    onStart: (pid) => { mkdirSync(join(root, '.lacuna'), { recursive: true }); writeFileSync(pidFile, String(pid)) },
  }))
  rmSync(pidFile, { force: true })
  if (result.status !== 0) {
    throw new SetupError(`npm ci failed: ${firstLines(result.stderr)}`, 'Check that the npm registry can be reached (npm ping), then run the same command again.')
  }
  report('packages', 'installed')
}

/** A killed set-up leaves its npm at work; two in one node_modules would destroy each other's files. */
async function waitForOrphan(pidFile) {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8'))
  if (isNpm(pid)) report('packages', 'the npm of an interrupted run is still at work; waiting for it')
  while (isNpm(pid)) await new Promise((resolve) => setTimeout(resolve, 500))
  rmSync(pidFile, { force: true })
}

function isNpm(pid) {
  if (!(pid > 0) || !isAlive(pid)) return false
  // The number may belong to another program by now; only Linux tells which without a shell.
  const commandLine = `/proc/${pid}/cmdline`
  return process.platform !== 'linux' || (existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes('npm'))
}
