import type { Database } from 'better-sqlite3'
import { AppError } from '../domain/errors.ts'
import type { AuditDetails } from '../domain/records.ts'
import { slotSchema, type Slot } from '../domain/slots.ts'
import type { EffectiveCohorts } from './curation/effective-cohort.ts'

/** What every repository is made from. */
export interface StoreContext {
  db: Database
  appVersion: string
  now: () => string
  /** What is left of a cohort under its decisions; whoever reads studies asks it. */
  effective: EffectiveCohorts
  /** Adds a line to the audit log, inside the transaction that is open. */
  audit: (event: string, details: AuditDetails) => void
  /** Tells the study index that a cohort, or a run, has changed. */
  changed: { cohort: (cohortId: number) => void; run: (runId: number) => void; reviews: (runId: number) => void }
}

/** The row, or STORE_NOT_FOUND in words. */
export function found<T>(row: T | undefined, what: string, id: number): T {
  if (row === undefined) throw new AppError('STORE_NOT_FOUND', `There is no ${what} with the number ${id}.`)
  return row
}

/** The slots of a cohort from their column. */
export function slotsOf(json: string): Slot[] {
  return slotSchema.array().parse(JSON.parse(json))
}

/** JSON with sorted keys, so that the same content gives the same text and hash. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
