import { createSSRApp, type Component } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { describe, expect, it } from 'vitest'
import { calls, type CallName } from '../../../../electron/contract/contract.ts'
import { predictionPanelOf } from '../../../../renderer/composables/patient/patient-predictions.ts'
import { labelOptionsOf, slotOptionsOf } from '../../../../renderer/composables/run/useRunSetup.ts'
import { plainLook } from '../../../../renderer/composables/patient/image-look.ts'
import { plainFacts } from '../../../../renderer/composables/patient/useImageFacts.ts'
import ImagePane from '../../../../renderer/components/patient/ImagePane.vue'
import PredictionTable from '../../../../renderer/components/patient/PredictionTable.vue'
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
    const drawn = (hasPatientLists: boolean): Promise<string> => draw(LabelResults, { row: results.overall, title: 'All test patients', hasPatientLists })
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
