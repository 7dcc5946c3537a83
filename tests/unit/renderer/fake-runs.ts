import type { CallName, CallReply, CallRequest, CohortDetail } from '../../../electron/contract/contract.ts'
import { studyListQuerySchema, type Review, type RunRecord, type StoredPrediction, type StudyFilter, type StudyListRow } from '../../../engine/domain/records.ts'
import { runConfigSchema, type Epoch, type Split } from '../../../engine/domain/run.ts'
import { describePattern, patternKey, slotIdsOfPattern, subPatterns, type AbsenceReason, type Slot } from '../../../engine/domain/slots.ts'

/** Synthetic cohort, runs and patients in the contract's shape, for looking at the screens without main. Nobody in here exists. */

const slots: Slot[] = [
  { slotId: 'right-eye', modality: 'image', title: 'Right eye', letter: 'R' },
  { slotId: 'left-eye', modality: 'image', title: 'Left eye', letter: 'L' },
  { slotId: 'notes', modality: 'text', title: 'Notes', letter: 'N' },
]
const labelNames = ['Normal', 'Diabetes', 'Glaucoma', 'Cataract', 'Macular degeneration', 'Hypertension', 'Myopia', 'Other abnormalities']
const rates = [0.3, 0.32, 0.12, 0.11, 0.08, 0.004, 0.09, 0.28]
const labels = labelNames.map((name, position) => ({ labelId: position + 1, name, position }))
const studyCount = 20_000
const now = '2026-03-04T09:20:00.000Z'
const hash = (letter: string): string => letter.repeat(4).padEnd(64, '3f9a20c7')

/** Repeatable numbers in 0..1 from integers (a hash, not a generator: any study can be made alone). */
function unit(...keys: number[]): number {
  let state = 2166136261
  for (const key of keys) {
    state = Math.imul(state ^ key, 16777619)
    state = Math.imul(state ^ (state >>> 13), 0x5bd1e995)
  }
  return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32
}

const patientKeyOf = (studyId: number): string => `P-${Math.floor(unit(studyId, 99) * 2 ** 32).toString(36).toUpperCase().padStart(7, '0')}`
function presenceOf(studyId: number): { slotId: string; isPresent: boolean; reason: AbsenceReason | null }[] {
  const rolls = slots.map((_, index) => unit(studyId, 200 + index))
  const lost = rolls.map((roll, index) => roll < [0.06, 0.08, 0.2][index]!)
  if (lost.every(Boolean)) lost[0] = false
  return slots.map((slot, index) => ({ slotId: slot.slotId, isPresent: !lost[index], reason: lost[index] ? (slot.modality === 'text' ? 'not-collected' : rolls[index]! < 0.01 ? 'unreadable' : rolls[index]! < 0.02 ? 'excluded' : 'file-missing') : null }))
}
const patternOf = (studyId: number): string => patternKey(slots, (slotId) => presenceOf(studyId).find((item) => item.slotId === slotId)!.isPresent)
const referenceOf = (studyId: number): (0 | 1)[] => rates.map((rate, index) => (unit(studyId, 300 + index) < rate ? 1 : 0))
const splitOf = (studyId: number): Split => (unit(studyId, 7) < 0.6 ? 'train' : unit(studyId, 7) < 0.8 ? 'val' : 'test')
const ageOf = (studyId: number): number => 24 + Math.floor(unit(studyId, 5) * 60)
const thresholds = [0.42, 0.38, 0.5, 0.55, 0.5, 0.5, 0.61, 0.36]

function predictionOf(studyId: number, pattern: string, isActual: boolean): StoredPrediction {
  const reference = referenceOf(studyId)
  const held = slotIdsOfPattern(pattern).length
  return {
    fold: 0, split: splitOf(studyId), pattern, isActual,
    labels: labels.map((label, index) => {
      const noise = (unit(studyId, 400 + index, pattern.length) - 0.5) * (5 - held)
      const logit = (reference[index] === 1 ? 1.4 * (held / 2) : -1.9) + noise + (splitOf(studyId) === 'train' ? (reference[index] === 1 ? 0.8 : -0.8) : 0)
      return { labelId: label.labelId, labelName: label.name, logit, probability: 1 / (1 + Math.exp(-logit)), threshold: thresholds[index]!, reference: reference[index]! }
    }),
  }
}

const reviews: Review[] = [
  { reviewId: 1, runId: 1, studyId: 3, labelId: null, verdict: 'unsure', comment: 'Media opacity; the macula is hard to judge.', createdAt: '2026-03-02T14:05:00.000Z' },
  { reviewId: 2, runId: 1, studyId: 3, labelId: null, verdict: 'disagree', comment: 'On second look the cup is large.', createdAt: '2026-03-03T08:41:00.000Z' },
]
const reviewsOf = (studyId: number): Review[] => reviews.filter((review) => review.studyId === studyId).sort((a, b) => b.reviewId - a.reviewId)

function rowOf(studyId: number, filter: StudyFilter): StudyListRow {
  const reference = referenceOf(studyId)
  const actual = filter.runId === null ? null : predictionOf(studyId, patternOf(studyId), true)
  const chosen = actual === null ? null : (actual.labels.find((label) => label.labelId === filter.labelId) ?? [...actual.labels].sort((a, b) => b.probability - a.probability)[0]!)
  const wrong = actual?.labels.filter((label) => (label.probability >= label.threshold ? 1 : 0) !== label.reference) ?? []
  return {
    studyId, patientKey: patientKeyOf(studyId), studyKey: 'S1', ageYears: ageOf(studyId), sex: unit(studyId, 6) < 0.52 ? 'female' : 'male', pattern: patternOf(studyId), presence: presenceOf(studyId),
    referenceLabels: labelNames.filter((_, index) => reference[index] === 1), unknownLabelCount: 0, isExcluded: false, personKey: null,
    prediction: actual === null || chosen === null ? null : {
      fold: 0, split: actual.split, labelId: chosen.labelId, labelName: chosen.labelName, probability: chosen.probability, threshold: chosen.threshold,
      confidence: Math.min(...(filter.labelId === null ? actual.labels : [chosen]).map((label) => Math.abs(label.probability - label.threshold) / Math.max(label.threshold, 1 - label.threshold))),
      predictedLabels: actual.labels.filter((label) => label.probability >= label.threshold).map((label) => label.labelName),
      falsePositives: wrong.filter((label) => label.reference === 0).map((label) => label.labelName), falseNegatives: wrong.filter((label) => label.reference === 1).map((label) => label.labelName), wrongLabelCount: wrong.length,
    },
    review: filter.runId === null ? null : (reviewsOf(studyId)[0] ?? null),
  }
}

let cached: { key: string; ids: number[] } = { key: '', ids: [] }
/** Ids of the studies that a filter lets through, in its order. */
function idsOf(filter: StudyFilter): number[] {
  const key = JSON.stringify(filter)
  if (cached.key === key) return cached.ids
  const rows: StudyListRow[] = []
  for (let studyId = 1; studyId <= studyCount; studyId++) {
    const row = rowOf(studyId, filter)
    const prediction = row.prediction
    const wrongIn = (names: string[] | undefined): boolean => (names ?? []).some((name) => filter.labelId === null || labels[filter.labelId - 1]?.name === name)
    const isWrong = { 'false-positive': wrongIn(prediction?.falsePositives), 'false-negative': wrongIn(prediction?.falseNegatives), any: wrongIn(prediction?.falsePositives) || wrongIn(prediction?.falseNegatives) }
    if (filter.pattern !== null && row.pattern !== filter.pattern) continue
    if (filter.search !== '' && !row.patientKey.toLowerCase().includes(filter.search.toLowerCase())) continue
    if (filter.split !== null && prediction?.split !== filter.split) continue
    if (filter.error !== null && !isWrong[filter.error]) continue
    if (filter.review !== null && (row.review?.verdict ?? 'none') !== filter.review) continue
    rows.push(row)
  }
  const valueOf = (row: StudyListRow): string | number => ({ patientKey: row.patientKey, probability: row.prediction?.probability ?? -1, confidence: row.prediction?.confidence ?? -1, pattern: row.pattern, ageYears: row.ageYears ?? -1 })[filter.sortBy]
  rows.sort((a, b) => (valueOf(a) < valueOf(b) ? -1 : valueOf(a) > valueOf(b) ? 1 : 0) * (filter.descending ? -1 : 1))
  cached = { key, ids: rows.map((row) => row.studyId) }
  return cached.ids
}

export const fakeConfig = runConfigSchema.parse({ cohortId: 1, name: 'MoRA, both eyes and notes', slotIds: slots.map((slot) => slot.slotId), labelIds: labels.map((label) => label.labelId), epochs: 20 })
const fakeEpochs = (last: number): Epoch[] => Array.from({ length: last }, (_, epoch) => ({
  fold: 0, epoch, trainLoss: 0.18 + 0.5 * Math.exp(-epoch / 5) + unit(epoch, 1) * 0.01, valLoss: 0.3 + 0.36 * Math.exp(-epoch / 4) + epoch * 0.004 + unit(epoch, 2) * 0.015,
  valMacroAuroc: 0.82 - 0.28 * Math.exp(-epoch / 4) + unit(epoch, 3) * 0.01, learningRate: 1e-3 * (1 - epoch / 20), elapsedMs: 7400, isBest: epoch <= 12,
}))
const verdict = { backend: 'cpu' as const, device: 'TensorFlow on 2 CPU cores', reason: 'No NVIDIA GPU was found, so the processor computes.', remedy: 'A workstation with an NVIDIA GPU trains about ten times faster.' }
const splitProof = { splitHash: hash('b'), folds: [{ fold: 0, train: 12_021, val: 3_968, test: 4_011, patientsOnTwoSides: 0 as const }], patientCount: 20_000, studyCount: 20_000 }

function runOf(runId: number, overrides: Partial<RunRecord>): RunRecord {
  return {
    runId, cohortId: 1, cohortName: 'Synthetic eyes', name: fakeConfig.name, status: 'finished', config: fakeConfig, seed: 1, appVersion: '0.1.0', codeVersion: '7c1e9d2', cohortHash: hash('c'), weightsHash: hash('e'), splitHash: hash('b'),
    splitProof, device: verdict, trainedParameters: 455_432, totalParameters: 46_912_344, peakBytes: 1.9e9, elapsedMs: 132_000, notes: ['The features of 37,204 images were computed once and are kept.', 'Early stopping after epoch 19: no better validation AUROC for 6 epochs.'],
    error: null, epochsDone: 19, createdAt: now, startedAt: now, finishedAt: '2026-03-04T09:24:12.000Z', ...overrides,
  }
}
export const fakeRunList: RunRecord[] = [
  runOf(1, {}),
  runOf(2, { name: 'MoRA rank 8', status: 'running', config: { ...fakeConfig, name: 'MoRA rank 8', mora: { ...fakeConfig.mora, rank: 8 } }, finishedAt: null, elapsedMs: null, epochsDone: 9, notes: [] }),
  runOf(3, { name: 'Head only', status: 'failed', config: { ...fakeConfig, name: 'Head only', adapter: 'head-only' }, finishedAt: null, epochsDone: 4, error: { code: 'ENGINE_CRASHED', message: 'The training process ended unexpectedly in epoch 5.', fix: 'Resume the job; at most one epoch or one batch of files is repeated.' } }),
  runOf(4, { name: 'Zero-fill baseline', status: 'paused', config: { ...fakeConfig, name: 'Zero-fill baseline', adapter: 'zero-fill' }, finishedAt: null, epochsDone: 2 }),
  runOf(5, { name: 'First try', status: 'cancelled', epochsDone: 0, splitProof: null, splitHash: null, weightsHash: null, device: null, trainedParameters: null, totalParameters: null, peakBytes: null, elapsedMs: null, startedAt: null, finishedAt: null, notes: [] }),
]

const estimable = (value: number): { value: number | null; reason: string | null } => ({ value, reason: null })
const none = (reason: string): { value: number | null; reason: string | null } => ({ value: null, reason })
function metricsRow(pattern: string | null, patternTitle: string, studies: number, quality: number): CallReply<'results:get'>['overall'] {
  const rows = labels.map((label, index) => {
    const positives = Math.round(studies * rates[index]!)
    const isEmpty = positives === 0
    const wobble = (unit(index, studies) - 0.5) * 0.12
    return {
      labelId: label.labelId, labelName: label.name, positives, negatives: studies - positives, threshold: thresholds[index]!,
      f1: isEmpty ? none(`No test patient has ${label.name}.`) : estimable(Math.max(0.05, quality - 0.25 + wobble)),
      auroc: isEmpty ? none(`No test patient has ${label.name}.`) : estimable(quality + wobble),
      auprc: isEmpty ? none(`No test patient has ${label.name}.`) : estimable(Math.max(rates[index]!, quality - 0.3 + wobble)),
    }
  })
  const mean = (pick: (row: (typeof rows)[number]) => number | null): number => {
    const values = rows.flatMap((row) => pick(row) ?? [])
    return values.reduce((sum, value) => sum + value, 0) / values.length
  }
  return {
    pattern, patternTitle, studyCount: studies, patientCount: studies, estimableLabels: rows.filter((row) => row.auroc.value !== null).length, labels: rows,
    macroF1: studies < 4 ? none('Fewer than one label has both classes.') : estimable(mean((row) => row.f1.value)),
    macroAuroc: studies < 4 ? none('Fewer than one label has both classes.') : estimable(mean((row) => row.auroc.value)),
    macroAuprc: studies < 4 ? none('Fewer than one label has both classes.') : estimable(mean((row) => row.auprc.value)),
  }
}

const picture = (hue: number, isRight: boolean): string => `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512"><defs><radialGradient id="g"><stop offset="0" stop-color="hsl(${hue},70%,52%)"/><stop offset="0.85" stop-color="hsl(${hue - 6},75%,30%)"/><stop offset="1" stop-color="hsl(${hue - 8},80%,14%)"/></radialGradient></defs><rect width="512" height="512" fill="#000"/><circle cx="256" cy="256" r="240" fill="url(#g)"/><circle cx="${isRight ? 346 : 166}" cy="250" r="38" fill="hsl(45,90%,72%)"/><circle cx="256" cy="262" r="46" fill="hsl(12,70%,24%)" opacity="0.55"/><path d="M${isRight ? 346 : 166} 250 q-60 -110 -190 -130 M${isRight ? 346 : 166} 250 q-60 110 -190 140 M${isRight ? 346 : 166} 250 q60 -90 130 -100" stroke="hsl(6,80%,26%)" stroke-width="5" fill="none"/></svg>`)}`

function pageOf(request: CallRequest<'patients:get'>): CallReply<'patients:get'> {
  const { studyId, runId } = request
  const presence = presenceOf(studyId)
  const reference = referenceOf(studyId)
  const pattern = patternOf(studyId)
  return {
    study: { studyId, cohortId: 1, patientId: studyId, patientKey: patientKeyOf(studyId), studyKey: 'S1', ordinal: studyId, ageYears: ageOf(studyId), sex: unit(studyId, 6) < 0.52 ? 'female' : 'male', pattern, labels: labels.map((label, index) => ({ ...label, value: reference[index]! })), siblingStudyIds: [], visits: [], noteDay: null, isExcluded: false, personKeys: [] },
    items: slots.map((slot, index) => {
      const { isPresent, reason } = presence[index]!
      const url = isPresent && slot.modality === 'image' ? picture(14 + unit(studyId, 1) * 14, index === 0) : null
      return { ...slot, isPresent, reason, detail: null, byteSize: 1, widthPx: url === null ? null : 512, heightPx: url === null ? null : 512, textParts: null, url, thumbnailUrl: url, original: url === null ? null : 'there', text: isPresent && slot.modality === 'text' ? 'Blurred vision in both eyes for about six months, worse at night.\nType 2 diabetes for nine years, on metformin. No pain, no trauma.\nIntraocular pressure 17 / 18 mmHg. Best corrected acuity 0.6 / 0.7.\nReferred for fundus photography; dilated examination planned.' : null }
    }),
    predictions: runId === null ? [] : subPatterns(pattern).map((sub) => predictionOf(studyId, sub, sub === pattern)),
    reviews: reviewsOf(studyId), exclusion: null,
  }
}

function cohortDetail(): CohortDetail {
  return {
    cohort: { cohortId: 1, name: 'Synthetic eyes', status: 'ready', sourceDir: 'synthetic', tableFile: 'synthetic.csv', sheet: null, task: 'multi-label', slots, labels, tableSha256: hash('a'), contentHash: hash('c'), createdAt: now, finishedAt: now, rowsIn: studyCount, studyTotal: studyCount, nextOrdinal: studyCount, patientCount: studyCount, studyCount, itemCount: 3 * studyCount, presentItemCount: 53_214, runCount: fakeRunList.length, curation: { effectiveHash: hash('c'), decisionCount: 0, droppedSlotIds: [], excludedStudyCount: 0 } },
    labelCounts: labels.map((label, index) => ({ name: label.name, positives: index === 5 ? 7 : Math.round(rates[index]! * studyCount), negatives: studyCount - Math.round(rates[index]! * studyCount), unknown: index === 2 ? 41 : 0 })),
    patternCounts: [{ pattern: 'right-eye+left-eye+notes', count: 13_800 }, { pattern: 'right-eye+left-eye', count: 3_460 }],
    absences: [{ slotId: 'right-eye', reason: 'file-missing', count: 1_204 }, { slotId: 'left-eye', reason: 'file-missing', count: 1_592 }, { slotId: 'notes', reason: 'not-collected', count: 3_990 }],
    labelWords: [], duplicateImages: [], rejections: [],
  }
}

/** Handlers of everything that run and patient screens ask. Beside others they make a whole window.api. */
export const fakeRunCalls: { [K in CallName]?: (request: CallRequest<K>) => CallReply<K> } = {
  'cohorts:list': () => [cohortDetail().cohort],
  'cohorts:get': cohortDetail,
  'runs:list': () => fakeRunList,
  'runs:get': ({ runId }) => {
    const run = fakeRunList.find((candidate) => candidate.runId === runId)!
    return { run, epochs: fakeEpochs(run.epochsDone), splitProof: run.splitProof }
  },
  'runs:suggest': ({ cohortId }) => ({
    config: { ...fakeConfig, cohortId, name: 'Run 6' },
    slotWarnings: [{ slotId: 'notes', text: 'The word "cataract" in the notes gives away the label Cataract: 2,114 of 2,160 studies that have the word carry the label. A good result may only mean that the model reads the answer.' }],
    labelWarnings: [{ labelId: 6, text: 'Hypertension has 7 positive studies.' }],
    tabularColumns: [],
  }),
  'runs:estimate': ({ config }) => ({
    trainedParameters: 384 * (config.mora?.rank ?? 4) * 3 + 450_824, totalParameters: 46_912_344, estimatedSeconds: 6.6 * (config.epochs ?? 20), estimatedBytes: 1.1e9 + 2e7 * (config.batchSize ?? 16), availableBytes: 5.8e9, studyCount: 19_972, excludedStudyCount: 28, verdict,
    warnings: ['The 20,000 studies need their image features computed once; that takes about 40 minutes before the first epoch.'],
  }),
  'runs:start': () => ({ runId: 2 }),
  'runs:stop': () => ({}), 'runs:resume': () => ({}), 'runs:remove': () => ({}),
  'results:get': ({ runId, setting }) => {
    const loss = setting.kind === 'actual' ? 0 : setting.kind === 'only' ? (setting.modality === 'text' ? 0.14 : 0.05) : 0.07
    const row = (pattern: string, studies: number, quality: number) => metricsRow(pattern, describePattern(slots, pattern), studies, quality)
    return {
      runId, setting: setting.kind, overall: metricsRow(null, 'All test patients', 4_011, 0.82 - loss),
      byPattern: [row('right-eye+left-eye+notes', 2_760, 0.84 - loss), row('right-eye+left-eye', 692, 0.79 - loss), row('left-eye+notes', 240, 0.78 - loss), row('right-eye+notes', 254, 0.77 - loss), row('notes', 62, 0.69 - loss), row('right-eye', 3, 0.6)],
    }
  },
  'patients:list': (request) => {
    const query = studyListQuerySchema.parse(request)
    const { offset, limit, ...filter } = query
    const ids = idsOf(filter)
    return { total: ids.length, patients: ids.length, rows: ids.slice(offset, offset + limit).map((studyId) => rowOf(studyId, filter)) }
  },
  'patients:get': pageOf,
  'patients:neighbours': ({ filter, studyId }) => {
    const { offset: _offset, limit: _limit, ...own } = studyListQuerySchema.parse(filter)
    const ids = idsOf(own)
    const index = ids.indexOf(studyId)
    return { position: index + 1, total: ids.length, previous: ids[index - 1] ?? null, next: ids[index + 1] ?? null }
  },
  'patients:source-rows': ({ studyId }) => ({ rows: [studyId + 1] }),
  'reviews:save': ({ studyId, runId, verdict: word, comment }) => {
    const review: Review = { reviewId: reviews.length + 1, runId, studyId, labelId: null, verdict: word, comment, createdAt: now }
    reviews.push(review)
    return review
  },
  'predictions:export': () => ({ path: '/home/reader/predictions.csv', rowCount: 160_000 }),
}
