import { existsSync } from 'node:fs'
import { chmod, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fetchNpmTarball, unpackTarball } from './fetch/npm-package.mjs'
import { stageFolder } from './fetch/staged.mjs'
import { nodeRuntimes } from './pins.mjs'
import { report, SetupError } from './progress.mjs'

/**
 * The stock Node that runs the engine, the command line and all tests, whatever Node started the set-up.
 * @returns {Promise<{ path: string, version: string, headers: string }>}
 */
export async function ensureNode(cache) {
  const key = `${process.platform}-${process.arch}`
  const pin = nodeRuntimes[key]
  if (!pin) return useOwnNode(key)
  const folder = join(cache, 'node', `${key}-${pin.version}`)
  if (!existsSync(folder)) {
    const tarball = await fetchNpmTarball('node', pin, cache)
    const unpacked = `${folder}.unpack`
    await rm(unpacked, { recursive: true, force: true })
    await stageFolder(unpacked, (partial) => unpackTarball(tarball, partial))
    await chmod(join(unpacked, 'package', pin.executable), 0o755)
    await rename(join(unpacked, 'package'), folder)
    await rm(unpacked, { recursive: true, force: true })
    await rm(tarball, { force: true })
    report('node', `Node ${pin.version} ready`)
  }
  return { path: join(folder, pin.executable), version: pin.version, headers: join(folder, 'include', 'node') }
}

function useOwnNode(key) {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new SetupError(`There is no pinned Node 24 for ${key}, and the Node that runs this is ${process.versions.node}.`,
      'Install Node 24 and run the same command with it.')
  }
  return { path: process.execPath, version: process.versions.node, headers: join(process.execPath, '..', '..', 'include', 'node') }
}
