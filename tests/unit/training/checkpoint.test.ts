/** Checkpoint folders: what is written comes back, what does not fit is refused, plain LoRA has peft's layout, old folders stay loadable. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeSafetensors } from '../../../engine/backbones/safetensors.ts'
import type { HostValues } from '../../../engine/compute/parameters.ts'
import { runConfigSchema } from '../../../engine/domain/run.ts'
import { type AdapterConfig, configOfTraining, loadCheckpoint, readTensors, saveCheckpoint } from '../../../engine/training/checkpoint/checkpoint.ts'

const hash = 'a'.repeat(64)
const slots: AdapterConfig['slots'] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'notes', modality: 'text', title: 'Notes | of the <visit>', letter: 'N' },
]
const configOf = (adapter: string): AdapterConfig => ({
  format: 'lacuna-adapter-1', peft_type: adapter.toUpperCase(), base_model_name_or_path: 'mmbt-minilm-resnet50', backboneHash: hash,
  config: runConfigSchema.parse({ cohortId: 1, adapter, slotIds: ['right-eye', 'notes'], labelIds: [1, 2], lora: { rank: 2, alpha: 6 } }),
  slots, labelNames: ['Glaucoma', 'Cataract'], fold: 0, epoch: 3, thresholds: [0.5, 0.25], trainedPatterns: ['right-eye+notes', 'notes'], cohortHash: 'c0ffee',
  trainedParameters: 120, totalParameters: 12_000, validation: { macroAuroc: 0.8125, loss: null }, researchUseOnly: true,
})
const numbers = (shape: number[]): HostValues => ({ shape, values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 7) })
const loraTensors: Record<string, HostValues> = {
  'encoder.layer.0.attention.self.query.lora_A': numbers([3, 2]), 'encoder.layer.0.attention.self.query.lora_B': numbers([2, 3]),
  'encoder.layer.1.output.dense.lora_A': numbers([4, 2]), 'encoder.layer.1.output.dense.lora_B': numbers([2, 3]),
  'classifier.3.weight': numbers([3, 2]),
}

let runDir: string
beforeEach(() => { runDir = mkdtempSync(join(tmpdir(), 'lacuna-checkpoint-')) })
afterEach(() => rmSync(runDir, { recursive: true, force: true }))
const file = (name: string): string => join(runDir, 'fold_0', 'best', name)

it('gives back what was saved, bit for bit', () => {
  const trained = { 'mora.0.down': numbers([4, 2]), 'text/encoder.layer.0.output.dense.lora_A': numbers([3, 2]), ...loraTensors }
  saveCheckpoint(runDir, 'best', configOf('mora'), trained)
  const loaded = loadCheckpoint(runDir, 0, 'best', hash)
  expect(loaded.trained).toEqual(trained)
  const { config, ...rest } = configOf('mora')
  expect(loaded.config).toMatchObject(rest)
  expect(loaded.config.config).toEqual({ ...config, name: `mora, seed ${config.seed}` })
})

it('hands on no name that a user typed, neither in the card nor beside the tensors', () => {
  const config = configOf('mora')
  saveCheckpoint(runDir, 'best', { ...config, config: { ...config.config, name: 'mora on St Brigid glaucoma 2021, Dr Quist' } }, { 'mora.0.down': numbers([4, 2]) })
  for (const name of ['README.md', 'adapter_config.json']) expect(readFileSync(file(name), 'utf8')).not.toMatch(/Brigid|Quist/)
})

it('is there in whole after a kill at any step of its replacement', () => {
  saveCheckpoint(runDir, 'best', configOf('mora'), { 'mora.0.down': numbers([4, 2]) })
  const dir = join(runDir, 'fold_0', 'best')
  // The old folder was moved aside, the new one not yet in its place.
  renameSync(dir, `${dir}.old`)
  mkdirSync(`${dir}.part`)
  writeFileSync(join(`${dir}.part`, 'adapter_config.json'), '{')
  expect(loadCheckpoint(runDir, 0, 'best', hash).config.epoch).toBe(3)
  saveCheckpoint(runDir, 'best', { ...configOf('mora'), epoch: 4 }, { 'mora.0.down': numbers([4, 2]) })
  expect(loadCheckpoint(runDir, 0, 'best', hash).config.epoch).toBe(4)
  expect(readdirSync(join(runDir, 'fold_0'))).toEqual(['best'])
})

describe('a trained base', () => {
  const trained = { 'base.encoder.layer.0.output.dense.weight': numbers([4, 3]), 'text/encoder.layer.0.output.dense.gamma': numbers([3]), 'pooler.dense.bias': numbers([3]) }

  it('lies in a file of its own, hashed and named, and comes back with the adapter', () => {
    saveCheckpoint(runDir, 'best', configOf('ssf'), trained)
    expect(Object.keys(readTensors(file('adapter_model.safetensors'))).sort()).toEqual(['pooler.dense.bias', 'text/encoder.layer.0.output.dense.gamma'])
    expect(Object.keys(readTensors(file('base_model.safetensors')))).toEqual(['base.encoder.layer.0.output.dense.weight'])
    const loaded = loadCheckpoint(runDir, 0, 'best', hash)
    expect(loaded.trained).toEqual(trained)
    expect(readFileSync(file('README.md'), 'utf8')).toContain(`\`base_model.safetensors\` (SHA-256 ${loaded.config.base!.sha256}): 12`)
    expect(configOfTraining(loaded.config.config, loaded.trained).ssf.base).toBe('network')
  })

  it('is not written again while it stays the same, and stays with the checkpoint that it belongs to', () => {
    saveCheckpoint(runDir, 'best', configOf('ssf'), trained)
    saveCheckpoint(runDir, 'final', configOf('ssf'), { ...trained, 'pooler.dense.bias': numbers([3]) })
    const other = file('base_model.safetensors').replace('best', 'final')
    expect(statSync(other).ino).toBe(statSync(file('base_model.safetensors')).ino)
    saveCheckpoint(runDir, 'final', configOf('ssf'), { ...trained, 'base.encoder.layer.0.output.dense.weight': { shape: [4, 3], values: new Float32Array(12) } })
    expect(loadCheckpoint(runDir, 0, 'best', hash).trained).toEqual(trained)
    expect(loadCheckpoint(runDir, 0, 'final', hash).trained['base.encoder.layer.0.output.dense.weight']!.values.every((value) => value === 0)).toBe(true)
  })

  it('is asked for and checked: without it, or with another, the checkpoint is refused', () => {
    saveCheckpoint(runDir, 'best', configOf('ssf'), trained)
    writeFileSync(file('base_model.safetensors'), encodeSafetensors({ x: numbers([2]) }, {}))
    expect(() => loadCheckpoint(runDir, 0, 'best', hash)).toThrow(expect.objectContaining({ code: 'RUN_CHECKPOINT_DAMAGED' }) as Error)
    rmSync(file('base_model.safetensors'))
    expect(() => loadCheckpoint(runDir, 0, 'best', hash)).toThrow(/not beside it/)
  })
})

it('reads what an older version trained with the settings that it trained with', () => {
  const config = runConfigSchema.parse({ ...configOf('full').config, backbone: 'vilt-0123456789' })
  const old = configOfTraining(config, { 'encoder.layer.0.output.dense.weight': numbers([2, 2]) })
  expect([old.full.embeddings, old.bitfit.embeddings, old.ssf.base, old.lora.base]).toEqual([false, false, 'head', 'head'])
  expect(configOfTraining(config, { 'embeddings.cls_token': numbers([1, 2]) }).full.embeddings).toBe(true)
})

describe('plain LoRA', () => {
  it('is stored as peft reads it: names, [R, in] and [out, R], rank, alpha and full module names', () => {
    saveCheckpoint(runDir, 'best', configOf('lora'), loraTensors)
    const stored = readTensors(file('adapter_model.safetensors'))
    expect(stored['base_model.model.encoder.layer.0.attention.self.query.lora_A.weight']!.shape).toEqual([2, 3])
    expect(stored['base_model.model.encoder.layer.1.output.dense.lora_B.weight']!.shape).toEqual([3, 2])
    const a = loraTensors['encoder.layer.1.output.dense.lora_A']!.values
    expect([...stored['base_model.model.encoder.layer.1.output.dense.lora_A.weight']!.values]).toEqual([a[0], a[2], a[4], a[6], a[1], a[3], a[5], a[7]])
    expect(stored['classifier.3.weight']!.shape).toEqual([3, 2])
    expect(JSON.parse(readFileSync(file('adapter_config.json'), 'utf8'))).toMatchObject({
      peft_type: 'LORA', r: 2, lora_alpha: 6, bias: 'none', fan_in_fan_out: false,
      target_modules: ['encoder.layer.0.attention.self.query', 'encoder.layer.1.output.dense'],
    })
  })

  it('says nothing of peft for other methods', () => {
    saveCheckpoint(runDir, 'best', configOf('ssf'), { 'text/layernorm.gamma': numbers([3]) })
    expect(JSON.parse(readFileSync(file('adapter_config.json'), 'utf8'))).not.toHaveProperty('target_modules')
  })
})

it('loads a folder that version 0.1 wrote', () => {
  mkdirSync(join(runDir, 'fold_0', 'best'), { recursive: true })
  const { trainedPatterns: _patterns, cohortHash: _cohort, validation: _validation, trainedParameters: _trained, totalParameters: _total, ...old } = configOf('mora')
  const { ssf: _ssf, lora: _lora, prompt: _prompt, bitfit: _bitfit, full: _full, 'norm-tuning': _norm, 'late-fusion': _fusion, dedicated: _dedicated, ...oldRun } = old.config
  writeFileSync(file('adapter_config.json'), JSON.stringify({ ...old, config: oldRun }))
  writeFileSync(file('adapter_model.safetensors'), encodeSafetensors({ 'mora.0.down': numbers([4, 2]) }, { format: 'pt' }))
  const { config, trained } = loadCheckpoint(runDir, 0, 'best', hash)
  expect(trained).toEqual({ 'mora.0.down': numbers([4, 2]) })
  expect(config.config.mora).toMatchObject({ rank: 4, beside: 'block' })
})

describe('a folder that does not fit', () => {
  beforeEach(() => { saveCheckpoint(runDir, 'best', configOf('lora'), loraTensors) })
  it.each([
    ['another backbone', 'RUN_CHECKPOINT_MISMATCH', () => {}, 'b'.repeat(64)],
    ['tensors missing', 'RUN_CHECKPOINT_MISSING', () => rmSync(file('adapter_model.safetensors')), hash],
    ['tensors of another training', 'RUN_CHECKPOINT_DAMAGED', () => writeFileSync(file('adapter_model.safetensors'), encodeSafetensors({ x: numbers([2]) }, {})), hash],
    ['tensors cut short', 'RUN_CHECKPOINT_DAMAGED', () => writeFileSync(file('adapter_model.safetensors'), readFileSync(file('adapter_model.safetensors')).subarray(0, 99)), hash],
    ['configuration cut short', 'RUN_CHECKPOINT_DAMAGED', () => writeFileSync(file('adapter_config.json'), '{"format": "lac'), hash],
    ['configuration of another format', 'RUN_CHECKPOINT_MISMATCH', () => writeFileSync(file('adapter_config.json'), '{"format": "lacuna-adapter-9"}'), hash],
  ] as const)('is refused: %s', (_what, code, spoil, backboneHash) => {
    spoil()
    expect(() => loadCheckpoint(runDir, 0, 'best', backboneHash)).toThrow(expect.objectContaining({ code }))
  })
})

it('has a model card with hashes, patterns, thresholds and limits, which names cannot break', () => {
  saveCheckpoint(runDir, 'best', configOf('lora'), { ...loraTensors, 'image+text/layernorm.gamma': numbers([30]), 'image+text/layernorm.beta': numbers([30]) })
  const card = readFileSync(file('README.md'), 'utf8')
  for (const part of ['For research only', `${hash}`, 'c0ffee', 'Complete (Right eye + Notes', 'no Right eye', '| Cataract | 0.250 |', 'Macro-AUROC 0.813, loss not estimable', '120 of 12,000 (1.00 %)', 'epoch 4', 'of these for image+text alone: 60 (0.50 %)']) expect(card).toContain(part)
  expect(card).toContain('Notes of the visit (text)')
  expect(card).not.toContain('<visit>')
})

it('claims in the card no validation, threshold or number of epochs that there is not', () => {
  const { validation: _validation, ...final } = configOf('late-fusion')
  saveCheckpoint(runDir, 'best', { ...final, config: { ...final.config, task: 'multi-class' } }, { 'fusion.text.weight': numbers([3, 2]) })
  const card = readFileSync(file('README.md'), 'utf8')
  expect(card).toContain('epoch 4, counted over all stages; split by patient')
  expect(card).toContain('- Not measured at this epoch.')
  expect(card).toContain('The most probable class is called; no threshold plays a part.')
  expect(card).toContain('the plain softmax of the logits')
  expect(card).not.toMatch(/Decision threshold|0\.500|chosen by them/)
})
