/** The process that runs the cases: a crash or an endless loop ends it and not the test. Started by run-fuzz.ts. */
import { openSync, writeFileSync, writeSync } from 'node:fs'
import sharp from 'sharp'
import { AppError } from '../../../../engine/domain/errors.ts'
import { decoders, type FuzzDecoder, type FuzzSource } from './decoders.ts'
import { createRandom, mutate } from './mutate.ts'

/** A stretch of cases of one decoder. `caseFile` is where a case lies that took long. */
export interface Stretch { decoder: string; firstSeed: number; cases: number; stateFile: string }

/** What a stretch came to. */
export interface StretchOutcome {
  decoder: string
  firstSeed: number
  cases: number
  readable: number
  /** Refusals by code. */
  refused: Record<string, number>
  worstMs: number
  worstSeed: number
  cpuMs: number
  rssMb: number
  finds: { seed: number; what: string }[]
}

const maxMs = 2000
/** Only whole processes give memory back; within one, growth after the first cases is a leak or a cache. */
const known = new Map<string, FuzzSource[]>()
sharp.cache(false)
sharp.concurrency(1)

/** The bytes of a case, always the same for a decoder and a seed. */
function makeCase(sources: readonly FuzzSource[], seed: number): Buffer {
  const random = createRandom(seed)
  const source = sources[random(sources.length)]!
  const damaged = mutate(source.bytes, random)
  return source.wrap === undefined ? damaged : source.wrap(damaged)
}

async function run({ decoder: name, firstSeed, cases, stateFile }: Stretch): Promise<StretchOutcome> {
  const decoder = decoders.find((one) => one.name === name)!
  const sources = known.get(name) ?? await decoder.sources()
  if (!known.has(name)) for (const source of sources) await decoder.read(source.wrap === undefined ? source.bytes : source.wrap(source.bytes))
  known.set(name, sources)
  const state = openSync(stateFile, 'w')
  const outcome: StretchOutcome = { decoder: name, firstSeed, cases, readable: 0, refused: {}, worstMs: 0, worstSeed: firstSeed, cpuMs: 0, rssMb: 0, finds: [] }
  const started = process.cpuUsage()
  for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
    // What is there when the process dies or hangs is the case that did it.
    writeSync(state, String(seed).padEnd(12), 0)
    await runCase(decoder, makeCase(sources, seed), seed, outcome)
  }
  const used = process.cpuUsage(started)
  outcome.cpuMs = (used.user + used.system) / 1000
  globalThis.gc?.()
  outcome.rssMb = process.memoryUsage.rss() / 2 ** 20
  return outcome
}

async function runCase(decoder: FuzzDecoder, bytes: Buffer, seed: number, outcome: StretchOutcome): Promise<void> {
  const before = process.cpuUsage()
  try {
    await decoder.read(bytes)
    outcome.readable++
  } catch (error) {
    if (error instanceof AppError) outcome.refused[error.code] = (outcome.refused[error.code] ?? 0) + 1
    else outcome.finds.push({ seed, what: `ends in no refusal: ${error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error)}` })
  }
  const used = process.cpuUsage(before)
  const ms = (used.user + used.system) / 1000
  if (ms > outcome.worstMs) [outcome.worstMs, outcome.worstSeed] = [ms, seed]
  if (ms > (decoder.limits?.cpuMs ?? maxMs)) outcome.finds.push({ seed, what: `took ${Math.round(ms)} ms of processor time` })
}

// A single case for looking at: fuzz-child.ts DECODER SEED [FILE].
const [, , alone, seed, file] = process.argv
if (alone !== undefined && process.send === undefined) {
  const bytes = makeCase(await decoders.find(({ name }) => name === alone)!.sources(), Number(seed))
  if (file !== undefined) writeFileSync(file, bytes)
  await decoders.find(({ name }) => name === alone)!.read(bytes)
}

process.on('message', (stretch: Stretch) => {
  run(stretch).then((outcome) => process.send!(outcome), (error: unknown) => {
    process.nextTick(() => { throw error })
  })
})
