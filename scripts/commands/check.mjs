import { runChecks } from './steps.mjs'
import { addTotals, closingLine } from './totals.mjs'
import { runVitest } from './vitest.mjs'

/** `npm run check`: types in three projects, lint, dead code, unit tests. */
export async function runCheckCommand(context, args) {
  const totals = addTotals(await runChecks(context), await runVitest(context, 'fast', ['tests/unit', ...args]))
  process.stdout.write(`\n${closingLine(totals)}\n`)
  return totals.failed === 0 ? 0 : 1
}
