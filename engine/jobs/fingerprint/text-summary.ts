import { embeddedBackboneId } from '../../domain/backbones.ts'
import type { TextSummary } from '../../domain/fingerprint.ts'
import { runConfigSchema } from '../../domain/run.ts'
import type { Slot } from '../../domain/slots.ts'
import { histogramOf, percentileOf } from '../../fingerprint/histogram.ts'
import type { Store } from '../../store/open.ts'
import { openUsualTokenizer } from '../../training/session/usual-tokenizer.ts'

/**
 * Lengths of the texts in tokens of the default backbone, frame included, as a run reads them: the texts of a study joined, cut at the
 * default limit. Null for a cohort without text slots.
 */
export function summariseTexts(store: Store, cohortId: number, slots: readonly Slot[], weightsDir: string): TextSummary | null {
  const slotIds = slots.filter(({ modality }) => modality === 'text').map(({ slotId }) => slotId)
  if (slotIds.length === 0) return null
  const tokenizer = openUsualTokenizer(weightsDir)
  const limit = runConfigSchema.shape.maxTextTokens.parse(undefined)
  const { unknownId } = tokenizer.vocabulary
  const frame = tokenizer.emptyText.length
  const lengths: number[] = []
  const truncatedStudyIds: number[] = []
  let tokenCount = 0
  let unknownCount = 0
  for (const { studyId, items } of store.patients.trainingStudies(cohortId, slotIds, [])) {
    const text = items.flatMap((item) => item.text ?? []).join(' ')
    if (text === '') continue
    const ids = tokenizer.tokenize(text)
    lengths.push(ids.length + frame)
    if (ids.length + frame > limit) truncatedStudyIds.push(studyId)
    tokenCount += ids.length
    unknownCount += ids.filter((id) => id === unknownId).length
  }
  const sorted = Float64Array.from(lengths).sort()
  return {
    slotIds, backbone: embeddedBackboneId, limit, studies: lengths.length, truncated: truncatedStudyIds.length, truncatedStudyIds,
    median: percentileOf(sorted, 0.5), percentile95: percentileOf(sorted, 0.95), longest: sorted.at(-1) ?? 0, tokens: histogramOf(lengths, 30, limit + 1),
    unknownTokenShare: tokenCount === 0 ? 0 : unknownCount / tokenCount,
  }
}
