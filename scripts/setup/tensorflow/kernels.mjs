import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { report, withHeartbeat } from '../progress.mjs'
import { lastLines, runProgram } from '../process.mjs'

/**
 * Compiles the engine's own addons beside the binding, unless that was done for the same source and Node headers: the fused kernels, and
 * the one that keeps the process small while TensorFlow loads. They only make training faster and smaller: when the compiler refuses them
 * the engine computes the same numbers with plain operations.
 */
export async function ensureKernels(root, folder, node) {
  const sources = join(root, 'engine', 'compute', 'native')
  const target = join(folder, 'lib', 'napi-v8')
  const output = join(target, 'lacuna_kernels.node')
  const stampFile = join(folder, 'kernels.json')
  const stamp = JSON.stringify({ source: hashOf(sources), headers: node.version })
  if (existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  report('tensorflow', 'compiling the fused kernels')
  await mkdir(target, { recursive: true })
  const partial = `${output}.partial`
  const memory = join(target, 'lacuna_memory.node')
  const small = await runProgram('g++', [
    '-std=c++17', '-O2', '-fPIC', '-shared', '-pthread', '-DNAPI_VERSION=8', `-I${node.headers}`, join(sources, 'lacuna-memory.cc'), '-o', `${memory}.partial`,
  ])
  if (small.status === 0) await rename(`${memory}.partial`, memory)
  const result = await withHeartbeat('tensorflow', 'compiler', () => runProgram('g++', [
    '-std=c++17', '-O3', '-fPIC', '-shared', '-pthread', '-DNAPI_VERSION=8', '-w',
    // What lets the loops be vectorised without touching infinities, NaN or the processor's rounding mode.
    '-fno-math-errno', '-fno-trapping-math', '-fassociative-math', '-fno-signed-zeros', '-ffp-contract=fast',
    `-I${node.headers}`, `-I${join(folder, 'deps', 'include')}`, join(sources, 'lacuna-kernels.cc'), '-o', partial,
    `-L${join(folder, 'deps', 'lib')}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]))
  if (result.status !== 0) {
    await rm(output, { force: true })
    report('tensorflow', `the fused kernels could not be compiled, so training will be slower: ${lastLines(result.stderr)}`)
    return
  }
  await rename(partial, output)
  await writeFile(stampFile, stamp)
}

/** One hash over the names and contents of all files in a folder and below. */
function hashOf(folder) {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true }).map(String).sort()) {
    const file = join(folder, name)
    if (statSync(file).isFile()) hash.update(name).update(readFileSync(file))
  }
  return hash.digest('hex')
}
