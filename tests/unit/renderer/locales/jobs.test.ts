import { describe, expect, it } from 'vitest'
import { enRuns } from '../../../../renderer/locales/en-runs.ts'
import { en } from '../../../../renderer/locales/en.ts'

describe('the words of the jobs tray', () => {
  it('are those of the pages that the jobs belong to', () => {
    expect(en.jobs.status({ kind: 'training', status: 'cancelled' })).toBe(enRuns.statusNames.cancelled)
    expect(en.jobs.cancel({ kind: 'training', title: 'MoRA' })).toBe('Cancel MoRA')
    expect(en.jobs.status({ kind: 'import', status: 'cancelled' })).toBe('Stopped')
  })
})
