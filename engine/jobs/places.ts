import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The database that the app and the command line share unless told otherwise: LACUNA_STORE,
 * else `lacuna.db` in the folder where the system keeps application data.
 */
export function defaultStoreFile(): string {
  if (process.env.LACUNA_STORE) return process.env.LACUNA_STORE
  return join(appDataDir(), 'Lacuna', 'lacuna.db')
}

function appDataDir(): string {
  if (process.platform === 'win32') return process.env.APPDATA ?? join(homedir(), 'AppData', 'Roaming')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support')
  return process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config')
}
