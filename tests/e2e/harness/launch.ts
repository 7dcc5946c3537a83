import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = process.env.LACUNA_ROOT ?? fileURLToPath(new URL('../../..', import.meta.url))

/** Generous: the machine that runs the tests may be shared. */
const launchLimitMs = 120_000
const actionLimitMs = 60_000

export interface LaunchOptions {
  /** Folder of the store; made and deleted with the app unless it is given. */
  dir?: string
  /** Folder of Chromium's own files; beside the store unless it is given. */
  profileDir?: string
  /** Answers of the system's dialogs, which no automation reaches. */
  dialogs?: Partial<Record<'chooseFolder' | 'chooseTable' | 'chooseBackbone' | 'chooseSaveFile' | 'chooseMapping' | 'chooseKey', string>>
  env?: Record<string, string>
}

/** The built app under test. */
export interface LaunchedApp {
  application: ElectronApplication
  page: Page
  dir: string
  storeFile: string
  /** What no test may leave behind: errors on the console, refusals of the content security policy, uncaught exceptions. */
  problems: string[]
  /** Ends the app as a user does. Throws when it had problems. */
  close: () => Promise<void>
  /** Ends it as a power failure does. */
  kill: () => Promise<void>
}

/** A folder that is deleted by the caller. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lacuna-e2e-'))
}

/** Starts the built app with a store of its own. */
export async function launchApp(options: LaunchOptions = {}): Promise<LaunchedApp> {
  if (!process.env.ELECTRON_OVERRIDE_DIST_PATH) throw new Error('Electron is not set up; run this through scripts/run.mjs.')
  const dir = options.dir ?? temporaryFolder()
  const storeFile = join(dir, 'lacuna.db')
  // Chromium refuses to run as root with its sandbox on; only containers of build machines do that.
  const isRoot = process.getuid?.() === 0
  // No executablePath: playwright asks the electron package, which ELECTRON_OVERRIDE_DIST_PATH leads to ours. Only then does it hold
  // the app back until it is connected; otherwise one start in four hangs, because the window opens meanwhile.
  const application = await _electron.launch({
    args: [...(isRoot ? ['--no-sandbox'] : []), `--user-data-dir=${options.profileDir ?? join(dir, 'profile')}`, repositoryRoot],
    timeout: launchLimitMs,
    env: { ...inheritedEnvironment(), LACUNA_STORE: storeFile, LACUNA_TEST_DIALOGS: JSON.stringify(options.dialogs ?? {}), ...options.env },
  })
  const problems: string[] = []
  const context = application.context()
  context.on('console', (message) => {
    if (message.type() === 'error' || /content security policy/i.test(message.text())) problems.push(`console: ${message.text()}`)
  })
  context.on('weberror', (error) => problems.push(`page: ${error.error().stack ?? error.error().message}`))
  const page = await application.firstWindow({ timeout: launchLimitMs })
  page.setDefaultTimeout(actionLimitMs)
  await page.waitForLoadState('load')
  const removeOwn = () => { if (options.dir === undefined) rmSync(dir, { recursive: true, force: true, maxRetries: 3 }) }
  return {
    application, page, dir, storeFile, problems,
    close: async () => {
      await application.close()
      removeOwn()
      if (problems.length > 0) throw new Error(`The window reported:\n${problems.join('\n')}`)
    },
    kill: async () => {
      const process = application.process()
      const ended = new Promise((resolve) => process.once('exit', resolve))
      process.kill('SIGKILL')
      await ended
    },
  }
}

function inheritedEnvironment(): Record<string, string> {
  const env = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined))
  // The test runner's own; inside the app they would change what is tested.
  for (const name of ['NODE_OPTIONS', 'VITEST', 'VITEST_POOL_ID', 'VITEST_WORKER_ID', 'NODE_ENV', 'ELECTRON_RUN_AS_NODE']) delete env[name]
  return env
}
