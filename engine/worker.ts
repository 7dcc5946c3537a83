import { drawDemo } from './demo/draw-demo.ts'
import { AppError, fromErrorOutcome, toErrorOutcome } from './domain/errors.ts'
import { takeRequestFile } from './host/request-file.ts'
import { checkImport } from './importers/check.ts'
import { inspectTable } from './importers/inspect-table.ts'
import { checkOriginals } from './importers/originals/check-originals.ts'
import { readMappedValues } from './importers/profiles/mapped-values.ts'
import { tryRules } from './importers/privacy/try-rules.ts'
import { listIdentities } from './importers/privacy/list-identities.ts'
import { previewImport } from './importers/preview.ts'
import { describeImage } from './importers/images/describe-image.ts'
import { measureImages } from './importers/images/measure-images.ts'
import { renderImage } from './importers/images/render-image.ts'
import { runImport } from './importers/run-import.ts'
import { hostMessageSchema, jobs, type EngineMessage, type JobContext, type JobName, type JobRequest, type JobResult } from './protocol.ts'
import { addBackbone, checkBackbone } from './training/session/backbone-jobs.ts'
import { deviceVerdict, estimateRun } from './training/session/estimate-run.ts'
import { predictRun } from './training/predict/predict-run.ts'
import { trainRun } from './training/run/train-run.ts'

/** Entry of the engine process: messages in, events out, no maths. */

type Handlers = { [N in JobName]: (request: JobRequest<N>, context: JobContext) => Promise<JobResult<N>> }

const handlers: Handlers = {
  'table:inspect': inspectTable,
  'import:preview': previewImport,
  'import:check': checkImport,
  'import:identities': listIdentities,
  'privacy:try': tryRules,
  'import:run': runImport,
  'mapping:values': readMappedValues,
  'originals:check': checkOriginals,
  'images:measure': measureImages,
  'image:describe': describeImage,
  'image:render': renderImage,
  'demo:generate': drawDemo,
  'backbone:add': addBackbone,
  'backbone:check': checkBackbone,
  'device:verdict': deviceVerdict,
  'run:estimate': estimateRun,
  'train:run': trainRun,
  'predict:run': predictRun,
}

/** Shorter than any sensible silence limit of the host. */
const aliveEveryMs = 3000

interface ActiveJob {
  abort: AbortController
  stopRequested: boolean
  waiting: Map<number, { resolve: () => void; reject: (error: unknown) => void }>
}

const active = new Map<number, ActiveJob>()

function post(message: EngineMessage): void {
  // The channel closes when the host goes; then there is nobody left to tell.
  if (process.connected) process.send?.(message)
}

async function runJob(jobId: number, name: JobName, rawRequest: () => unknown): Promise<void> {
  const job: ActiveJob = { abort: new AbortController(), stopRequested: false, waiting: new Map() }
  active.set(jobId, job)
  let sequence = 0
  const context: JobContext = {
    signal: job.abort.signal,
    shouldStop: () => job.stopRequested,
    progress: (progress) => post({ type: 'progress', jobId, progress }),
    send: (data) => new Promise((resolve, reject) => {
      const number = sequence++
      job.waiting.set(number, { resolve, reject })
      post({ type: 'data', jobId, sequence: number, data })
    }),
  }
  const alive = setInterval(() => post({ type: 'alive', jobId }), aliveEveryMs)
  try {
    const request = jobs[name].request.parse(rawRequest())
    const handler = handlers[name] as (request: unknown, context: JobContext) => Promise<unknown>
    const result = await handler(request, context)
    post({ type: 'result', jobId, result })
  } catch (error) {
    if (!(error instanceof AppError) && !job.abort.signal.aborted && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    post({ type: 'error', jobId, error: toErrorOutcome(error, 'ENGINE_CRASHED'), isCancelled: job.abort.signal.aborted })
  } finally {
    clearInterval(alive)
    active.delete(jobId)
  }
}

process.on('message', (raw: unknown) => {
  const message = hostMessageSchema.parse(raw)
  if (message.type === 'start') {
    const { jobId, name, request, requestFile } = message
    void runJob(jobId, name, () => (requestFile === undefined ? request : takeRequestFile(requestFile)))
    return
  }
  const job = active.get(message.jobId)
  if (!job) return
  if (message.type === 'cancel') job.abort.abort()
  else if (message.type === 'stop') job.stopRequested = true
  else {
    const waiting = job.waiting.get(message.sequence)
    job.waiting.delete(message.sequence)
    if (message.error) waiting?.reject(fromErrorOutcome(message.error))
    else waiting?.resolve()
  }
})

// Without its host the engine has no purpose; a killed app must not leave a training behind.
process.on('disconnect', () => process.exit(0))

post({ type: 'ready' })
