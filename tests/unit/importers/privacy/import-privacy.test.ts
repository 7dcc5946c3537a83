import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ImportedStudy } from '../../../../engine/domain/import.ts'
import { withPrivacy, type Mapping } from '../../../../engine/domain/mapping.ts'
import { defaultPrivacy } from '../../../../engine/domain/privacy.ts'
import { checkImport } from '../../../../engine/importers/check.ts'
import { previewImport } from '../../../../engine/importers/preview.ts'
import { tryRules } from '../../../../engine/importers/privacy/try-rules.ts'
import { runImport } from '../../../../engine/importers/run-import.ts'
import { openStore } from '../../../../engine/store/open.ts'
import { sealStore } from '../../../../engine/store/sealed-store.ts'
import { createContext, jpeg, makeFolder, plainMapping, writeFiles } from '../helpers.ts'
import { imageElements, makeValues, toBytes, writeDicom } from '../dicom/make-dicom.ts'
import { leftIn, plantNotes } from './planted.ts'

const pseudonymKey = 'ab'.repeat(32)
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`

/** A delivery of planted notes: the file names hold the patients' IDs, two columns hold a name and a telephone number. */
async function delivery(count = 40) {
  const folder = await makeFolder()
  const notes = plantNotes(41, count)
  const rows = notes.map(({ id, text }, i) => [id, `${id}_eye.jpg`, `${text} Ask Quillfeather${i % 3}.`.replace(/Quillfeather\d/, 'Quillfeather'), String(i % 5 === 0 ? 93 : 60), 'Ms Tamsin Quillfeather', `0171 555 ${1000 + i}`, i % 2, (i >> 1) % 2].map((cell) => quoted(String(cell))).join(','))
  await writeFiles(folder, { 'table.csv': `${['id,image,note,age,PatientName,Phone,A,B', ...rows].join('\n')}\n` })
  await writeFiles(folder, Object.fromEntries(await Promise.all(notes.map(async ({ id }, i) => [`images/${id}_eye.jpg`, await jpeg(i)]))))
  return { folder, notes, source: { sourceDir: join(folder, 'images'), tableFile: join(folder, 'table.csv'), sheet: null } }
}
const mapping: Mapping = { ...plainMapping, attributes: { age: 'age', sex: null } }

async function run(source: Awaited<ReturnType<typeof delivery>>['source'], used: Mapping) {
  const context = createContext()
  await runImport({ source, mapping: used, pseudonymKey, fromOrdinal: 0, tableSha256: null }, context)
  const studies = context.data.flatMap((data) => (data.kind === 'import-batch' ? data.studies : []))
  const start = context.data.find((data) => data.kind === 'import-start')!
  return { studies, start: start.kind === 'import-start' ? start.start : null }
}
const noteOf = (study: ImportedStudy): string => study.items.find((item) => item.slotId === 'note')!.text!

it('imports planted notes without their identifiers, the same way twice, ages as 90', async () => {
  const { notes, source } = await delivery()
  const first = await run(source, withPrivacy(mapping))
  const again = await run(source, withPrivacy(mapping))
  expect(first.studies).toEqual(again.studies)
  const all = notes.flatMap(({ planted }, i) => planted.map((entry) => ({ entry, text: noteOf(first.studies[i]!) })))
  const misses = all.filter(({ entry, text }) => leftIn(text, [entry]).length > 0)
  expect(all.length).toBeGreaterThanOrEqual(200)
  expect(misses.map(({ entry }) => entry)).toEqual([])
  expect(first.studies.map(noteOf).join(' ')).not.toContain('Quillfeather')
  expect(first.studies.map(({ ageYears }) => ageYears)).toEqual(notes.map((_, i) => (i % 5 === 0 ? 90 : 60)))
  expect(first.studies.every((study) => study.items.every((item) => item.isPresent))).toBe(true)
})

it('leaves no planted identifier in database, log or backup', async () => {
  const { folder, notes, source } = await delivery()
  const storeDir = join(folder, 'store')
  const store = sealStore(openStore(join(storeDir, 'lacuna.db'), { appVersion: '0.1.0' }), pseudonymKey)
  const used = withPrivacy(mapping)
  const cohortId = store.cohorts.create({ name: 'Planted', source, mapping: used })
  const { studies, start } = await run(source, used)
  store.imports.setStart(cohortId, start!)
  store.imports.addBatch(cohortId, studies, studies.length)
  store.imports.finish(cohortId)
  expect(store.imports.verifyContent(cohortId)).toBe(true)
  const look = (): string => (readdirSync(storeDir, { recursive: true }) as string[]).map((name) => join(storeDir, name)).filter((file) => statSync(file).isFile()).map((file) => readFileSync(file).toString('latin1')).join('\n')
  const telling = [...notes.flatMap(({ id, planted }) => [id, ...planted.filter(({ text, kind }) => text.length >= 6 && kind !== 'old age').map(({ text }) => text)]), 'Quillfeather', '0171 555']
  const before = look()
  store.close()
  for (const bytes of [before, look()]) expect(telling.filter((text) => bytes.includes(text))).toEqual([])
})

it('reports what it found by rule and column, masked, and shows before and after', async () => {
  const { notes, source } = await delivery()
  const check = await checkImport({ source, mapping, pseudonymKey }, createContext())
  const report = check.privacy!
  expect(report).toMatchObject({ studiesWithText: 40, studiesChanged: 40, agesCapped: 8 })
  expect(new Set(report.findings.map(({ rule }) => rule))).toContain('record-numbers')
  const shown = JSON.stringify(report.findings)
  for (const { id, planted } of notes) for (const text of [id, ...planted.map((entry) => entry.text)].filter((entry) => entry.length >= 6)) expect(shown).not.toContain(text)
  expect(report.findings.every(({ examples }) => examples.length >= 1 && examples.length <= 5)).toBe(true)
  const { rows } = await previewImport({ source, mapping, pseudonymKey, limit: 5 }, createContext())
  expect(rows[0]!.texts[0]!.original).toContain(notes[0]!.text.slice(0, 30).trim())
  expect(rows[0]!.texts[0]!.text).not.toBe(rows[0]!.texts[0]!.original)
})

it('leaves labels and label words alone, and a cohort of before untouched', async () => {
  const { source, notes } = await delivery()
  const clean = await run(source, withPrivacy(mapping))
  const old = await run(source, mapping)
  expect(clean.studies.map(({ labels }) => labels)).toEqual(old.studies.map(({ labels }) => labels))
  expect(noteOf(old.studies[0]!)).toContain(notes[0]!.text.slice(0, 40).trim())
  expect(old.studies[0]!.ageYears).toBe(93)
})

it('blocks an import whose patient number would stay inside a longer word', async () => {
  const folder = await makeFolder()
  await writeFiles(folder, { 'table.csv': 'id,image,note,A,B\nPT481516,,see xPT481516y,1,0\n' })
  const source = { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }
  const check = await checkImport({ source, mapping: plainMapping, pseudonymKey }, createContext())
  expect(check.issues).toContainEqual(expect.objectContaining({ code: 'IMPORT_PRIVACY_RESIDUE', severity: 'blocks' }))
  await expect(run(source, withPrivacy(plainMapping))).rejects.toMatchObject({ code: 'IMPORT_PRIVACY_RESIDUE' })
  const chosen = { ...plainMapping, privacy: { ...defaultPrivacy, words: ['xPT481516y'] } }
  expect(noteOf((await run(source, chosen)).studies[0]!)).toBe('see [REMOVED]')
})

it('keeps rows apart that differ in an age over 89 only', async () => {
  const folder = await makeFolder()
  await writeFiles(folder, { 'table.csv': 'id,image,note,age,A,B\np1,,well,93,1,0\np1,,well,95,1,0\n' })
  const { studies } = await run({ sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }, withPrivacy({ ...mapping, rowUnit: { kind: 'row' } }))
  expect(studies.map(({ ageYears }) => ageYears)).toEqual([90, 90])
})

it('tries the rules on an example and on the notes of the table, and says what each own entry hit', async () => {
  const { source, notes } = await delivery()
  const used = { ...mapping, privacy: { ...defaultPrivacy, words: ['Swan-Ganz', 'Nowhere Ward'], shapes: ['T##'] } }
  const trial = await tryRules({ source, mapping: used, pseudonymKey, example: 'Seen by Dr Jane Miller near the Swan-Ganz catheter' }, createContext())
  expect(trial.example.map(({ text, rule }) => [text, rule])).toEqual([['Seen by Dr ', null], ['Jane Miller', 'names'], [' near the ', null], ['Swan-Ganz', 'own-list'], [' catheter', null]])
  expect(trial.textsRead).toBe(notes.length)
  const hits = notes.filter(({ text }) => text.includes('Swan-Ganz')).length
  expect(trial.own).toEqual([{ entry: 'Swan-Ganz', count: notes.reduce((sum, { text }) => sum + text.split('Swan-Ganz').length - 1, 0) }, { entry: 'Nowhere Ward', count: 0 }, { entry: 'T##', count: notes.reduce((sum, { text }) => sum + text.split('T12').length - 1, 0) }])
  expect(hits).toBeGreaterThan(0)
  for (const { row, parts } of trial.samples) {
    // The pieces are the note itself, as the table has it; known names of the row are marked too.
    expect(parts.map(({ text }) => text).join('')).toContain(notes[row - 2]!.text.slice(0, 40))
    expect(parts.some(({ rule }) => rule !== null)).toBe(true)
  }
  expect(trial.samples[0]!.parts.some(({ rule }) => rule === 'own-list')).toBe(true)
})

it('stops an import with a text that no rule can read, or whose DICOM header cannot be read, before anything is sent', async () => {
  const folder = await makeFolder()
  const damaged = `${'\uFFFD'.repeat(12)} Dr \uFFFD\uFFFD\uFFFD Miller`
  const file = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.from([2, 0, 16, 0]), Buffer.from('UI'), Buffer.from([22, 0]), Buffer.from('1.2.840.10008.1.2.1.99'), Buffer.from('no deflated data')])
  await writeFiles(folder, { 'text.csv': `id,image,note,age,A,B\np1,,${damaged},60,1,0\n`, 'header.csv': 'id,image,note,age,A,B\np1,bad.dcm,Seen by Anouk.,60,1,0\n', 'bad.dcm': file })
  const at = (table: string) => ({ source: { sourceDir: folder, tableFile: join(folder, table), sheet: null }, mapping: withPrivacy(mapping), pseudonymKey })
  for (const [table, code] of [['text.csv', 'IMPORT_PRIVACY_UNREADABLE'], ['header.csv', 'IMPORT_PRIVACY_HEADER']] as const) {
    const context = createContext()
    await expect(runImport({ ...at(table), fromOrdinal: 0, tableSha256: null }, context)).rejects.toMatchObject({ code, message: expect.stringContaining('Nothing was imported.') as string })
    expect(context.data).toEqual([])
    const { issues } = await checkImport(at(table), createContext())
    expect(issues.find((issue) => issue.code === code)).toMatchObject({ severity: 'blocks', count: 1 })
  }
})

it('keeps neither age nor sex nor any date when that was asked for', async () => {
  const folder = await makeFolder()
  await writeFiles(folder, { 'table.csv': 'id,image,note,age,sex,A,B\np1,,Admitted 14 March 2020.,60,F,1,0\n' })
  const privacy = { ...defaultPrivacy, dates: 'remove' as const, characteristics: 'remove' as const }
  const { studies } = await run({ sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }, { ...mapping, attributes: { age: 'age', sex: 'sex' }, privacy })
  expect(studies[0]).toMatchObject({ ageYears: null, sex: null })
  expect(noteOf(studies[0]!)).toBe('Admitted [DATE].')
})

it('takes a name out of every text of the patient, whichever row or picture names them', async () => {
  const folder = await makeFolder()
  const shape = { rows: 8, columns: 8, bits: 8 }
  const dicom = writeDicom({ ...imageElements(shape), '0010,0010': ['PN', 'WINTERGRÜN^ZEPHYRA'], '0008,0005': ['CS', 'ISO_IR 192'] }, toBytes(makeValues(shape, 1), 1))
  await writeFiles(folder, {
    'table.csv': ['id,image,note,PatientName,A,B', 'P1,a.dcm,Clear lungs.,,1,0', 'P1,,zephyra was worried; Mrs Wintergruen and Quillbranch called.,,0,1', 'P1,,Nothing to add.,Tamsin Quillbranch,0,1', 'P2,,Clear lungs on review.,,1,0'].join('\n'),
    'images/a.dcm': dicom,
  })
  const { studies } = await run({ sourceDir: join(folder, 'images'), tableFile: join(folder, 'table.csv'), sheet: null }, withPrivacy({ ...plainMapping, rowUnit: { kind: 'row' } }))
  const texts = studies.map(noteOf)
  expect(texts.join(' ')).not.toMatch(/quillbranch/i)
  expect(texts.join(' ')).not.toMatch(/zephyra|wintergr/i)
  expect(texts).toContain('Nothing to add.')
})

it('reads names in texts of files whose letters come in pieces or with unseen signs between', async () => {
  const folder = await makeFolder()
  await writeFiles(folder, { 'table.csv': 'id,image,note,A,B\nP1,,,1,0\n', 'images/P1.txt': `Seen by Dr ${'Jürgen Weißmüller'.normalize('NFD')}. Seen with Mrs Kow\u00ADal\u200Bczyk today. No change.` })
  const noted: Mapping = { ...plainMapping, slots: [plainMapping.slots[0]!, { slot: { slotId: 'note', modality: 'text', title: 'Note', letter: 'N' }, source: { kind: 'report-files', columns: ['id'], pattern: '{id}' } }] }
  const { studies } = await run({ sourceDir: join(folder, 'images'), tableFile: join(folder, 'table.csv'), sheet: null }, withPrivacy(noted))
  expect(noteOf(studies[0]!)).toContain('No change.')
  expect(noteOf(studies[0]!).normalize('NFC')).not.toMatch(/rgen|müller|Kowal/)
})
