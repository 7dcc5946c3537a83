import { describe, expect, it } from 'vitest'
import { csvOf, fileNameOf } from '../../../../../renderer/composables/run/csv-text.ts'

describe('csvOf', () => {
  it('quotes what needs quoting and leaves gaps empty', () => {
    expect(csvOf(['a', 'b'], [['x,"y"', null], [1.5, true]])).toBe('\uFEFFa,b\r\n"x,""y""",\r\n1.5,true\r\n')
  })
  it('keeps a spreadsheet from running text as a formula, but leaves numbers alone', () => {
    expect(csvOf(['a'], [['=1+1'], [-2]])).toBe("\uFEFFa\r\n'=1+1\r\n-2\r\n")
  })
})

describe('fileNameOf', () => {
  it('has only characters that every system takes', () => {
    expect(fileNameOf('Näve: run/1', 'loss')).toMatch(/^[\w.-]+$/)
    expect(fileNameOf('MoRA, both eyes', 'loss')).toBe('MoRA-both-eyes-loss')
  })
})
