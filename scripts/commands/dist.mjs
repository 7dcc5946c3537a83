import { join } from 'node:path'
import { repositoryRoot } from '../setup/paths.mjs'
import { SetupError } from '../setup/progress.mjs'
import { runChild } from './child.mjs'

/**
 * `npm run dist` packs the unpacked application into release/; with targets (`npm run dist -- --linux deb tar.gz`) it
 * builds installers, which need the official Electron.
 */
export async function makeInstallers({ setup, env }, args) {
  if (!setup.electronPath) throw new SetupError('There is no Electron to pack.', setup.electronReason)
  if (args.length > 0 && setup.electronSource !== 'official') {
    throw new SetupError('Installers are built from the official Electron, and this machine has the fallback copy.',
      'Run "npm run setup" where the official download can be reached, or pack the folder only: npm run dist.')
  }
  if (setup.tensorflow.kind === 'none') process.stderr.write('dist: no TensorFlow here; the packed engine will use WebAssembly\n')
  const builder = join(repositoryRoot, 'node_modules', 'electron-builder', 'cli.js')
  return runChild(setup.nodePath, [
    builder, ...(args.length > 0 ? args : ['--dir']), '--publish', 'never', '--config', 'electron-builder.yml',
    `--config.electronDist=${join(setup.electronPath, '..')}`, `--config.electronVersion=${setup.electronVersion}`,
  ], {
    cwd: repositoryRoot,
    env: {
      ...env,
      LACUNA_PACK_NODE: packagedNode(setup.nodePath),
      LACUNA_PACK_WEIGHTS: env.LACUNA_WEIGHTS,
      // An empty folder stands in where there is no library: the packer refuses a missing one.
      LACUNA_PACK_TENSORFLOW: setup.tensorflow.folder ?? join(repositoryRoot, 'resources', 'backbones'),
    },
  })
}

/** Where the app looks for its Node: resources/node/bin/node, on Windows resources/node/node.exe. */
function packagedNode(nodePath) {
  const bin = join(nodePath, '..')
  if (process.platform === 'win32') return bin
  if (!bin.endsWith('bin')) throw new SetupError(`${nodePath} does not lie in a Node folder.`)
  return join(bin, '..')
}
