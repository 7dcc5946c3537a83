import { userInfo } from 'node:os'
import { counted, createTextMask, joinGroups, type Decision, type DecisionDraft } from '../../domain/curation.ts'
import type { Prepared } from '../../store/curation/decisions.ts'
import type { Store } from '../../store/open.ts'
import type { Workspace } from '../workspace.ts'

/**
 * What a decision would change, in words and counts; runs in the reader process. Says nothing of whether it is allowed: that is
 * checked when it is made.
 */
export function previewDecision(store: Store, cohortId: number, draft: DecisionDraft): { effect: string } {
  const cohort = store.cohorts.get(cohortId)
  const titleOf = (slotId: string) => cohort.slots.find((slot) => slot.slotId === slotId)?.title ?? slotId
  const slotIds = cohort.slots.map(({ slotId }) => slotId)
  switch (draft.kind) {
    case 'mask-words': {
      const { slotId, words } = draft
      if (!slotIds.includes(slotId)) return { effect: `The cohort has no modality "${slotId}".` }
      const mask = createTextMask(words)
      let notes = 0
      let occurrences = 0
      let emptied = 0
      for (const { items } of store.patients.trainingStudies(cohortId, [slotId], [])) {
        const text = items[0]?.text ?? null
        if (text === null) continue
        const hidden = mask.parts(text).filter(({ isMasked }) => isMasked).length
        if (hidden === 0) continue
        notes++
        occurrences += hidden
        if (mask.apply(text) === '') emptied++
      }
      const left = emptied === 0 ? '' : ` ${counted(emptied, 'text has', 'texts have')} no word left.`
      return { effect: `Masks ${counted(words.length, 'word')} at ${counted(occurrences, 'place')} in ${counted(notes, 'text')} of ${titleOf(slotId)}.${left}` }
    }
    case 'drop-slot': {
      if (!slotIds.includes(draft.slotId)) return { effect: `The cohort has no modality "${draft.slotId}".` }
      const having = store.patients.trainingStudies(cohortId, slotIds.filter((slotId) => !cohort.curation.droppedSlotIds.includes(slotId)), []).map(({ items }) => items.map(({ slotId }) => slotId)).filter((list) => list.includes(draft.slotId))
      const alone = having.filter((list) => list.length === 1).length
      return { effect: `Leaves ${titleOf(draft.slotId)} out of ${counted(having.length, 'study', 'studies')}.${alone === 0 ? '' : ` ${counted(alone, 'study has', 'studies have')} nothing else and ${alone === 1 ? 'leaves' : 'leave'} training with it.`}` }
    }
    case 'merge-patients': {
      const keys = new Set(draft.groups.flat())
      const studies = store.patients.trainingStudies(cohortId, [], []).filter(({ patientKey }) => keys.has(patientKey)).length
      return { effect: `Counts ${counted(keys.size, 'patient key')} as ${counted(joinGroups(draft.groups).length, 'person', 'persons')}: ${counted(studies, 'study', 'studies')} that stay together in every split.` }
    }
    case 'exclude-studies': {
      const chosen = new Set(draft.studyIds)
      const left = store.patients.trainingStudies(cohortId, [], [])
      const gone = left.filter(({ studyId }) => chosen.has(studyId))
      return { effect: `Excludes ${counted(gone.length, 'study', 'studies')} of ${counted(new Set(gone.map(({ patientId }) => patientId)).size, 'patient')}; ${left.length - gone.length} remain.` }
    }
    case 'judge-dates': {
      const chosen = new Set(draft.studyIds)
      const used = store.patients.trainingStudies(cohortId, [], []).filter(({ studyId }) => chosen.has(studyId))
      const people = new Set(used.map(({ patientId }) => patientId)).size
      return { effect: `${draft.isUsed ? 'Uses the dates' : 'Leaves out the dates'} of ${counted(used.length, 'study', 'studies')} of ${counted(people, 'patient')}. The studies stay; order and intervals of follow-up are told ${draft.isUsed ? 'by these dates' : 'without them'}.` }
    }
    case 'exclude-items': {
      const chosen = new Set(draft.items.map(({ studyId, slotId }) => `${studyId} ${slotId}`))
      const used = store.patients.trainingStudies(cohortId, slotIds.filter((slotId) => !cohort.curation.droppedSlotIds.includes(slotId)), [])
      const touched = used.filter(({ studyId, items }) => items.some(({ slotId }) => chosen.has(`${studyId} ${slotId}`)))
      const count = touched.reduce((sum, { studyId, items }) => sum + items.filter(({ slotId }) => chosen.has(`${studyId} ${slotId}`)).length, 0)
      const emptied = touched.filter(({ studyId, items }) => items.every(({ slotId }) => chosen.has(`${studyId} ${slotId}`))).length
      return { effect: `Excludes ${counted(count, 'item')} of ${counted(touched.length, 'study', 'studies')}.${emptied === 0 ? '' : ` ${counted(emptied, 'study has', 'studies have')} nothing left.`}` }
    }
  }
}

/** What making a decision needs, worked out in the reader process: its words, its check and the hash it leads to. */
export function prepareDecision(store: Store, cohortId: number, draft: DecisionDraft): { effect: string; prepared: Prepared } {
  const prepared = store.curation.prepare(cohortId, draft)
  return { effect: previewDecision(store, cohortId, draft).effect, prepared }
}

type Steps = Pick<Workspace, 'store' | 'reader'>

/** Makes a decision and logs it. What it changes is counted in the reader process and kept with it. */
export async function makeDecision({ store, reader }: Steps, cohortId: number, draft: DecisionDraft, reason: string): Promise<Decision> {
  const { effect, prepared } = await reader.read('curation:prepare', { cohortId, draft })
  return store.curation.decide(cohortId, { draft, effect, reason, madeBy: currentUser() }, prepared)
}

/** Undoes a decision and logs it; what it changed counts again at once. */
export async function undoDecision({ store, reader }: Steps, decisionId: number, reason: string): Promise<Decision> {
  const prepared = await reader.read('curation:prepare-undo', { decisionId })
  return store.curation.undo(decisionId, { reason, undoneBy: currentUser() }, prepared)
}

/** One decision that is undone so that studies count again, and what is decided anew for the others that it names. */
interface InclusionStep { decisionId: number; undoneHash: string; rest: { draft: DecisionDraft; effect: string; reason: string; cohortHash: string } | null }

/** The steps that make studies count again, with the hashes that they lead to; runs in the reader process. */
export function planInclusion(store: Store, cohortId: number, studyIds: readonly number[]): { base: string; steps: InclusionStep[] } {
  const chosen = new Set(studyIds)
  const undone: number[] = []
  const added: DecisionDraft[] = []
  const steps = store.curation.excluding(cohortId, studyIds).map(({ decisionId, draft, reason }): InclusionStep => {
    undone.push(decisionId)
    const undoneHash = store.curation.hashAfter(cohortId, { undone, added })
    const rest = draft.kind === 'exclude-studies' ? draft.studyIds.filter((studyId) => !chosen.has(studyId)) : []
    if (rest.length === 0) return { decisionId, undoneHash, rest: null }
    const restDraft: DecisionDraft = { kind: 'exclude-studies', studyIds: rest }
    added.push(restDraft)
    return { decisionId, undoneHash, rest: { draft: restDraft, reason, effect: `Keeps ${counted(rest.length, 'study', 'studies')} of an earlier decision excluded; the others count again.`, cohortHash: store.curation.hashAfter(cohortId, { undone, added }) } }
  })
  return { base: store.curation.baseOf(cohortId), steps }
}

/**
 * Makes studies count again: every decision that excludes one of them is undone, and made again for the other studies that it excludes, so
 * that each keeps its own reason. All of it or nothing, and every step in the log.
 */
export async function includeStudies({ store, reader }: Steps, cohortId: number, studyIds: readonly number[], reason: string): Promise<{ undone: number; remade: number }> {
  const plan = await reader.read('curation:plan-inclusion', { cohortId, studyIds: [...studyIds] })
  return store.transaction(() => {
    // Somebody may have decided meanwhile; then the steps are worked out on what stands now.
    const { steps } = plan.base === store.curation.baseOf(cohortId) ? plan : planInclusion(store, cohortId, studyIds)
    for (const { decisionId, undoneHash, rest } of steps) {
      store.curation.undo(decisionId, { reason, undoneBy: currentUser() }, { base: null, cohortHash: undoneHash })
      if (rest !== null) store.curation.decide(cohortId, { draft: rest.draft, effect: rest.effect, reason: rest.reason, madeBy: currentUser() }, { base: null, cohortHash: rest.cohortHash })
    }
    return { undone: steps.length, remade: steps.filter(({ rest }) => rest !== null).length }
  })
}

/** The account of this machine: the app has no users of its own. */
function currentUser(): string {
  try {
    return userInfo().username || 'unknown'
  } catch {
    // An account without a name, as in some containers.
    return 'unknown'
  }
}
