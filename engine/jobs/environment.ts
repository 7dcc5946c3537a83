import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { choiceFrom, type BackendChoice } from '../compute/device/verdict.ts'
import type { WorkspaceOptions } from './workspace.ts'

declare const __LACUNA_VERSION__: string
declare const __LACUNA_CODE_VERSION__: string

/**
 * Where the engine's parts lie: told by the set-up through LACUNA_NODE and LACUNA_WEIGHTS,
 * or in the resources folder of an installed app, three folders above this bundle (resources/app/dist/engine).
 */
export function workspaceOptionsFromEnvironment(storeFile: string, log: (line: string) => void): WorkspaceOptions {
  const bundleDir = dirname(fileURLToPath(import.meta.url))
  const resourcesDir = join(bundleDir, '..', '..', '..')
  const installedNode = join(resourcesDir, 'node', ...(process.platform === 'win32' ? ['node.exe'] : ['bin', 'node']))
  return {
    storeFile,
    nodePath: process.env.LACUNA_NODE ?? installedNode,
    // Both bundles lie one folder below dist: dist/engine/cli.js and dist/electron/main.js.
    workerFile: process.env.LACUNA_WORKER ?? join(bundleDir, '..', 'engine', 'worker.js'),
    readerFile: join(bundleDir, '..', 'engine', 'reader.js'),
    weightsDir: process.env.LACUNA_WEIGHTS ?? join(resourcesDir, 'weights'),
    backend: process.env.LACUNA_BACKEND ?? readBackendChoice(storeFile),
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

/** The compute backend that was chosen for this database: a word in a file beside it, `auto` where nobody chose. */
export function readBackendChoice(storeFile: string): string {
  const file = choiceFile(storeFile)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'auto'
}

/** Keeps the choice for later starts; `auto` forgets it. Throws COMPUTE_CHOICE_FAILED for a word that is no backend. */
export function storeBackendChoice(storeFile: string, word: string): BackendChoice {
  const choice = choiceFrom(word)
  if (choice === 'auto') rmSync(choiceFile(storeFile), { force: true })
  else writeFileSync(choiceFile(storeFile), `${choice}\n`)
  return choice
}

function choiceFile(storeFile: string): string {
  return `${storeFile}.compute`
}
