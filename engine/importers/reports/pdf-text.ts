/** The words of a PDF, read on a thread of its own under limits of size, time and memory. */
import { Worker } from 'node:worker_threads'
import { createBudget } from '../concurrency.ts'
import type { PdfReply, PdfRequest } from './pdf-thread.ts'

const maxBytes = 32 * 1024 * 1024
const maxPages = 200
const maxMs = 20_000
const maxHeapMb = 512
/** A page of a scan often carries a number or a stamp; a report has more. */
const fewestLetters = 20
/** Each thread loads the library anew. */
const threads = createBudget(2)
const threadFile = import.meta.url.endsWith('.ts') ? './pdf-thread.ts' : '../engine/pdf-thread.js'

const problems: Record<string, string> = {
  locked: 'The PDF is locked with a password.',
  damaged: 'The PDF is damaged.',
  'too-long': `The PDF has more than ${maxPages} pages.`,
  slow: `Reading the PDF did not end within ${maxMs / 1000} seconds.`,
  large: `The PDF has more than ${maxBytes / 1024 / 1024} MB.`,
  memory: 'Reading the PDF takes more memory than it may have.',
  scan: 'The PDF holds pictures of pages without text (a scan).',
}

/** The text, or why there is none, in a sentence without the file's name. */
export async function readPdfText(bytes: Uint8Array): Promise<{ text: string } | { problem: string }> {
  if (bytes.length > maxBytes) return { problem: problems.large! }
  const reply = await threads.run(1, () => runThread({ bytes, maxPages }))
  if (typeof reply === 'string') return { problem: problems[reply]! }
  if (!reply.ok) return { problem: problems[reply.problem]! }
  const text = reply.text.replace(/[^\S\n]+/gu, ' ').replace(/ ?\n ?/g, '\n').replace(/\n{3,}/g, '\n\n').trim()
  return (text.match(/\p{L}/gu)?.length ?? 0) < fewestLetters ? { problem: problems.scan! } : { text }
}

function runThread(request: PdfRequest): Promise<PdfReply | 'slow' | 'memory'> {
  return new Promise((resolve) => {
    const thread = new Worker(new URL(threadFile, import.meta.url), { workerData: request, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } })
    const end = (reply: PdfReply | 'slow' | 'memory'): void => {
      clearTimeout(timer)
      resolve(reply)
      void thread.terminate()
    }
    const timer = setTimeout(() => end('slow'), maxMs)
    thread.once('message', end)
    thread.once('error', (error: Error & { code?: string }) => end(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : { ok: false, problem: 'damaged' }))
  })
}
