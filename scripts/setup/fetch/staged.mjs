import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Fills a folder under a temporary name and renames it when it is whole, so that a folder that exists is complete:
 * a kill at any point leaves only a `.partial` folder, which the next run throws away.
 * @param {string} folder final path
 * @param {(partial: string) => Promise<void>} fill
 */
export async function stageFolder(folder, fill) {
  if (existsSync(folder)) return
  const partial = `${folder}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(dirname(folder), { recursive: true })
  await mkdir(partial)
  await fill(partial)
  await rename(partial, folder)
}
