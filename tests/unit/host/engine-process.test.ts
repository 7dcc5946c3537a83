import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createEngineProcess } from '../../../engine/host/engine-process.ts'
import { temporaryFolder } from '../store/fixtures.ts'

/** The real process and its watchdog, with an engine that only speaks. */

function engineOf(silenceLimitMs: number) {
  const engine = createEngineProcess({ nodePath: process.execPath, workerFile: join(import.meta.dirname, 'speaking-engine.mjs'), env: {}, log: () => {}, silenceLimitMs })
  onTestFinished(() => engine.dispose())
  return engine
}

const request = {} as never

// Windows has no such signals.
describe.skipIf(process.platform === 'win32')('an engine process', () => {
  it('is stopped and named when it gives no sign of life', async () => {
    const job = engineOf(400).startFromFile('predict:run', join(temporaryFolder(), 'none.json'))
    await expect(job.outcome).rejects.toMatchObject({ code: 'ENGINE_UNRESPONSIVE' })
  })

  it('is not stopped because this process slept: the time in which nobody listened is no silence', async () => {
    const engine = engineOf(4000)
    const job = engine.start('predict:run', request)
    await new Promise((resolve) => setTimeout(resolve, 400))
    // A workstation that sleeps holds both processes; this one looks at the clock before the engine has spoken again.
    const pid = engine.pid() ?? 0
    process.kill(pid, 'SIGSTOP')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000)
    setTimeout(() => process.kill(pid, 'SIGCONT'), 100)
    await expect(job.outcome).resolves.toEqual({ status: 'done', value: 'done' })
  })
})
