import { effectScope, nextTick, ref } from 'vue'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../../../engine/domain/errors.ts'
import type { ResultIntervals, RunResults, TestSetting } from '../../../../../engine/domain/results.ts'
import { useResults } from '../../../../../renderer/composables/results/useResults.ts'
import type { CallReply } from '../../../../../electron/contract/contract.ts'

type Run = CallReply<'runs:get'>['run']
const settle = async (): Promise<void> => { for (let turn = 0; turn < 10; turn++) await nextTick() }
const actual: TestSetting = { kind: 'actual' }
const imageOnly: TestSetting = { kind: 'only', modality: 'image' }

/** Answers that name what they are of, each given when the test says so. */
function open(first = 1) {
  const asked: { what: 'results' | 'intervals'; name: string; answer: () => void; fail: () => void }[] = []
  const wait = <T>(what: 'results' | 'intervals', runId: number, setting: TestSetting): Promise<T> => new Promise((resolve, reject) => {
    const name = `${runId} ${setting.kind}`
    asked.push({ what, name, answer: () => resolve({ name } as T), fail: () => reject(new AppError('REQUEST_INVALID', name)) })
  })
  const runId = ref(first)
  const scope = effectScope()
  const results = scope.run(() => useResults(runId, {
    run: async (id) => ({ runId: id, status: 'finished' }) as Run,
    results: (id, setting) => wait<RunResults>('results', id, setting),
    intervals: (id, setting) => wait<ResultIntervals>('intervals', id, setting),
  }))!
  const tell = async (what: 'results' | 'intervals', name: string, how: 'answer' | 'fail' = 'answer'): Promise<void> => {
    await settle()
    const at = asked.findIndex((entry) => entry.what === what && entry.name === name)
    if (at < 0) throw new Error(`Nobody asked for the ${what} of ${name}.`)
    asked.splice(at, 1)[0]![how]()
    await settle()
  }
  const shown = () => {
    const { value } = results.state
    const nameOf = (answer: unknown): string | null => (answer as { name: string } | null)?.name ?? null
    return value.status !== 'ready' ? value.status : { run: value.value.run.runId, setting: value.value.setting.kind, numbers: nameOf(value.value.results), intervals: nameOf(results.intervals.value), actual: nameOf(results.actual.value) }
  }
  return { runId, scope, results, tell, shown, asked }
}

describe('useResults', () => {
  it('shows nothing of the run before once another run is chosen, and asks for that one’s own numbers', async () => {
    const { runId, tell, shown } = open()
    await tell('results', '1 actual')
    await tell('intervals', '1 actual')
    expect(shown()).toEqual({ run: 1, setting: 'actual', numbers: '1 actual', intervals: '1 actual', actual: '1 actual' })
    runId.value = 2
    await settle()
    expect(shown()).toBe('loading')
    await tell('results', '2 actual')
    expect(shown()).toEqual({ run: 2, setting: 'actual', numbers: '2 actual', intervals: null, actual: '2 actual' })
  })

  it('begins another run with its real items, whatever was chosen before', async () => {
    const { runId, results, tell, shown } = open()
    await tell('results', '1 actual')
    void results.choose(imageOnly)
    await tell('results', '1 only')
    runId.value = 2
    await tell('results', '2 actual')
    expect(results.setting.value).toEqual(actual)
    expect(shown()).toMatchObject({ run: 2, setting: 'actual', numbers: '2 actual' })
  })

  it('leaves the answer of a run that was left behind aside', async () => {
    const { runId, tell, shown } = open()
    await settle()
    runId.value = 2
    await tell('results', '2 actual')
    await tell('results', '1 actual')
    await tell('intervals', '1 actual')
    expect(shown()).toMatchObject({ run: 2, numbers: '2 actual', intervals: null })
  })

  it('keeps numbers and intervals of one setting together when a slow answer of another comes late', async () => {
    const { results, tell, shown } = open()
    await tell('results', '1 actual')
    await tell('intervals', '1 actual')
    void results.choose(imageOnly)
    await settle()
    expect(results.isComputing.value).toBe(true)
    expect(shown()).toMatchObject({ setting: 'actual', numbers: '1 actual', intervals: '1 actual' })
    void results.choose(actual)
    await settle()
    await tell('results', '1 only')
    await tell('intervals', '1 only')
    expect(shown()).toMatchObject({ setting: 'actual', numbers: '1 actual', intervals: '1 actual' })
    expect(results.isComputing.value).toBe(false)
  })

  it('says that intervals failed only of the setting whose intervals failed, and asks for them again', async () => {
    const { results, tell, shown } = open()
    await tell('results', '1 actual')
    void results.choose(imageOnly)
    await tell('results', '1 only')
    await tell('intervals', '1 actual', 'fail')
    expect(results.intervalError.value).toBeNull()
    void results.choose(actual)
    await settle()
    await tell('intervals', '1 actual')
    expect(shown()).toMatchObject({ setting: 'actual', intervals: '1 actual' })
  })

  it('goes back to what was worked out without asking again, and keeps the real items for comparison', async () => {
    const { results, tell, shown, asked } = open()
    await tell('results', '1 actual')
    await tell('intervals', '1 actual')
    void results.choose(imageOnly)
    await tell('results', '1 only')
    await tell('intervals', '1 only')
    expect(shown()).toMatchObject({ numbers: '1 only', intervals: '1 only', actual: '1 actual' })
    void results.choose(actual)
    await settle()
    expect(shown()).toMatchObject({ numbers: '1 actual', intervals: '1 actual' })
    expect(asked).toEqual([])
  })
})
