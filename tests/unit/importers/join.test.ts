import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Mapping, TableJoin } from '../../../engine/domain/mapping.ts'
import { checkImport } from '../../../engine/importers/check.ts'
import { inspectTable } from '../../../engine/importers/inspect-table.ts'
import { createIssueCollector } from '../../../engine/importers/issues.ts'
import { parseXmlReport } from '../../../engine/importers/reports/report-xml.ts'
import { openJoinedTable } from '../../../engine/importers/table/join-tables.ts'
import { createContext, makeFolder, png, writeFiles } from './helpers.ts'

const by = (table: string, changes: Partial<TableJoin> = {}): TableJoin => ({ table, sheet: null, column: 'id', otherColumn: 'ID', spreadBy: null, ...changes })

async function readJoined(files: Record<string, string>, tableJoin: TableJoin) {
  const folder = await makeFolder()
  await writeFiles(folder, files)
  const issues = createIssueCollector()
  const table = await openJoinedTable({ sourceDir: folder, tableFile: join(folder, 'a.csv'), sheet: null }, tableJoin, issues, new AbortController().signal)
  const rows: { row: number; cells: string[] }[] = []
  for await (const chunk of table.readRows()) rows.push(...chunk.map(({ row, cells }) => ({ row, cells })))
  return { table, rows, issues: issues.list() }
}

describe('openJoinedTable', () => {
  it('puts the cells of the second table beside the first, whatever its separator, and tells of rows alone', async () => {
    const { table, rows, issues } = await readJoined({ 'a.csv': 'id,age\n1,50\n2,60\n3,70\n', 'b.tsv': 'ID\tage\tnote\n2\t61\tx\n1\t51\ty\n9\t99\tz\n' }, by('b.tsv'))
    expect(table.columns).toEqual(['id', 'age', 'age (2)', 'note'])
    expect(rows).toEqual([{ row: 2, cells: ['1', '50', '51', 'y'] }, { row: 3, cells: ['2', '60', '61', 'x'] }, { row: 4, cells: ['3', '70', '', ''] }])
    expect(issues).toMatchObject([{ code: 'IMPORT_JOIN_UNMATCHED', count: 2 }])
  })

  it('gives several rows of one ID columns of their own, by number or by view', async () => {
    const files = { 'a.csv': 'id,age\n1,50\n2,60\n', 'b.csv': 'ID,file,view\n1,a,PA\n1,b,LL\n1,c,PA\n2,d,LL\n' }
    const numbered = await readJoined(files, by('b.csv'))
    expect(numbered.table.columns).toEqual(['id', 'age', 'file', 'view', 'file 2', 'view 2', 'file 3', 'view 3'])
    const spread = await readJoined(files, by('b.csv', { spreadBy: 'view' }))
    expect(spread.table.columns).toEqual(['id', 'age', 'LL file', 'PA file', 'PA file 2'])
    expect(spread.rows.map(({ cells }) => cells.slice(2))).toEqual([['b', 'a', 'c'], ['d', '', '']])
  })

  it('counts rows without an ID and beyond the eighth instead of losing them in silence', async () => {
    const { table, issues } = await readJoined({ 'a.csv': 'id,age\n1,50\n', 'b.csv': `ID,file\n${'1,x\n'.repeat(10)},y\n` }, by('b.csv'))
    expect(table.columns).toHaveLength(10)
    expect(issues).toMatchObject([{ code: 'IMPORT_JOIN_UNMATCHED', count: 3 }])
  })

  it('changes the hash with either table, and refuses columns that are not there', async () => {
    const files = { 'a.csv': 'id,age\n1,50\n', 'b.csv': 'ID,file\n1,x\n' }
    const [one, two] = [await readJoined(files, by('b.csv')), await readJoined({ ...files, 'b.csv': 'ID,file\n1,z\n' }, by('b.csv'))]
    expect(one.table.sha256).not.toBe(two.table.sha256)
    await expect(readJoined(files, by('b.csv', { otherColumn: 'no' }))).rejects.toMatchObject({ code: 'IMPORT_COLUMN_MISSING' })
    await expect(readJoined(files, by('gone.csv'))).rejects.toMatchObject({ code: 'IMPORT_TABLE_MISSING' })
  })
})

describe('Indiana layout, synthetic', () => {
  const reports = 'uid,MeSH,Problems,image,indication,comparison,findings,impression\n1,normal,normal,x,Cough,None,Clear lungs.,No disease.\n2,Opacity/lung,Opacity;Pulmonary Disease,x,,,,Opacity XXXX.\n3,normal,normal,x,,,Only findings.,\n'
  const projections = 'uid,filename,projection\n1,1_IM-1.dcm.png,Frontal\n1,1_IM-2.dcm.png,Lateral\n2,2_IM-1.dcm.png,Lateral\n3,3_IM-1.dcm.png,Frontal\n3,3_IM-2.dcm.png,Frontal\n'

  it.each(['reports.csv', 'projections.tsv'])('both tables are found from %s; images, texts and labels are joined', async (named) => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'reports.csv': reports, 'projections.tsv': projections.replaceAll(',', '\t'), 'png/1_IM-1.dcm.png': await png(1), 'png/1_IM-2.dcm.png': await png(2), 'png/2_IM-1.dcm.png': await png(3), 'png/3_IM-1.dcm.png': await png(4), 'png/3_IM-2.dcm.png': await png(5) })
    const inspection = await inspectTable({ source: { sourceDir: folder, tableFile: join(folder, named), sheet: null } }, createContext())
    expect(inspection.join).toMatchObject({ table: 'projections.tsv', column: 'uid', otherColumn: 'uid', spreadBy: 'projection' })
    expect(inspection.suggestion!.explanation).toContain('"Frontal filename 2"')
    const mapping: Mapping = inspection.suggestion!.mapping
    const check = await checkImport({ source: inspection.source, mapping, pseudonymKey: 'k' }, createContext())
    expect(check).toMatchObject({ rowsIn: 3, rowsRejected: 0, studyCount: 3 })
    expect(check.patternCounts.map(({ pattern }) => pattern).sort()).toEqual(['frontal+lateral+report+indication', 'frontal+report', 'lateral+report'])
    expect(check.labelCounts.map(({ name, positives }) => [name, positives])).toEqual([['normal', 2], ['Opacity', 1], ['Pulmonary Disease', 1]])
    expect(check.issues.map(({ code }) => code)).toContain('IMPORT_TEXT_GAPS')
  })

  it('a chosen "no second table" is kept', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'reports.csv': reports, 'projections.csv': projections })
    const inspection = await inspectTable({ source: { sourceDir: folder, tableFile: join(folder, 'reports.csv'), sheet: null }, join: null }, createContext())
    expect(inspection).toMatchObject({ join: null, suggestion: { mapping: { profile: 'indiana' } } })
    expect(inspection.suggestion!.mapping.slots.map(({ slot }) => slot.slotId)).toEqual(['report', 'indication'])
  })
})

describe('XML reports', () => {
  const report = (uid: string, sections: string): string => `<?xml version="1.0" encoding="utf-8"?>\n<eCitation><uId id="CXR${uid}"/><Abstract>${sections}</Abstract><MeSH><major>Opacity/lung &amp; base</major><major>normal</major></MeSH><parentImage id="CXR${uid}_1_IM-1"/></eCitation>\n`

  it('keeps empty sections apart from the next one, and reads entities and CDATA', () => {
    const parsed = parseXmlReport(report('7', '<AbstractText Label="FINDINGS"/><AbstractText Label="IMPRESSION">A &lt; B &#38; <![CDATA[C < D & E]]></AbstractText>'))
    expect(parsed).toMatchObject({ uid: '7', terms: ['Opacity/lung & base', 'normal'], images: ['CXR7_1_IM-1'] })
    expect([...parsed!.sections]).toEqual([['impression', 'A < B & C < D & E']])
    expect(parseXmlReport(report('7', '').slice(0, -20))).toBeNull()
  })

  it('a folder of them is a table; one cut short is a rejected row', async () => {
    const folder = await makeFolder()
    const text = '<AbstractText Label="FINDINGS">Clear.</AbstractText>'
    await writeFiles(folder, { 'xml/10.xml': report('10', text), 'xml/2.xml': report('2', text), 'xml/3.xml': report('3', text).slice(0, 90), 'xml/other.xml': '<html/>', 'png/CXR2_1_IM-1.png': await png(1) })
    const inspection = await inspectTable({ source: { sourceDir: folder, tableFile: folder, sheet: null } }, createContext())
    expect(inspection).toMatchObject({ format: 'reports', rowCount: 3, suggestion: { isRecognised: true, mapping: { profile: 'indiana-xml' } } })
    const check = await checkImport({ source: inspection.source, mapping: inspection.suggestion!.mapping, pseudonymKey: 'k' }, createContext())
    expect(check).toMatchObject({ rowsIn: 3, rowsAccepted: 2, rowsRejected: 1 })
    expect(check.absences).toEqual(expect.arrayContaining([{ slotId: 'image-1', reason: 'file-missing', count: 1 }]))
  })
})
