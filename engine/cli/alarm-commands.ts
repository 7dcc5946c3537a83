import { readFileSync } from 'node:fs'
import type { Alarm, AlarmReport } from '../domain/alarms.ts'
import { counted, describeDecision, type Decision, type DecisionDraft } from '../domain/curation.ts'
import { AppError } from '../domain/errors.ts'
import type { CohortSummary } from '../domain/records.ts'
import { keptAlarms, startAlarmSearch } from '../jobs/alarms/alarm-report.ts'
import { makeDecision, undoDecision } from '../jobs/alarms/curate.ts'
import type { Workspace } from '../jobs/workspace.ts'
import { cohortNamed } from './import-command.ts'
import { required, wholeNumber, type CliOptions } from './options.ts'
import type { CliOutput } from './output.ts'

type OnInterrupt = (cancel: () => void) => void

/** `lacuna alarms`: what would make results on a cohort mean less than they seem to. Searched once for each state of the cohort. */
export async function alarmsCommand(workspace: Workspace, options: CliOptions, output: CliOutput, onInterrupt: OnInterrupt): Promise<void> {
  const cohort = cohortNamed(workspace, required(options, 'cohort'))
  const report = await reportOf(workspace, cohort, output, onInterrupt)
  if (report === null) {
    process.exitCode = 130
    return
  }
  output.result({ cohortId: cohort.cohortId, ...report }, formatReport(report))
}

async function reportOf(workspace: Workspace, { cohortId }: CohortSummary, output: CliOutput, onInterrupt: OnInterrupt): Promise<AlarmReport | null> {
  const kept = keptAlarms(workspace.store, cohortId)
  if (kept !== null) return kept
  const search = startAlarmSearch(workspace, cohortId, output.progress)
  onInterrupt(search.cancel)
  return search.done
}

/** `lacuna curate`: makes, undoes and lists decisions over a cohort. Originals and imported rows stay as they are. */
export async function curateCommand(workspace: Workspace, action: string, options: CliOptions, output: CliOutput, onInterrupt: OnInterrupt): Promise<void> {
  if (options.undo !== undefined) {
    const decision = await undoDecision(workspace, wholeNumber(options, 'undo'), options.reason ?? '')
    return output.result(decision, `Decision ${decision.decisionId} is undone.`)
  }
  const cohort = cohortNamed(workspace, required(options, 'cohort'))
  if (action === 'list') {
    const decisions = workspace.store.curation.list(cohort.cohortId)
    return output.result(decisions, decisions.map((decision) => formatDecision(decision, cohort)).join('\n') || 'No decisions yet.')
  }
  const draft = action === 'remedy' ? await remedyDraft(workspace, cohort, options, output, onInterrupt) : draftOf(action, options)
  if (draft === null) {
    process.exitCode = 130
    return
  }
  const decision = await makeDecision(workspace, cohort.cohortId, draft, options.reason ?? '')
  output.result(decision, `${formatDecision(decision, cohort)}\nUndo: lacuna curate --undo ${decision.decisionId}`)
}

/** The remedy of an alarm by its number, 1 being the first one offered. */
async function remedyDraft(workspace: Workspace, cohort: CohortSummary, options: CliOptions, output: CliOutput, onInterrupt: OnInterrupt): Promise<DecisionDraft | null> {
  const alarmId = required(options, 'alarm')
  const report = await reportOf(workspace, cohort, output, onInterrupt)
  if (report === null) return null
  const alarm = report.alarms.find((item) => item.alarmId === alarmId)
  if (alarm === undefined) throw new AppError('CLI_USAGE', `There is no alarm "${alarmId}". There are: ${report.alarms.map((item) => item.alarmId).join(', ') || 'none'}.`)
  const remedy = alarm.remedies[options.remedy === undefined ? 0 : wholeNumber(options, 'remedy') - 1]
  if (remedy === undefined) throw new AppError('CLI_USAGE', `"${alarmId}" offers ${counted(alarm.remedies.length, 'remedy', 'remedies')}.`)
  return remedy.draft
}

function draftOf(action: string, options: CliOptions): DecisionDraft {
  const list = (name: 'words' | 'patients' | 'studies'): string[] => {
    const text = required(options, name)
    const parts = text.startsWith('@') ? readFileSync(text.slice(1), 'utf8').split(/\r?\n/) : text.split(',')
    return parts.map((part) => part.trim()).filter((part) => part !== '')
  }
  const studyIds = () => list('studies').map((text) => {
    if (!/^\d{1,10}$/.test(text)) throw new AppError('CLI_USAGE', `--studies must be study numbers, not "${text}".`)
    return Number(text)
  })
  switch (action) {
    case 'mask': return { kind: 'mask-words', slotId: required(options, 'slot'), words: list('words') }
    case 'drop': return { kind: 'drop-slot', slotId: required(options, 'slot') }
    case 'merge': return { kind: 'merge-patients', groups: [list('patients')] }
    case 'exclude': return options.slot === undefined ? { kind: 'exclude-studies', studyIds: studyIds() } : { kind: 'exclude-items', items: studyIds().map((studyId) => ({ studyId, slotId: required(options, 'slot') })) }
    default: throw new AppError('CLI_USAGE', 'curate needs one of: list, mask, drop, merge, exclude, remedy, or --undo NUMBER.')
  }
}

function formatReport(report: AlarmReport): string {
  const head = report.alarms.length === 0 ? `No alarm in ${counted(report.studyCount, 'study', 'studies')} of ${counted(report.personCount, 'patient')}.` : `${counted(report.alarms.length, 'alarm')} in ${counted(report.studyCount, 'study', 'studies')} of ${counted(report.personCount, 'patient')}, worst first.`
  return [head, ...report.alarms.map(formatAlarm), ...report.quiet.map((line) => `quiet: ${line}`), ...report.notes.map((line) => `note: ${line}`)].join('\n')
}

function formatAlarm(alarm: Alarm): string {
  return [
    '', `${alarm.severity === 'serious' ? 'ALARM' : 'WARNING'}  ${alarm.title}  [${alarm.alarmId}]`, `  ${alarm.text}`, `  ${alarm.action}`,
    ...alarm.remedies.map((remedy, index) => `  remedy ${index + 1}: ${remedy.title}`),
  ].join('\n')
}

function formatDecision({ decisionId, draft, effect, reason, madeBy, madeAt, undo }: Decision, { slots }: CohortSummary): string {
  const undone = undo === null ? '' : `  (undone ${undo.undoneAt} by ${undo.undoneBy})`
  return `${decisionId}  ${describeDecision(draft, slots)}. ${effect} ${madeAt} by ${madeBy}${reason === '' ? '' : `: ${reason}`}${undone}`
}
