import { startAlarmSearch } from '../../engine/jobs/alarms/alarm-report.ts'
import { includeStudies, makeDecision, undoDecision } from '../../engine/jobs/alarms/curate.ts'
import type { JobHandle } from '../services/job-board.ts'
import type { Handlers } from './answer.ts'
import type { HandlerContext } from './context.ts'

type AlarmCalls = 'alarms:get' | 'alarms:search' | 'curation:preview' | 'curation:decide' | 'curation:undo' | 'curation:include' | 'curation:of-run' | 'curation:standing'

/** What would make results mean less than they seem to, and what was decided about it. */
export function alarmHandlers({ workspace, jobs, publish }: HandlerContext): Handlers<AlarmCalls> {
  const { store, reader } = workspace
  const searching = new Map<number, string>()

  /** One search for a cohort at a time; asking again gives the one under way. */
  function search(cohortId: number): string {
    const known = searching.get(cohortId)
    if (known !== undefined) return known
    const jobKey = `alarms-${cohortId}-${Date.now()}`
    let handle: JobHandle | null = null
    const running = startAlarmSearch(workspace, cohortId, (progress) => handle?.progress(progress))
    const started = jobs.start({ jobKey, kind: 'alarms', title: store.cohorts.get(cohortId).name, cohortId, runId: null }, running.cancel)
    handle = started
    searching.set(cohortId, jobKey)
    running.done.then((report) => started.end(report === null ? 'cancelled' : 'done'), (error: unknown) => started.fail(error)).finally(() => {
      searching.delete(cohortId)
      publish('cohorts:changed', { cohortId })
    })
    return jobKey
  }

  return {
    'alarms:get': async ({ cohortId }) => ({ ...await reader.read('alarms:get', { cohortId }), searchingJobKey: searching.get(cohortId) ?? null }),
    'alarms:search': ({ cohortId }) => ({ jobKey: search(cohortId) }),
    'curation:preview': ({ cohortId, draft }) => reader.read('curation:preview', { cohortId, draft }),
    'curation:decide': async ({ cohortId, draft, reason }) => {
      const decision = await makeDecision(workspace, cohortId, draft, reason)
      publish('cohorts:changed', { cohortId })
      return decision
    },
    'curation:undo': async ({ decisionId, reason }) => {
      const decision = await undoDecision(workspace, decisionId, reason)
      publish('cohorts:changed', { cohortId: store.curation.cohortOf(decisionId) })
      return decision
    },
    'curation:include': async ({ cohortId, studyIds, reason }) => {
      const counts = await includeStudies(workspace, cohortId, studyIds, reason)
      publish('cohorts:changed', { cohortId })
      return counts
    },
    'curation:of-run': ({ runId }) => ({ decisions: store.curation.ofRun(runId), alarms: store.curation.alarmsOfRun(runId), standing: store.curation.standingOf(runId) }),
    'curation:standing': ({ runId }) => reader.read('curation:standing', { runId }),
  }
}
