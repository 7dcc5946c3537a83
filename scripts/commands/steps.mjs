import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../setup/paths.mjs'
import { runProgram } from '../setup/process.mjs'
import { report } from '../setup/progress.mjs'

const modules = join(repositoryRoot, 'node_modules')

/** Type checks remember the last run in .lacuna/, so that a repeated check looks at what changed only. */
const types = (project) => ['-p', `tsconfig.${project}.json`, '--noEmit', '--incremental', '--tsBuildInfoFile', `.lacuna/types-${project}.tsbuildinfo`]

/** The static checks: types in three projects, lint with the import boundaries, dead code. */
export const checks = [
  { name: 'types neutral', script: join(modules, 'typescript', 'bin', 'tsc'), args: types('neutral') },
  { name: 'types node', script: join(modules, 'typescript', 'bin', 'tsc'), args: types('node') },
  { name: 'types web', script: join(modules, 'vue-tsc', 'bin', 'vue-tsc.js'), args: types('web'), needs: 'renderer' },
  { name: 'lint', script: join(modules, 'eslint', 'bin', 'eslint.js'), args: ['.', '--max-warnings=0', '--cache', '--cache-location', '.lacuna/eslint'] },
  { name: 'dead code', script: join(modules, 'knip', 'bin', 'knip.js'), args: ['--no-progress'] },
]

/**
 * Runs the static checks, two at a time, and prints what a failing one said.
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runChecks({ setup, env }) {
  const totals = { passed: 0, failed: 0, skipped: 0 }
  const waiting = [...checks]
  const work = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      if (check.needs && !hasSources(join(repositoryRoot, check.needs))) {
        report('check', `${check.name}: skipped, ${check.needs}/ is empty`)
        totals.skipped++
        continue
      }
      const begin = performance.now()
      const result = await runProgram(setup.nodePath, [check.script, ...check.args], { cwd: repositoryRoot, env })
      const seconds = ((performance.now() - begin) / 1000).toFixed(1)
      const isPassed = result.status === 0
      totals[isPassed ? 'passed' : 'failed']++
      report('check', `${check.name}: ${isPassed ? 'passed' : 'FAILED'} (${seconds} s)`)
      if (!isPassed) process.stderr.write(`${result.stdout}${result.stderr}\n`)
    }
  }
  await Promise.all([work(), work()])
  return totals
}

function hasSources(folder) {
  return existsSync(folder) && readdirSync(folder).length > 0
}
