/** A thread that takes the words out of PDFs for pdf-text.ts, one after the other; ended with the document it hangs on. */
import { parentPort } from 'node:worker_threads'
import { extractText, getDocumentProxy } from 'unpdf'

export interface PdfRequest { bytes: Uint8Array; maxPages: number }
export type PdfReply = { ok: true; text: string } | { ok: false; problem: 'locked' | 'damaged' | 'too-long' }

/** The words page by page. No script of the document is run and nothing is fetched. */
async function readPdf({ bytes, maxPages }: PdfRequest): Promise<PdfReply> {
  let document: Awaited<ReturnType<typeof getDocumentProxy>> | null = null
  try {
    document = await getDocumentProxy(bytes, { disableFontFace: true, useSystemFonts: false, stopAtErrors: false, verbosity: 0, enableXfa: false })
    if (document.numPages > maxPages) return { ok: false, problem: 'too-long' }
    const { text } = await extractText(document, { mergePages: false })
    return { ok: true, text: text.join('\n\n') }
  } catch (error) {
    return { ok: false, problem: error instanceof Error && error.name === 'PasswordException' ? 'locked' : 'damaged' }
  } finally {
    // Nothing of a document may be there when the next one is read.
    await document?.loadingTask.destroy().catch(() => undefined)
  }
}

// A page that nobody waits for any more may fail later; that says nothing of the document that is read by then.
process.on('unhandledRejection', () => undefined)
parentPort?.on('message', (request: PdfRequest) => {
  void readPdf(request).catch((): PdfReply => ({ ok: false, problem: 'damaged' })).then((reply) => parentPort!.postMessage(reply))
})
