import { join } from 'node:path'
import { withLock } from '../setup/lock.mjs'
import { repositoryRoot } from '../setup/paths.mjs'
import { SetupError } from '../setup/progress.mjs'
import { runChild } from '../commands/child.mjs'
import { isBuildCurrent, readBuildRecord } from './record.mjs'

/**
 * Brings dist/ up to date with the sources; takes milliseconds when nothing changed.
 * @param {string[]} needs names of the entries the command cannot do without
 */
export async function ensureBuild(setup, needs, { isForced = false } = {}) {
  if (isForced || !isBuildCurrent()) {
    await withLock(join(repositoryRoot, '.lacuna', 'build.lock'), 'build', async () => {
      if (!isForced && isBuildCurrent()) return
      const script = join(repositoryRoot, 'scripts', 'build', 'build.mjs')
      // Its output goes to standard error, like all of the set-up's.
      await runChild(setup.nodePath, [script, ...(isForced ? ['--force'] : [])], { stdout: 'stderr' })
    })
  }
  const parts = Object.values(readBuildRecord()?.parts ?? {})
  const unusable = needs.filter((name) => !parts.some((part) => part.built.includes(name)))
  if (unusable.length > 0) throw new SetupError(`The build of ${unusable.join(', ')} failed.`, 'See the messages above.')
}
