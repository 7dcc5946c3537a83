import { describe, expect, it } from 'vitest'
import { missingnessTableSchema, type LossDriver, type MissingnessTable } from '../../../engine/domain/missingness.ts'
import type { Slot } from '../../../engine/domain/slots.ts'
import { drawTable, type MissingnessCase } from '../../../engine/training/missingness/missingness-table.ts'
import { createRng } from '../../../engine/training/rng.ts'
import type { z } from 'zod'

const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]
const complete = 'right-eye+left-eye+notes'
const count = 6000
const image = { kind: 'modality', modality: 'image' } as const
const text = { kind: 'modality', modality: 'text' } as const
const age: LossDriver = { kind: 'age' }

const ages = Array.from({ length: count }, (_, i) => 20 + (i % 60))
const cases: MissingnessCase[] = ages.map((years, i) => ({ pattern: complete, valueOf: (driver) => (driver.kind === 'age' ? years : driver.kind === 'sex' ? (i % 3 === 0 ? 'male' : 'female') : (i % 5 === 0 ? 1 : 0)) }))
const draw = (table: z.input<typeof missingnessTableSchema>, of: readonly MissingnessCase[] = cases): string[] => {
  const parsed: MissingnessTable = missingnessTableSchema.parse(table)
  return drawTable(slots, of, parsed, createRng(parsed.seed)).patterns
}
const share = (patterns: readonly string[], isIt: (pattern: string, i: number) => boolean) => patterns.filter(isIt).length / patterns.length
const lostText = (pattern: string) => !pattern.includes('notes')
// Three standard errors of a share of 6000 studies are 0.02.
const near = 0.025

describe('drawTable', () => {
  it('loses each target at its rate, one eye alone where one eye is meant', () => {
    const shown = draw({ losses: [{ target: { kind: 'slot', slotId: 'left-eye' }, rate: 0.3 }, { target: text, rate: 0.2 }] })
    expect(Math.abs(share(shown, (pattern) => !pattern.includes('left-eye')) - 0.3)).toBeLessThan(near)
    expect(Math.abs(share(shown, lostText) - 0.2)).toBeLessThan(near)
    expect(Math.abs(share(shown, (pattern) => pattern === 'right-eye') - 0.06)).toBeLessThan(near)
    expect(shown.every((pattern) => pattern.includes('right-eye'))).toBe(true)
  })

  it.each([0.5, 2, -1.5])('keeps the rate and leans on age with strength %d', (strength) => {
    const shown = draw({ losses: [{ target: text, rate: 0.4, mechanism: { kind: 'mar', driver: age, strength } }] })
    expect(Math.abs(share(shown, lostText) - 0.4)).toBeLessThan(near)
    const old = shown.filter((_, i) => ages[i]! >= 60)
    const young = shown.filter((_, i) => ages[i]! < 40)
    expect(Math.sign(share(old, lostText) - share(young, lostText))).toBe(Math.sign(strength))
    expect(Math.abs(share(old, lostText) - share(young, lostText))).toBeGreaterThan(0.1)
  })

  it('has the log-odds it was asked for', () => {
    const shown = draw({ losses: [{ target: text, rate: 0.4, mechanism: { kind: 'mnar', driver: { kind: 'label', labelId: 1 }, strength: 0.8 } }] })
    const odds = (isIt: (i: number) => boolean) => {
      const p = share(shown.filter((_, i) => isIt(i)), lostText)
      return Math.log(p / (1 - p))
    }
    // The label is 1 in a fifth: its standard deviation is 0.4, so from 0 to 1 the log-odds rise by 0.8 / 0.4 = 2.
    expect(Math.abs(odds((i) => i % 5 === 0) - odds((i) => i % 5 !== 0) - 2)).toBeLessThan(0.25)
  })

  it.each([[0.8, 1], [-0.8, -1], [0, 0]] as const)('ties losses by a correlation of %d', (correlation, sign) => {
    const shown = draw({ losses: [{ target: { kind: 'slot', slotId: 'left-eye' }, rate: 0.4 }, { target: text, rate: 0.4 }], correlation })
    const both = share(shown, (pattern) => pattern === 'right-eye')
    expect(Math.abs(share(shown, lostText) - 0.4)).toBeLessThan(near)
    if (sign === 0) expect(Math.abs(both - 0.16)).toBeLessThan(near)
    else expect(sign * (both - 0.16)).toBeGreaterThan(0.07)
  })

  it('never leaves a study with nothing and says how often it had to step in', () => {
    const table = missingnessTableSchema.parse({ losses: [{ target: image, rate: 1 }, { target: text, rate: 1 }] })
    const { patterns, restored } = drawTable(slots, cases, table, createRng(1))
    expect(new Set(patterns)).toEqual(new Set(['right-eye+left-eye', 'notes']))
    expect(restored).toHaveLength(count)
    expect(Math.abs(share(patterns, (pattern) => pattern === 'notes') - 0.5)).toBeLessThan(near)
  })

  it('loses one thing at most when losses exclude each other', () => {
    const shown = draw({ losses: [{ target: image, rate: 0.35 }, { target: text, rate: 0.35 }], exclusive: true })
    expect(Math.abs(share(shown, (pattern) => pattern === complete) - 0.3)).toBeLessThan(near)
    expect(missingnessTableSchema.safeParse({ losses: [{ target: image, rate: 0.7 }, { target: text, rate: 0.7 }], exclusive: true }).success).toBe(false)
  })

  it('is a matter of the seed, and of nothing that happens to another study', () => {
    const table = { losses: [{ target: text, rate: 0.3 }], seed: 7 }
    expect(draw(table)).toEqual(draw(table))
    expect(draw({ ...table, seed: 8 })).not.toEqual(draw(table))
    const changed = cases.map((item, i) => (i === 0 ? { ...item, pattern: 'notes' } : item))
    expect(draw(table, changed).slice(1)).toEqual(draw(table).slice(1))
  })

  it('treats an unknown driver as an average one', () => {
    const unknown = cases.map((item, i) => (i % 2 === 0 ? { ...item, valueOf: () => null } : item))
    const shown = draw({ losses: [{ target: text, rate: 0.5, mechanism: { kind: 'mar', driver: age, strength: 1 } }] }, unknown)
    expect(Math.abs(share(shown.filter((_, i) => i % 2 === 0), lostText) - 0.5)).toBeLessThan(0.04)
  })
})
