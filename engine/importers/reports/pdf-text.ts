/** The words of a PDF, read on a thread under limits of size, time and memory. */
import { Worker } from 'node:worker_threads'
import { createBudget } from '../concurrency.ts'
import type { PdfReply, PdfRequest } from './pdf-thread.ts'

const maxBytes = 32 * 1024 * 1024
const maxPages = 200
const maxMs = 20_000
const maxHeapMb = 512
/** A page of a scan often carries a number or a stamp; a report has more. */
const fewestLetters = 20
const threads = createBudget(2)
/** Loading the library takes longer than reading a report, so a thread reads many; not for ever, since what the library keeps adds up. */
const documentsOfThread = 200
interface Reader { thread: Worker; documents: number }
const idle: Reader[] = []
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
  const reply = await threads.run(1, () => read({ bytes, maxPages }))
  if (typeof reply === 'string') return { problem: problems[reply]! }
  if (!reply.ok) return { problem: problems[reply.problem]! }
  const text = reply.text.replace(/[^\S\n]+/gu, ' ').replace(/ ?\n ?/g, '\n').replace(/\n{3,}/g, '\n\n').trim()
  return (text.match(/\p{L}/gu)?.length ?? 0) < fewestLetters ? { problem: problems.scan! } : { text }
}

/** A thread that ended while it read may have been at its end before: only a fresh one tells of the document. */
async function read(request: PdfRequest): Promise<PdfReply | 'slow' | 'memory'> {
  const used = idle.pop()
  const reply = used === undefined ? null : await readOn(used, request)
  if (reply !== null && typeof reply === 'object') return reply
  return reply === 'slow' ? reply : (await readOn(createReader(), request)) ?? { ok: false, problem: 'damaged' }
}

function createReader(): Reader {
  const thread = new Worker(new URL(threadFile, import.meta.url), { stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } })
  const reader = { thread, documents: 0 }
  // What a thread says while it is being ended, or does when no document waits, belongs to no document.
  thread.on('error', () => undefined)
  thread.on('exit', () => {
    if (idle.includes(reader)) idle.splice(idle.indexOf(reader), 1)
  })
  return reader
}

/** Null when the thread ended for no reason of its limits. */
function readOn(reader: Reader, request: PdfRequest): Promise<PdfReply | 'slow' | 'memory' | null> {
  const { thread } = reader
  thread.ref()
  return new Promise((resolve) => {
    const end = (reply: PdfReply | 'slow' | 'memory' | null): void => {
      clearTimeout(timer)
      thread.off('message', end)
      thread.off('error', onError)
      if (typeof reply === 'object' && reply !== null && ++reader.documents < documentsOfThread) {
        // An idle thread must not keep a finished command alive.
        thread.unref()
        idle.push(reader)
      } else void thread.terminate()
      resolve(reply)
    }
    const onError = (error: Error & { code?: string }): void => end(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : null)
    const timer = setTimeout(() => end('slow'), maxMs)
    thread.on('message', end)
    thread.on('error', onError)
    thread.postMessage(request)
  })
}
