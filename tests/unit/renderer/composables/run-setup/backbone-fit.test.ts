import { describe, expect, it } from 'vitest'
import type { BackboneEntry } from '../../../../../electron/contract/contract.ts'
import { runConfigSchema } from '../../../../../engine/domain/run.ts'
import { backboneOptionsOf, blockCountOf, lentSideOf, withBlocksWithin } from '../../../../../renderer/composables/run-setup/backbone-fit.ts'

const entry = (backboneId: string, reads: BackboneEntry['reads'], more: Partial<BackboneEntry> = {}): BackboneEntry => ({
  backboneId, reads, isEmbedded: false, title: backboneId, architecture: '', sizes: null, blockCount: 2, parameterCount: 1, tensorCount: 1, state: 'unchecked', files: [], licence: '', source: '', notes: [], addedAt: null, ...more,
})
const entries = [entry('joined', 'joint', { blockCount: 6 }), entry('clip-1', 'pair'), entry('bert-1', 'text'), entry('vit-1', 'image'), entry('cut-1', 'joint', { state: 'incomplete' })]
const unfitOf = (...request: Parameters<typeof backboneOptionsOf> extends [unknown, ...infer Rest] ? Rest : never) =>
  Object.fromEntries(backboneOptionsOf(entries, ...request).map(({ backboneId, unfit }) => [backboneId, unfit]))

describe('which backbones fit', () => {
  it('for a method inside the blocks: only one that reads text and images together', () => {
    expect(unfitOf('mora', ['image', 'text'])).toEqual({ 'joined': null, 'clip-1': 'method', 'bert-1': 'image', 'vit-1': 'text', 'cut-1': 'broken', 'bert-1+vit-1': 'method' })
  })
  it('for late fusion: also separate encoders, alone where they read all there is', () => {
    expect(unfitOf('late-fusion', ['image', 'text', 'tabular'])).toEqual({ 'joined': null, 'clip-1': null, 'bert-1': 'image', 'vit-1': 'text', 'cut-1': 'broken', 'bert-1+vit-1': null })
    expect(unfitOf('late-fusion', ['text'])).toMatchObject({ 'bert-1': null, 'vit-1': 'text' })
  })
  it('for late fusion: also one encoder of the embedded model beside an imported one of the other modality', () => {
    const options = backboneOptionsOf([entry('built-in', 'joint', { isEmbedded: true }), entry('bert-1', 'text'), entry('vit-1', 'image')], 'late-fusion', ['image', 'text'])
    expect(options.map(({ backboneId, unfit }) => [backboneId, unfit])).toEqual([
      ['built-in', null], ['bert-1', 'image'], ['vit-1', 'text'], ['bert-1+vit-1', null], ['bert-1+built-in', null], ['built-in+vit-1', null],
    ])
    expect(options.slice(3).map((option) => [lentSideOf(option, 0), lentSideOf(option, 1)])).toEqual([[null, null], [null, 'image'], ['text', null]])
    expect(lentSideOf(options[0]!, 0)).toBeNull()
  })
  it('and which blocks they have', () => {
    expect([blockCountOf(entries, 'joined'), blockCountOf(entries, 'bert-1+vit-1'), blockCountOf(entries, 'unknown')]).toEqual([6, 2, 12])
    const config = withBlocksWithin(runConfigSchema.parse({ cohortId: 1, slotIds: ['a'], labelIds: [1], mora: { blocks: [4, 5] } }), 2)
    expect([config.mora.blocks, config.prompt.blocks]).toEqual([[0], [0, 1]])
  })
})
