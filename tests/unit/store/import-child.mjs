/** Imports batch after batch into the store at argv[2] until it is killed; prints a line when the first batch is in. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

// The bundler reads migrations as text; plain Node has to be told.
registerHooks({
  load: (url, context, next) => url.endsWith('.sql')
    ? { format: 'module', shortCircuit: true, source: `export default ${JSON.stringify(readFileSync(fileURLToPath(url), 'utf8'))}` }
    : next(url, context),
})

const { openStore } = await import('../../../engine/store/open.ts')
const [path, studyCount] = [process.argv[2], Number(process.argv[3])]
const sha256 = 'a'.repeat(64)
const slots = ['right-eye', 'left-eye', 'notes'].map((slotId) => ({ slotId, modality: slotId === 'notes' ? 'text' : 'image', title: slotId, letter: slotId[0].toUpperCase() }))
const store = openStore(path, { appVersion: '0.1.0' })
const cohortId = store.cohorts.create({ name: 'Killed', source: { sourceDir: '/data', tableFile: 'table.csv', sheet: null }, mapping: { profile: 'manual' } })
store.imports.setStart(cohortId, { tableSha256: sha256, rowsIn: studyCount, studyCount, slots, labelNames: ['glaucoma', 'cataract'], task: 'multi-label', rejectedRows: [], labelWords: [] })
const item = (slotId) => ({ slotId, isPresent: true, reason: null, detail: null, sourcePath: `${slotId}.png`, sha256, byteSize: 1, widthPx: 1, heightPx: 1, text: null })
for (let from = 0; from < studyCount; from += 20) {
  const studies = Array.from({ length: 20 }, (_, i) => ({
    ordinal: from + i, patientKey: `P${from + i}`, studyKey: '0', rows: [from + i + 2], ageYears: null, sex: null, items: slots.map((slot) => item(slot.slotId)), labels: [1, 0],
  }))
  store.imports.addBatch(cohortId, studies, from + 20)
  if (from === 0) process.stdout.write('first batch\n')
}
