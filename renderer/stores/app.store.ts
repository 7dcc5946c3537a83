import { defineStore } from 'pinia'
import { shallowRef, ref } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import type { CallReply } from '../../electron/contract/contract.ts'
import { call } from '../api.ts'

/** `reading`: dark where pictures are read, light elsewhere. */
export const themeChoices = ['reading', 'system', 'light', 'dark'] as const
export type ThemeChoice = (typeof themeChoices)[number]

/** Which device trains: the best that works, or one that is used or refused but never replaced. */
export const backendChoices = ['auto', 'cuda', 'webgpu', 'cpu', 'wasm'] as const
export type BackendChoice = (typeof backendChoices)[number]

export interface TrailStep { title: string; to?: RouteLocationRaw }

const themeKey = 'lacuna.theme'

/** The theme on screen. */
export function resolveTheme(choice: ThemeChoice, readsImages: boolean, systemIsDark: boolean): 'light' | 'dark' {
  if (choice === 'reading') return readsImages ? 'dark' : 'light'
  if (choice === 'system') return systemIsDark ? 'dark' : 'light'
  return choice
}

function storedTheme(): ThemeChoice {
  const stored = localStorage.getItem(themeKey)
  return themeChoices.find((choice) => choice === stored) ?? 'reading'
}

/** What the whole window shares: versions and device, theme, trail. */
export const useAppStore = defineStore('app', () => {
  const overview = shallowRef<CallReply<'app:overview'> | null>(null)
  const theme = ref<ThemeChoice>(storedTheme())
  const trail = shallowRef<TrailStep[]>([])

  async function loadOverview(): Promise<CallReply<'app:overview'>> {
    overview.value = await call('app:overview', {})
    return overview.value
  }
  function setTheme(choice: ThemeChoice): void {
    theme.value = choice
    localStorage.setItem(themeKey, choice)
  }
  function setTrail(steps: TrailStep[]): void {
    trail.value = steps
  }
  function clearTrail(steps: TrailStep[]): void {
    if (trail.value === steps) trail.value = []
  }
  return { overview, theme, trail, loadOverview, setTheme, setTrail, clearTrail }
})
