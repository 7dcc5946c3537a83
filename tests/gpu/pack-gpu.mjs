/**
 * `node tests/gpu/pack-gpu.mjs`: everything that run-gpu.sh needs on a bare machine with a graphics card and no network, as one folder
 * (.lacuna/gpu, about 45 MB): Node, Dawn, a Vulkan loader, and golden check, agreement run and benchmark as single files.
 * TensorFlow's CUDA build is ten times too large to carry: on such a machine WebGPU is tried, CUDA on a workstation that ran the set-up.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { repositoryRoot } from '../../scripts/setup/paths.mjs'
import { readSetup } from '../../scripts/setup/read-setup.mjs'

const setup = readSetup()
const out = join(repositoryRoot, '.lacuna', 'gpu')
const modules = join(out, 'node_modules')
rmSync(out, { recursive: true, force: true })
mkdirSync(modules, { recursive: true })

// Pictures are not part of the numeric checks; the native library would not fit beside the rest.
const withoutSharp = { name: 'without-sharp', setup: (bundle) => {
  bundle.onResolve({ filter: /^sharp$/ }, () => ({ path: 'sharp', namespace: 'absent' }))
  bundle.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'export default () => { throw new Error("sharp was not packed") }' }))
} }
const common = { absWorkingDir: repositoryRoot, bundle: true, platform: 'node', target: 'node24', minify: true, logLevel: 'error', plugins: [withoutSharp] }
const programs = { golden: 'tests/golden/run-golden.ts', agreement: 'tests/unit/compute/backends/agreement-child.ts', bench: 'tests/bench/bench-child.ts' }
await Promise.all(Object.entries(programs).map(([name, source]) => build({
  ...common, entryPoints: [source], outfile: join(out, `${name}.mjs`), format: 'esm',
  // Packages in CommonJS that were bundled still ask for Node's own modules by require.
  banner: { js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);" },
  external: ['webgpu', '@tensorflow/*'],
})))

// One copy of TensorFlow.js with both backends: two copies would not know each other's tensors.
const tfjs = join(modules, '@tensorflow', 'tfjs')
await build({ ...common, stdin: { contents: "module.exports = require('@tensorflow/tfjs'); module.exports.webgpu = require('@tensorflow/tfjs-backend-webgpu')", resolveDir: repositoryRoot }, outfile: join(tfjs, 'index.js'), format: 'cjs' })
const facade = join(modules, '@tensorflow', 'tfjs-backend-webgpu')
mkdirSync(facade)
writeFileSync(join(facade, 'index.js'), "module.exports = require('@tensorflow/tfjs').webgpu\n")

const dawn = join(modules, 'webgpu')
for (const name of ['index.js', 'package.json', join('dist', 'linux-x64')]) cpSync(join(repositoryRoot, 'node_modules', 'webgpu', name), join(dawn, name), { recursive: true })
cpSync(join(dirname(setup.electronPath), 'libvulkan.so.1'), join(out, 'libvulkan.so.1'))
cpSync(setup.nodePath, join(out, 'node'))
execFileSync('strip', [join(out, 'node')])
execFileSync('xz', ['-T2', '-6', join(out, 'node')])
execFileSync('xz', ['-6', join(dawn, 'dist', 'linux-x64', 'dawn.node')])
const bytes = readdirSync(out, { recursive: true }).reduce((sum, name) => sum + statSync(join(out, name)).size, 0)
process.stdout.write(`${out}: ${(bytes / 2 ** 20).toFixed(1)} MiB\n`)
