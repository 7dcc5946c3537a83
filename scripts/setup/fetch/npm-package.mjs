import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { report, SetupError, withHeartbeat } from '../progress.mjs'
import { lastLines, runNpm, runProgram } from '../process.mjs'
import { requireIntegrity } from './hash.mjs'

/**
 * Fetches one pinned npm package as a tarball into `<cache>/downloads` and checks it. A tarball left there by an
 * interrupted run is used again after the same check.
 * @returns {Promise<string>} path of the checked tarball
 */
export async function fetchNpmTarball(area, pin, cache) {
  const name = `${pin.package.replace('@', '').replace('/', '-')}-${pin.version}.tgz`
  const tarball = join(cache, 'downloads', name)
  if (existsSync(tarball)) {
    try {
      await requireIntegrity(tarball, pin.integrity)
      return tarball
    } catch {
      await rm(tarball)
    }
  }
  const staging = `${tarball}.partial`
  await rm(staging, { recursive: true, force: true })
  await mkdir(staging, { recursive: true })
  report(area, `fetching ${pin.package}@${pin.version} (${Math.round(pin.bytes / 1e6)} MB)`)
  // The exact version: with a range npm would pick the newest one whose "engines" admit the running Node.
  const result = await withHeartbeat(area, 'download', () =>
    runNpm(['pack', `${pin.package}@${pin.version}`, '--pack-destination', staging, '--ignore-scripts', '--loglevel=error'], { cwd: staging }))
  const packed = join(staging, name)
  if (result.status !== 0 || !existsSync(packed)) {
    throw new SetupError(`npm could not fetch ${pin.package}@${pin.version}: ${lastLines(result.stderr)}`,
      'Check that the npm registry can be reached (npm ping), then run the same command again.')
  }
  await requireIntegrity(packed, pin.integrity)
  await rename(packed, tarball)
  await rm(staging, { recursive: true, force: true })
  return tarball
}

/** Unpacks a checked tarball; the files lie under `<folder>/package`. */
export async function unpackTarball(tarball, folder) {
  // tar is part of every supported system (Windows 10 and later included).
  const result = await runProgram('tar', ['-xzf', tarball, '-C', folder, '--no-same-owner'])
  if (result.status !== 0) throw new SetupError(`${tarball} could not be unpacked: ${lastLines(result.stderr)}`)
}
