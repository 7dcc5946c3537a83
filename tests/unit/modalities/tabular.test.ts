import { describe, expect, it } from 'vitest'
import { encodeTabular, fitTabular, TABULAR_WIDTH } from '../../../engine/modalities/tabular.ts'

const rows = [{ age: 40, sex: 'female' }, { age: 60, sex: 'male' }, { age: 80, sex: 'female' }, { age: null, sex: null }]
const statistics = fitTabular(rows)
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
const minus = (a: Float32Array, b: Float32Array) => a.map((value, i) => value - b[i]!)

describe('tabular values', () => {
  it('counts mean, spread and categories over what is known', () => {
    expect(statistics).toEqual([
      { kind: 'number', column: 'age', mean: 60, deviation: Math.sqrt(800 / 3) },
      { kind: 'category', column: 'sex', categories: ['female', 'male'] },
    ])
    expect(fitTabular([{ empty: null }])).toEqual([])
  })

  it('moves along one direction with the number, in units of its spread', () => {
    const at = (age: number) => encodeTabular({ age, sex: 'male' }, statistics)
    const step = minus(at(60 + Math.sqrt(800 / 3)), at(60))
    expect(Math.sqrt(dot(step, step))).toBeCloseTo(1 / Math.sqrt(2), 5)
    const twice = minus(at(60 + 2 * Math.sqrt(800 / 3)), at(60))
    twice.forEach((value, i) => expect(value).toBeCloseTo(2 * step[i]!, 5))
    expect(at(1e9)).toEqual(at(60 + 5.0001 * Math.sqrt(800 / 3)))
  })

  it('tells categories, blanks and unseen words apart', () => {
    const of = (sex: string | null) => [...encodeTabular({ age: 60, sex }, statistics)].join()
    expect(new Set([of('female'), of('male'), of(null), of('diverse')]).size).toBe(4)
    expect(of('diverse')).toBe(of('other'))
    expect([...encodeTabular({ age: null, sex: 'male' }, statistics)].join()).not.toBe(of('male'))
  })

  it('has one length and one meaning whatever the fold counted', () => {
    expect(encodeTabular({}, [])).toEqual(new Float32Array(TABULAR_WIDTH))
    const other = fitTabular([{ age: 30, sex: 'male' }, { age: 50, sex: 'other' }, { age: 70, sex: 'female' }])
    const sexOf = (counted: typeof statistics) => minus(encodeTabular({ age: null, sex: 'male' }, counted), encodeTabular({ age: null, sex: 'female' }, counted))
    sexOf(statistics).forEach((value, i) => expect(value).toBeCloseTo(sexOf(other)[i]!, 6))
  })
})
