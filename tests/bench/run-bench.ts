/**
 * `npm run bench`: samples/s and peak memory of a MoRA training step at two sizes, for a batch of complete samples and for one where modalities
 * are missing, next to the same computation in PyTorch, eager and compiled, when it is importable ($LACUNA_BENCH_PYTHON or python3); what
 * the caches save from the second epoch on; and with --methods the step of every method that trains inside or in front of the blocks. Every
 * figure comes from a fresh child process; rounds alternate between the sides so that a busy machine slows all of them. Rates are medians
 * over rounds, ratios are medians of the ratios within a round, peaks are the highest seen. A line for each goal says whether it was met.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { median } from './process-memory.ts'
import { type BenchSize, benchSizes, mixedPatterns } from './sizes.ts'

interface Figures {
  samplesPerSecond: number
  /** Of the whole process, start-up included; during the steps alone; resident when only the runtime was there. */
  peakMegabytes: number
  stepPeakMegabytes: number
  baseMegabytes: number
  kernels?: string
  tokens?: number
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' }, size: { type: 'string' },
    json: { type: 'boolean', default: false }, epochs: { type: 'boolean', default: true },
    methods: { type: 'boolean', default: false },
  },
  allowNegative: true,
})
const python = process.env['LACUNA_BENCH_PYTHON'] ?? 'python3'
// Bundled, the children lie in dist/tools; run from the source, they lie here. The Python peer is always in the source.
const here = import.meta.dirname
const child = (name: string): string => path.join(here, `${name}.${import.meta.filename.endsWith('.ts') ? 'ts' : 'js'}`)
const peerFile = path.join(process.env['LACUNA_ROOT'] ?? path.join(here, '..', '..'), 'tests', 'bench', 'peer_torch.py')
const write = (line: string): void => { process.stdout.write(`${line}\n`) }
const lastJson = (text: string): unknown => JSON.parse(text.trim().split('\n').at(-1)!)

function runOurs(file: string, ...args: string[]): unknown {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' }
  return lastJson(execFileSync(process.execPath, [child(file), ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
}

const complete = (size: BenchSize): number[] => new Array<number>(size.batch).fill(3)

function runPeer(size: BenchSize, patterns: number[], compiled: boolean): Figures | null {
  const sizes = [size.blocks, size.width, size.heads, size.feedForward, Number(size.preNorm), size.batch, size.textTokens, size.imageTokens, size.classes]
  const args = [peerFile, ...sizes.map(String), patterns.join(''), values.seconds, compiled ? '1' : '0']
  // The compiler may be absent or fail: then there is no such column.
  const result = spawnSync(python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return result.status === 0 ? lastJson(result.stdout) as Figures : null
}

/** Multiply-adds of one step, counted twice: 24 D^2 + 4 T D per token and block (F = 4 D), forward in every block but a cached one, backward in all but block 0. */
function flopsPerSample(size: BenchSize, isCached: boolean): number {
  const tokens = size.textTokens + size.imageTokens
  const perBlock = tokens * (8 * size.width ** 2 + 4 * size.width * size.feedForward + 4 * tokens * size.width)
  return perBlock * (2 * size.blocks - (isCached ? 2 : 1))
}

const hasPeer = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0
const seconds = values.seconds
/** The rows of the table; `against` is the batch that the peer computes for the same samples. The first, second and last are what a run does by itself. */
const rows = [
  { name: 'complete, every block', against: 'complete', args: ['complete', 'all', 'automatic'] },
  { name: 'complete, block 0 cached', against: 'complete', args: ['complete', 'cached', 'automatic'] },
  { name: 'complete, cached, all values kept', against: 'complete', args: ['complete', 'cached', 'half'] },
  { name: 'complete, cached, least memory', against: 'complete', args: ['complete', 'cached', 'input'] },
  { name: 'mixed, block 0 cached', against: 'mixed', args: ['mixed', 'cached', 'automatic'] },
] as const
const [everyBlock, cached, allKept, mixed] = [0, 1, 2, 4]
const peers = [
  { name: 'PyTorch eager, complete', batch: 'complete', compiled: false },
  { name: 'PyTorch eager, mixed as dummies', batch: 'mixed', compiled: false },
  { name: 'torch.compile, complete', batch: 'complete', compiled: true },
] as const

const results: Record<string, unknown> = {}
for (const size of benchSizes.filter(({ name }) => values.size === undefined || values.size === name)) {
  const ours = rows.map((): Figures[] => [])
  const theirs = peers.map((): Figures[] => [])
  const matmul: number[] = []
  for (let round = 0; round < Number(values.rounds); round++) {
    matmul.push((runOurs('bench-child', 'matmul') as { gigaflops: number }).gigaflops)
    for (const [i, { args }] of rows.entries()) {
      ours[i]!.push(runOurs('bench-child', size.name, ...args, seconds) as Figures)
      const peer = hasPeer ? peers[i] : undefined
      if (peer === undefined) continue
      const figures = runPeer(size, peer.batch === 'mixed' ? mixedPatterns(size.batch) : complete(size), peer.compiled)
      if (figures !== null) theirs[i]!.push(figures)
    }
    matmul.push((runOurs('bench-child', 'matmul') as { gigaflops: number }).gigaflops)
  }
  report(size, ours, theirs, matmul)
  results[size.name] = { rows: rows.map(({ name }, i) => ({ name, figures: ours[i] })), peers: peers.map(({ name }, i) => ({ name, figures: theirs[i] })), matmul }
}

function report(size: BenchSize, ours: Figures[][], theirs: Figures[][], matmul: number[]): void {
  const rate = (list: Figures[]): number => median(list.map((figures) => figures.samplesPerSecond))
  const highest = (list: Figures[], field: 'peakMegabytes' | 'stepPeakMegabytes'): number => Math.max(...list.map((figures) => figures[field]))
  const above = (list: Figures[]): number => Math.max(...list.map((figures) => figures.stepPeakMegabytes - figures.baseMegabytes))
  const ratio = (a: Figures[], b: Figures[]): string => median(a.slice(0, b.length).map((figures, i) => figures.samplesPerSecond / b[i]!.samplesPerSecond)).toFixed(2)
  const line = (name: string, list: Figures[]): void => {
    if (list.length === 0) return write(`  ${name.padEnd(32)} not available`)
    write(`  ${name.padEnd(32)} ${rate(list).toFixed(1).padStart(7)} samples/s   peak MB: process ${highest(list, 'peakMegabytes').toFixed(0).padStart(5)}`
      + `  steps ${highest(list, 'stepPeakMegabytes').toFixed(0).padStart(5)}  steps above runtime ${above(list).toFixed(0).padStart(5)}`)
  }
  write(`${size.name}: ${size.blocks} blocks, D ${size.width}, ${size.textTokens + size.imageTokens} tokens (mixed: ${ours[mixed]![0]!.tokens!.toFixed(0)} on average), batch ${size.batch}, kernels ${ours[0]![0]!.kernels ?? '?'}`)
  rows.forEach(({ name }, i) => line(`Lacuna ${name}`, ours[i]!))
  // What is computed again is no part of the step's arithmetic, so the row that keeps all values shows the kernels' rate.
  const gigaflops = (rate(ours[allKept]!) * flopsPerSample(size, true)) / 1e9
  write(`  this machine's 2048-cubed matmul ${median(matmul).toFixed(0)} GFLOP/s; the step that keeps all values ${gigaflops.toFixed(0)} (${((100 * gigaflops) / median(matmul)).toFixed(0)} %)`)
  goal(`${size.name}: share of matmul`, gigaflops / median(matmul), 0.8, 'least')
  if (!hasPeer) return write(`  PyTorch is not importable by ${python}: no comparison (set LACUNA_BENCH_PYTHON)`)
  peers.forEach(({ name }, i) => line(name, theirs[i]!))
  rows.forEach(({ name, against }, i) => {
    const eager = theirs[against === 'mixed' ? 1 : 0]!
    const compiled = against === 'complete' && theirs[2]!.length > 0 ? `, torch.compile ${ratio(ours[i]!, theirs[2]!)}` : ''
    write(`  ${name}: speed against eager ${ratio(ours[i]!, eager)}${compiled}; memory process ${(highest(ours[i]!, 'peakMegabytes') / highest(eager, 'peakMegabytes')).toFixed(2)}, `
      + `steps ${(highest(ours[i]!, 'stepPeakMegabytes') / highest(eager, 'stepPeakMegabytes')).toFixed(2)}, steps above runtime ${(above(ours[i]!) / above(eager)).toFixed(2)}`)
  })
  const [eager, eagerMixed, compiled] = theirs as [Figures[], Figures[], Figures[]]
  for (const row of [everyBlock, cached]) {
    const { name } = rows[row]!
    goal(`${size.name}, ${name}: speed against eager`, Number(ratio(ours[row]!, eager)), 1.6, 'least')
    if (compiled.length > 0) goal(`${size.name}, ${name}: speed against torch.compile`, Number(ratio(ours[row]!, compiled)), 1.3, 'least')
    goal(`${size.name}, ${name}: peak memory against eager`, highest(ours[row]!, 'peakMegabytes') / highest(eager, 'peakMegabytes'), 0.5, 'most')
  }
  goal(`${size.name}, mixed: speed against eager`, Number(ratio(ours[mixed]!, eagerMixed)), 2.2, 'least')
  goal(`${size.name}, mixed: peak memory against eager`, highest(ours[mixed]!, 'peakMegabytes') / highest(eagerMixed, 'peakMegabytes'), 0.5, 'most')
}

function goal(name: string, value: number, bound: number, kind: 'least' | 'most'): void {
  const isMet = kind === 'least' ? value >= bound : value <= bound
  write(`  goal ${isMet ? 'met   ' : 'MISSED'}  ${name}: ${value.toFixed(2)} (at ${kind} ${bound})`)
}

interface Spent {
  seconds: number
  processorSeconds: number
}

if (values.epochs) {
  const epochs = runOurs('bench-epochs') as { skipped?: string; samples: number; picture: { width: number; height: number }; grids: Spent; methods: Record<string, { first: Spent; later: Spent }> }
  if (epochs.skipped !== undefined) {
    write(`epochs: ${epochs.skipped}`)
  } else {
    const { samples, picture, grids } = epochs
    write(`epochs: ${samples} patients, each with two pictures of ${picture.width} x ${picture.height} and a note, on the default backbone; processor seconds (in brackets by the clock); pictures and grids ${grids.processorSeconds.toFixed(1)} (${grids.seconds.toFixed(1)})`)
    for (const [id, { first, later }] of Object.entries(epochs.methods)) {
      write(`  ${id.padEnd(12)} epoch 1 ${first.processorSeconds.toFixed(2)} (${first.seconds.toFixed(2)}), each later one ${later.processorSeconds.toFixed(3)} (${later.seconds.toFixed(3)})`)
      goal(`${id}: epoch 1 in units of a later one`, first.processorSeconds / later.processorSeconds, 10, 'least')
    }
    results['epochs'] = epochs
  }
}
if (values.methods) {
  for (const { name } of benchSizes.filter((size) => values.size === undefined || values.size === size.name)) {
    const { methods } = runOurs('bench-methods', name) as { methods: Record<string, { wallMs: number; processorMs: number }> }
    write(`${name}: a step of 8 complete samples, processor milliseconds (in brackets by the clock)`)
    for (const [id, { wallMs, processorMs }] of Object.entries(methods)) write(`  ${id.padEnd(18)} ${processorMs.toFixed(0).padStart(6)} (${wallMs.toFixed(0)})`)
    results[`methods ${name}`] = methods
  }
}
if (values.json) write(JSON.stringify(results))
