import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sourceFolders } from './entries.mjs'

const configuration = {
  bundles: ['package.json', 'scripts/build/entries.mjs', 'scripts/build/build.mjs'],
  renderer: ['package.json', 'vite.config.ts'],
}
// Reference numbers are read at run time, never bundled.
const sourceName = /\.(ts|vue|sql|css|html|svg|png|woff2|json)$/
const skippedFolders = new Set(['node_modules', 'dist', '__pycache__'])

/**
 * Content hash of everything one part of the build is made of. Contents, not dates: a checkout changes dates.
 * @param {'bundles' | 'renderer'} part
 */
export function fingerprintSources(root, part) {
  const hash = createHash('sha256')
  const add = (path) => {
    if (!existsSync(join(root, path))) return
    hash.update(`${path}\n`)
    hash.update(readFileSync(join(root, path)))
  }
  configuration[part].forEach(add)
  for (const folder of sourceFolders[part]) walk(root, folder, add)
  return hash.digest('hex')
}

function walk(root, folder, visit) {
  if (!existsSync(join(root, folder))) return
  const items = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const item of items) {
    const path = `${folder}/${item.name}`
    if (item.isDirectory() && !skippedFolders.has(item.name)) walk(root, path, visit)
    else if (item.isFile() && sourceName.test(item.name) && !(path.startsWith('tests/') && item.name.endsWith('.json'))) visit(path)
  }
}
