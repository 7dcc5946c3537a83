import { describe, expect, it } from 'vitest'
import { createTextMask } from '../../../engine/domain/curation.ts'

const masked = (text: string, ...words: string[]) => createTextMask(words).apply(text)

describe('masking words of a text', () => {
  it('takes whole words in any case, phrases over hyphens, and the longest first', () => {
    expect(masked('No glaucoma; Glaucomatous cup, GLAUCOMA suspected', 'glaucoma')).toBe('No ; Glaucomatous cup, suspected')
    expect(masked('mild non-proliferative retinopathy of both eyes', 'non proliferative retinopathy')).toBe('mild of both eyes')
    expect(masked('retinopathy and diabetic retinopathy', 'diabetic', 'diabetic retinopathy')).toBe('retinopathy and')
  })

  it('never joins a phrase over a full stop or a comma', () => {
    expect(masked('seen diabetic, retinopathy absent', 'diabetic retinopathy')).toBe('seen diabetic, retinopathy absent')
  })

  it('leaves no signs behind that could be counted in place of the words', () => {
    expect(masked('normal fundus, drusen, cataract.', 'normal', 'fundus', 'cataract')).toBe('drusen')
    expect(masked('normal fundus, cataract.', 'normal fundus', 'cataract')).toBe('')
    expect(masked('\u767D\u5185\u969C\uFF0C\u6B63\u5E38', '\u767D \u5185 \u969C')).toBe('\u6B63\u5E38')
  })

  it('changes nothing where nothing is masked, to the character', () => {
    const text = '  two  blanks,\tand a tab\n'
    expect(masked(text, 'cataract')).toBe(text)
    expect(createTextMask([]).parts(text)).toEqual([{ text, isMasked: false }])
  })

  it('keeps every character of the text in its parts', () => {
    const text = 'Right eye: normal fundus. Left eye: mild cataract, drusen.'
    const parts = createTextMask(['normal fundus', 'cataract']).parts(text)
    expect(parts.map((part) => part.text).join('')).toBe(text)
    expect(parts.filter(({ isMasked }) => isMasked).map((part) => part.text).join('|')).toContain('cataract')
  })
})
