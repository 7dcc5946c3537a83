import type { StudyFilter, StudyListQuery } from '../domain/records.ts'
import type { TestSetting } from '../domain/results.ts'
import type { RunConfig } from '../domain/run.ts'
import { createReaderProcess, type ReaderProcessOptions } from '../host/reader-process.ts'
import type { DecisionDraft } from '../domain/curation.ts'
import type { Progress } from '../protocol.ts'
import { keptAlarms, searchAlarms } from './alarms/alarm-report.ts'
import { planInclusion, prepareDecision, previewDecision } from './alarms/curate.ts'
import type { Store } from '../store/open.ts'
import { handOverDegraded, summariseDegraded } from './degraded/hand-over.ts'
import { importReportOf } from './deliveries.ts'
import { writePredictions } from './export-predictions.ts'
import { handOverOriginals } from './originals.ts'
import { listUnmeasured } from './fingerprint/measure-cohort.ts'
import { readFingerprint } from './fingerprint/read-fingerprint.ts'
import { studiesOfFilter } from './fingerprint/selections.ts'
import { planRun } from './planning/plan-run.ts'
import { handOverSpec } from './planning/training-spec.ts'
import { evaluateRun, intervalsOfRun } from './results.ts'
import { summariseMaterial } from './run-material.ts'
import { listTextImages } from './privacy/review-text-images.ts'
import { readLabelWords } from './label-words.ts'
import { suggestRun } from './suggest-run.ts'

/**
 * Reads that grow with the cohort. The process of the windows never runs them: over 20,000 patients each takes a tenth of a second to
 * seconds, and nothing is drawn or answered meanwhile. They run in a reader process with a read-only connection of its own.
 * A process for each lane. `list`: somebody is waiting at a list. `report`: may take a second or several. `interval`: thousands of resamples.
 * `alarm`: seconds to a minute, and can be stopped by ending its process.
 */
export const storeReads = {
  'cohorts:list': { lane: 'list', read: (store: Store) => store.cohorts.list() },
  'cohorts:counts': {
    lane: 'list',
    read: (store: Store, { cohortId }: { cohortId: number }) => ({
      cohort: store.cohorts.get(cohortId),
      labelCounts: store.cohorts.labelCounts(cohortId),
      patternCounts: store.cohorts.patternCounts(cohortId),
      absences: store.cohorts.absences(cohortId),
      labelWords: store.cohorts.labelWords(cohortId),
      duplicateImages: store.cohorts.duplicateImages(cohortId).map(({ count, acrossPatients, rows }) => ({ count, acrossPatients, rows })),
      rejections: store.imports.report(cohortId).rejections,
    }),
  },
  'imports:report': { lane: 'list', read: (store: Store, { cohortId }: { cohortId: number }) => importReportOf(store, cohortId) },
  'deliveries:list': { lane: 'list', read: (store: Store, { cohortId }: { cohortId: number }) => store.deliveries.list(cohortId) },
  'deliveries:changed': { lane: 'list', read: (store: Store, { deliveryId }: { deliveryId: number }) => store.deliveries.changed(deliveryId, 500) },
  'deliveries:forecast': { lane: 'list', read: (store: Store, { cohortId, keys }: { cohortId: number; keys: string[] }) => store.deliveries.forecast(cohortId, keys) },
  'deliveries:chain': { lane: 'report', read: (store: Store, { cohortId }: { cohortId: number }) => ({ chain: store.deliveries.contentChain(cohortId) }) },
  'cohorts:find-words': { lane: 'report', read: readLabelWords },
  'originals:hand-over': { lane: 'list', read: (store: Store, question: Parameters<typeof handOverOriginals>[1]) => handOverOriginals(store, question) },
  'patients:list': { lane: 'list', read: (store: Store, query: StudyListQuery) => store.patients.listStudies(query, studiesOfFilter(store, query)) },
  'patients:neighbours': {
    lane: 'list',
    read: (store: Store, { filter, studyId }: { filter: StudyFilter; studyId: number }) => {
      const ids = store.patients.listStudyIds(filter, studiesOfFilter(store, filter))
      const index = ids.indexOf(studyId)
      return { position: index + 1, total: ids.length, previous: index > 0 ? ids[index - 1]! : null, next: index >= 0 ? (ids[index + 1] ?? null) : null }
    },
  },
  'runs:suggest': { lane: 'list', read: (store: Store, { cohortId }: { cohortId: number }) => suggestRun({ store }, cohortId) },
  'runs:material': { lane: 'list', read: (store: Store, { config }: { config: RunConfig }) => summariseMaterial({ store }, config) },
  'runs:plan': { lane: 'list', read: (store: Store, { config }: { config: RunConfig }) => planRun({ store }, config) },
  'runs:hand-over': { lane: 'list', read: (store: Store, request: Parameters<typeof handOverSpec>[1]) => handOverSpec({ store }, request) },
  'fingerprint:get': { lane: 'report', read: (store: Store, request: { cohortId: number; weightsDir: string }) => readFingerprint(store, request) },
  'fingerprint:unmeasured': { lane: 'report', read: (store: Store, { cohortId }: { cohortId: number }) => listUnmeasured({ store }, cohortId) },
  'results:get': { lane: 'report', read: (store: Store, { runId, setting }: { runId: number; setting: TestSetting }) => evaluateRun({ store }, runId, setting) },
  'results:intervals': { lane: 'interval', read: (store: Store, { runId, setting }: { runId: number; setting: TestSetting }) => intervalsOfRun({ store }, runId, setting) },
  'runs:hand-over-degraded': { lane: 'report', read: (store: Store, request: Parameters<typeof handOverDegraded>[1]) => handOverDegraded({ store }, request) },
  'results:degraded': { lane: 'report', read: (store: Store, request: Parameters<typeof summariseDegraded>[1]) => summariseDegraded({ store }, request) },
  'predictions:export': { lane: 'report', read: (store: Store, { runId, outFile }: { runId: number; outFile: string }) => writePredictions({ store }, runId, outFile) },
  'alarms:get': { lane: 'list', read: (store: Store, { cohortId }: { cohortId: number }) => ({ report: keptAlarms(store, cohortId), decisions: store.curation.list(cohortId), cohort: store.cohorts.get(cohortId) }) },
  'alarms:search': { lane: 'alarm', read: (store: Store, { cohortId }: { cohortId: number }, tell: (progress: Progress) => void) => searchAlarms(store, cohortId, tell) },
  'curation:preview': { lane: 'list', read: (store: Store, { cohortId, draft }: { cohortId: number; draft: DecisionDraft }) => previewDecision(store, cohortId, draft) },
  'curation:prepare': { lane: 'list', read: (store: Store, { cohortId, draft }: { cohortId: number; draft: DecisionDraft }) => prepareDecision(store, cohortId, draft) },
  'curation:prepare-undo': { lane: 'list', read: (store: Store, { decisionId }: { decisionId: number }) => store.curation.prepareUndo(decisionId) },
  'curation:plan-inclusion': { lane: 'list', read: (store: Store, { cohortId, studyIds }: { cohortId: number; studyIds: number[] }) => planInclusion(store, cohortId, studyIds) },
  'text-images:list': { lane: 'list', read: (store: Store, { cohortId }: { cohortId: number }) => listTextImages({ store }, cohortId) },
  'text-images:chosen': { lane: 'list', read: (store: Store, { cohortId, sha256s }: { cohortId: number; sha256s: string[] }) => store.textSigns.chosen(cohortId, sha256s) },
  'curation:standing': { lane: 'list', read: (store: Store, { runId }: { runId: number }) => store.curation.standingOf(runId) },
  'audit:list': { lane: 'list', read: (store: Store, { limit }: { limit: number }) => store.audit.list(limit) },
  'audit:verify': { lane: 'report', read: (store: Store) => store.audit.verify() },
} as const

type Reads = typeof storeReads
export type ReadName = keyof Reads
type Request<N extends ReadName> = Parameters<Reads[N]['read']>[1]
type Reply<N extends ReadName> = Awaited<ReturnType<Reads[N]['read']>>

export interface StoreReader {
  read: <N extends ReadName>(name: N, request: Request<N> extends undefined ? object : Request<N>) => Promise<Reply<N>>
  /** A long read that tells how far it is; null when it was cancelled. Only one at a time. */
  start: <N extends ReadName>(name: N, request: Request<N>, onProgress?: (progress: Progress) => void) => { answer: Promise<Reply<N> | null>; cancel: () => void }
  dispose: () => void
}

/** Answers one read from an open store; what the reader process does with each question. */
export function answerRead(store: Store, name: string, request: unknown, tell: (progress: Progress) => void): unknown {
  const found = Object.hasOwn(storeReads, name) ? storeReads[name as ReadName] : undefined
  if (found === undefined) throw new Error(`there is no read named ${name}`)
  return (found.read as (store: Store, request: unknown, tell: (progress: Progress) => void) => unknown)(store, request, tell)
}

const listIdleMs = 600_000
const reportIdleMs = 60_000

/** The reads through two processes; each starts when it is first asked and rests when it has long not been. */
export function createStoreReader(options: Omit<ReaderProcessOptions, 'idleMs' | 'isBackground'>): StoreReader {
  const lanes = {
    list: createReaderProcess({ ...options, idleMs: listIdleMs, isBackground: false }),
    report: createReaderProcess({ ...options, idleMs: reportIdleMs, isBackground: true }),
    interval: createReaderProcess({ ...options, idleMs: reportIdleMs, isBackground: true }),
    alarm: createReaderProcess({ ...options, idleMs: reportIdleMs, isBackground: true }),
  }
  return {
    read: (name, request) => lanes[storeReads[name].lane].ask(name, request) as Promise<never>,
    start: (name, request, onProgress) => {
      const lane = lanes[storeReads[name].lane]
      let isCancelled = false
      const asked = lane.ask(name, request, onProgress)
      return {
        answer: asked.catch((error: unknown) => {
          if (isCancelled) return null
          throw error
        }) as Promise<never>,
        cancel: () => {
          isCancelled = true
          lane.stop()
        },
      }
    },
    dispose: () => {
      for (const lane of Object.values(lanes)) lane.dispose()
    },
  }
}
