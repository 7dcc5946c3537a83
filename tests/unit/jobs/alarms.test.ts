import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { keptAlarms, openAlarmsFor, startAlarmSearch } from '../../../engine/jobs/alarms/alarm-report.ts'
import { makeDecision, undoDecision } from '../../../engine/jobs/alarms/curate.ts'
import { planRun } from '../../../engine/jobs/planning/plan-run.ts'
import { suggestRun } from '../../../engine/jobs/suggest-run.ts'
import { openWorkspace } from '../../../engine/jobs/workspace.ts'
import { runConfigSchema } from '../../../engine/domain/run.ts'
import { addCohort, imageItem, slots, temporaryFolder, textItem } from '../store/fixtures.ts'

/** The real reader process; no engine. */
function open() {
  const folder = temporaryFolder()
  const workspace = openWorkspace({
    storeFile: join(folder, 'lacuna.db'), weightsDir: folder, nodePath: process.execPath, workerFile: join(folder, 'none.mjs'),
    readerFile: join(import.meta.dirname, '..', 'host', 'reader-child.mjs'), versions: { app: '0.1.0', code: 'test' }, log: () => {},
  })
  onTestFinished(() => workspace.close())
  // Labels that the notes spell out: a quarter of the studies has a clouded lens.
  const cohortId = addCohort(workspace.store, 160, 'Eyes', (study) => ({
    ...study, labels: [study.ordinal % 4 === 0 ? 1 : 0, study.ordinal % 3 === 0 ? 1 : 0],
    items: [imageItem('right-eye', study.ordinal), imageItem('left-eye', study.ordinal), textItem('notes', `visit ${study.ordinal % 5}${study.ordinal % 4 === 0 ? ', clouded lens' : ', quiet eye'}`)],
  }))
  return { workspace, cohortId }
}

describe('alarms of a stored cohort', () => {
  it('fire, are quiet after their remedy, fire again after the undo, and stand in the audit log', async () => {
    const { workspace, cohortId } = open()
    const { store } = workspace
    expect(keptAlarms(store, cohortId)).toBeNull()
    const stages: string[] = []
    const first = (await startAlarmSearch(workspace, cohortId, ({ stage }) => stages.push(stage)).done)!
    expect(stages).toContain('Words of Notes')
    const alarm = first.alarms.find(({ kind }) => kind === 'text-leak')!
    expect(alarm.text).toContain('glaucoma is')
    expect(keptAlarms(store, cohortId)).toEqual(first)
    expect(openAlarmsFor(first, ['notes']).map(({ alarmId }) => alarmId)).toContain('text-leak:notes')
    expect(openAlarmsFor(first, ['right-eye']).map(({ alarmId }) => alarmId)).not.toContain('text-leak:notes')
    const decision = await makeDecision(workspace, cohortId, alarm.remedies[0]!.draft, 'keywords')
    expect(decision.effect).toMatch(/^Masks \d+ words? at \d+ places in 160 texts of Notes\./)
    expect(keptAlarms(store, cohortId)).toBeNull()
    expect((await startAlarmSearch(workspace, cohortId).done)!.alarms.filter(({ kind }) => kind === 'text-leak')).toEqual([])
    await undoDecision(workspace, decision.decisionId, '')
    // What was found before stands for the same state again.
    expect(keptAlarms(store, cohortId)).toEqual(first)
    expect(store.audit.list().map(({ event }) => event).slice(0, 2)).toEqual(['curation.undone', 'curation.decided'])
  }, 60_000)

  it('can be cancelled', async () => {
    const { workspace, cohortId } = open()
    const search = startAlarmSearch(workspace, cohortId)
    search.cancel()
    expect(await search.done).toBeNull()
    expect((await startAlarmSearch(workspace, cohortId).done)!.studyCount).toBe(160)
  }, 60_000)

  it('leave out a text as a remedy: no suggestion and no run uses it', async () => {
    const { workspace, cohortId } = open()
    const decision = await makeDecision(workspace, cohortId, { kind: 'drop-slot', slotId: 'notes' }, '')
    expect(decision.effect).toBe('Leaves Notes out of 160 studies.')
    const { config } = suggestRun(workspace, cohortId)
    expect(config.slotIds).toEqual(['right-eye', 'left-eye'])
    expect(planRun(workspace, config).studyIds).toHaveLength(160)
    expect(() => planRun(workspace, runConfigSchema.parse({ ...config, slotIds: slots.map(({ slotId }) => slotId) }))).toThrow(expect.objectContaining({ code: 'CURATION_INVALID' }))
  })
})
