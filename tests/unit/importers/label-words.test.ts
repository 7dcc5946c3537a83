import { describe, expect, it } from 'vitest'
import { findLabelWords, type LabelledText } from '../../../engine/importers/label-words.ts'
import { createRng } from '../../../engine/training/rng.ts'

const fillers = ['patient', 'seen', 'today', 'stable', 'vision', 'reduced', 'since', 'weeks', 'pressure', 'control', 'returns', 'clinic', 'painless', 'drops', 'twice', 'daily', 'family', 'history', 'blurred', 'left']

/** Notes of random words; `extra` may add words that depend on the label. */
function makeStudies(seed: number, extra: (label: 0 | 1, chance: () => number) => string): LabelledText[] {
  const rng = createRng(seed)
  return Array.from({ length: 300 }, (_, i) => {
    const label = rng.uniform() < 0.3 ? 1 : 0
    const words = Array.from({ length: 12 }, () => fillers[Math.floor(rng.uniform() * fillers.length)])
    return { patientKey: `P-${i}`, text: `${words.join(' ')}. ${extra(label, () => rng.uniform())}`, labels: [label] }
  })
}

describe('label words', () => {
  it('finds a word that is there for nearly every study with the label', () => {
    const studies = makeStudies(1, (label, chance) => (label === 1 ? 'opaque lens' : chance() < 0.02 ? 'opaque' : ''))
    const words = findLabelWords('note', studies, ['Cataract'])
    expect(words.map(({ word }) => word)).toEqual(expect.arrayContaining(['lens']))
    expect(words[0]).toMatchObject({ slotId: 'note', labelName: 'Cataract', auroc: 1 })
    expect(words[0]!.studiesWithWord).toBe(words[0]!.studiesWithWordAndLabel)
  })

  it('looks at both eyes of a long table that has one row for each', () => {
    const studies = Array.from({ length: 24_000 }, (_, i): LabelledText => {
      const label = Math.floor(i / 2) % 3 === 0 ? 1 : 0
      return { patientKey: `P-${Math.floor(i / 2)}`, text: i % 2 === 1 && label === 1 ? 'opaque' : 'clear', labels: [label] }
    })
    expect(findLabelWords('note', studies, ['Y']).map(({ word }) => word)).toContain('opaque')
  })

  it('finds a rarer word that is always right, a phrase, and the name of the label', () => {
    const rare = findLabelWords('note', makeStudies(2, (label, chance) => (label === 1 && chance() < 0.3 ? 'phaco planned' : '')), ['Y'])
    expect(rare.map(({ word }) => word)).toContain('phaco')
    const phrase = findLabelWords('note', makeStudies(3, (label) => (label === 1 ? 'red spot' : 'spot, red')), ['Y'])
    expect(phrase[0]).toMatchObject({ word: 'red spot', auroc: 1 })
    const named = findLabelWords('note', makeStudies(4, (label, chance) => (chance() < (label === 1 ? 0.4 : 0.15) ? 'cataract' : '')), ['Cataract'])
    expect(named.map(({ word }) => word)).toContain('cataract')
  })

  it('is quiet on random labels (40 seeds)', () => {
    const alarms = Array.from({ length: 40 }, (_, seed) => findLabelWords('note', makeStudies(seed + 10, () => ''), ['Y']).length)
    expect(alarms.filter((count) => count > 0).length).toBe(0)
  })

  it('does not take many studies of one patient for evidence', () => {
    const studies = makeStudies(5, () => '').map((study, i): LabelledText => (i < 20 ? { patientKey: 'P-same', text: 'unique lesion', labels: [1] } : study))
    expect(findLabelWords('note', studies, ['Y']).map(({ word }) => word)).not.toContain('unique')
  })

  it('does not find phrases across punctuation and ignores unknown labels', () => {
    const studies = makeStudies(6, (label) => (label === 1 ? 'red. Spot' : 'red spot'))
    expect(findLabelWords('note', studies, ['Y']).filter(({ word }) => word === 'red spot')).toEqual([])
    expect(findLabelWords('note', studies.map((study) => ({ ...study, labels: [null] })), ['Y'])).toEqual([])
  })
})
