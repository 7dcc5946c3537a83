import type { PrivacyPart, PrivacyRule, PrivacyTrial } from '../../domain/privacy.ts'
import { withPrivacy } from '../../domain/mapping.ts'
import type { JobContext, JobRequest, JobResult } from '../../protocol.ts'
import { indexFiles } from '../images/file-index.ts'
import { createItemPlanner } from '../images/plan-items.ts'
import { createIssueCollector } from '../issues.ts'
import { loadCohort } from '../load-cohort.ts'
import { scrubFromHeaders } from './header-names.ts'
import { createOwnList } from './own-list.ts'

/** Rows read for a trial: enough to see what a rule does, few enough to answer while somebody waits. */
const trialRows = 2000
const maxSamples = 12

/**
 * The rules as they stand, tried on a typed example and on the first notes of the table; texts changed by the user's own list come first.
 * Nothing of it is stored.
 * @throws AppError for a table, mapping or folder that cannot be used; an AbortError when cancelled
 */
export async function tryRules(request: JobRequest<'privacy:try'>, context: JobContext): Promise<JobResult<'privacy:try'>> {
  const mapping = withPrivacy(request.mapping)
  const issues = createIssueCollector()
  const cohort = await loadCohort({ ...request, mapping }, issues, context, trialRows)
  const index = await indexFiles(request.source.sourceDir, issues, context.signal)
  await scrubFromHeaders(cohort.studies, mapping, createItemPlanner(mapping, cohort.studies, index), request.source.sourceDir, cohort.privacy, issues, context.signal)
  const privacy = cohort.privacy!
  const { words, shapes } = mapping.privacy!
  const findOwn = createOwnList(mapping.privacy!)
  const own = [...words, ...shapes].map((entry) => ({ entry, count: 0 }))
  const rules = new Map<PrivacyRule, number>()
  const changed: (PrivacyTrial['samples'][number] & { rank: number })[] = []
  let textsRead = 0
  let textsChanged = 0
  for (const study of cohort.studies) {
    context.signal.throwIfAborted()
    for (const [index, { slot }] of mapping.slots.entries()) {
      const original = study.originals?.[index] ?? null
      if (slot.modality !== 'text' || original === null) continue
      textsRead++
      for (const { entry } of findOwn(original)) own[entry]!.count++
      const parts = privacy.explain(study, original)
      const hits = parts.filter(({ rule }) => rule !== null)
      for (const { rule } of hits) rules.set(rule!, (rules.get(rule!) ?? 0) + 1)
      if (hits.length === 0) continue
      textsChanged++
      changed.push({ row: study.rows[0]!, slotId: slot.slotId, parts, rank: rankOf(hits, rules) })
      // Only the best are kept: a large table must not be held twice.
      if (changed.length > 20 * maxSamples) keepBest(changed)
    }
  }
  keepBest(changed)
  return {
    example: request.example === null ? [] : privacy.explainExample(request.example), textsRead, textsChanged,
    rules: [...rules].map(([rule, count]) => ({ rule, count })).sort((a, b) => b.count - a.count),
    own, samples: changed.map(({ row, slotId, parts }) => ({ row, slotId, parts })),
  }
}

/** What somebody looks for first: hits of the own list, then rules that hit seldom, then texts with much in them. */
function rankOf(hits: readonly PrivacyPart[], rules: ReadonlyMap<PrivacyRule, number>): number {
  const rarest = Math.min(...hits.map(({ rule }) => rules.get(rule!) ?? 1))
  return (hits.some(({ rule }) => rule === 'own-list') ? 1000 : 0) + 10 / rarest + Math.min(5, new Set(hits.map(({ rule }) => rule)).size)
}

function keepBest(changed: { rank: number }[]): void {
  changed.sort((a, b) => b.rank - a.rank)
  changed.length = Math.min(changed.length, maxSamples)
}
