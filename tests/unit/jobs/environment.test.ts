import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { storeBackendChoice, workspaceOptionsFromEnvironment } from '../../../engine/jobs/environment.ts'

let folder = ''
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'lacuna-choice-')) })
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

it('keeps the chosen backend beside the database, and lets LACUNA_BACKEND overrule it', () => {
  const storeFile = join(folder, 'lacuna.db')
  const backend = () => workspaceOptionsFromEnvironment(storeFile, () => undefined).backend
  expect(backend()).toBe('auto')
  expect(storeBackendChoice(storeFile, 'cpu')).toBe('cpu')
  expect(backend()).toBe('cpu')
  vi.stubEnv('LACUNA_BACKEND', 'wasm')
  expect(backend()).toBe('wasm')
  vi.unstubAllEnvs()
  storeBackendChoice(storeFile, 'auto')
  expect(existsSync(`${storeFile}.compute`)).toBe(false)
  expect(() => storeBackendChoice(storeFile, 'gpu')).toThrow(expect.objectContaining({ code: 'COMPUTE_CHOICE_FAILED' }) as Error)
})
