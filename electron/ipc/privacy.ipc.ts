import { readFile, stat } from 'node:fs/promises'
import { AppError } from '../../engine/domain/errors.ts'
import { privacyOptionsSchema } from '../../engine/domain/privacy.ts'
import { decideTextImages, type TextReview } from '../../engine/jobs/privacy/review-text-images.ts'
import type { CallReply } from '../contract/contract.ts'
import type { Handlers } from './answer.ts'
import type { HandlerContext } from './context.ts'

const mostListBytes = 1_000_000
const mostWords = 5000

/** De-identification in the window: the rules tried out, lists of own words, the review of images that may show text. */
export function privacyHandlers({ workspace, pictures, dialogs, publish }: HandlerContext): Handlers<'privacy:try' | 'privacy:read-list' | 'privacy:images' | 'privacy:decide'> {
  const withPictures = ({ items, ...counts }: TextReview): CallReply<'privacy:images'> => ({
    ...counts, items: items.map(({ sha256, ...item }) => ({ ...item, contentKey: sha256, url: pictures.itemUrl(item.studyId, item.slotId, 'page') })),
  })
  return {
    'privacy:try': async (request) => {
      const trial = await workspace.files.run('privacy:try', { ...request, pseudonymKey: workspace.pseudonymKey })
      if (!trial) throw new AppError('ENGINE_UNAVAILABLE', 'The rules could not be tried because the engine stopped.')
      return trial
    },
    'privacy:read-list': async () => {
      const path = await dialogs.chooseWordList()
      if (path === null) return { words: null, leftOut: 0 }
      const text = await readList(path)
      const lines = [...new Set(text.split(/[\r\n;\t,]+/).map((line) => line.trim()).filter((line) => line !== ''))]
      const words = lines.filter((word) => privacyOptionsSchema.safeParse({ words: [word] }).success).slice(0, mostWords)
      return { words, leftOut: lines.length - words.length }
    },
    'privacy:images': async ({ cohortId }) => withPictures(await workspace.reader.read('text-images:list', { cohortId })),
    'privacy:decide': async ({ cohortId, contentKeys, decision }) => {
      const review = await decideTextImages(workspace, cohortId, contentKeys, decision)
      publish('cohorts:changed', { cohortId })
      return withPictures(review)
    },
  }
}

/** Throws PRIVACY_LIST_UNREADABLE; the message names no file, whose name may tell a ward. */
async function readList(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > mostListBytes) throw new AppError('PRIVACY_LIST_UNREADABLE', 'The list has more than 1 MB.')
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('PRIVACY_LIST_UNREADABLE', 'The list is no text file in UTF-8 that can be read.', { cause: error })
  }
}
