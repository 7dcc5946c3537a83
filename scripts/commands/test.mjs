import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../setup/paths.mjs'
import { SetupError } from '../setup/progress.mjs'
import { withDisplay } from './display.mjs'
import { runChecks } from './steps.mjs'
import { addTotals, closingLine } from './totals.mjs'
import { runVitest } from './vitest.mjs'

/**
 * `npm test`: static checks, then unit, golden, migration, store and IPC tests, then the built app in real Electron.
 * With arguments: only the tests they name.
 */
export async function runAllTests(context, args) {
  const isWhole = args.length === 0
  const parts = []
  if (isWhole) parts.push(await runChecks(context))
  parts.push(await runVitest(context, 'fast', args))
  parts.push(await endToEnd(context, args))
  return close(addTotals(...parts))
}

/** `npm run e2e`: the tests in real Electron alone. */
export async function runEndToEnd(context, args) {
  return close(await endToEnd(context, args))
}

async function endToEnd(context, args) {
  if (!existsSync(join(repositoryRoot, 'tests', 'e2e'))) return { passed: 0, failed: 0, skipped: 0 }
  try {
    return await withDisplay((display) => runVitest({ ...context, env: { ...context.env, ...display } }, 'e2e', args))
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    // No screen is a failure of the run, not a reason to call it green.
    process.stderr.write(`\nEnd-to-end tests did not run: ${error.message} ${error.fix}\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function close(totals) {
  process.stdout.write(`\n${closingLine(totals)}\n`)
  return totals.failed === 0 ? 0 : 1
}
