import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { enWorkstation } from '../../../renderer/locales/en-workstation.ts'

const root = join(import.meta.dirname, '../../..')
const sources = globSync('{engine,electron}/**/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'))
const written = new Set(sources.flatMap((text) => [...text.matchAll(/(?:\baudit|\.append)\(\s*'([a-z-]+\.[a-z-]+)'/g)].map(([, event]) => event!)))

it('has words for every event that is written to the audit log', () => {
  expect(written.size).toBeGreaterThan(25)
  expect([...written].filter((event) => !(event in enWorkstation.auditEvents)).sort()).toEqual([])
})
