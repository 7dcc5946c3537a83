import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { missingnessSettingsSchema } from '../../../engine/domain/missingness.ts'
import { runConfigSchema, type Split } from '../../../engine/domain/run.ts'
import { subPatterns, type Slot } from '../../../engine/domain/slots.ts'
import { readTensors } from '../../../engine/training/checkpoint/checkpoint.ts'
import { predictRun } from '../../../engine/training/predict/predict-run.ts'
import { trainRun } from '../../../engine/training/run/train-run.ts'
import { base, logitsOf, record, slots, specFor, useTinyCohort } from './tiny-run.ts'

useTinyCohort()

describe('trainRun', { timeout: 300_000 }, () => {
  it('predicts every study under its own pattern and every sub-pattern, once', async () => {
    const { context, recording } = record()
    const summary = await trainRun(specFor('whole'), context)
    const logits = logitsOf(recording)
    const expected = base.studies.flatMap((study) => subPatterns(study.items.map((item) => item.slotId).join('+')).map((pattern) => `${study.studyId} ${pattern}`))
    expect(Object.keys(logits).sort()).toEqual(expected.sort())
    expect(recording.epochs.map((epoch) => epoch.epoch)).toEqual([0, 1, 2])
    expect(recording.checkpoints).toContain('best')
    expect(summary.outcome).toBe('finished')
    expect(summary.trainedParameters).toBeLessThan(0.02 * summary.totalParameters)
    for (const block of recording.blocks) for (const value of block.probabilities) expect(value >= 0 && value <= 1).toBe(true)
  })

  it('gives the same numbers for the same seed and others for another', async () => {
    const first = record()
    const second = record()
    const other = record()
    await trainRun(specFor('seed-a'), first.context)
    await trainRun(specFor('seed-b'), second.context)
    await trainRun(specFor('seed-c', { config: { ...base.config, seed: 4 } }), other.context)
    expect(logitsOf(second.recording)).toEqual(logitsOf(first.recording))
    expect(logitsOf(other.recording)).not.toEqual(logitsOf(first.recording))
  })

  it('marks what no training patient showed, and repeats a multi-phase model from its checkpoint', async () => {
    // Nobody with an image alone trains: that model is not there, and the text cannot answer for a picture.
    const assignments: Split[][] = [base.studies.map((study, index) => (study.items.length < 2 ? 'test' : index < 10 ? 'train' : 'val'))]
    const config = { ...base.config, adapter: 'mora' as const, modalityDropout: 0 }
    const trained = record()
    const spec = specFor('served', { config, assignments })
    await trainRun(spec, trained.context)
    const by = Object.fromEntries(trained.recording.blocks.flatMap((block) => block.patterns.map((pattern, row) => [pattern, block.servedBy![row]])))
    expect(by).toEqual({ 'right-eye+notes': 'trained', 'right-eye': 'extrapolated', notes: 'extrapolated' })
    const again = record()
    await predictRun({ ...spec, fold: 0 }, again.context)
    expect(again.recording.blocks.flatMap((block) => block.servedBy)).toContain('extrapolated')
  })

  it('does not call trained what only a part of a late fusion saw, before the parts were joined', async () => {
    const assignments: Split[][] = [base.studies.map((study, index) => (study.items.length < 2 ? 'test' : index < 10 ? 'train' : 'val'))]
    const servedBy = async (modalityDropout: number) => {
      const { context, recording } = record()
      const config = { ...base.config, adapter: 'late-fusion' as const, modalityDropout, epochs: 1 }
      const { notes } = await trainRun(specFor(`served-fusion-${modalityDropout}`, { config, assignments }), context)
      return { notes: notes.join(' '), by: Object.fromEntries(recording.blocks.flatMap((block) => block.patterns.map((pattern, row) => [pattern, block.servedBy![row]]))) }
    }
    const without = await servedBy(0)
    expect(without.by).toEqual({ 'right-eye+notes': 'trained', 'right-eye': 'extrapolated', notes: 'extrapolated' })
    expect(without.notes).toMatch(/are extrapolation/)
    // Dropout shows the joined model each part alone.
    expect((await servedBy(0.5)).by).toEqual({ 'right-eye+notes': 'trained', 'right-eye': 'trained', notes: 'trained' })
  })

  it.each(['base', 'refuse'] as const)('serves what no training patient showed by the named fallback, validation patients included: %s', async (untrained) => {
    const hasNothingMissing = base.studies.map((study) => study.items.length === 2)
    // Incomplete patients validate and test only.
    const assignments: Split[][] = [base.studies.map((_, index) => (!hasNothingMissing[index] ? (index < 8 ? 'val' : 'test') : index < 10 ? 'train' : index < 14 ? 'val' : 'test'))]
    const { context, recording } = record()
    const config = runConfigSchema.parse({ ...base.config, adapter: 'prompt', prompt: { length: 4, blocks: [0], untrained }, modalityDropout: 0, epochs: 1 })
    const spec = specFor(`prompt-${untrained}`, { config, assignments })
    await trainRun(spec, context)
    const by = Object.fromEntries(recording.blocks.flatMap((block) => block.patterns.map((pattern, row) => [pattern, block.servedBy![row]])))
    expect(by).toEqual(untrained === 'base' ? { 'right-eye+notes': 'trained', 'right-eye': 'base', 'notes': 'base' } : { 'right-eye+notes': 'trained' })
    const again = record()
    await predictRun({ ...spec, fold: 0 }, again.context)
    expect(new Set(again.recording.blocks.flatMap((block) => block.servedBy))).toEqual(new Set(Object.values(by)))
  })

  it.each(['mora', 'late-fusion', 'zero-fill'] as const)('takes a table as a third modality (%s)', async (adapter) => {
    const clinic: Slot = { slotId: 'clinic', modality: 'tabular', title: 'Clinic', letter: 'C' }
    const studies = base.studies.map((study, index) => (index % 5 === 2 ? study
      : { ...study, items: [...study.items, { slotId: 'clinic', path: null, sha256: `table ${index}`, text: JSON.stringify({ age: index % 2 === 0 ? 70 : 40, sex: index % 3 === 0 ? 'female' : null }) }] }))
    const config = { ...base.config, adapter, slotIds: ['right-eye', 'notes', 'clinic'] }
    // Two folds: each standardises by its own training patients.
    const swap: Record<Split, Split> = { train: 'test', test: 'val', val: 'train' }
    const assignments = [base.assignments[0]!, base.assignments[0]!.map((side) => swap[side])]
    const trained = record()
    const spec = specFor(`tabular-${adapter}`, { config, slots: [...slots, clinic], studies, assignments })
    await trainRun(spec, trained.context)
    const patterns = new Set(trained.recording.blocks.flatMap((block) => block.patterns))
    expect(patterns).toContain('right-eye+notes+clinic')
    expect(patterns).toContain('clinic')
    const tables = [0, 1].map((fold) => (JSON.parse(readFileSync(join(spec.runDir, `fold_${fold}`, 'best', 'adapter_config.json'), 'utf8')) as { tabular: { clinic: { mean: number }[] } }).tabular.clinic)
    expect(tables[0]![0]!.mean).not.toBe(tables[1]![0]!.mean)
    const again = record()
    await predictRun({ ...spec, studies: studies.filter((_, index) => assignments[1]![index] === 'test'), fold: 1 }, again.context)
    const before = logitsOf({ ...trained.recording, blocks: trained.recording.blocks.filter((block) => block.fold === 1) })
    for (const [key, values] of Object.entries(logitsOf(again.recording))) values.forEach((value, index) => expect(value).toBeCloseTo(before[key]![index]!, 4))
  })

  it.each([
    // The rest differ from these in what the shared suite of the adapters tests.
    ['mora', {}], ['ssf', {}], ['ssf', { ssf: { base: 'network' } }], ['lora', { lora: { by: 'combination' } }], ['prompt', { prompt: { level: 'attention' } }], ['full', {}],
  ] as const)('predicts the same again from the stored checkpoint: %s %o', async (adapter, settings) => {
    const trained = record()
    const spec = specFor(`again-${adapter}-${Object.keys(settings).length}-${JSON.stringify(settings).length}`, { config: runConfigSchema.parse({ ...base.config, ...settings, adapter, epochs: 2 }) })
    await trainRun(spec, trained.context)
    const again = record()
    await predictRun({ ...spec, fold: 0 }, again.context)
    const before = logitsOf(trained.recording)
    for (const [key, values] of Object.entries(logitsOf(again.recording))) values.forEach((value, index) => expect(value).toBeCloseTo(before[key]![index]!, 4))
  })

  it('answers with what was trained when the user stops before the parts were joined, and says what was not', async () => {
    const config = { ...base.config, adapter: 'late-fusion' as const }
    const spec = specFor('stopped-fusion', { config })
    const stopped = record({ stopAfterEpoch: 1 })
    expect((await trainRun(spec, stopped.context)).outcome).toBe('stopped-by-user')
    const tensors = readTensors(join(spec.runDir, 'fold_0', 'best', 'adapter_model.safetensors'))
    expect([...tensors['fusion.text.weight']!.values]).toEqual([...tensors['unimodal.text.weight']!.values].map((value) => value / 2))
    const by = Object.fromEntries(stopped.recording.blocks.flatMap((block) => block.patterns.map((pattern, row) => [pattern, block.servedBy![row]])))
    expect(by).toEqual({ 'right-eye+notes': 'extrapolated', 'right-eye': 'extrapolated', notes: 'trained' })
  })

  it('refuses to build sets for combinations on a base that hardly anybody can train', async () => {
    const isComplete = base.studies.map((study) => study.items.length === 2)
    const assignments: Split[][] = [base.studies.map((_, index) => (index === 0 || (index < 14 && !isComplete[index]) ? 'train' : index < 9 ? 'val' : 'test'))]
    await expect(trainRun(specFor('no-base', { config: { ...base.config, adapter: 'ssf' }, assignments }), record().context)).rejects.toMatchObject({ code: 'RUN_TOO_FEW_PATIENTS' })
  })

  it('standardises a table by what training shows of it, not by what simulated missingness hides', async () => {
    const clinic: Slot = { slotId: 'clinic', modality: 'tabular', title: 'Clinic', letter: 'C' }
    const studies = base.studies.map((study, index) => ({ ...study, items: [...study.items, { slotId: 'clinic', path: null, sha256: `age ${index}`, text: JSON.stringify({ age: index % 2 === 0 ? 40 : 80 }) }] }))
    const natural = studies.map((study) => study.items.map(({ slotId }) => slotId).join('+'))
    const hidden = natural.map((pattern, index) => (index % 2 === 0 ? pattern : pattern.replace('+clinic', '')))
    const missingness = missingnessSettingsSchema.parse({ train: { seed: 7 } })
    const config = { ...base.config, adapter: 'zero-fill' as const, epochs: 1, slotIds: ['right-eye', 'notes', 'clinic'], missingness }
    const spec = specFor('hidden-table', { config, slots: [...slots, clinic], studies, shown: { train: hidden, val: natural, test: natural } })
    const { notes } = await trainRun(spec, record().context)
    expect(notes).toContain('Simulated missingness hid items in 5 of 10 training studies (seed 7).')
    const { tabular } = JSON.parse(readFileSync(join(spec.runDir, 'fold_0', 'best', 'adapter_config.json'), 'utf8')) as { tabular: { clinic: object[] } }
    expect(tabular.clinic).toMatchObject([{ column: 'age', mean: 40, deviation: 0 }])
  })

  it('never gives a run the features of an image in the place that it had in an earlier run of the process', async () => {
    const left: Slot = { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' }
    const [right, notes] = [slots[0]!, slots[1]!]
    // Both eyes of half of the patients, the left eye alone of the others.
    const studies = base.studies.map((study, index) => {
      const image = study.items.find(({ slotId }) => slotId === 'right-eye') ?? base.studies[0]!.items[0]!
      const other = { ...base.studies[(index + 2) % 3]!.items[0]!, slotId: 'left-eye' }
      return { ...study, items: index % 2 === 0 ? [image, other] : [other] }
    })
    const run = async (name: string, order: Slot[], maxTextTokens: number): Promise<Record<string, number[]>> => {
      const recorded = record()
      const config = { ...base.config, adapter: 'zero-fill' as const, slotIds: ['right-eye', 'left-eye', 'notes'], maxTextTokens }
      const items = order.map(({ slotId }) => slotId)
      const sorted = studies.map((study) => ({ ...study, items: [...study.items].sort((a, b) => items.indexOf(a.slotId) - items.indexOf(b.slotId)) }))
      await trainRun(specFor(name, { config, slots: order, studies: sorted }), recorded.context)
      return logitsOf(recorded.recording)
    }
    await run('slots-right-first', [right, left, notes], 64)
    const after = await run('slots-left-first', [left, right, notes], 64)
    // No text is that long: the same numbers, but nothing that was remembered for 64 tokens is used.
    expect(after).toEqual(await run('slots-afresh', [left, right, notes], 63))
  })

  it('refuses a file that is not the one that was imported', async () => {
    const studies = base.studies.map((study, index) => (index === 0 ? { ...study, items: study.items.map((item) => (item.path ? { ...item, sha256: 'f'.repeat(64) } : item)) } : study))
    await expect(trainRun(specFor('changed', { studies }), record().context)).rejects.toMatchObject({ code: 'RUN_FILE_CHANGED' })
  })
})
