import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
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
  const status = await runChild(setup.nodePath, [
    builder, ...(args.length > 0 ? args : ['--dir']), '--publish', 'never', '--config', 'electron-builder.yml',
    `--config.electronDist=${join(setup.electronPath, '..')}`, `--config.electronVersion=${setup.electronVersion}`,
  ], {
    cwd: repositoryRoot,
    env: {
      ...env,
      // The packer joins these to the project folder, so an absolute path would not be found.
      LACUNA_PACK_NODE: relative(repositoryRoot, packagedNode(setup.nodePath)),
      LACUNA_PACK_WEIGHTS: relative(repositoryRoot, env.LACUNA_WEIGHTS),
      LACUNA_PACK_TENSORFLOW: setup.tensorflow.folder ? relative(repositoryRoot, setup.tensorflow.folder) : 'resources/backbones',
    },
  })
  if (status === 0) requireParts(setup)
  return status
}

/** The packer only mentions a missing part in passing; an app without its engine must not be handed out. */
function requireParts(setup) {
  const release = join(repositoryRoot, 'release')
  const unpacked = readdirSync(release).filter((name) => name.endsWith('-unpacked'))
  const addons = 'app/node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8'
  // The engine's own addons are shipped where the set-up could build them.
  const built = ['tfjs_binding.node', 'lacuna_kernels.node', 'lacuna_memory.node']
    .filter((name) => name === 'tfjs_binding.node' || existsSync(join(setup.tensorflow.folder ?? '', 'lib', 'napi-v8', name)))
  const dawn = `app/node_modules/webgpu/dist/${process.platform === 'darwin' ? 'darwin-universal' : `${process.platform}-${process.arch}`}/dawn.node`
  const parts = [
    process.platform === 'win32' ? 'node/node.exe' : 'node/bin/node', 'weights/minilm/model.safetensors', 'weights/resnet50/model.json',
    'app/dist/electron/main.js', 'app/dist/electron/preload.cjs', 'app/dist/engine/worker.js', 'app/dist/engine/reader.js', 'app/dist/renderer/index.html',
    ...(setup.tensorflow.folder ? built.map((name) => `${addons}/${name}`) : []),
    // An optional package: left out where it could not be installed.
    ...(existsSync(join(repositoryRoot, 'node_modules', 'webgpu')) ? [dawn] : []),
  ]
  for (const folder of unpacked) {
    const missing = parts.filter((part) => !existsSync(join(release, folder, 'resources', part)))
    if (missing.length > 0) throw new SetupError(`release/${folder} lacks ${missing.join(', ')}.`)
  }
}

/** Where the app looks for its Node: resources/node/bin/node, on Windows resources/node/node.exe. */
function packagedNode(nodePath) {
  const bin = join(nodePath, '..')
  if (process.platform === 'win32') return bin
  if (!bin.endsWith('bin')) throw new SetupError(`${nodePath} does not lie in a Node folder.`)
  return join(bin, '..')
}
