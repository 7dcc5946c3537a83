import type { ServedBy } from '../domain/exchange.ts'
import type { RunRecord } from '../domain/records.ts'
import type { PatternInformation } from '../domain/results.ts'
import { describePattern, type Slot } from '../domain/slots.ts'
import { usableInformation } from '../evaluation/information.ts'
import type { LabelledPrediction } from '../evaluation/summarise.ts'
import type { Store } from '../store/open.ts'

/** One stored test prediction. */
export interface TestRow extends LabelledPrediction {
  studyId: number
  fold: number
  pattern: string
  servedBy: ServedBy | null
}

/** Finished runs of the same patients, split, labels, task and modalities: their numbers may be set side by side. */
export function comparableRuns(store: Store, run: RunRecord): RunRecord[] {
  const isSame = (a: readonly (number | string)[], b: readonly (number | string)[]) => a.length === b.length && a.every((item, index) => item === b[index])
  return store.runs.list(run.cohortId).filter((other) => other.status === 'finished' && other.splitHash === run.splitHash && other.cohortHash === run.cohortHash
    && other.config.task === run.config.task && isSame(other.config.labelIds, run.config.labelIds) && isSame(other.config.slotIds, run.config.slotIds))
}

/**
 * Usable information under every pattern that test patients were predicted with, and the gap to the dedicated model of that pattern on the
 * patients that both answer. The newest comparable run of dedicated models on the same backbone counts: another one would add the backbones'
 * difference to the gap.
 */
export function informationOf(store: Store, runId: number, slots: readonly Slot[], rows: readonly TestRow[]): PatternInformation[] {
  const run = store.runs.get(runId)
  const { task } = run.config
  const dedicated = run.config.adapter === 'dedicated' ? undefined : comparableRuns(store, run).find((other) => other.config.adapter === 'dedicated' && other.config.backbone === run.config.backbone)
  const reference = dedicated === undefined ? null : dedicatedRows(store, dedicated.runId)
  return [...Map.groupBy(rows, (row) => row.pattern)].map(([pattern, list]): PatternInformation => {
    const bits = usableInformation(list, task)
    const pairs = reference === null ? [] : list.flatMap((row) => {
      const other = reference.get(keyOf(row))
      return other === undefined ? [] : [{ row, other }]
    })
    const dedicatedBits = pairs.length === 0 ? null : usableInformation(pairs.map(({ other }) => other), task)
    const onPairs = usableInformation(pairs.map(({ row }) => row), task)
    const gapBits = dedicatedBits === null || dedicatedBits.value === null || onPairs.value === null ? null : dedicatedBits.value - onPairs.value
    return { pattern, patternTitle: describePattern(slots, pattern), studyCount: list.length, bits, dedicatedBits, gapBits }
  }).sort((a, b) => b.pattern.split('+').length - a.pattern.split('+').length || b.studyCount - a.studyCount)
}

const keyOf = ({ studyId, fold, pattern }: Pick<TestRow, 'studyId' | 'fold' | 'pattern'>): string => `${studyId} ${fold} ${pattern}`

/** Predictions of models that were trained for exactly the pattern; a fallback is nobody's dedicated model. */
function dedicatedRows(store: Store, runId: number): Map<string, LabelledPrediction> {
  const stored = store.predictions.forRun(runId, { split: 'test' })
  const width = stored.labelIds.length
  const rows = new Map<string, LabelledPrediction>()
  for (let row = 0; row < stored.count; row++) {
    if (stored.servedBy[row] !== 'trained') continue
    const cells = (values: Float32Array) => values.subarray(row * width, (row + 1) * width)
    rows.set(keyOf({ studyId: stored.studyIds[row]!, fold: stored.folds[row]!, pattern: stored.patterns[row]! }), {
      patientId: stored.patientIds[row]!, probabilities: cells(stored.probabilities), thresholds: cells(stored.thresholds), reference: cells(stored.references),
    })
  }
  return rows
}
