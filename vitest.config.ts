import vue from '@vitejs/plugin-vue'
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { readSetup, setupEnvironment } from './scripts/setup/read-setup.mjs'

/** Migrations are imported as text, as the bundler does. */
const sqlAsText = {
  name: 'sql-as-text',
  enforce: 'pre' as const,
  load(id: string) {
    return id.endsWith('.sql') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}` : null
  },
}

const setup = readSetup()
const env = setup ? setupEnvironment(setup) : {}
// TensorFlow and SQLite are native: processes, not threads.
const pool = 'forks' as const
const plugins = [sqlAsText, vue()]

export default defineConfig({
  test: {
    projects: [
      {
        plugins,
        test: {
          name: 'fast',
          include: ['tests/{unit,golden,migrations,ipc,store}/**/*.test.{ts,mjs}'],
          environment: 'node',
          env,
          pool,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.e2e.ts'],
          environment: 'node',
          env,
          pool,
          // One window at a time: focus and timing of two would disturb each other.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
