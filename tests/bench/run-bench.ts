/**
 * `npm run bench`: samples/s and peak memory of a MoRA training step at two sizes, next to the same computation in PyTorch when it is
 * importable ($LACUNA_BENCH_PYTHON or python3). Every figure comes from a fresh child process; rounds alternate between the two sides so that
 * a busy machine slows both. The median over rounds is reported.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type BenchSize, benchSizes } from './sizes.ts'

interface Figures {
  samplesPerSecond: number
  bestSamplesPerSecond: number
  peakMegabytes: number
  kernels?: string
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '6' }, size: { type: 'string' }, json: { type: 'boolean', default: false } } })
const python = process.env['LACUNA_BENCH_PYTHON'] ?? 'python3'
// Bundled, the two lie in dist/tools; run from the source, they lie here. The Python peer is always in the source.
const here = import.meta.dirname
const childFile = path.join(here, import.meta.filename.endsWith('.ts') ? 'bench-child.ts' : 'bench-child.js')
const peerFile = path.join(process.env['LACUNA_ROOT'] ?? path.join(here, '..', '..'), 'tests', 'bench', 'peer_torch.py')
const write = (line: string): void => { process.stdout.write(`${line}\n`) }
const lastJson = (text: string): unknown => JSON.parse(text.trim().split('\n').at(-1)!)
const median = (numbers: number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!

const childEnvironment = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' }

function runOurs(...args: string[]): unknown {
  const output = execFileSync(process.execPath, [childFile, ...args], { env: childEnvironment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return lastJson(output)
}

function runPeer(size: BenchSize): Figures {
  const args = [size.blocks, size.width, size.heads, size.feedForward, Number(size.preNorm), size.batch, size.textTokens, size.imageTokens, size.classes, Number(values.seconds)]
  return lastJson(execFileSync(python, [peerFile, ...args.map(String)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as Figures
}

/** Multiply-adds of one step, counted twice: 24 D^2 + 4 T D per token and block (F = 4 D), forward in every block, backward in all but block 0. */
function flopsPerSample(size: BenchSize): number {
  const tokens = size.textTokens + size.imageTokens
  const perBlock = tokens * (8 * size.width ** 2 + 4 * size.width * size.feedForward + 4 * tokens * size.width)
  return perBlock * (2 * size.blocks - 1)
}

const hasPeer = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0
const rounds = Number(values.rounds)
const results: Record<string, unknown> = {}
for (const size of benchSizes.filter(({ name }) => values.size === undefined || values.size === name)) {
  const ours: Figures[] = []
  const cached: Figures[] = []
  const peer: Figures[] = []
  const matmul: number[] = []
  for (let round = 0; round < rounds; round++) {
    matmul.push((runOurs('matmul') as { gigaflops: number }).gigaflops)
    ours.push(runOurs(size.name, 'all', values.seconds) as Figures)
    if (hasPeer) peer.push(runPeer(size))
    cached.push(runOurs(size.name, 'cached', values.seconds) as Figures)
  }
  const rate = (list: Figures[]): number => median(list.map((figures) => figures.samplesPerSecond))
  const peak = (list: Figures[]): number => Math.max(...list.map((figures) => figures.peakMegabytes))
  const gigaflops = (rate(ours) * flopsPerSample(size)) / 1e9
  const line = (name: string, list: Figures[]): string =>
    `  ${name.padEnd(34)} ${rate(list).toFixed(1).padStart(8)} samples/s  peak ${peak(list).toFixed(0).padStart(5)} MB`
  write(`${size.name}: ${size.blocks} blocks, D ${size.width}, ${size.textTokens + size.imageTokens} tokens, batch ${size.batch}, kernels ${ours[0]!.kernels ?? '?'}`)
  write(line('Lacuna, all blocks each step', ours))
  write(line('Lacuna, block 0 from the cache', cached))
  write(`  this machine's 2048-cubed matmul ${median(matmul).toFixed(0)} GFLOP/s; the step reaches ${gigaflops.toFixed(0)} (${((100 * gigaflops) / median(matmul)).toFixed(0)} %)`)
  if (hasPeer) {
    write(line('PyTorch eager', peer))
    write(`  ratio to PyTorch: all blocks ${(rate(ours) / rate(peer)).toFixed(2)}, cached ${(rate(cached) / rate(peer)).toFixed(2)}, memory ${(peak(ours) / peak(peer)).toFixed(2)}`)
  } else {
    write(`  PyTorch is not importable by ${python}: no comparison (set LACUNA_BENCH_PYTHON)`)
  }
  results[size.name] = { ours, cached, peer, matmul }
}
if (values.json) write(JSON.stringify(results))
