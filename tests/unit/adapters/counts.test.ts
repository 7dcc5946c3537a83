import { describe, expect, it } from 'vitest'
import { methods } from '../../../engine/adapters/index.ts'
import { ssfParameterCount } from '../../../engine/adapters/ssf/inject.ts'
import { moraParameterCount } from '../../../engine/adapters/mora/layer.ts'
import { trainsInStages } from '../../../engine/domain/method-settings.ts'
import { runConfigSchema } from '../../../engine/domain/run.ts'

describe('moraParameterCount', () => {
  it('gives the published size at ViLT-B/32 with two modalities and eight labels: about 1.79 M trained, under 1.6 %', () => {
    const width = 768
    const pooler = width * width + width
    const classifier = width * 2 * width + 2 * width + 2 * (2 * width) + 2 * width * 8 + 8
    const trained = moraParameterCount(1, width, 4, 2) + pooler + classifier
    expect(trained).toBe(1_796_360)
    expect(trained / (113e6 + trained)).toBeLessThan(0.016)
  })
})

describe('ssfParameterCount', () => {
  it('stays under 0.7 % of ViLT-B/32 for each combination: twelve blocks, the norm of the text embeddings and the one after the last block', () => {
    const count = ssfParameterCount(12, 768, 3072, 2)
    expect(count).toBe(12 * 2 * (7 * 768 + 3072) + 2 * 2 * 768)
    expect(count / 113e6).toBeLessThan(0.007)
    expect(count / 113e6).toBeCloseTo(0.0018, 4)
  })
})

describe('stages', () => {
  it('are told of a configuration without building its network, as the methods themselves say', () => {
    const modalities = [{ name: 'text', kind: 'text' as const, slots: [] }, { name: 'image', kind: 'image' as const, slots: [0] }]
    const settings = [{}, { ssf: { training: 'joint' } }, { lora: { by: 'combination' } }, { lora: { by: 'combination', training: 'joint' } }]
    for (const { id, configSchema, phases } of methods) {
      for (const own of settings) {
        const config = runConfigSchema.parse({ cohortId: 1, slotIds: ['notes'], labelIds: [1], ...own, adapter: id })
        const stages = phases?.(configSchema.parse((config as Record<string, unknown>)[id] ?? {}), modalities) ?? null
        expect([id, own, trainsInStages(config)]).toEqual([id, own, stages !== null])
      }
    }
  })
})
