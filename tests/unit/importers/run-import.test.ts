import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ImportedStudy } from '../../../engine/domain/import.ts'
import { AppError } from '../../../engine/domain/errors.ts'
import { checkImport } from '../../../engine/importers/check.ts'
import { inspectTable } from '../../../engine/importers/inspect-table.ts'
import { previewImport } from '../../../engine/importers/preview.ts'
import { runImport } from '../../../engine/importers/run-import.ts'
import { engineDataSchema, jobs, type EngineData } from '../../../engine/protocol.ts'
import { createContext, jpeg, makeFolder, plainMapping, writeFiles } from './helpers.ts'

const pseudonymKey = 'test key'

async function makeSource(count: number) {
  const folder = await makeFolder()
  const files: Record<string, Buffer | string> = {}
  const lines = ['id,image,note,A,B']
  for (let i = 0; i < count; i++) {
    files[`pictures/${i}.jpg`] = await jpeg(i)
    lines.push(`${i},${i}.jpg,note ${i},${i % 2},${i % 3 === 0 ? '' : '0'}`)
  }
  await writeFiles(folder, { ...files, 'table.csv': `${lines.join('\n')}\n` })
  return { folder, source: { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null } }
}

const studiesOf = (data: readonly EngineData[]): ImportedStudy[] => data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies : []))

describe('import', () => {
  it('delivers everything in order, in batches that fit the contract', async () => {
    const { source } = await makeSource(230)
    const context = createContext()
    const result = await runImport({ source, mapping: plainMapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)
    expect(jobs['import:run'].result.parse(result)).toEqual({ rowsIn: 230, studyCount: 230 })
    for (const entry of context.data) engineDataSchema.parse(entry)
    const [start, ...batches] = context.data
    expect(start).toMatchObject({ kind: 'import-start', start: { rowsIn: 230, studyCount: 230, labelNames: ['Alpha', 'Beta'], task: 'multi-label', rejectedRows: [] } })
    expect(batches.every((batch) => batch.kind === 'import-batch' && batch.studies.length <= 100)).toBe(true)
    expect(batches.at(-1)).toMatchObject({ nextOrdinal: 230 })
    const studies = studiesOf(context.data)
    expect(studies.map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: 230 }, (_, i) => i))
    expect(studies[5]).toMatchObject({ rows: [7], labels: [1, 0], items: [{ isPresent: true, sourcePath: 'pictures/5.jpg', widthPx: 24, heightPx: 16 }, { isPresent: true, text: 'note 5' }] })
    expect(context.reports.at(-1)).toMatchObject({ done: 230, total: 230, secondsLeft: 0 })
    expect(JSON.stringify(studies.map(({ patientKey }) => patientKey))).toMatch(/^\["P-[0-9A-HJKMNP-TV-Z]{8}",/)
  })

  it('resumes where it stopped, to the same studies as in one go', async () => {
    const { source } = await makeSource(150)
    const request = { source, mapping: plainMapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }
    const whole = createContext()
    await runImport(request, whole)
    const first = createContext((data) => { if (data.kind === 'import-batch') first.abort.abort() })
    await expect(runImport(request, first)).rejects.toThrow()
    const taken = studiesOf(first.data)
    expect(taken.length).toBeGreaterThan(0)
    expect(taken.length).toBeLessThan(150)
    const start = first.data[0]
    const second = createContext()
    await runImport({ ...request, fromOrdinal: taken.length, tableSha256: start?.kind === 'import-start' ? start.start.tableSha256 : '' }, second)
    expect([...taken, ...studiesOf(second.data)]).toEqual(studiesOf(whole.data))
  })

  it('refuses to resume on another table', async () => {
    const { source } = await makeSource(2)
    await expect(runImport({ source, mapping: plainMapping, pseudonymKey, fromOrdinal: 1, tableSha256: 'other' }, createContext())).rejects.toMatchObject({ code: 'IMPORT_SOURCE_CHANGED' })
  })

  it('has at most four batches waiting and passes on the error of the host', async () => {
    const { source } = await makeSource(900)
    let waiting = 0
    let most = 0
    const slow = createContext(async (data) => {
      if (data.kind !== 'import-batch') return
      most = Math.max(most, ++waiting)
      await new Promise((resolve) => setTimeout(resolve, 60))
      waiting--
    })
    await runImport({ source, mapping: plainMapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, slow)
    expect(most).toBeLessThanOrEqual(4)
    expect(studiesOf(slow.data)).toHaveLength(900)
    const full = createContext((data) => { if (data.kind === 'import-batch') throw new AppError('STORE_DISK_FULL', 'The disk is full.') })
    await expect(runImport({ source, mapping: plainMapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, full)).rejects.toMatchObject({ code: 'STORE_DISK_FULL' })
  })

  it('stops with the cause when the folder is renamed under it', async () => {
    const { folder, source } = await makeSource(400)
    const context = createContext(async (data) => { if (data.kind === 'import-batch') await rename(join(folder, 'pictures'), join(folder, 'elsewhere')).catch(() => undefined) })
    await expect(runImport({ source, mapping: plainMapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)).rejects.toMatchObject({ code: 'IMPORT_FOLDER_MISSING' })
    expect(studiesOf(context.data).every(({ items }) => items[0]!.isPresent)).toBe(true)
  })

  it('leaves originals as they were', async () => {
    const { folder, source } = await makeSource(3)
    const before = await readFile(join(folder, 'pictures', '1.jpg'))
    await runImport({ source, mapping: plainMapping, pseudonymKey, fromOrdinal: 0, tableSha256: null }, createContext())
    expect(await readFile(join(folder, 'pictures', '1.jpg'))).toEqual(before)
  })

  it('stops quickly when cancelled, in every job', async () => {
    const { source } = await makeSource(20)
    const request = { source, mapping: plainMapping, pseudonymKey }
    const cancelled = () => {
      const context = createContext()
      context.abort.abort()
      return context
    }
    await expect(inspectTable({ source }, cancelled())).rejects.toThrow(/abort/i)
    await expect(previewImport({ ...request, limit: 5 }, cancelled())).rejects.toThrow(/abort/i)
    await expect(checkImport(request, cancelled())).rejects.toThrow(/abort/i)
    await expect(runImport({ ...request, fromOrdinal: 0, tableSha256: null }, cancelled())).rejects.toThrow(/abort/i)
  })
})

describe('preview and check', () => {
  it('fit the contract and agree with the import', async () => {
    const { folder, source } = await makeSource(12)
    await writeFiles(folder, { 'pictures/3.jpg': Buffer.alloc(0), 'pictures/4.jpg': (await jpeg(4)).subarray(0, 500), 'pictures/5.jpg': await jpeg(6), 'pictures/extra.png': 'x' })
    await rm(join(folder, 'pictures', '7.jpg'))
    const request = { source, mapping: plainMapping, pseudonymKey }
    const inspection = jobs['table:inspect'].result.parse(await inspectTable({ source }, createContext()))
    expect(inspection).toMatchObject({ rowCount: 12, imageFileCount: 12, suggestion: { isRecognised: false } })
    const { rows } = jobs['import:preview'].result.parse(await previewImport({ ...request, limit: 50 }, createContext()))
    // The preview reads headers only; the picture cut short in row 6 turns up at the check.
    expect(rows.map(({ presence }) => presence[0]!.reason)).toEqual([null, null, null, 'unreadable', null, null, null, 'file-missing', null, null, null, null])
    expect(rows[1]).toMatchObject({ row: 3, labels: ['Alpha'], texts: [{ slotId: 'note', text: 'note 1' }], images: [{ path: join(folder, 'pictures', '1.jpg') }] })
    const check = jobs['import:check'].result.parse(await checkImport(request, createContext()))
    expect(check).toMatchObject({ rowsIn: 12, rowsAccepted: 12, rowsRejected: 0, patientCount: 12, studyCount: 12 })
    expect(check.patternCounts).toEqual([{ pattern: 'photo+note', count: 9 }, { pattern: 'note', count: 3 }])
    expect(check.duplicateImages).toEqual([{ count: 2, acrossPatients: true, rows: [7, 8] }])
    expect(check.labelCounts).toEqual([{ name: 'Alpha', positives: 6, negatives: 6, unknown: 0 }, { name: 'Beta', positives: 0, negatives: 8, unknown: 4 }])
    expect(check.issues.map(({ code }) => code).sort()).toEqual(['IMAGE_DAMAGED', 'IMAGE_EMPTY', 'IMAGE_NOT_FOUND', 'IMPORT_IMAGE_DUPLICATE', 'IMPORT_IMAGE_UNUSED'])
    const context = createContext()
    await runImport({ ...request, fromOrdinal: 0, tableSha256: inspection.tableSha256 }, context)
    expect(studiesOf(context.data).map(({ patientKey }) => patientKey)).toEqual(rows.map(({ patientKey }) => patientKey))
  })
})
