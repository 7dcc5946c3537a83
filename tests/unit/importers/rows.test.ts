import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Mapping } from '../../../engine/domain/mapping.ts'
import { createIssueCollector } from '../../../engine/importers/issues.ts'
import { notePlaceholderAges, parseAge, parseSex } from '../../../engine/importers/rows/demographics.ts'
import { createRowGrouper } from '../../../engine/importers/rows/group-rows.ts'
import { buildVocabulary, mergeLabels, parseLabelList, parseLabelValue, type RowLabels } from '../../../engine/importers/rows/labels.ts'
import { createColumnLookup } from '../../../engine/importers/rows/mapped-columns.ts'
import { compileTemplate } from '../../../engine/importers/rows/text-template.ts'
import { plainMapping } from './helpers.ts'

describe('labels', () => {
  it.each([['1', 1], ['1.0', 1], ['Yes', 1], ['TRUE', 1], ['x', 1], ['0', 0], ['no', 0], ['False', 0], ['', null], ['NaN', null], ['n/a', null], ['2', undefined], ['-1', undefined], ['maybe', undefined], ['-', undefined], ['none', undefined]])('value %j is %s', (cell, value) => {
    expect(parseLabelValue(cell)).toBe(value)
  })

  it.each([
    ["['N', 'D']", ['N', 'D']], ['["a, b", "c"]', ['a, b', 'c']], ['[]', []], ['', null], ['N，D、C', ['N', 'D', 'C']], ['COVID-19, ARDS', ['COVID-19', 'ARDS']],
    ['a;b|c', ['a', 'b', 'c']], [' , ', null], ["('A',)", ['A']], ['[A, B]', ['A', 'B']], ["['it\\'s']", ["it's"]],
  ])('list %j is %j', (cell, names) => expect(parseLabelList(cell, ',;|')).toEqual(names))

  it('joins spellings that differ in capitals and says so', () => {
    const issues = createIssueCollector()
    const rows: RowLabels[] = ['Normal', 'normal', 'Normal', 'AMD'].map((name) => ({ kind: 'names', names: new Map([[name.toLowerCase(), name]]) }))
    const vocabulary = buildVocabulary({ kind: 'single', column: 'c' }, rows, issues)
    expect([vocabulary.names, vocabulary.task]).toEqual([['AMD', 'Normal'], 'multi-class'])
    expect(rows.map(vocabulary.toValues)).toEqual([[0, 1], [0, 1], [0, 1], [1, 0]])
    expect(vocabulary.toValues({ kind: 'names', names: null })).toEqual([null, null])
    expect(issues.list().map(({ code }) => code)).toEqual(['IMPORT_LABEL_SPELLINGS'])
  })

  it('merges by completing, never by choosing (property)', () => {
    const value = fc.constantFrom(0 as const, 1 as const, null)
    fc.assert(fc.property(fc.array(fc.tuple(value, value), { maxLength: 8 }), (pairs) => {
      const merged = mergeLabels({ kind: 'values', values: pairs.map(([a]) => a) }, { kind: 'values', values: pairs.map(([, b]) => b) })
      const contradicts = pairs.some(([a, b]) => a !== null && b !== null && a !== b)
      expect(merged === null).toBe(contradicts)
      if (merged?.kind === 'values') expect(merged.values).toEqual(pairs.map(([a, b]) => a ?? b))
    }))
  })
})

describe('text templates', () => {
  const lookup = createColumnLookup(['Age', 'Sex', 'Right', 'Left'])
  const render = (template: string, cells: string[]): string | null => compileTemplate(template, lookup, { age: 'Age', sex: 'Sex' })(cells)
  it.each([
    ['{Age} year old {Sex}', ['69', 'Female', '', ''], '69 year old female'],
    ['{Age} year old {Sex}', ['69.0', 'M', '', ''], '69 year old male'],
    ['{Age} year old {Sex}', ['', '', '', ''], null],
    ['Right eye: {Right}. Left eye: {Left}.', ['', '', 'normal', 'cataract'], 'Right eye: normal. Left eye: cataract.'],
    ['Right eye: {Right}. Left eye: {Left}.', ['', '', 'NaN', 'cataract'], 'Left eye: cataract.'],
    ['Notes: {Right}', ['', '', 'n/a', ''], null],
    ['{ Right }', ['', '', 'a  b', ''], 'a b'],
  ])('%j of %j is %j', (template, cells, text) => expect(render(template, cells)).toBe(text))
  it('refuses unknown columns', () => expect(() => render('{Weight}', [])).toThrow('no column named "Weight"'))
})

describe('demographics', () => {
  it.each([['69', 69], ['069Y', 69], ['6 months', 0.5], ['18M', 1.5], ['-3', null], ['250', null], ['adult', null], ['', null]])('age %j is %s', (cell, ageYears) => {
    expect(parseAge(cell).ageYears).toBe(ageYears)
  })
  it.each([['F', 'female'], ['Male', 'male'], ['女', 'female'], ['divers', 'other'], ['1', null], ['', null]])('sex %j is %s', (cell, sex) => expect(parseSex(cell)).toBe(sex))

  it('notes placeholder ages among adults, not infants among children', () => {
    const adults = [...Array.from({ length: 100 }, (_, i) => 30 + (i % 50)), 1, 1, 1, 1].map((ageYears, row) => ({ ageYears, row }))
    const children = Array.from({ length: 100 }, (_, i) => ({ ageYears: i % 12, row: i }))
    const noted = [adults, children].map((ages) => {
      const issues = createIssueCollector()
      notePlaceholderAges(ages, issues)
      return issues.list().map(({ code, count }) => [code, count])
    })
    expect(noted).toEqual([[['IMPORT_AGE_PLACEHOLDER', 4]], []])
  })
})

describe('grouping', () => {
  const columns = ['id', 'image', 'note', 'A', 'B', 'visit', 'view']
  const group = (rows: string[][], change: Partial<Mapping> = {}) => {
    const issues = createIssueCollector()
    const grouper = createRowGrouper({ ...plainMapping, ...change }, columns, issues)
    for (const [index, cells] of rows.entries()) grouper.add({ row: index + 2, cells: [...cells, ...Array<string>(columns.length - cells.length).fill('')], problem: null })
    return { ...grouper.finish(), issues: issues.list() }
  }

  it('joins rows that agree or complete each other', () => {
    const { studies, rejected } = group([['7', 'a.jpg', '', '1', ''], ['8', 'b.jpg', 'x', '0', '0'], ['7', '', 'later', '', '0'], ['07', 'c.jpg', '', '', '']])
    expect(rejected).toEqual([])
    expect(studies.map(({ patientId, rows, values }) => ({ patientId, rows, values }))).toEqual([
      { patientId: '7', rows: [2, 4], values: ['a.jpg', 'later'] }, { patientId: '8', rows: [3], values: ['b.jpg', 'x'] }, { patientId: '07', rows: [5], values: ['c.jpg', null] },
    ])
    expect(studies[0]!.labels).toEqual({ kind: 'values', values: [1, 0] })
  })

  it('rejects repeats, contradictions and blank IDs with rows named, and no cell content', () => {
    const { studies, rejected, rowsIn } = group([
      ['7', 'a.jpg', 'n', '1', '0'], ['7', 'a.jpg', 'n', '1', '0'], ['8', 'b.jpg', '', '1', ''], ['8', 'b.jpg', '', '0', ''], [' ', 'c.jpg', '', '', ''], ['9', 'd.jpg', '', 'secret', ''],
      ['10', 'e.jpg', '', '', ''], ['10', 'f.jpg', '', '', ''],
    ])
    expect(rejected.map(({ row, code, detail }) => [row, code, detail])).toEqual([
      [3, 'IMPORT_DUPLICATE_ROW', 'Row 3 repeats row 2.'],
      [4, 'IMPORT_CONFLICTING_ROWS', 'Rows 4 and 5 belong to one patient but have different labels.'],
      [5, 'IMPORT_CONFLICTING_ROWS', 'Rows 4 and 5 belong to one patient but have different labels.'],
      [6, 'IMPORT_ID_BLANK', 'Row 6: column "id" holds no patient ID.'],
      [7, 'IMPORT_LABEL_INVALID', 'Row 7: column "A" holds neither yes, no nor blank.'],
      [8, 'IMPORT_CONFLICTING_ROWS', 'Rows 8 and 9 belong to one patient but name different files for "Photo".'],
      [9, 'IMPORT_CONFLICTING_ROWS', 'Rows 8 and 9 belong to one patient but name different files for "Photo".'],
    ])
    expect(studies.flatMap(({ rows }) => rows).length + rejected.length).toBe(rowsIn)
  })

  it('keeps visits apart by a study column and views by slot', () => {
    const view = (value: string) => ({ slot: { slotId: value, modality: 'image' as const, title: value, letter: value[0]! }, source: { kind: 'column' as const, column: 'image', view: { column: 'view', values: [value.toUpperCase()] } } })
    const { studies, issues } = group([
      ['7', 'a.jpg', '', '', '', 'v1', 'PA'], ['7', 'b.jpg', '', '', '', 'v1', 'Lateral'], ['7', 'c.jpg', '', '', '', 'v2', 'pa'], ['7', 'd.jpg', '', '', '', 'v2', 'oblique'],
    ], { rowUnit: { kind: 'study', column: 'visit' }, slots: [view('pa'), view('lateral')] })
    expect(studies.map(({ studyId, values }) => [studyId, values])).toEqual([['v1', ['a.jpg', 'b.jpg']], ['v2', ['c.jpg', null]]])
    expect(issues.map(({ code, count }) => [code, count])).toEqual([['IMPORT_VIEW_UNMATCHED', 1]])
  })

  it('accounts for every row, whatever the rows (property)', () => {
    const row = fc.tuple(fc.constantFrom('1', '2', '3', ' ', '03'), fc.constantFrom('a.jpg', 'b.jpg', ''), fc.constantFrom('n', ''), fc.constantFrom('1', '0', '', 'bad'), fc.constantFrom('1', ''))
    fc.assert(fc.property(fc.array(row, { maxLength: 30 }), fc.constantFrom('patient' as const, 'row' as const), (rows, kind) => {
      const { studies, rejected, rowsIn } = group(rows, { rowUnit: { kind } })
      const accounted = [...studies.flatMap((study) => study.rows), ...rejected.map((entry) => entry.row)].sort((a, b) => a - b)
      expect(accounted).toEqual(rows.map((_, index) => index + 2))
      expect(rowsIn).toBe(rows.length)
    }))
  })
})
