import { expect, it } from 'vitest'
import { resolveTheme } from '../../../../renderer/stores/app.store.ts'

it('is dark where pictures are read unless the reader chose otherwise', () => {
  expect(resolveTheme('reading', true, false)).toBe('dark')
  expect(resolveTheme('reading', false, true)).toBe('light')
  expect(resolveTheme('system', false, true)).toBe('dark')
  expect(resolveTheme('light', true, true)).toBe('light')
})
