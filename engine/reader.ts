import { toErrorOutcome } from './domain/errors.ts'
import type { ReadAnswer, ReadProgress, ReadQuestion } from './host/reader-process.ts'
import { answerRead } from './jobs/store-reads.ts'
import { readPseudonymKey } from './jobs/pseudonym-key.ts'
import { openStore, type Store } from './store/open.ts'
import { sealStore } from './store/sealed-store.ts'

/** Entry of the reader process: questions in, answers out, over a connection that cannot write. */

const [storeFile, appVersion] = process.argv.slice(2)
let store: Store | null = null

function answer(answered: ReadAnswer | ReadProgress): void {
  if (process.connected) process.send?.(answered)
}

async function handle({ id, name, request }: ReadQuestion): Promise<void> {
  try {
    store ??= sealStore(openStore(storeFile!, { appVersion: appVersion!, readonly: true }), readPseudonymKey(storeFile!))
    answer({ id, ok: true, value: await answerRead(store, name, request, (progress) => answer({ id, progress })) })
  } catch (error) {
    answer({ id, ok: false, error: toErrorOutcome(error, 'REQUEST_INVALID') })
  }
}

process.on('message', (question: ReadQuestion) => void handle(question))

process.on('disconnect', () => process.exit(0))
