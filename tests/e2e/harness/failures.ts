import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { repositoryRoot, type LaunchedApp } from './launch.ts'

/** Keeps a picture of the window in test-results/ whenever a test of this file fails. */
export function photographFailures(running: () => LaunchedApp | undefined): void {
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    const dir = join(repositoryRoot, 'test-results')
    mkdirSync(dir, { recursive: true })
    // The window may be gone, which is then what failed.
    await running()?.page.screenshot({ path: join(dir, `${task.name.replace(/\W+/g, '-').slice(0, 80)}.png`), timeout: 10_000 }).catch(() => {})
  })
}
