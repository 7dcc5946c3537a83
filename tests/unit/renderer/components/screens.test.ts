import { createSSRApp, type Component } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { describe, expect, it } from 'vitest'
import { calls, type CallName } from '../../../../electron/contract/contract.ts'
import type { ServedBy } from '../../../../engine/domain/exchange.ts'
import { predictionPanelOf, type PredictionPanel } from '../../../../renderer/composables/patient/patient-predictions.ts'
import { labelOptionsOf, slotOptionsOf } from '../../../../renderer/composables/run/useRunSetup.ts'
import { plainLook } from '../../../../renderer/composables/viewer/image-look.ts'
import { plainFacts } from '../../../../renderer/composables/viewer/useImageFacts.ts'
import ImagePane from '../../../../renderer/components/viewer/ImagePane.vue'
import PredictionSection from '../../../../renderer/components/patient/PredictionSection.vue'
import PredictionTable from '../../../../renderer/components/patient/PredictionTable.vue'
import InformationTable from '../../../../renderer/components/results/InformationTable.vue'
import PatternResults from '../../../../renderer/components/results/PatternResults.vue'
import LabelResults from '../../../../renderer/components/results/LabelResults.vue'
import LabelPicker from '../../../../renderer/components/run-setup/LabelPicker.vue'
import SlotPicker from '../../../../renderer/components/run-setup/SlotPicker.vue'
import RunRecordPanel from '../../../../renderer/components/run/RunRecordPanel.vue'
import { fakeRunCalls } from '../fake-runs.ts'

/** Components drawn on synthetic replies of main, as text: what the reader is told, not how it looks. */
const draw = (component: Component, props: Record<string, unknown>): Promise<string> => renderToString(createSSRApp(component, props))
const textOf = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

const detail = fakeRunCalls['cohorts:get']!({ cohortId: 1 })
const { slots } = detail.cohort
const results = fakeRunCalls['results:get']!({ runId: 1, setting: { kind: 'actual' } })

describe('the synthetic replies', () => {
  const requests: Partial<Record<CallName, unknown>> = {
    'cohorts:get': { cohortId: 1 }, 'runs:list': { cohortId: null }, 'runs:get': { runId: 1 }, 'runs:suggest': { cohortId: 1 }, 'results:get': { runId: 1, setting: { kind: 'actual' } },
    'patients:list': { cohortId: 1, runId: 1 }, 'patients:get': { studyId: 3, runId: 1 }, 'patients:neighbours': { filter: { cohortId: 1 }, studyId: 3 },
  }
  it.each(Object.entries(requests))('of %s fit the contract', (name, request) => {
    const call = calls[name as CallName]
    const reply = (fakeRunCalls[name as CallName] as (request: unknown) => unknown)(call.request.parse(request))
    expect(call.reply.safeParse(reply).error).toBeUndefined()
  })
})

describe('predictions of a patient', () => {
  const page = fakeRunCalls['patients:get']!({ studyId: 12, runId: 1 })
  const panel = predictionPanelOf(page.predictions, 'multi-label')!
  it('keep probability, threshold and reference apart', async () => {
    const text = textOf(await draw(PredictionTable, { panel, slots, isOpen: false }))
    expect(text).toMatch(/Label Probability .* Predicted Reference/)
    const [first] = panel.lines
    expect(text).toContain(`${first!.labelName} ${first!.probability.toFixed(2)} no (&lt; ${first!.threshold!.toFixed(2)}) absent`)
    expect(text).not.toContain('What if only')
  })
  it('name every what-if as one', async () => {
    const html = await draw(PredictionTable, { panel, slots, isOpen: true })
    expect(textOf(html)).toContain('What if only … were there')
    expect(html).toContain('What if only Right eye + Left eye were there')
    expect(html.match(/class="what-if"/g)?.length).toBe(panel.lines.length * 6)
  })
})

describe('who answered', () => {
  const page = fakeRunCalls['patients:get']!({ studyId: 12, runId: 1 })
  const served = (actual: ServedBy, whatIf: ServedBy) => predictionPanelOf(page.predictions.map((prediction) => ({ ...prediction, servedBy: prediction.isActual ? actual : whatIf })), 'multi-label')!
  const drawn = async (panel: PredictionPanel) => textOf(await draw(PredictionSection, { panel, slots, hasRun: true, labels: [], isOpen: true }))
  it('is told in words when it was a fallback, for the patient and for each what-if', async () => {
    const text = await drawn(served('base', 'extrapolated'))
    expect(text).toContain('A fallback answered')
    expect(text.match(/ untrained /g)?.length).toBe(page.study.labels.length * 6)
    expect(await drawn(served('extrapolated', 'base'))).toMatch(/This combination of items was never trained.* fallback /)
  })
  it('is not mentioned when the patterns were trained', async () => {
    expect(await drawn(served('trained', 'trained'))).not.toMatch(/fallback|untrained/i)
  })
  it('stands in the results table only where it matters', async () => {
    const withServed = (base: number) => ({ ...results, byPattern: results.byPattern.map((row) => ({ ...row, servedBy: { trained: row.studyCount - base, extrapolated: 0, base } })) })
    const table = async (base: number) => textOf(await draw(PatternResults, { results: withServed(base), slots, hasPatientLists: true, selected: 'overall' }))
    expect(await table(0)).not.toContain('Answered by')
    expect(await table(1)).toMatch(/Answered by .*fallback: 1 of [\d,]+/)
  })
})

describe('usable information', () => {
  const row = { pattern: 'notes', patternTitle: 'Notes', studyCount: 12, bits: { value: -0.0002, reason: null }, dedicatedBits: null, gapBits: null }
  it('is shown in bits with the gap, and says why there is none', async () => {
    const known = { ...row, bits: { value: 0.21, reason: null }, dedicatedBits: { value: 0.25, reason: null }, gapBits: 0.04 }
    expect(textOf(await draw(InformationTable, { information: [known], slots }))).toMatch(/12 0\.210 0\.250 0\.040/)
    const text = textOf(await draw(InformationTable, { information: [row], slots }))
    expect(text).toMatch(/12 0\.000 none : No finished run/)
    expect(text).toContain('Train “One model per pattern”')
  })
})

describe('an item that is not there', () => {
  it('says so with its reason, and shows no picture', async () => {
    const item = { ...slots[0]!, isPresent: false, reason: 'unreadable', detail: null, byteSize: null, widthPx: null, heightPx: null, text: null, url: null, thumbnailUrl: null }
    const html = await draw(ImagePane, { item, view: { scale: 1, x: 0, y: 0 }, look: plainLook, facts: plainFacts, patientKey: 'P-1', isUnused: false })
    expect(textOf(html)).toContain('No image file cannot be read')
    expect(html).not.toContain('<img')
  })
})

describe('results', () => {
  it('have one row for each pattern and say what cannot be estimated', async () => {
    const html = await draw(PatternResults, { results, slots, hasPatientLists: true, selected: 'overall' })
    expect(html.match(/<tr[^>]*is-clickable/g)?.length).toBe(1 + results.byPattern.length)
    expect(textOf(html)).toMatch(/Right eye \(no Left eye, no Notes\) 3 3 3\/8 not estimable : Fewer than one label/)
  })
  it('lead to patients only where the patterns are real', async () => {
    const drawn = (hasPatientLists: boolean): Promise<string> => draw(LabelResults, { row: results.overall, title: 'All test patients', hasPatientLists, task: 'multi-label' })
    expect(await drawn(true)).toContain('Open the patients of: All test patients, sorted by Glaucoma')
    expect(await drawn(false)).not.toContain('Open the patients of')
  })
})

describe('run set-up', () => {
  it('marks labels that are too rare', async () => {
    const text = textOf(await draw(LabelPicker, { options: labelOptionsOf(detail), warnings: [], task: 'multi-label', problem: null, modelValue: [1] }))
    expect(text).toContain('Only 7 positive studies. Under 10, results for this label will mostly be chance.')
    expect(text).toContain('1 of 8 chosen')
  })
  it('warns about label words at the item itself', async () => {
    const { slotWarnings } = fakeRunCalls['runs:suggest']!({ cohortId: 1 })
    const text = textOf(await draw(SlotPicker, { slots, options: slotOptionsOf(detail), warnings: slotWarnings, problem: null, modelValue: ['notes'] }))
    expect(text).toMatch(/Notes 16,010 of 20,000 studies \(80 %\) The word/)
  })
})

describe('the record of a run', () => {
  it('states the split proof and shortens hashes without losing them', async () => {
    const { run, splitProof } = fakeRunCalls['runs:get']!({ runId: 1 })
    const html = await draw(RunRecordPanel, { run, splitProof, slots, labelNames: new Map(detail.cohort.labels.map((label) => [label.labelId, label.name])), fold: 0 })
    expect(textOf(html)).toContain('No patient stands on two sides: 12,021 / 3,968 / 4,011 patients')
    expect(html).toContain(`title="${run.cohortHash}"`)
    expect(textOf(html)).toContain(`${run.cohortHash.slice(0, 12)}…`)
  })
})
