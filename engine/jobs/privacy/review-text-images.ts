import type { TextDecision, TextReviewItem } from '../../domain/text-signs.ts'
import { makeDecision, undoDecision } from '../alarms/curate.ts'
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
  const { textSigns } = workspace.store
  const chosen = new Set(sha256s)
  // An exclusion counts until it is undone, whatever follows it.
  for (const decisionId of new Set(sha256s.map((sha256) => textSigns.excludedBy(cohortId, sha256)))) {
    if (decisionId !== null) undoDecision(workspace, decisionId, 'Review of images that may show text')
  }
  if (decision === null) for (const sha256 of chosen) textSigns.reopen(cohortId, sha256)
  else if (decision === 'keep') textSigns.keep(cohortId, [...chosen])
  else {
    const items = textSigns.list(cohortId).filter(({ sha256 }) => chosen.has(sha256)).map(({ studyId, slotId }) => ({ studyId, slotId }))
    const { decisionId } = await makeDecision(workspace, cohortId, { kind: 'exclude-items', items }, 'May show text')
    textSigns.exclude(cohortId, [...chosen], decisionId)
  }
  return listTextImages(workspace, cohortId)
}
