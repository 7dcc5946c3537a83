/**
 * What `npm run build` makes: one bundle for each entry. `names` of a command's needs are the `name`s here.
 * The preload script is sandboxed and may load nothing but electron, so everything it uses is bundled into it.
 */
export const entries = [
  { name: 'main', source: 'electron/main.ts', output: 'dist/electron/main.js', format: 'esm' },
  { name: 'preload', source: 'electron/preload.ts', output: 'dist/electron/preload.cjs', format: 'cjs' },
  { name: 'worker', source: 'engine/worker.ts', output: 'dist/engine/worker.js', format: 'esm' },
  { name: 'reader', source: 'engine/reader.ts', output: 'dist/engine/reader.js', format: 'esm' },
  { name: 'dicom-thread', source: 'engine/importers/dicom/decode-thread.ts', output: 'dist/engine/dicom-thread.js', format: 'esm' },
  { name: 'pdf-thread', source: 'engine/importers/reports/pdf-thread.ts', output: 'dist/engine/pdf-thread.js', format: 'esm' },
  { name: 'cli', source: 'engine/cli.ts', output: 'dist/engine/cli.js', format: 'esm' },
  { name: 'demo', source: 'engine/demo.ts', output: 'dist/engine/demo.js', format: 'esm' },
  { name: 'golden', source: 'tests/golden/run-golden.ts', output: 'dist/tools/golden.js', format: 'esm' },
  { name: 'bench', source: 'tests/bench/run-bench.ts', output: 'dist/tools/bench.js', format: 'esm' },
  { name: 'bench-child', source: 'tests/bench/bench-child.ts', output: 'dist/tools/bench-child.js', format: 'esm' },
  { name: 'bench-methods', source: 'tests/bench/bench-methods.ts', output: 'dist/tools/bench-methods.js', format: 'esm' },
  { name: 'bench-epochs', source: 'tests/bench/bench-epochs.ts', output: 'dist/tools/bench-epochs.js', format: 'esm' },
  { name: 'bench:import', source: 'tests/bench/run-import-bench.ts', output: 'dist/tools/bench-import.js', format: 'esm' },
  { name: 'bench:dicom', source: 'tests/bench/run-dicom-bench.ts', output: 'dist/tools/bench-dicom.js', format: 'esm' },
  { name: 'study', source: 'tests/bench/run-study.ts', output: 'dist/tools/study.js', format: 'esm' },
  { name: 'screenshots', source: 'tests/e2e/screenshots/take-screenshots.ts', output: 'dist/tools/screenshots.js', format: 'esm' },
]

/** The renderer is built by vite beside them, under this name. */
export const rendererName = 'renderer'

/** Sources whose change asks for a new build, by part. */
export const sourceFolders = {
  bundles: ['electron', 'engine', 'tests/golden', 'tests/bench', 'tests/e2e'],
  renderer: ['renderer', 'electron/contract', 'engine/domain'],
}
