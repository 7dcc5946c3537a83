import { computed, onScopeDispose, ref, type ComputedRef } from 'vue'
import { darkPalette, lightPalette, type PlotPalette } from './curve-options.ts'

/** The palette of the theme on screen; a plot on a canvas does not follow style sheets by itself. */
export function usePlotPalette(): ComputedRef<PlotPalette> {
  const root = document.documentElement
  const isDark = ref(root.dataset['theme'] === 'dark')
  const observer = new MutationObserver(() => { isDark.value = root.dataset['theme'] === 'dark' })
  observer.observe(root, { attributes: true, attributeFilter: ['data-theme'] })
  onScopeDispose(() => observer.disconnect())
  return computed(() => ({ ...(isDark.value ? darkPalette : lightPalette), fontFamily: getComputedStyle(root).getPropertyValue('--font-family') || 'sans-serif' }))
}
