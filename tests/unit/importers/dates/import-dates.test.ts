import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ImportedStudy } from '../../../../engine/domain/import.ts'
import type { Mapping } from '../../../../engine/domain/mapping.ts'
import { defaultPrivacy, privacyOptionsSchema } from '../../../../engine/domain/privacy.ts'
import { mappedDatesSchema, type MappedDates } from '../../../../engine/domain/visit-dates.ts'
import { checkImport } from '../../../../engine/importers/check.ts'
import { inspectTable } from '../../../../engine/importers/inspect-table.ts'
import { shiftDaysOf } from '../../../../engine/importers/privacy/scrub.ts'
import { runImport } from '../../../../engine/importers/run-import.ts'
import { imageElements, makeValues, toBytes, writeDicom, type Elements } from '../dicom/make-dicom.ts'
import { createContext, makeFolder, plainMapping, png, writeFiles } from '../helpers.ts'

const pseudonymKey = 'test key'
const dayMs = 86_400_000
const datesOf = (dates: Partial<MappedDates>) => mappedDatesSchema.parse(dates)

function dicom(elements: Elements): Buffer {
  const shape = { rows: 24, columns: 32, bits: 12 } as const
  return writeDicom({ ...imageElements(shape), '0028,1050': ['DS', '2048'], '0028,1051': ['DS', '3000'], ...elements }, toBytes(makeValues(shape, 1), 2))
}

async function importTable(table: string, changes: Partial<Mapping>, files: Record<string, Buffer> = {}) {
  const folder = await makeFolder()
  await writeFiles(folder, { 'a.png': await png(1), ...files, 'table.csv': table })
  const source = { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }
  const mapping: Mapping = { ...plainMapping, rowUnit: { kind: 'row' }, privacy: defaultPrivacy, ...changes }
  const request = { source, mapping, pseudonymKey }
  const check = await checkImport(request, createContext())
  const run = async (): Promise<ImportedStudy[]> => {
    const context = createContext()
    await runImport({ ...request, fromOrdinal: 0, tableSha256: null }, context)
    return context.data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies : []))
  }
  return { check, run, inspect: () => inspectTable({ source }, createContext()) }
}
const apart = (a: string | null | undefined, b: string | null | undefined): number => (Date.parse(b!) - Date.parse(a!)) / dayMs

describe('the days of studies', () => {
  it('are moved by the days by which the notes of the patient are, so that every interval stays', async () => {
    const { run } = await importTable('id,image,note,when,A,B\n7,a.png,"CT on 14 March 2020, control in 2021-04-30",2020-03-14,1,0\n7,a.png,n,2021-04-30,0,1\n8,a.png,n,20200314,0,1\n', { dates: datesOf({ study: 'when' }) })
    const studies = await run()
    expect(studies.map(({ date }) => date!.problems)).toEqual([[], [], []])
    expect(apart(studies[0]!.date!.day, studies[1]!.date!.day)).toBe(412)
    expect(apart('2020-03-14', studies[0]!.date!.day)).toBe(shiftDaysOf(pseudonymKey, '7'))
    expect(apart('2020-03-14', studies[2]!.date!.day)).toBe(shiftDaysOf(pseudonymKey, '8'))
    expect(studies[0]!.items[1]!.text).toBe(`CT on ${studies[0]!.date!.day}, control in ${studies[1]!.date!.day}`)
    expect(JSON.stringify(studies)).not.toMatch(/2020-03-14|20200314|2021-04-30/)
  })

  it('are asked for or refused while day and month cannot be told apart, and never guessed', async () => {
    const table = 'id,image,note,when,A,B\n1,a.png,n,03/04/2020,1,0\n2,a.png,n,05/06/2020,0,1\n'
    const open = await importTable(table, { dates: datesOf({ study: 'when' }) })
    expect(open.check.issues.find(({ code }) => code === 'IMPORT_DATE_ORDER')).toMatchObject({ severity: 'blocks' })
    await expect(open.run()).rejects.toMatchObject({ code: 'IMPORT_DATE_ORDER' })
    const inspection = await open.inspect()
    expect(inspection.columns.find(({ name }) => name === 'when')?.dates).toMatchObject({ needOrder: 2, orders: ['day-first', 'month-first'] })
    for (const [studyOrder, days] of [['day-first', ['2020-04-03', '2020-06-05']], ['month-first', ['2020-03-04', '2020-05-06']]] as const) {
      const studies = await (await importTable(table, { dates: datesOf({ study: 'when', studyOrder }) })).run()
      expect(studies.map(({ date }, i) => new Date(Date.parse(date!.day!) - shiftDaysOf(pseudonymKey, String(i + 1)) * dayMs).toISOString().slice(0, 10))).toEqual(days)
    }
  })

  it('are compared with the order in which texts are read', async () => {
    const table = 'id,image,note,when,A,B\n1,a.png,n,25/04/2020,1,0\n'
    const codes = async (privacy: Mapping['privacy']) => (await importTable(table, { dates: datesOf({ study: 'when' }), privacy })).check.issues.map(({ code }) => code)
    expect(await codes(defaultPrivacy)).toContain('IMPORT_DATE_TEXTS')
    expect(await codes(privacyOptionsSchema.parse({ dateOrder: 'day-first' }))).not.toContain('IMPORT_DATE_TEXTS')
  })

  it('tell every cell that does not fit the chosen order as unreadable', async () => {
    const { check, run } = await importTable('id,image,note,when,A,B\n1,a.png,n,03/25/2020,1,0\n2,a.png,n,05/06/2020,0,1\n', { dates: datesOf({ study: 'when', studyOrder: 'day-first' }) })
    expect(check.issues.find(({ code }) => code === 'IMPORT_DATE_UNREADABLE')).toMatchObject({ count: 1, severity: 'note', examples: [{ row: 2, detail: expect.not.stringMatching(/25/) }] })
    expect((await run()).map(({ date }) => [date!.day === null, date!.problems])).toEqual([[true, ['unreadable']], [false, []]])
  })

  it('of the rows of one study that differ are told with the rows, and the earliest counts', async () => {
    const table = 'id,image,note,when,A,B\n1,a.png,n,2020-05-05,1,0\n2,a.png,n,2020-05-05,0,1\n1,,more,2020-03-01,1,0\n2,,more,05 May 2020,0,1\n1,,again,,1,0\n'
    const { check, run } = await importTable(table, { rowUnit: { kind: 'patient' }, dates: datesOf({ study: 'when' }) })
    expect(check.issues.find(({ code }) => code === 'IMPORT_DATE_ROWS')).toMatchObject({ severity: 'note', count: 1, examples: [{ row: 2, detail: 'Rows 2, 4 and 6 belong to one study but have different dates; the earliest counts.' }] })
    const [first, second] = await run()
    expect(first!.date!.problems).toEqual(['rows-differ'])
    expect(second!.date!.problems).toEqual([])
    expect(apart('2020-03-01', first!.date!.day)).toBe(shiftDaysOf(pseudonymKey, '1'))
  })

  it('that cannot be true are kept apart, row by row', async () => {
    const table = 'id,image,note,when,born,age,A,B\n1,a.png,n,2999-01-01,,40,1,0\n2,a.png,n,1890-05-05,,40,0,1\n3,a.png,n,2019-05-05,2020-01-01,1,0,1\n4,a.png,n,2019-05-05,1960-01-01,30,0,1\n5,a.png,n,soon,,40,0,1\n6,a.png,n,2019,,40,0,1\n7,a.png,n,,,40,0,1\n8,a.png,n,2019-05-05,1970-01-01,49,1,1\n'
    const { check, run } = await importTable(table, { dates: datesOf({ study: 'when', birth: 'born' }), attributes: { age: 'age', sex: null } })
    const counts = Object.fromEntries(check.issues.filter(({ code }) => code.startsWith('IMPORT_DATE')).map(({ code, count }) => [code, count]))
    expect(counts).toEqual({ IMPORT_DATE_IMPOSSIBLE: 3, IMPORT_DATE_AGE: 1, IMPORT_DATE_UNREADABLE: 2 })
    expect(check).toMatchObject({ rowsIn: 8, rowsAccepted: 8 })
    expect((await run()).map(({ date }) => date!.problems)).toEqual([['future'], ['too-early'], ['before-birth'], ['age-differs'], ['unreadable'], ['no-day'], [], []])
  })

  it('and ages follow from a date of birth that is nowhere in what leaves the importer', async () => {
    const table = 'id,image,note,when,born,A,B\n1,a.png,born {x} 1980-05-06,2020-05-05,1980-05-06,1,0\n2,a.png,n,2020-05-05,1925-01-01,0,1\n'
    const dates = datesOf({ study: 'when', birth: 'born' })
    const slots = plainMapping.slots.map((mapped) => (mapped.slot.modality === 'text' ? { ...mapped, source: { kind: 'template' as const, template: '{note} / {born}' } } : mapped)) as Mapping['slots']
    const studies = await (await importTable(table, { dates, slots })).run()
    expect(studies.map(({ ageYears }) => ageYears)).toEqual([39, 90])
    expect(JSON.stringify(studies)).not.toMatch(/1980-05-06|1925/)
    const bare = await (await importTable(table, { dates, privacy: privacyOptionsSchema.parse({ characteristics: 'remove', dates: 'remove' }) })).run()
    expect(bare.map(({ ageYears, date }) => [ageYears, date])).toEqual([[null, { day: null, problems: [] }], [null, { day: null, problems: [] }]])
  })

  it('come from the headers of DICOM images where the table has none, and contradict it where they do', async () => {
    const files = { 'a.dcm': dicom({ '0008,0020': ['DA', '20200314'], '0010,0030': ['DA', '19600101'] }), 'b.dcm': dicom({ '0008,0022': ['DA', '2020.03.20'] }) }
    const table = 'id,image,note,when,A,B\n1,a.dcm,n,,1,0\n1,b.dcm,n,2020-05-05,0,1\n1,b.dcm,x,2020-03-21,0,1\n'
    const { check, run } = await importTable(table, { dates: datesOf({ study: 'when' }) }, files)
    const studies = await run()
    expect(studies.map(({ date }) => date!.problems)).toEqual([[], ['header-differs'], []])
    expect(apart('2020-03-14', studies[0]!.date!.day)).toBe(shiftDaysOf(pseudonymKey, '1'))
    expect(studies[0]!.ageYears).toBe(60)
    expect(check.issues.find(({ code }) => code === 'IMPORT_DATE_HEADER')).toMatchObject({ count: 1, examples: [{ row: 3 }] })
    expect(check.privacy!.headers!.attributes.find(({ name }) => name === 'StudyDate')).toMatchObject({ fate: 'shifted' })
    const removed = await importTable(table, { dates: datesOf({ study: 'when' }), privacy: privacyOptionsSchema.parse({ dates: 'remove' }) }, files)
    expect(removed.check.privacy!.headers!.attributes.find(({ name }) => name === 'StudyDate')).toMatchObject({ fate: 'removed' })
    const without = await importTable(table, {}, files)
    expect((await without.run()).every(({ date }) => date === undefined)).toBe(true)
  })

  it('are found by title and cells, with the order that their cells prove', async () => {
    const { inspect } = await importTable('id,image,note,Study Date,DOB,A,B\n1,a.png,n,25/04/2020,1960-01-01,1,0\n2,a.png,n,03/04/2020,,0,1\n', {})
    expect((await inspect()).suggestion?.mapping.dates).toEqual({ study: 'Study Date', studyOrder: 'day-first', birth: 'DOB', birthOrder: null })
    const { inspect: other } = await importTable('id,image,note,date,A,B\n1,a.png,n,follow-up,1,0\n2,a.png,n,first,0,1\n', {})
    expect((await other()).suggestion?.mapping.dates).toMatchObject({ study: null, birth: null })
  })
})
