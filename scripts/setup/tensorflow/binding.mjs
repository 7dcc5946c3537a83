import { existsSync, readFileSync } from 'node:fs'
import { lstat, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { report, SetupError, withHeartbeat } from '../progress.mjs'
import { lastLines, runProgram } from '../process.mjs'

/** Folder of the tfjs package that loads the binding. */
export function bindingPackage(root) {
  return join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
}

/**
 * Compiles the package's own binding against the libraries in `folder/deps`, unless that was done for the same package
 * and Node headers. The package's makefile is made for TensorFlow 2.9; one compiler call serves 2.21 as well.
 */
export async function ensureBinding(root, folder, node) {
  const source = bindingPackage(root)
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const stamp = JSON.stringify({ package: version, headers: node.version })
  const stampFile = join(folder, 'binding.json')
  const output = join(folder, 'lib', 'napi-v8', 'tfjs_binding.node')
  if (existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  if (!existsSync(join(node.headers, 'node_api.h'))) throw new SetupError(`The Node headers are missing in ${node.headers}.`)
  report('tensorflow', 'compiling the binding')
  await mkdir(join(folder, 'lib', 'napi-v8'), { recursive: true })
  const partial = `${output}.partial`
  const result = await withHeartbeat('tensorflow', 'compiler', () => runProgram('g++', [
    '-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-w',
    `-I${node.headers}`, `-I${join(source, '..')}`, `-I${join(folder, 'deps', 'include')}`,
    join(source, 'binding', 'tfjs_backend.cc'), join(source, 'binding', 'tfjs_binding.cc'),
    '-o', partial, `-L${join(folder, 'deps', 'lib')}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]))
  if (result.status !== 0) {
    throw new SetupError(`The TensorFlow binding could not be compiled: ${lastLines(result.stderr)}`,
      'Install a C++17 compiler (Debian: apt-get install g++), then run "npm run setup".')
  }
  await rename(partial, output)
  await writeFile(stampFile, stamp)
}

/** Makes the package find the cached libraries and binding. `npm ci` removes the links; the next start puts them back. */
export async function linkBinding(root, folder) {
  for (const name of ['deps', 'lib']) {
    const link = join(bindingPackage(root), name)
    if (await lstat(link).catch(() => undefined)) await rm(link, { recursive: true })
    await symlink(join(folder, name), link, 'dir')
  }
}

/** Removes the links, so that nothing loads a library the set-up decided against. */
export async function unlinkBinding(root) {
  for (const name of ['deps', 'lib']) {
    const link = join(bindingPackage(root), name)
    if ((await lstat(link).catch(() => undefined))?.isSymbolicLink()) await rm(link)
  }
}
