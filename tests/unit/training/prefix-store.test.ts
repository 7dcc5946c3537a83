import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { PrefixEntry } from '../../../engine/adapters/network.ts'
import { createPrefixStore } from '../../../engine/training/inputs/prefix-store.ts'

const dir = mkdtempSync(join(tmpdir(), 'lacuna-prefixes-'))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const entryOf = (seed: number, tokens: number, hasOutput: boolean): PrefixEntry => ({
  presence: 1 + (seed % 3), tokens, segments: Uint8Array.from({ length: tokens }, (_, t) => t % 2),
  x: Float32Array.from({ length: tokens * 4 }, (_, i) => seed + i / 7), blockOutput: hasOutput ? Float32Array.from({ length: tokens * 4 }, (_, i) => seed - i / 3) : null,
})

it('streams what does not fit into memory from a file, bit for bit, and deletes the file', () => {
  const file = join(dir, 'below', 'prefixes.bin')
  const entries = [entryOf(1, 5, true), entryOf(2, 9, false), entryOf(3, 2, true), entryOf(4, 7, true)]
  // The first entry takes 160 bytes; the others must go to the file.
  const store = createPrefixStore(200, file)
  entries.forEach((entry, i) => store.put(`${i}`, entry))
  expect(existsSync(file)).toBe(true)
  for (const i of [3, 0, 2, 1, 3]) expect(store.get(`${i}`)).toEqual(entries[i])
  store.dispose()
  expect(existsSync(file)).toBe(false)
})

it('makes no file while memory suffices', () => {
  const file = join(dir, 'prefixes.bin')
  const store = createPrefixStore(1e6, file)
  store.put('a', entryOf(1, 5, true))
  expect([store.has('a'), store.has('b'), existsSync(file)]).toEqual([true, false, false])
  store.dispose()
})
