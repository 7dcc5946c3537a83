import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CohortFacts } from '../../../engine/alarms/facts/cohort-facts.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import { createTextMask } from '../../../engine/domain/curation.ts'
import type { ImportedStudy } from '../../../engine/domain/import.ts'
import { inspectTable } from '../../../engine/importers/inspect-table.ts'
import { runImport } from '../../../engine/importers/run-import.ts'
import { createContext } from '../importers/helpers.ts'
import { search } from './cohort.ts'

const dataDir = resolve(import.meta.dirname, '../../../../shared/data')

async function factsOf(folder: string, table: string): Promise<CohortFacts> {
  const source = { sourceDir: join(dataDir, folder), tableFile: join(dataDir, folder, table), sheet: null }
  const inspection = await inspectTable({ source }, createContext())
  const { mapping } = inspection.suggestion!
  const context = createContext()
  await runImport({ source: inspection.source, mapping, pseudonymKey: 'test', fromOrdinal: 0, tableSha256: inspection.tableSha256 }, context)
  const studies = context.data.flatMap((entry): ImportedStudy[] => (entry.kind === 'import-batch' ? entry.studies : []))
  const start = context.data.flatMap((entry) => (entry.kind === 'import-start' ? [entry.start] : []))[0]!
  const keys = [...new Set(studies.map(({ patientKey }) => patientKey))]
  const itemsOf = (slotId: string) => studies.map(({ items }) => items.find((item) => item.slotId === slotId && item.isPresent) ?? null)
  return {
    slots: start.slots, labelNames: start.labelNames,
    studyIds: Int32Array.from(studies, (_, i) => i + 1), patientKeys: studies.map(({ patientKey }) => patientKey), studyKeys: studies.map(({ studyKey }) => studyKey),
    persons: Int32Array.from(studies, ({ patientKey }) => keys.indexOf(patientKey)),
    labels: Int8Array.from(studies.flatMap(({ labels }) => labels.map((value) => value ?? -1))),
    ageYears: Float64Array.from(studies, ({ ageYears }) => ageYears ?? Number.NaN), sexes: studies.map(({ sex }) => sex), sites: studies.map(() => null), dateProblems: new Map(), hasDates: false,
    presentBits: Uint8Array.from(studies, ({ items }) => items.reduce((bits, { slotId, isPresent }) => (isPresent ? bits | (1 << start.slots.findIndex((slot) => slot.slotId === slotId)) : bits), 0)),
    texts: new Map(start.slots.filter(({ modality }) => modality === 'text').map(({ slotId }) => [slotId, itemsOf(slotId).map((item) => item?.text ?? null)])),
    images: new Map(start.slots.filter(({ modality }) => modality === 'image').map(({ slotId }) => [slotId, itemsOf(slotId).map((item) => item && { sha256: item.sha256!, byteSize: item.byteSize, widthPx: item.widthPx, heightPx: item.heightPx, measures: item.measures ?? null })])),
  }
}

const odir = () => factsOf('odir', 'ODIR-5K_Training_Annotations(Updated)_V2.csv')

describe.skipIf(!existsSync(dataDir))('alarms on the data of ../shared/data (skipped where that folder is not there: it may not be redistributed)', () => {
  it('ODIR: the keywords fire and a rule is named for every label; masked by the remedy they are quiet', async () => {
    const facts = await odir()
    const before = search(facts)
    const alarm = before.alarms.find(({ alarmId }) => alarmId === 'text-leak:keywords')!
    expect(alarm.severity).toBe('serious')
    expect(alarm.title).toBe('The words of Diagnostic keywords give 8 of 8 labels away')
    expect(alarm.evidence[0]!.rows).toHaveLength(8)
    const rules = new Map(alarm.evidence[0]!.rows.map(([label, rule, withLabel, without]) => [label, { rule, withLabel, without }]))
    expect(rules.get('Cataract')).toEqual({ rule: 'Cataract is present where the text contains "cataract"', withLabel: '55 of 55', without: '345 of 345' })
    expect([...rules.values()].every(({ withLabel, without }) => [withLabel!, without!].every((text) => text.split(' of ')[0] === text.split(' of ')[1]))).toBe(true)
    const draft = alarm.remedies[0]!.draft
    const mask = createTextMask(draft.kind === 'mask-words' ? draft.words : [])
    facts.texts.set('keywords', facts.texts.get('keywords')!.map((text) => text && mask.apply(text)))
    expect(search(facts).alarms.filter(({ kind }) => kind === 'text-leak')).toEqual([])
  }, 120_000)

  it('Indiana: the reports fire, the indications do not', async () => {
    const { alarms } = search(await factsOf('iu_reports', 'indiana_reports.csv'))
    expect(alarms.filter(({ kind }) => kind === 'text-leak').map(({ alarmId }) => alarmId)).toEqual(['text-leak:report'])
    expect(alarms[0]!.evidence.map(({ title }) => title)).toContain('Words')
  }, 120_000)

  it('ODIR with labels dealt out anew: no more than one alarm about labels in 20 deals', async () => {
    const facts = await odir()
    const L = facts.labelNames.length
    let count = 0
    for (let seed = 1; seed <= 20; seed++) {
      const order = createRng(seed).shuffle([...facts.studyIds.keys()])
      const labels = facts.labels.map((_, at) => facts.labels[order[Math.floor(at / L)]! * L + (at % L)]!)
      count += search({ ...facts, labels }).alarms.filter(({ kind }) => kind.endsWith('-leak')).length
    }
    expect(count).toBeLessThanOrEqual(1)
  }, 400_000)
})
