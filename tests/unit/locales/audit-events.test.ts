import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const written = new Set(globSync('{engine,electron}/**/*.ts', { cwd: root }).flatMap((file) => [...read(file).matchAll(/(?:\baudit|\.append)\(\s*'([a-z-]+\.[a-z-]+)'/g)].map(([, event]) => event!)))
// Read as text: the locale belongs to the window and brings its types along.
const named = new Set([...read('renderer/locales/en-workstation.ts').matchAll(/^ {2}'([a-z-]+\.[a-z-]+)': '/gm)].map(([, event]) => event!))

it('has words for every event that is written to the audit log', () => {
  expect(written.size).toBeGreaterThan(25)
  expect([...written].filter((event) => !named.has(event)).sort()).toEqual([])
})
