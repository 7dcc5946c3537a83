import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { demoMapping, generateDemoCohort } from '../../../engine/demo/generate.ts'
import { checkImport } from '../../../engine/importers/check.ts'
import { inspectTable } from '../../../engine/importers/inspect-table.ts'
import { suggestMapping } from '../../../engine/importers/profiles/suggest-mapping.ts'
import { createContext, jpeg, makeFolder, writeFiles } from './helpers.ts'

const column = (name: string, samples: string[], distinctCount = samples.length, blankCount = 0) => ({ name, samples, distinctCount, blankCount })

describe('profiles', () => {
  it('recognises the demo cohort as its generator maps it', async () => {
    const demo = await generateDemoCohort({ outDir: await makeFolder(), patientCount: 40 })
    const source = { sourceDir: demo.sourceDir, tableFile: demo.tableFile, sheet: null }
    const { suggestion } = await inspectTable({ source }, createContext())
    expect(suggestion).toMatchObject({ isRecognised: true, mapping: demoMapping })
    expect(await checkImport({ source, mapping: demoMapping, pseudonymKey: 'k' }, createContext())).toMatchObject({ rowsIn: 40, rowsRejected: 0, patientCount: 40 })
  })

  it('recognises ODIR with padded and re-cased titles, and not with a label missing', () => {
    const titles = ['id', 'Patient age', 'PATIENT SEX', 'Left Fundus', 'right_fundus', 'Left-Diagnostic Keywords', 'Right-Diagnostic Keywords', 'N', 'D', 'G', 'C', 'A', 'H', 'M', 'O']
    const facts = { rowCount: 2, columns: titles.map((title) => column(title, ['0', '1'])), imageFileSamples: [] }
    const suggestion = suggestMapping(facts)
    expect(suggestion).toMatchObject({ isRecognised: true, mapping: { profile: 'odir', attributes: { age: 'Patient age', sex: 'PATIENT SEX' } } })
    expect(suggestMapping({ ...facts, columns: facts.columns.slice(0, -1) })?.mapping.profile ?? 'manual').toBe('manual')
  })

  it('guesses a table of no known layout, with images by file-name pattern', async () => {
    const folder = await makeFolder()
    const files: Record<string, Buffer | string> = { 'table.csv': `mrn;years;report;glaucoma;amd\n${['17', '018', '19'].map((id, i) => `${id};${60 + i};the optic disc looks quite pale today ${i};${i % 2};${(i + 1) % 2}\n`).join('')}` }
    for (const [i, id] of ['17', '018', '19'].entries()) files[`scans/${id}_OD.jpg`] = await jpeg(i)
    await writeFiles(folder, files)
    const source = { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }
    const { suggestion } = await inspectTable({ source }, createContext())
    expect(suggestion).toMatchObject({
      isRecognised: false,
      mapping: { patientIdColumn: 'mrn', rowUnit: { kind: 'patient' }, slots: [{ slot: { title: 'OD' }, source: { kind: 'pattern', pattern: '{id}_OD.jpg' } }, { source: { template: '{report}' } }], labels: { kind: 'one-hot', columns: [{ column: 'glaucoma' }, { column: 'amd' }] } },
    })
    const check = await checkImport({ source, mapping: suggestion!.mapping, pseudonymKey: 'k' }, createContext())
    expect(check.patternCounts).toEqual([{ pattern: 'od+report', count: 3 }])
  })

  it('guesses one slot for each view, and rows as studies when IDs repeat without one', () => {
    const id = column('patient', ['1', '2', '3'], 3)
    const file = column('file', ['a.png', 'b.png'], 6)
    const views = suggestMapping({ rowCount: 6, columns: [id, file, column('projection', ['Frontal', 'Lateral'], 2)], imageFileSamples: [] })
    expect(views?.mapping).toMatchObject({ rowUnit: { kind: 'patient' }, slots: [{ slot: { slotId: 'frontal' } }, { slot: { slotId: 'lateral' } }] })
    const repeated = suggestMapping({ rowCount: 6, columns: [id, file, column('diagnosis', ['x', 'y'], 2)], imageFileSamples: [] })
    expect(repeated?.mapping).toMatchObject({ rowUnit: { kind: 'row' }, labels: { kind: 'single', column: 'diagnosis' } })
    expect(suggestMapping({ rowCount: 1, columns: [column('x', ['1'])], imageFileSamples: [] })).toBeNull()
  })
})
