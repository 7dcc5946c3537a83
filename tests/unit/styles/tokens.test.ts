import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const tokens = readFileSync(join(import.meta.dirname, '../../../renderer/styles/tokens.css'), 'utf8')
type Theme = Record<string, string>

function themeOf(name: 'light' | 'dark'): Theme {
  const block = new RegExp(`\\[data-theme='${name}'\\] \\{([^}]*)\\}`).exec(tokens)?.[1] ?? ''
  return Object.fromEntries([...block.matchAll(/--color-([a-z-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]))
}

/** Relative luminance and contrast ratio as WCAG 2.2 defines them. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light! + 0.05) / (dark! + 0.05)
}

/** Text needs 4.5, what is not text but must be seen needs 3 (WCAG 1.4.3 and 1.4.11). */
const grounds = ['page', 'surface', 'sunken', 'hover', 'selected']
const textPairs: [string, string][] = [
  ...['text', 'text-muted', 'link', 'danger'].flatMap((front) => grounds.map((ground): [string, string] => [front, ground])),
  ['on-accent', 'accent'], ['on-accent', 'accent-hover'], ['on-danger', 'danger'], ['on-danger', 'danger-hover'], ['on-tile', 'tile'], ['text', 'danger-pale'], ['text-muted', 'danger-pale'],
]
const shapePairs: [string, string][] = [
  ['border-strong', 'page'], ['border-strong', 'surface'], ['focus', 'page'], ['focus', 'surface'], ['accent', 'surface'], ['tile', 'surface'], ['plot', 'surface'], ['danger', 'surface'],
]

describe.each(['light', 'dark'] as const)('%s theme', (name) => {
  const theme = themeOf(name)
  it.each(textPairs)('%s reads on %s', (front, ground) => {
    expect(contrast(theme[front]!, theme[ground]!)).toBeGreaterThanOrEqual(4.5)
  })
  it.each(shapePairs)('%s is seen on %s', (front, ground) => {
    expect(contrast(theme[front]!, theme[ground]!)).toBeGreaterThanOrEqual(3)
  })
  it('has every colour of the other theme', () => {
    expect(Object.keys(theme).sort()).toEqual(Object.keys(themeOf(name === 'light' ? 'dark' : 'light')).sort())
  })
})
