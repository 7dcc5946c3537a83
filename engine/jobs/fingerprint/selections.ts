import type { StudyFilterInput } from '../../domain/records.ts'
import type { Selection } from '../../domain/selection.ts'
import { binOf } from '../../fingerprint/histogram.ts'
import { groupsOf } from '../../fingerprint/missingness-tests.ts'
import type { Store } from '../../store/open.ts'
import type { MeasuredImage } from '../../store/repositories/image-measures.ts'
import type { CohortColumns } from '../../store/study-index.ts'
import { duplicatesAmong } from './duplicates.ts'
import { hasFeature } from './image-summary.ts'
import { absencesOf, factsOf, groupPeople, statedOf } from './people.ts'
import { countedImages, countedUnreadable, reasonOf } from './read-fingerprint.ts'

/** Selections last asked for; a list is paged and sorted many times over the same one. */
const keptSelections = 6
// The index hands out new columns whenever anything of the cohort changed, so what is kept never outlives what it was made from.
const known = new WeakMap<CohortColumns, Map<string, ReadonlySet<number>>>()

/** Studies of the selection in a list's filter; undefined where the filter has none. */
export function studiesOfFilter(store: Store, { cohortId, selection }: Pick<StudyFilterInput, 'cohortId' | 'selection'>): ReadonlySet<number> | undefined {
  return selection === null || selection === undefined ? undefined : studiesOfSelection(store, cohortId, selection)
}

/** Numbers of the studies that a number of the fingerprint stands for: of studies, those; of patients, all studies that make them so. */
export function studiesOfSelection(store: Store, cohortId: number, selection: Selection): ReadonlySet<number> {
  const columns = store.cohorts.columns(cohortId)
  const kept = known.get(columns) ?? new Map<string, ReadonlySet<number>>()
  known.set(columns, kept)
  const key = JSON.stringify(selection)
  const studies = kept.get(key) ?? resolve(store, cohortId, columns, selection)
  kept.delete(key)
  kept.set(key, studies)
  if (kept.size > keptSelections) kept.delete(kept.keys().next().value!)
  return studies
}

function resolve(store: Store, cohortId: number, columns: CohortColumns, selection: Selection): Set<number> {
  const people = groupPeople(columns)
  const { slots, labels, references, presentBits } = columns
  const ofRows = (rows: readonly number[]): Set<number> => new Set(rows.map((row) => columns.studyIds[row]!))
  const where = (isIn: (row: number) => boolean): Set<number> => ofRows(people.rows.filter(isIn))
  const ofPatients = (isIn: (patient: number) => boolean): Set<number> => ofRows(people.rowsOf.flatMap((rows, patient) => (isIn(patient) ? rows : [])))
  const ofImages = (choose: (images: MeasuredImage[]) => readonly MeasuredImage[]): Set<number> => new Set(choose(countedImages(store, columns, cohortId)).map(({ studyId }) => studyId))
  // A slot or label that the cohort does not have selects nobody.
  const slotAt = (slotId: string): number => slots.findIndex((slot) => slot.slotId === slotId)
  const lacks = (slotId: string) => {
    const s = slotAt(slotId)
    return (row: number): boolean => s !== -1 && ((presentBits[row]! >> s) & 1) === 0
  }
  switch (selection.kind) {
    case 'all': return ofRows(people.rows)
    case 'several-studies': return ofPatients((patient) => people.rowsOf[patient]!.length > 1)
    case 'sex': {
      const stated = statedOf(columns, people)
      return ofPatients((patient) => stated[patient]!.sex === selection.sex)
    }
    case 'age': {
      const stated = statedOf(columns, people)
      return ofPatients((patient) => {
        const { age } = stated[patient]!
        return age !== null && binOf(selection.edges, age) === selection.index
      })
    }
    case 'site': return where((row) => columns.sites[row] === selection.site)
    case 'present': {
      const s = slotAt(selection.slotId)
      return where((row) => s !== -1 && ((presentBits[row]! >> s) & 1) === 1)
    }
    case 'absent': {
      const s = slotAt(selection.slotId)
      const isAbsent = lacks(selection.slotId)
      return where((row) => isAbsent(row) && reasonOf(columns, row, s) === selection.reason)
    }
    case 'patients-without': {
      const isAbsent = lacks(selection.slotId)
      return ofPatients((patient) => people.rowsOf[patient]!.every(isAbsent))
    }
    case 'labels': {
      const positions = selection.labelIds.map((labelId) => labels.findIndex((label) => label.labelId === labelId))
      return where((row) => positions.every((l) => l !== -1 && references[row * labels.length + l] === 1))
    }
    case 'group': {
      const fact = factsOf(columns, people).find(({ factor }) => factor.kind === selection.factor && factor.labelId === selection.labelId)
      const shares = absencesOf(columns, people)[slotAt(selection.slotId)]?.shares
      if (fact === undefined || shares === undefined) return new Set()
      const { known: patients, groups } = groupsOf(fact)
      const members = new Set(groups.find(({ name }) => name === selection.group)?.members.map((m) => patients[m]!))
      return ofPatients((patient) => members.has(patient) && (!selection.isLacking || shares[patient]! > 0))
    }
    case 'image': return ofImages((images) => images.filter((image) => image.slotId === selection.slotId && hasFeature(image.measures, selection.feature)))
    case 'same-image': return ofImages((images) => {
      const own = images.find(({ studyId, slotId }) => studyId === selection.studyId && slotId === selection.slotId)
      return images.filter(({ sha256 }) => sha256 === own?.sha256)
    })
    case 'duplicates': return ofImages((images) => duplicatesAmong(images, ({ studyId }) => people.keyOfRow(columns.rowOf.get(studyId)!), selection.isAcross))
    case 'unreadable': return new Set(countedUnreadable(store, columns, cohortId).filter(({ slotId, detail }) => slotId === selection.slotId && detail === selection.detail).map(({ studyId }) => studyId))
    case 'studies': {
      const chosen = new Set(selection.studyIds)
      return where((row) => chosen.has(columns.studyIds[row]!))
    }
  }
}
