import { answerRead, type StoreReader } from '../../../engine/jobs/store-reads.ts'
import type { Store } from '../../../engine/store/open.ts'

/** The same reads without their process, which reader-process.test.ts and the end-to-end tests start. */
export function readInPlace(store: Store): StoreReader {
  return {
    read: async (name, request) => answerRead(store, name, request, () => {}) as never,
    start: (name, request, onProgress) => ({ answer: Promise.resolve().then(() => answerRead(store, name, request, (progress) => onProgress?.(progress)) as never), cancel: () => {} }),
    dispose: () => {},
  }
}
