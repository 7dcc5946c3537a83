import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. */
export const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** What the set-up found and chose; read by run.mjs, the tests and the packager. */
export const setupFile = join(repositoryRoot, '.lacuna', 'setup.json')

/**
 * The one folder for everything downloaded: `LACUNA_CACHE`, or the platform's cache folder.
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} platform
 */
export function cacheFolder(env = process.env, platform = process.platform, home = homedir()) {
  if (env.LACUNA_CACHE) return resolve(env.LACUNA_CACHE)
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'Lacuna', 'cache')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'lacuna')
  return join(home, '.cache', 'lacuna')
}
