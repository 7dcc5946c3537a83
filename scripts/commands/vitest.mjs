import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../setup/paths.mjs'
import { runChild } from './child.mjs'

/**
 * Runs one vitest project under the stock Node and counts.
 * @param {'fast' | 'e2e'} project
 * @param {string[]} args passed on (file filters, -t)
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runVitest({ setup, env }, project, args = []) {
  const outputFile = join(repositoryRoot, '.lacuna', `vitest-${project}.json`)
  rmSync(outputFile, { force: true })
  const status = await runChild(setup.nodePath, [
    join(repositoryRoot, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', project,
    '--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`, '--passWithNoTests', ...args,
  ], { cwd: repositoryRoot, env: { ...env, NODE_OPTIONS: [env.NODE_OPTIONS, '--enable-source-maps'].filter(Boolean).join(' ') } })
  return countResults(existsSync(outputFile) ? JSON.parse(readFileSync(outputFile, 'utf8')) : undefined, status)
}

/**
 * Counts a vitest JSON report. A file that broke before its first test, an error outside any test and a run without a
 * report each count as one failure: nothing that went wrong may read as green.
 */
export function countResults(result, status) {
  if (!result) return { passed: 0, failed: status === 0 ? 0 : 1, skipped: 0 }
  const broken = result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')).length
  const failed = result.numFailedTests + broken
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: result.numPendingTests + (result.numTodoTests ?? 0),
  }
}
