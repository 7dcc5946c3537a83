import { expect, it } from 'vitest'
import { cueOfMention, partsOfMention } from '../../../../../renderer/composables/common/mention-parts.ts'

it('marks the finding and the phrase that decided, and loses no letter', () => {
  const mention = { sentence: 'No large effusion.', start: 9, end: 17, because: { start: 0, end: 2, kind: 'negation-before' as const } }
  expect(partsOfMention(mention)).toEqual([{ text: 'No', mark: 'cue' }, { text: ' large ', mark: null }, { text: 'effusion', mark: 'finding' }, { text: '.', mark: null }])
  expect(cueOfMention(mention)).toBe('No')
})

it('lets the finding go before a phrase that overlaps it', () => {
  const parts = partsOfMention({ sentence: 'Borderline heart size.', start: 0, end: 21, because: { start: 0, end: 10, kind: 'uncertain' } })
  expect(parts).toEqual([{ text: 'Borderline heart size', mark: 'finding' }, { text: '.', mark: null }])
})
