import { rmSync } from 'node:fs'
import { afterAll, afterEach } from 'vitest'
import { photographFailures } from './failures.ts'
import { launchApp, temporaryFolder, type LaunchedApp, type LaunchOptions } from './launch.ts'

/** What a file of tests works with that opens the app anew in each test. */
export interface OneApp {
  /** Holds sources and stores of this file; deleted with the last test. */
  folder: string
  launch: (options?: LaunchOptions) => Promise<LaunchedApp>
}

/** One app at a time: closed after each test, which fails when its window had reported problems, and photographed before that when the test failed. */
export function useApp(): OneApp {
  const folder = temporaryFolder()
  let app: LaunchedApp | undefined
  afterEach(async () => {
    const closing = app
    app = undefined
    await closing?.close()
  })
  // After the one above, which vitest runs last.
  photographFailures(() => app)
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  return { folder, launch: async (options) => (app = await launchApp(options)) }
}
