import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WorkspaceOptions } from './workspace.ts'

declare const __LACUNA_VERSION__: string
declare const __LACUNA_CODE_VERSION__: string

/**
 * Where the engine's parts lie, told by the set-up through environment variables (LACUNA_NODE, LACUNA_WEIGHTS),
 * or beside this bundle in an installed app.
 */
export function workspaceOptionsFromEnvironment(storeFile: string, log: (line: string) => void): WorkspaceOptions {
  const bundleDir = dirname(fileURLToPath(import.meta.url))
  return {
    storeFile,
    nodePath: process.env.LACUNA_NODE ?? process.execPath,
    // Both bundles lie one folder below dist: dist/engine/cli.js and dist/electron/main.js.
    workerFile: process.env.LACUNA_WORKER ?? join(bundleDir, '..', 'engine', 'worker.js'),
    weightsDir: process.env.LACUNA_WEIGHTS ?? join(bundleDir, '..', '..', 'weights'),
    versions: versions(),
    log,
  }
}

/** The app version and the version of the code (a commit where the build knew one), stored with every run. */
export function versions(): { app: string; code: string } {
  const app = typeof __LACUNA_VERSION__ === 'string' ? __LACUNA_VERSION__ : '0.0.0-source'
  const code = typeof __LACUNA_CODE_VERSION__ === 'string' ? __LACUNA_CODE_VERSION__ : 'source'
  return { app, code }
}
