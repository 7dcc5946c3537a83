import type { TextDecision, TextReviewItem } from '../../domain/text-signs.ts'
import { makeDecision, undoDecision } from '../alarms/curate.ts'
import { inTurns } from '../in-turns.ts'
import type { Workspace } from '../workspace.ts'

/** A list that somebody goes through by eye; what is beyond it comes up when the first ones are decided. */
const mostShown = 500

export interface TextReview {
  total: number
  open: number
  /** Images that nobody searched: imported before there was a search, which measuring them makes up for. */
  unsearched: number
  items: TextReviewItem[]
}

/** The images of a cohort that may show text; open ones first. */
export function listTextImages({ store }: Pick<Workspace, 'store'>, cohortId: number): TextReview {
  return { ...store.textSigns.count(cohortId), unsearched: store.imageMeasures.countUnmeasured(cohortId), items: store.textSigns.list(cohortId).slice(0, mostShown) }
}

/**
 * Keeps images, leaves them out by a decision over the cohort that can be undone like any other, or (null) opens them again. A content that
 * several studies hold is decided for all of them.
 * @throws AppError RUN_COHORT_NOT_READY while the import goes on, CURATION_INVALID
 */
export async function decideTextImages(workspace: Pick<Workspace, 'store' | 'reader'>, cohortId: number, sha256s: readonly string[], decision: TextDecision | null): Promise<TextReview> {
  const { store, reader } = workspace
  const chosen = [...new Set(sha256s)]
  const { items, decisionIds } = await reader.read('text-images:chosen', { cohortId, sha256s: chosen })
  // An exclusion counts until it is undone, whatever follows it.
  for (const decisionId of decisionIds) await undoDecision(workspace, decisionId, 'Review of images that may show text')
  const excludedBy = decision === 'exclude' ? (await makeDecision(workspace, cohortId, { kind: 'exclude-items', items }, 'May show text')).decisionId : null
  await inTurns(store.textSigns.decide(cohortId, chosen, decision, excludedBy))
  return await reader.read('text-images:list', { cohortId })
}
