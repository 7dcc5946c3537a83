import { expect, it } from 'vitest'
import { decoders } from './decoders.ts'
import { runFuzz, summarise } from './run-fuzz.ts'

/**
 * Some cases for each decoder in everyday tests. The whole: `LACUNA_FUZZ=100000 LACUNA_FUZZ_REPORT=FILE npm test -- tests/unit/importers/fuzz`,
 * with LACUNA_FUZZ_ONLY (a pattern of names) and LACUNA_FUZZ_SEED; with a report file it goes on where it was stopped.
 * A find is repeated by `node tests/unit/importers/fuzz/fuzz-child.ts DECODER SEED [FILE]`.
 */
const casesEach = Number(process.env['LACUNA_FUZZ'] ?? 40)
const firstSeed = Number(process.env['LACUNA_FUZZ_SEED'] ?? 1)
const only = new RegExp(process.env['LACUNA_FUZZ_ONLY'] ?? '')
const maxGrowthMb = 200

it(`every decoder reads or refuses ${casesEach} damaged files, each at once`, async () => {
  const names = decoders.map(({ name }) => name).filter((name) => only.test(name))
  const outcomes = await runFuzz({ decoders: names, casesEach, firstSeed, reportFile: process.env['LACUNA_FUZZ_REPORT'] ?? null })
  const lines = summarise(outcomes)
  if (casesEach > 1000) process.stdout.write(`${lines.join('\n')}\n`)
  expect(outcomes.flatMap(({ decoder, finds }) => finds.map(({ seed, what }) => `${decoder} ${seed} ${what}`))).toEqual([])
  for (const { name, limits } of decoders.filter(({ name }) => names.includes(name))) {
    const own = outcomes.filter(({ decoder }) => decoder === name)
    expect(own.reduce((cases, one) => cases + one.cases, 0), name).toBeGreaterThanOrEqual(casesEach)
    expect(own.at(-1)!.rssMb - own[0]!.rssMb, `memory of ${name}`).toBeLessThan(limits?.growthMb ?? maxGrowthMb)
  }
  // Damage that always ends in a refusal would test little more than the first lines of each decoder.
  expect(outcomes.reduce((read, one) => read + one.readable, 0)).toBeGreaterThan(casesEach * names.length * 0.02)
}, 60_000 + casesEach * decoders.length * 50)
