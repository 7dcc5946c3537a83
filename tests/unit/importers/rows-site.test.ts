import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { mappingSchema } from '../../../engine/domain/mapping.ts'
import { createIssueCollector } from '../../../engine/importers/issues.ts'
import { loadCohort } from '../../../engine/importers/load-cohort.ts'

async function load(rows: string) {
  const folder = mkdtempSync(join(tmpdir(), 'lacuna-site-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'table.csv'), `id,note,hospital\n${rows}`)
  const mapping = mappingSchema.parse({
    patientIdColumn: 'id', rowUnit: { kind: 'row' }, labels: { kind: 'none' }, attributes: { site: 'hospital' },
    slots: [{ slot: { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' }, source: { kind: 'template', template: '{note}' } }],
  })
  const context = { signal: new AbortController().signal, shouldStop: () => false, progress: () => undefined, send: async () => undefined }
  return loadCohort({ source: { sourceDir: folder, tableFile: join(folder, 'table.csv'), sheet: null }, mapping, pseudonymKey: 'k' }, createIssueCollector(), context)
}

it('turns the names of places into pseudonyms that do not depend on case, order or delivery', async () => {
  const { studies } = await load('1,a,St Mary\n2,b,Royal\n3,c,ST MARY\n4,d,\n')
  const keys = studies.map(({ siteKey }) => siteKey)
  expect(keys[0]).toMatch(/^Site [0-9A-Z]{4}$/)
  expect(keys[2]).toBe(keys[0])
  expect(keys[1]).not.toBe(keys[0])
  expect(keys[3]).toBeNull()
  const next = await load('9,x,Royal\n')
  expect(next.studies[0]!.siteKey).toBe(keys[1])
})
