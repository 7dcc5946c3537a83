import type { Fingerprint, ShownImage } from '../../domain/fingerprint.ts'
import { patternKey, type AbsenceReason } from '../../domain/slots.ts'
import { histogramOf, percentileOf } from '../../fingerprint/histogram.ts'
import { testMissingness } from '../../fingerprint/missingness-tests.ts'
import { describeSlot } from '../../fingerprint/words.ts'
import type { Store } from '../../store/open.ts'
import type { MeasuredImage } from '../../store/repositories/image-measures.ts'
import type { CohortColumns } from '../../store/study-index.ts'
import { createRng } from '../../training/rng.ts'
import { groupDuplicates, pairNearDuplicates } from './duplicates.ts'
import { summariseFollowUp } from './follow-up.ts'
import { summariseImages } from './image-summary.ts'
import { absencesOf, factsOf, groupPeople, statedOf, type People } from './people.ts'
import { summariseTexts } from './text-summary.ts'

/** Any fixed number: the same cohort must always get the same p-values. */
const permutationSeed = 20_240_229
const coOccurringLabels = 30
const listedKeys = 20

/**
 * Everything that can be said of a cohort before training, under the decisions that count: excluded studies are in none of the numbers,
 * merged patients are one. Takes a second or a few over 20,000 patients, so it runs in the reader.
 * @throws AppError STORE_NOT_FOUND, WEIGHTS_FILE_MISSING
 */
export function readFingerprint(store: Store, { cohortId, weightsDir }: { cohortId: number; weightsDir: string }): Fingerprint {
  const cohort = store.cohorts.get(cohortId)
  const columns = store.cohorts.columns(cohortId)
  const people = groupPeople(columns)
  const { slots } = columns
  const show = ({ studyId, slotId }: MeasuredImage): ShownImage => ({ studyId, slotId, patientKey: people.keyOfRow(columns.rowOf.get(studyId)!) })
  const images = countedImages(store, columns, cohortId)
  const absences = absencesOf(columns, people)
  const rng = createRng(permutationSeed)
  const tests = testMissingness(absences.filter(({ shares }) => shares.some((share) => share > 0)), factsOf(columns, people), () => rng.uniform())
  const present = people.rows.reduce((sum, row) => sum + slots.filter((_, s) => ((columns.presentBits[row]! >> s) & 1) === 1).length, 0)
  return {
    cohortId, cohortName: cohort.name, contentHash: cohort.contentHash,
    patients: people.keys.length, studies: people.rows.length, items: people.rows.length * slots.length, presentItems: present,
    followUp: summariseFollowUp(columns, people),
    patientsWithSeveralStudies: people.rowsOf.filter((rows) => rows.length > 1).length,
    ...describePeople(columns, people),
    slots: slots.map((slot, s) => ({ slot, ...countSlot(columns, people, s) })),
    patterns: countPatterns(columns, people),
    missingness: {
      verdicts: absences.map(({ slotId, title, shares }) => describeSlot(
        slotId, title, shares.filter((share) => share > 0).length, people.keys.length, shares.filter((share) => share < 1).length, tests.filter((test) => test.slotId === slotId))),
      tests, testCount: tests.filter(({ adjustedPValue }) => adjustedPValue !== null).length,
    },
    images: summariseImages(slots, images, show),
    unmeasured: store.imageMeasures.countUnmeasured(cohortId),
    text: summariseTexts(store, cohortId, slots, weightsDir),
    ...countLabels(columns, people),
    duplicates: groupDuplicates(images, show),
    nearDuplicates: pairNearDuplicates(images, show),
    unreadable: groupUnreadable(store, columns, people, cohortId),
  }
}

/** Measured images of studies and slots that no decision takes away. */
export function countedImages(store: Store, columns: CohortColumns, cohortId: number): MeasuredImage[] {
  const slotAt = new Map(columns.slots.map(({ slotId }, s) => [slotId, s]))
  return store.imageMeasures.ofCohort(cohortId).filter(({ studyId, slotId }) => {
    const row = columns.rowOf.get(studyId)!
    return columns.isExcluded[row] === 0 && ((columns.presentBits[row]! >> slotAt.get(slotId)!) & 1) === 1
  })
}

function describePeople(columns: CohortColumns, people: People): Pick<Fingerprint, 'sites' | 'sexes' | 'ages'> {
  const { rows, rowsOf } = people
  const facts = statedOf(columns, people)
  const ages = Float64Array.from(facts.flatMap(({ age }) => age ?? [])).sort()
  const byCount = (a: { patients: number; name: string }, b: { patients: number; name: string }): number => b.patients - a.patients || (a.name < b.name ? -1 : 1)
  return {
    sexes: [...Map.groupBy(facts, ({ sex }) => sex)].map(([name, own]) => ({ name, patients: own.length })).sort(byCount),
    ages: ages.length === 0 ? null : { known: ages.length, median: percentileOf(ages, 0.5), youngest: ages[0]!, oldest: ages.at(-1)!, histogram: histogramOf(ages, 20) },
    sites: [...Map.groupBy(rows.filter((row) => columns.sites[row] !== null), (row) => columns.sites[row]!)].map(([name, own]) => ({
      name, studies: own.length, patients: rowsOf.filter((patient) => patient.some((row) => columns.sites[row] === name)).length,
    })).sort(byCount),
  }
}

/** Why a row lacks a slot that it lacks. */
export function reasonOf({ reasons, slots }: Pick<CohortColumns, 'reasons' | 'slots'>, row: number, s: number): AbsenceReason {
  return reasons.get(row * slots.length + s) ?? 'not-collected'
}

function countSlot({ presentBits, reasons, slots }: CohortColumns, { rows, rowsOf }: People, s: number): Omit<Fingerprint['slots'][number], 'slot'> {
  const isAbsent = (row: number): boolean => ((presentBits[row]! >> s) & 1) === 0
  const absent = rows.filter(isAbsent)
  const byReason = Map.groupBy(absent, (row) => reasonOf({ reasons, slots }, row, s))
  return {
    present: rows.length - absent.length, patientsWithout: rowsOf.filter((own) => own.every(isAbsent)).length,
    absences: [...byReason].map(([reason, own]) => ({ reason, count: own.length })).sort((a, b) => b.count - a.count),
  }
}

function countPatterns({ presentBits, slots }: CohortColumns, { rows, keyOfRow }: People): Fingerprint['patterns'] {
  return [...Map.groupBy(rows, (row) => presentBits[row]!)].map(([bits, own]) => ({
    pattern: patternKey(slots, (slotId) => ((bits >> slots.findIndex((slot) => slot.slotId === slotId)) & 1) === 1),
    studies: own.length, patients: new Set(own.map(keyOfRow)).size,
  })).sort((a, b) => b.studies - a.studies || (a.pattern < b.pattern ? -1 : 1))
}

function countLabels({ labels, references }: CohortColumns, { rows, rowsOf }: People): Pick<Fingerprint, 'labels' | 'coOccurrence'> {
  const L = labels.length
  const isPositive = (row: number, l: number): boolean => references[row * L + l] === 1
  const balance = labels.map(({ labelId, name }, l) => {
    const positives = rows.filter((row) => isPositive(row, l)).length
    const negatives = rows.filter((row) => references[row * L + l] === 0).length
    return { labelId, name, positives, negatives, unknown: rows.length - positives - negatives, positivePatients: rowsOf.filter((own) => own.some((row) => isPositive(row, l))).length }
  })
  const shown = new Set(balance.toSorted((a, b) => b.positives - a.positives).slice(0, coOccurringLabels).map(({ labelId }) => labelId))
  const positions = labels.flatMap(({ labelId }, l) => (shown.has(labelId) ? [l] : []))
  const counts = positions.map(() => new Array<number>(positions.length).fill(0))
  for (const row of rows) {
    const own = positions.flatMap((l, k) => (isPositive(row, l) ? [k] : []))
    for (const a of own) for (const b of own) counts[a]![b]!++
  }
  return { labels: balance, coOccurrence: { labelIds: positions.map((l) => labels[l]!.labelId), counts, isCut: positions.length < L } }
}

function groupUnreadable(store: Store, columns: CohortColumns, people: People, cohortId: number): Fingerprint['unreadable'] {
  return [...Map.groupBy(countedUnreadable(store, columns, cohortId), ({ slotId, detail }) => `${slotId}\u001f${detail}`).values()].map((own) => {
    const keys = [...new Set(own.map(({ studyId }) => people.keyOfRow(columns.rowOf.get(studyId)!)))]
    return { slotId: own[0]!.slotId, detail: own[0]!.detail, count: own.length, patients: keys.length, patientKeys: keys.slice(0, listedKeys) }
  }).sort((a, b) => b.count - a.count || (a.detail < b.detail ? -1 : 1))
}

/** Files of studies that count which were there and could not be read. */
export function countedUnreadable(store: Store, columns: CohortColumns, cohortId: number): { studyId: number; slotId: string; detail: string }[] {
  return store.cohorts.unreadable(cohortId).filter(({ studyId }) => columns.isExcluded[columns.rowOf.get(studyId)!] === 0)
}
