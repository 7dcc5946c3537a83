import { createHash } from 'node:crypto'
import type { Slot } from '../domain/slots.ts'
import { canonicalJson } from './context.ts'

/** The chain covers the studies; the seal adds what they are described by. The result is the cohort's content hash. */
export function sealContent(chain: string, slots: readonly Slot[], labelNames: readonly string[], task: string | null): string {
  return createHash('sha256').update(canonicalJson([chain, slots, labelNames, task])).digest('hex')
}
