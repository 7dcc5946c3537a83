/** A thread that takes the words out of one PDF for pdf-text.ts; ended with the document it hangs on. */
import { parentPort, workerData } from 'node:worker_threads'
import { extractText, getDocumentProxy } from 'unpdf'

export interface PdfRequest { bytes: Uint8Array; maxPages: number }
export type PdfReply = { ok: true; text: string } | { ok: false; problem: 'locked' | 'damaged' | 'too-long' }

/** The words page by page. No script of the document is run and nothing is fetched. */
async function readPdf({ bytes, maxPages }: PdfRequest): Promise<PdfReply> {
  try {
    const document = await getDocumentProxy(bytes, { disableFontFace: true, useSystemFonts: false, stopAtErrors: false, verbosity: 0, enableXfa: false })
    if (document.numPages > maxPages) return { ok: false, problem: 'too-long' }
    const { text } = await extractText(document, { mergePages: false })
    return { ok: true, text: text.join('\n\n') }
  } catch (error) {
    return { ok: false, problem: error instanceof Error && error.name === 'PasswordException' ? 'locked' : 'damaged' }
  }
}

parentPort?.postMessage(await readPdf(workerData as PdfRequest))
