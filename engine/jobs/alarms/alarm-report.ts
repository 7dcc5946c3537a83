import { findAlarms } from '../../alarms/find-alarms.ts'
import { alarmReportSchema, alarmRulesVersion, type AlarmReport, type OpenAlarm } from '../../domain/alarms.ts'
import type { Progress } from '../../protocol.ts'
import type { Store } from '../../store/open.ts'
import type { Workspace } from '../workspace.ts'
import { readFacts } from './read-facts.ts'

export interface AlarmSearch {
  /** Null when it was cancelled. */
  done: Promise<AlarmReport | null>
  cancel: () => void
}

/** Looks for every alarm of a cohort as it stands under its decisions; runs in the reader process, seconds to a minute. */
export function searchAlarms(store: Store, cohortId: number, tell: (progress: Progress) => void): AlarmReport {
  const startedMs = performance.now()
  const effectiveHash = store.curation.hashOf(cohortId)
  const unmeasuredCount = store.imageMeasures.countUnmeasured(cohortId)
  tell({ stage: 'Reading the cohort', done: 0, total: null, secondsLeft: null })
  const search = findAlarms(readFacts(store, cohortId))
  for (;;) {
    const next = search.next()
    if (next.done === true) return { ...next.value, effectiveHash, unmeasuredCount, elapsedMs: performance.now() - startedMs }
    tell({ ...next.value, secondsLeft: null })
  }
}

/** What was found for the cohort as it stands now, or null when nobody has looked since the last decision, or since its images were measured. */
export function keptAlarms(store: Pick<Store, 'curation' | 'imageMeasures'>, cohortId: number): AlarmReport | null {
  const parsed = alarmReportSchema.safeParse(store.curation.alarmReport(cohortId, store.curation.hashOf(cohortId), alarmRulesVersion))
  if (!parsed.success) return null
  return parsed.data.unmeasuredCount > 0 && store.imageMeasures.countUnmeasured(cohortId) < parsed.data.unmeasuredCount ? null : parsed.data
}

/** Searches in the reader process and keeps what was found, which then stands for this state of the cohort whoever asks. */
export function startAlarmSearch({ store, reader }: Pick<Workspace, 'store' | 'reader'>, cohortId: number, onProgress?: (progress: Progress) => void): AlarmSearch {
  const reading = reader.start('alarms:search', { cohortId }, onProgress)
  const done = reading.answer.then((report) => {
    if (report !== null) store.curation.saveAlarmReport(cohortId, report.effectiveHash, alarmRulesVersion, report)
    return report
  })
  return { done, cancel: reading.cancel }
}

/** The alarms of a report that concern a run: those of modalities that it does not use say nothing about it. */
export function openAlarmsFor(report: AlarmReport | null, slotIds: readonly string[]): OpenAlarm[] {
  return (report?.alarms ?? [])
    .filter(({ alarmId }) => {
      const about = alarmId.slice(alarmId.indexOf(':') + 1)
      return about === 'all' || slotIds.includes(about)
    })
    .map(({ alarmId, kind, severity, title, text }) => ({ alarmId, kind, severity, title, text }))
}
