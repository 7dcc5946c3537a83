import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ImportedStudy } from '../../../engine/domain/import.ts'
import { mappingSchema } from '../../../engine/domain/mapping.ts'
import { checkImport } from '../../../engine/importers/check.ts'
import { previewImport } from '../../../engine/importers/preview.ts'
import { runImport } from '../../../engine/importers/run-import.ts'
import type { EngineData } from '../../../engine/protocol.ts'
import { createContext, makeFolder, writeFiles } from './helpers.ts'

const pseudonymKey = 'test key'
const mapping = mappingSchema.parse({
  patientIdColumn: 'id',
  slots: [
    { slot: { slotId: 'clinic', modality: 'tabular', title: 'Clinic', letter: 'C' }, source: { kind: 'columns', columns: [{ column: 'Age' }, { column: 'Sex', values: 'category' }, { column: 'Pressure' }, { column: 'Site', values: 'category' }] } },
    { slot: { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' }, source: { kind: 'template', template: '{Note}' } },
  ],
  labels: { kind: 'list', column: 'Label' },
  attributes: { age: 'Age', sex: 'Sex' },
})

async function source(lines: string[]) {
  const folder = await makeFolder()
  await writeFiles(folder, { 'table.csv': `id;Age;Sex;Pressure;Site;Note;Label\n${lines.join('\n')}\n` })
  return { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }
}

const studiesOf = (data: readonly EngineData[]): ImportedStudy[] => data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies : []))
const tableOf = (study: ImportedStudy) => study.items.find((item) => item.slotId === 'clinic')!

describe('a tabular slot', () => {
  it('reads numbers with either decimal sign, ages and sexes of any coding, and is missing where every cell is blank', async () => {
    const from = await source(['1;63 years;F;120,5;A;seen;x', '2;;m;n/a;B;seen;y', '3;;;;;seen;x', '4;50;F;high;A;seen;y'])
    const context = createContext()
    await runImport({ source: from, mapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)
    const tables = studiesOf(context.data).map(tableOf)
    expect(tables.map((item) => item.text === null ? null : JSON.parse(item.text) as unknown)).toEqual([
      { Age: 63, Sex: 'female', Pressure: 120.5, Site: 'A' }, { Age: null, Sex: 'male', Pressure: null, Site: 'B' }, null, { Age: 50, Sex: 'female', Pressure: null, Site: 'A' },
    ])
    expect(tables[2]).toMatchObject({ isPresent: false, reason: 'not-collected' })
    const check = await checkImport({ source: from, mapping, pseudonymKey }, createContext())
    expect(check.patternCounts).toEqual([{ pattern: 'clinic+notes', count: 3 }, { pattern: 'notes', count: 1 }])
    expect(check.issues.find((issue) => issue.code === 'IMPORT_VALUE_NOT_NUMBER')).toMatchObject({ count: 1, severity: 'note' })
    const preview = await previewImport({ source: from, mapping, pseudonymKey, limit: 4 }, createContext())
    expect(preview.rows[0]!.texts.map(({ slotId }) => slotId)).toEqual(['clinic', 'notes'])
  })

  it('takes no number from a comma that may mark decimals or thousands, and says so', async () => {
    const from = await source(['1;63;F;150,000;A;seen;x', '2;50;F;0,125;A;seen;y', '3;50;F;98,50;A;seen;y', '4;50;F;1234,567;A;seen;y'])
    const context = createContext()
    await runImport({ source: from, mapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)
    expect(studiesOf(context.data).map((study) => (JSON.parse(tableOf(study).text!) as { Pressure: number | null }).Pressure)).toEqual([null, 0.125, 98.5, 1234.567])
    const check = await checkImport({ source: from, mapping, pseudonymKey }, createContext())
    expect(check.issues.find((issue) => issue.code === 'IMPORT_VALUE_NOT_NUMBER')).toMatchObject({ count: 1, severity: 'note' })
    expect(JSON.stringify(check.issues)).toContain('may mark decimals or thousands')
  })

  it('joins the rows of a patient that fill each other and rejects those that contradict', async () => {
    const from = await source(['1;63;F;;A;seen;x', '1;63;F;130;;again;x', '2;40;M;110;A;seen;y', '2;40;M;150;A;again;y'])
    const context = createContext()
    await runImport({ source: from, mapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)
    const studies = studiesOf(context.data)
    expect(studies).toHaveLength(1)
    expect(JSON.parse(tableOf(studies[0]!).text!)).toEqual({ Age: 63, Sex: 'female', Pressure: 130, Site: 'A' })
    expect(context.data[0]).toMatchObject({ start: { rejectedRows: [{ row: 4, code: 'IMPORT_CONFLICTING_ROWS' }, { row: 5 }] } })
  })
})
