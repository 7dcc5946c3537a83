import { describe, expect, it } from 'vitest'
import type { TableInspection } from '../../../../../engine/domain/import.ts'
import type { Mapping } from '../../../../../engine/domain/mapping.ts'
import { defaultPrivacy } from '../../../../../engine/domain/privacy.ts'
import { blockedReason } from '../../../../../renderer/composables/import/blocked-reason.ts'
import { changeSlot, type DraftProblem } from '../../../../../renderer/composables/import/mapping-draft.ts'
import { canEnter, checkKey, firstState, hasStarted, nextStep, stepStatus, validCheck, wizardSteps, type ImportEvent, type ImportState, type WizardCheck } from '../../../../../renderer/composables/import/wizard-state.ts'

const mapping: Mapping = {
  profile: 'manual', patientIdColumn: 'ID', rowUnit: { kind: 'patient' },
  slots: [{ slot: { slotId: 'eye', modality: 'image', title: 'Eye', letter: 'E' }, source: { kind: 'column', column: 'File', view: null } }],
  labels: { kind: 'single', column: 'Diagnosis' }, attributes: { age: null, sex: null }, privacy: defaultPrivacy,
}

function inspectionOf(tableFile: string, changes: Partial<TableInspection> = {}): TableInspection {
  return {
    source: { sourceDir: '/data', tableFile, sheet: null }, join: null, ownColumns: ['ID', 'File', 'Diagnosis', 'Note'], joinColumns: [], format: 'csv', encoding: 'UTF-8', separator: ',', sheets: [], rowCount: 3,
    columns: ['ID', 'File', 'Diagnosis', 'Note'].map((name) => ({ name, blankCount: 0, distinctCount: 3, samples: [] })),
    imageFileCount: 3, imageFileSamples: [], tableSha256: 'a', suggestion: { mapping, isRecognised: false, explanation: 'Guessed.' }, issues: [], ...changes,
  }
}

const check: WizardCheck = {
  forecast: null,
  rowsIn: 3, rowsAccepted: 3, rowsRejected: 0, patientCount: 3, studyCount: 3, slots: [], labelCounts: [], patternCounts: [], absences: [], duplicateImages: [], labelWords: [], privacy: null, derived: null, issues: [],
}

const play = (events: ImportEvent[], from: ImportState = firstState): ImportState => events.reduce(nextStep, from)
const chosen: ImportEvent[] = [{ kind: 'folder-chosen', path: '/data' }, { kind: 'table-chosen', path: '/data/patients.csv' }, { kind: 'inspected', inspection: inspectionOf('/data/patients.csv') }]
const next: ImportEvent = { kind: 'next' }
const checked: ImportEvent = { kind: 'checked', of: checkKey(inspectionOf('/data/patients.csv'), mapping, null), result: check }
const atImport: ImportEvent[] = [...chosen, next, next, next, checked, next]

describe('nextStep', () => {
  it('walks through the five steps', () => {
    expect(atImport.map((_, index) => play(atImport.slice(0, index + 1)).step)).toEqual(['source', 'source', 'source', 'columns', 'privacy', 'check', 'check', 'import'])
  })

  it('stays where it is until the step has what the next one needs', () => {
    expect(play([next]).step).toBe('source')
    expect(play([{ kind: 'folder-chosen', path: '/data' }, next]).step).toBe('source')
    expect(play([...chosen, next, next, next, next]).step).toBe('check')
  })

  it('does not leave the columns while nobody has said what comes first in a date', () => {
    const dates = { filled: 3, readable: 3, needOrder: 3, orders: ['day-first' as const, 'month-first' as const], isExchanged: false }
    const inspection = inspectionOf('/data/patients.csv', {
      columns: ['ID', 'File', 'Diagnosis', 'Seen'].map((name) => ({ name, blankCount: 0, distinctCount: 3, samples: [], ...(name === 'Seen' ? { dates } : {}) })),
      suggestion: { mapping: { ...mapping, dates: { study: 'Seen', studyOrder: null, birth: null, birthOrder: null } }, isRecognised: false, explanation: 'Guessed.' },
    })
    const open = play([...chosen.slice(0, 2), { kind: 'inspected', inspection }, next])
    expect(play([next], open).step).toBe('columns')
    expect(canEnter(open, 'privacy')).toBe(false)
    const reason = (problems: DraftProblem[]): string | null => blockedReason(open, problems, false)
    expect(reason([{ code: 'date-order', detail: 'study' }])).toBe('Choose what comes first in the date of the study.')
    expect(reason([{ code: 'date-order', detail: 'birth' }, { code: 'no-slots' }])).toBe('2 fields need attention.')
    const decided = play([{ kind: 'draft-changed', draft: { ...open.draft, dates: { ...open.draft.dates!, studyOrder: 'day-first' } } }, next], open)
    expect(decided.step).toBe('privacy')
    // One order alone fits: proven, as the engine takes it. A spreadsheet that may have exchanged day and month proves nothing.
    const withColumn = (changes: object): ImportState => ({ ...open, inspection: { ...inspection, columns: inspection.columns.map((column) => (column.dates ? { ...column, dates: { ...column.dates, ...changes } } : column)) } }) as ImportState
    expect(canEnter(withColumn({ orders: ['day-first'] }), 'privacy')).toBe(true)
    expect(canEnter(withColumn({ orders: ['day-first'], isExchanged: true }), 'privacy')).toBe(false)
    expect(canEnter(withColumn({ needOrder: 0, orders: [] }), 'privacy')).toBe(true)
  })

  it('proposes a name for the cohort from the table, and keeps one that was typed', () => {
    expect(play(chosen).cohortName).toBe('patients')
    expect(play([...chosen, { kind: 'name-changed', name: 'Mine' }, ...chosen]).cohortName).toBe('Mine')
  })

  it('lets every done step be visited again without losing anything', () => {
    const there = play(atImport)
    const back = play([{ kind: 'go', to: 'source' }, { kind: 'go', to: 'import' }], there)
    expect(back).toEqual(there)
    for (const step of wizardSteps) expect(nextStep(there, { kind: 'go', to: step }).draft).toEqual(there.draft)
  })

  it('reads the source again with another second table, and keeps it in the mapping', () => {
    const join = { table: 'images.csv', sheet: null, column: 'ID', otherColumn: 'id', spreadBy: null }
    const asked = play([...chosen, next, { kind: 'join-chosen', join }])
    expect(asked).toMatchObject({ step: 'source', inspection: null, join })
    const joined = play([{ kind: 'inspected', inspection: inspectionOf('/data/patients.csv', { join }) }, next, next], asked)
    expect(joined).toMatchObject({ step: 'privacy', join, mapping: { join, patientIdColumn: 'ID' } })
    // Another table is looked at without it.
    expect(play([{ kind: 'table-chosen', path: '/data/other.csv' }], joined).join).toBeUndefined()
  })

  it('opens no step before the one in front of it was seen', () => {
    expect(canEnter(play(chosen), 'columns')).toBe(true)
    expect(canEnter(play(chosen), 'privacy')).toBe(false)
    expect(canEnter(play([...chosen, next]), 'check')).toBe(false)
    const other = play([{ kind: 'go', to: 'source' }, { kind: 'table-chosen', path: '/data/other.csv' }, { kind: 'inspected', inspection: inspectionOf('/data/other.csv', { suggestion: null }) }], play(atImport))
    expect(canEnter(other, 'privacy')).toBe(false)
  })

  it('does not take a check for one of another mapping, and takes it again when the mapping is back', () => {
    const there = play([{ kind: 'go', to: 'columns' }], play(atImport))
    const changed = nextStep(there, { kind: 'draft-changed', draft: changeSlot(there.draft, 0, { column: 'Note' }) })
    expect(validCheck(changed)).toBeNull()
    expect(canEnter(changed, 'import')).toBe(false)
    expect(canEnter(changed, 'check')).toBe(true)
    const restored = nextStep(changed, { kind: 'draft-changed', draft: there.draft })
    expect(canEnter(restored, 'import')).toBe(true)
  })

  it('does not import past a blocking problem', () => {
    const blocking: WizardCheck = { ...check, issues: [{ code: 'IMPORT_LABEL_INVALID', severity: 'blocks', title: 'x', fix: 'y', count: 1, examples: [] }] }
    expect(play([...chosen, next, next, next, { ...checked, result: blocking }, next]).step).toBe('check')
    const broken = inspectionOf('/data/patients.csv', { issues: [{ code: 'IMPORT_TABLE_EMPTY', severity: 'blocks', title: 'x', fix: 'y', count: 1, examples: [] }] })
    expect(play([...chosen.slice(0, 2), { kind: 'inspected', inspection: broken }, next]).step).toBe('source')
  })

  it('brings a mapping back that was written for a table chosen before', () => {
    const columns = play([...chosen, next])
    const edited = nextStep(columns, { kind: 'draft-changed', draft: changeSlot(columns.draft, 0, { title: 'Macula' }) })
    const other = play([{ kind: 'go', to: 'source' }, { kind: 'table-chosen', path: '/data/other.csv' }, { kind: 'inspected', inspection: inspectionOf('/data/other.csv') }], edited)
    expect(other.draft.slots[0]?.title).toBe('Eye')
    const again = play(chosen.slice(1), other)
    expect(again.draft.slots[0]?.title).toBe('Macula')
  })

  it('keeps a mapping when only the folder changes', () => {
    const columns = play([...chosen, next])
    const edited = nextStep(columns, { kind: 'draft-changed', draft: changeSlot(columns.draft, 0, { title: 'Macula' }) })
    const moved = play([{ kind: 'folder-chosen', path: '/elsewhere' }, { kind: 'inspected', inspection: inspectionOf('/data/patients.csv', { source: { sourceDir: '/elsewhere', tableFile: '/data/patients.csv', sheet: null } }) }], edited)
    expect(moved.draft.slots[0]?.title).toBe('Macula')
  })

  it('drops a mapping whose columns the table no longer has', () => {
    const columns = play([...chosen, next])
    const edited = nextStep(columns, { kind: 'draft-changed', draft: changeSlot(columns.draft, 0, { column: 'Note' }) })
    const shorter = inspectionOf('/data/patients.csv', { columns: inspectionOf('').columns.slice(0, 3) })
    expect(nextStep(edited, { kind: 'inspected', inspection: shorter }).draft.slots[0]?.column).toBe('File')
  })

  it('fixes everything once the import runs, until it is put away', () => {
    const running = nextStep(play(atImport), { kind: 'started', cohortId: 7, jobKey: 'import-7' })
    expect(hasStarted(running)).toBe(true)
    expect(nextStep(running, { kind: 'go', to: 'source' })).toBe(running)
    expect(nextStep(running, { kind: 'folder-chosen', path: '/x' })).toBe(running)
    expect(nextStep(running, { kind: 'reset' })).toEqual(firstState)
  })
})

describe('stepStatus', () => {
  it('tells done, current and to do', () => {
    const of = (state: ImportState): string[] => wizardSteps.map((step) => stepStatus(state, step))
    expect(of(firstState)).toEqual(['current', 'to-do', 'to-do', 'to-do', 'to-do'])
    expect(of(play([...chosen, next]))).toEqual(['done', 'current', 'to-do', 'to-do', 'to-do'])
    expect(of(play([{ kind: 'go', to: 'columns' }], play(atImport)))).toEqual(['done', 'current', 'done', 'done', 'to-do'])
  })
})

it('keeps a choice of privacy rules with the draft, and asks for a new check', () => {
  const privacy = { ...defaultPrivacy, off: ['names' as const] }
  const chose = play([{ kind: 'go', to: 'privacy' }, { kind: 'privacy-changed', privacy }], play(atImport))
  expect(chose).toMatchObject({ step: 'privacy', mapping: { privacy }, draft: { privacy } })
  expect(validCheck(chose)).toBeNull()
  expect(play([{ kind: 'go', to: 'columns' }, { kind: 'suggestion-restored' }], chose).draft.privacy).toEqual(privacy)
})

describe('a further delivery', () => {
  const into = { cohortId: 7, name: 'Eyes', mapping }
  const begun = play([...atImport, { kind: 'delivery-begun', into }])

  it('begins anew, under the name and with the mapping of its cohort', () => {
    expect(begun).toMatchObject({ step: 'source', sourceDir: null, into, onChanged: 'keep', cohortName: 'Eyes' })
    const inspected = play(chosen, begun)
    expect(inspected.draft.patientIdColumn).toBe(mapping.patientIdColumn)
    expect(inspected.cohortName).toBe('Eyes')
    expect(nextStep(inspected, { kind: 'delivery-begun', into })).toBe(inspected)
  })

  it('needs a check of its own: one of the same table as a new cohort, or with labels left out, does not count', () => {
    const target = { cohortId: 7, leaveOutNewLabels: false }
    const mine: ImportEvent = { kind: 'checked', of: checkKey(inspectionOf('/data/patients.csv'), mapping, target), result: check }
    const atCheck = play([...chosen, next, next, next], begun)
    expect(validCheck(play([checked], atCheck))).toBeNull()
    expect(validCheck(play([mine], atCheck))).toBe(check)
    expect(validCheck(play([mine, { kind: 'leave-out', leaveOutNewLabels: true }], atCheck))).toBeNull()
    expect(play([mine, next], atCheck)).toMatchObject({ step: 'import', into })
  })

  it('is forgotten on reset', () => {
    expect(nextStep(begun, { kind: 'reset' })).toBe(firstState)
  })
})
