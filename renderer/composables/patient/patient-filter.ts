import { studyFilterSchema, type StudyFilter } from '../../../engine/domain/records.ts'
import { selectionSchema, type Selection } from '../../../engine/domain/selection.ts'

/** The part of a route that carries a list filter: every value is text, absent means "no restriction". */
export type FilterQuery = Record<string, string>

/** What vue-router hands out for one query key. */
type QueryValue = string | null | undefined | readonly (string | null)[]

const textOf = (value: QueryValue): string | null => (Array.isArray(value) ? (value[0] ?? null) : ((value as string | null | undefined) ?? null))

function idOf(value: QueryValue): number | null {
  const text = textOf(value)
  return text !== null && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null
}

/** A damaged selection is none, as any other damaged value: the list then says that nothing is chosen. */
function selectionOf(value: QueryValue): Selection | null {
  const text = textOf(value)
  if (text === null) return null
  try {
    return selectionSchema.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

const exclusions = { only: true, none: false } as const

/**
 * The list filter that a route's query stands for. Unknown or damaged values fall back to "no restriction",
 * so that an old link still opens a list; filters that need a run are dropped when none is named.
 */
export function filterOfQuery(cohortId: number, query: Record<string, QueryValue>): StudyFilter {
  const runId = idOf(query['run'])
  const labelId = idOf(query['label'])
  const wanted: Record<string, unknown> = {
    error: runId === null ? null : textOf(query['error']),
    review: runId === null ? null : textOf(query['review']),
    split: runId === null ? null : textOf(query['split']),
    reference: labelId === null ? null : textOf(query['reference']),
    sortBy: textOf(query['sort']) ?? undefined,
  }
  const shape = studyFilterSchema.shape
  const known = Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => shape[key as keyof typeof shape].safeParse(value).success),
  )
  return studyFilterSchema.parse({
    cohortId,
    runId,
    labelId,
    pattern: textOf(query['pattern']),
    search: (textOf(query['search']) ?? '').slice(0, 200),
    isExcluded: exclusions[textOf(query['excluded']) as keyof typeof exclusions] ?? null,
    selection: selectionOf(query['selection']),
    descending: textOf(query['order']) === 'desc',
    ...known,
  })
}

/** The query that brings a filter back: only what differs from "everything, by patient" is written. */
export function queryOfFilter(filter: StudyFilter): FilterQuery {
  const query: FilterQuery = {}
  if (filter.runId !== null) query['run'] = String(filter.runId)
  if (filter.labelId !== null) query['label'] = String(filter.labelId)
  if (filter.reference !== null) query['reference'] = filter.reference
  if (filter.pattern !== null) query['pattern'] = filter.pattern
  if (filter.search !== '') query['search'] = filter.search
  if (filter.error !== null) query['error'] = filter.error
  if (filter.review !== null) query['review'] = filter.review
  if (filter.split !== null) query['split'] = filter.split
  if (filter.isExcluded !== null) query['excluded'] = filter.isExcluded ? 'only' : 'none'
  if (filter.selection !== null) query['selection'] = JSON.stringify(filter.selection)
  if (filter.sortBy !== 'patientKey') query['sort'] = filter.sortBy
  if (filter.descending) query['order'] = 'desc'
  return query
}

/** How many restrictions are set, beyond cohort, run and order. */
export function restrictionCount(filter: StudyFilter): number {
  return [filter.labelId, filter.pattern, filter.error, filter.review, filter.split, filter.isExcluded, filter.selection].filter((value) => value !== null).length + (filter.search === '' ? 0 : 1)
}

/** The filter after choosing another run: what depends on the old run's labels and slots is let go. */
export function withRun(filter: StudyFilter, runId: number | null): StudyFilter {
  const needsRun = filter.sortBy === 'probability' || filter.sortBy === 'confidence'
  return {
    ...filter,
    runId,
    pattern: null,
    labelId: null,
    reference: null,
    error: runId === null ? null : filter.error,
    review: runId === null ? null : filter.review,
    split: runId === null ? null : filter.split,
    sortBy: runId === null && needsRun ? 'patientKey' : filter.sortBy,
  }
}
