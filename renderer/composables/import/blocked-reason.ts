import { formatCount } from '../common/format.ts'
import { en } from '../../locales/en.ts'
import type { DraftProblem } from './mapping-draft.ts'
import { validCheck, type ImportState } from './wizard-state.ts'

/** Why the next step cannot be entered yet, in words; null when it can. */
export function blockedReason(state: ImportState, problems: readonly DraftProblem[], isChecking: boolean): string | null {
  const text = en.import.blocked
  if (state.step === 'source') {
    if (state.inspection === null) return text.source
    return state.inspection.issues.some((issue) => issue.severity === 'blocks') ? text['source-issues'] : null
  }
  if (state.step === 'columns') {
    // Its field may be out of sight, and everything else looks complete: said by name.
    const [first] = problems
    if (problems.length === 1 && first!.code === 'date-order') return text.dates[first!.detail === 'birth' ? 'birth' : 'study']
    return problems.length === 0 ? null : text.columns(problems.length, formatCount(problems.length))
  }
  if (state.step === 'check') {
    if (isChecking) return text['check-running']
    const check = validCheck(state)
    if (check === null) return text['check-missing']
    const blocking = check.issues.filter((issue) => issue.severity === 'blocks').length
    return blocking === 0 ? null : text['check-issues'](blocking, formatCount(blocking))
  }
  return state.step === 'import' && state.cohortName.trim() === '' ? text.name : null
}
