import { openAlarmSchema, type OpenAlarm } from '../../domain/alarms.ts'
import { decisionDraftSchema, describeDecision, type Decision, type DecisionDraft, type DecisionLine, type Exclusion, type RunCuration } from '../../domain/curation.ts'
import { AppError } from '../../domain/errors.ts'
import { found, slotsOf, type StoreContext } from '../context.ts'

interface DecisionRow {
  id: number
  cohort_id: number
  parameters_json: string
  effect: string
  reason: string
  made_by: string
  made_at: string
  undo_reason: string | null
  undone_by: string | null
  undone_at: string | null
}

function rowToDecision(row: DecisionRow): Decision {
  return {
    decisionId: row.id, draft: decisionDraftSchema.parse(JSON.parse(row.parameters_json)), effect: row.effect, reason: row.reason, madeBy: row.made_by, madeAt: row.made_at,
    undo: row.undone_at === null ? null : { reason: row.undo_reason ?? '', undoneBy: row.undone_by ?? '', undoneAt: row.undone_at },
  }
}

export interface DecisionRecord {
  draft: DecisionDraft
  /** What it was said to change, see jobs/curation. */
  effect: string
  reason: string
  madeBy: string
}

/** A decision or an undo worked out beforehand: over 15,000 studies its check and its hash take a tenth of a second, which no window should wait for. */
export interface Prepared {
  /** Of the content and the decisions it was worked out on; null where the caller has made sure of them. */
  base: string | null
  /** What the hash over content and decisions is afterwards. */
  cohortHash: string
}

/** What of an image file is known without its content. */
export interface StoredImageFile { studyId: number; slotId: string; byteSize: number | null; widthPx: number | null; heightPx: number | null }

export interface CurationRepository {
  /** With `prepared` of the same draft only what is stored is done here; on another base than that it is worked out anew. */
  decide: (cohortId: number, record: DecisionRecord, prepared?: Prepared) => Decision
  undo: (decisionId: number, by: { reason: string; undoneBy: string }, prepared?: Prepared) => Decision
  /** Checks a decision and says what it leads to, without making it. */
  prepare: (cohortId: number, draft: DecisionDraft) => Prepared
  prepareUndo: (decisionId: number) => Prepared
  /** What a decision or an undo that was prepared must still find. */
  baseOf: (cohortId: number) => string
  hashAfter: (cohortId: number, change: { undone: readonly number[]; added: readonly DecisionDraft[] }) => string
  get: (decisionId: number) => Decision & { cohortId: number }
  cohortOf: (decisionId: number) => number
  /** Newest first, undone ones included. */
  list: (cohortId: number) => Decision[]
  /** The decisions that a run was planned under, oldest first. */
  ofRun: (runId: number) => Decision[]
  /** The decisions that count now and exclude any of these studies, newest first. */
  excluding: (cohortId: number, studyIds: readonly number[]) => Decision[]
  /** Why a study is excluded; null for one that counts. */
  exclusionOf: (cohortId: number, studyId: number) => Exclusion | null
  /** What a run left out, and what was decided since. */
  standingOf: (runId: number) => RunCuration
  /** Alarms that were open when a run began, as they were then. */
  alarmsOfRun: (runId: number) => OpenAlarm[]
  /** Over content and decisions: those that count now, or, with `runId`, those that the run was planned under. */
  hashOf: (cohortId: number, runId?: number) => string
  /** Keys that are one person each, the one that stands for it first; now, or as the run was planned. */
  persons: (cohortId: number, runId?: number) => readonly (readonly string[])[]
  /** Image files of the effective cohort, for the search for alarms. */
  imageFiles: (cohortId: number) => StoredImageFile[]
  /** Pseudonym of the place of examination by study, where the import knew one. */
  sites: (cohortId: number) => Map<number, string>
  /** What was found in this state of a cohort by these rules, or null. */
  alarmReport: (cohortId: number, effectiveHash: string, rulesVersion: number) => unknown
  saveAlarmReport: (cohortId: number, effectiveHash: string, rulesVersion: number, report: object) => void
}

/** Decisions over cohorts: made, undone and listed, never changed. Each stands in the audit log. */
export function createCurationRepository({ db, now, audit, changed, effective }: StoreContext): CurationRepository {
  const columns = `curation_decisions.id, cohort_id, parameters_json, effect, curation_decisions.reason, made_by, made_at,
    curation_undos.reason AS undo_reason, undone_by, undone_at FROM curation_decisions LEFT JOIN curation_undos ON decision_id = curation_decisions.id`
  const selectCohort = db.prepare<{ cohortId: number }, { slots_json: string; content_hash: string | null }>('SELECT slots_json, content_hash FROM cohorts WHERE id = :cohortId AND removal_began_at IS NULL')
  const select = db.prepare<{ decisionId: number }, DecisionRow>(`SELECT ${columns} WHERE curation_decisions.id = :decisionId`)
  const selectAll = db.prepare<{ cohortId: number }, DecisionRow>(`SELECT ${columns} WHERE cohort_id = :cohortId ORDER BY curation_decisions.id DESC`)
  const selectOfRun = db.prepare<{ runId: number }, DecisionRow>(`SELECT ${columns}
    WHERE curation_decisions.id IN (SELECT value FROM run_curation, json_each(run_curation.decision_ids) WHERE run_id = :runId) ORDER BY curation_decisions.id`)
  const selectActive = db.prepare<{ cohortId: number }, DecisionRow>(`SELECT ${columns} WHERE cohort_id = :cohortId AND decision_id IS NULL ORDER BY curation_decisions.id`)
  const selectCohortOf = db.prepare<{ decisionId: number }>('SELECT cohort_id FROM curation_decisions WHERE id = :decisionId').pluck()
  const selectActiveIds = db.prepare<{ cohortId: number }>(`SELECT id FROM curation_decisions WHERE cohort_id = :cohortId AND NOT EXISTS (SELECT 1 FROM curation_undos WHERE decision_id = curation_decisions.id) ORDER BY id`).pluck()
  const selectExcluding = db.prepare<{ cohortId: number; studyIds: string }, DecisionRow>(`SELECT ${columns} WHERE cohort_id = :cohortId AND decision_id IS NULL AND kind = 'exclude-studies'
    AND EXISTS (SELECT 1 FROM json_each(parameters_json, '$.studyIds') AS own JOIN json_each(:studyIds) AS asked ON asked.value = own.value) ORDER BY curation_decisions.id DESC`)
  // In SQLite, which reads a list of 15,000 studies in a millisecond; parsed here it would take forty.
  const selectExclusion = db.prepare<{ cohortId: number; studyId: number }, { decisionId: number; reason: string; madeBy: string; madeAt: string }>(`
    SELECT id AS decisionId, reason, made_by AS madeBy, made_at AS madeAt FROM curation_decisions WHERE cohort_id = :cohortId AND kind = 'exclude-studies'
    AND NOT EXISTS (SELECT 1 FROM curation_undos WHERE decision_id = curation_decisions.id)
    AND EXISTS (SELECT 1 FROM json_each(parameters_json, '$.studyIds') WHERE value = :studyId) ORDER BY id DESC`)
  const countOfStudies = db.prepare<{ studyIds: string }>('SELECT count(DISTINCT patient_id) FROM json_each(:studyIds) AS chosen CROSS JOIN studies ON studies.id = chosen.value').pluck()
  const selectRunCohort = db.prepare<{ runId: number }>('SELECT cohort_id FROM runs WHERE id = :runId').pluck()
  const selectRunAlarms = db.prepare<{ runId: number }>('SELECT alarms_json FROM run_curation WHERE run_id = :runId').pluck()
  const insert = db.prepare<{ cohortId: number; kind: string; parameters: string; effect: string; reason: string; madeBy: string; now: string }>(`
    INSERT INTO curation_decisions (cohort_id, kind, parameters_json, effect, reason, made_by, made_at) VALUES (:cohortId, :kind, :parameters, :effect, :reason, :madeBy, :now)`)
  const insertUndo = db.prepare<{ decisionId: number; reason: string; undoneBy: string; now: string }>(`
    INSERT INTO curation_undos (decision_id, reason, undone_by, undone_at) VALUES (:decisionId, :reason, :undoneBy, :now)`)
  const countStudies = db.prepare<{ cohortId: number; studyIds: string }>('SELECT count(*) FROM json_each(:studyIds) AS chosen CROSS JOIN studies ON studies.id = chosen.value AND cohort_id = :cohortId').pluck()
  const countPatients = db.prepare<{ cohortId: number; keys: string }>('SELECT count(*) FROM json_each(:keys) AS chosen CROSS JOIN patients ON patient_key = chosen.value AND cohort_id = :cohortId').pluck()
  const selectImageFiles = db.prepare<{ cohortId: number }, StoredImageFile>(`
    SELECT items.study_id AS studyId, items.slot_id AS slotId, byte_size AS byteSize, width_px AS widthPx, height_px AS heightPx FROM studies JOIN items ON items.study_id = studies.id
    WHERE studies.cohort_id = :cohortId AND items.is_present = 1 AND items.source_path IS NOT NULL`)
  const selectSites = db.prepare<{ cohortId: number }>('SELECT id, site FROM studies WHERE cohort_id = :cohortId AND site IS NOT NULL').raw()
  const selectReport = db.prepare<{ cohortId: number; hash: string; version: number }>('SELECT report_json FROM alarm_reports WHERE cohort_id = :cohortId AND effective_hash = :hash AND rules_version = :version').pluck()
  const removeReport = db.prepare<{ cohortId: number; hash: string; version: number }>('DELETE FROM alarm_reports WHERE cohort_id = :cohortId AND effective_hash = :hash AND rules_version = :version')
  const insertReport = db.prepare<{ cohortId: number; hash: string; version: number; report: string; now: string }>(`
    INSERT INTO alarm_reports (cohort_id, effective_hash, rules_version, report_json, made_at) VALUES (:cohortId, :hash, :version, :report, :now)`)
  const cohortOf = (cohortId: number) => found(selectCohort.get({ cohortId }), 'cohort', cohortId)

  /** A decision that names nothing of this cohort would look like one that worked. */
  function check(cohortId: number, draft: DecisionDraft): void {
    const cohort = cohortOf(cohortId)
    const refuse = (reason: string): never => { throw new AppError('CURATION_INVALID', reason) }
    if (cohort.content_hash === null) throw new AppError('RUN_COHORT_NOT_READY', `The import of cohort ${cohortId} is not complete.`)
    const slots = slotsOf(cohort.slots_json)
    const checkSlot = (slotId: string) => slots.find((slot) => slot.slotId === slotId) ?? refuse(`The cohort has no modality "${slotId}". It has: ${slots.map((slot) => slot.slotId).join(', ')}.`)
    const checkStudies = (studyIds: number[]) => {
      const isTwice = new Set(studyIds).size !== studyIds.length
      if (isTwice || (countStudies.get({ cohortId, studyIds: JSON.stringify(studyIds) }) as number) !== studyIds.length) refuse('Some of these studies are not in the cohort, or are named twice.')
    }
    switch (draft.kind) {
      case 'mask-words': {
        if (checkSlot(draft.slotId).modality !== 'text') refuse(`"${draft.slotId}" is no text; words can be masked in a text only.`)
        return
      }
      case 'drop-slot': {
        checkSlot(draft.slotId)
        const { droppedSlotIds } = effective.now(cohortId)
        if (droppedSlotIds.has(draft.slotId)) refuse(`"${draft.slotId}" is left out already.`)
        if (slots.every((slot) => slot.slotId === draft.slotId || droppedSlotIds.has(slot.slotId))) refuse('It is the last modality of the cohort; nothing would be left to train on.')
        return
      }
      case 'merge-patients': {
        const keys = [...new Set(draft.groups.flat())]
        if ((countPatients.get({ cohortId, keys: JSON.stringify(keys) }) as number) !== keys.length) refuse('Some of these patient keys are not in the cohort.')
        if (draft.groups.some((group) => new Set(group).size < 2)) refuse('A person to be merged needs two different patient keys.')
        return
      }
      case 'judge-dates':
      case 'exclude-studies': return checkStudies(draft.studyIds)
      case 'exclude-items': {
        for (const slotId of new Set(draft.items.map((item) => item.slotId))) checkSlot(slotId)
        return checkStudies([...new Set(draft.items.map(({ studyId }) => studyId))])
      }
    }
  }

  const get = (decisionId: number) => {
    const row = found(select.get({ decisionId }), 'decision', decisionId)
    cohortOf(row.cohort_id)
    return { ...rowToDecision(row), cohortId: row.cohort_id }
  }

  function readyHash(cohortId: number): string {
    const { content_hash: contentHash } = cohortOf(cohortId)
    if (contentHash === null) throw new AppError('RUN_COHORT_NOT_READY', `The import of cohort ${cohortId} is not complete.`)
    return contentHash
  }

  function hashOf(cohortId: number, runId?: number): string {
    const contentHash = readyHash(cohortId)
    return (runId === undefined ? effective.now(cohortId) : effective.ofRun(runId)).hashOver(contentHash)
  }

  const baseOf = (cohortId: number): string => [readyHash(cohortId), ...selectActiveIds.all({ cohortId }) as number[]].join(' ')
  const hashAfter: CurationRepository['hashAfter'] = (cohortId, change) => effective.after(cohortId, change).hashOver(readyHash(cohortId))
  const isOn = (cohortId: number, prepared: Prepared | undefined): prepared is Prepared => prepared !== undefined && (prepared.base === null || prepared.base === baseOf(cohortId))

  const decide = db.transaction((cohortId: number, { effect, reason, madeBy, ...record }: DecisionRecord, prepared?: Prepared): Decision => {
    const isPrepared = isOn(cohortId, prepared)
    const draft = isPrepared ? record.draft : decisionDraftSchema.parse(record.draft)
    if (!isPrepared) check(cohortId, draft)
    const madeAt = now()
    const decisionId = Number(insert.run({ cohortId, kind: draft.kind, parameters: JSON.stringify(draft), effect, reason, madeBy, now: madeAt }).lastInsertRowid)
    const cohortHash = isPrepared ? prepared.cohortHash : hashOf(cohortId)
    audit('curation.decided', { cohortId, decisionId, kind: draft.kind, decision: describeDecision(draft, slotsOf(cohortOf(cohortId).slots_json)), effect, madeBy, cohortHash })
    changed.cohort(cohortId)
    return { decisionId, draft, effect, reason, madeBy, madeAt, undo: null }
  })

  const undo = db.transaction((decisionId: number, { reason, undoneBy }: { reason: string; undoneBy: string }, prepared?: Prepared): Decision => {
    const decision = get(decisionId)
    const { cohortId } = decision
    if (decision.undo !== null) throw new AppError('CURATION_UNDONE', `Decision ${decisionId} was undone on ${decision.undo.undoneAt.slice(0, 10)} already.`)
    const isPrepared = isOn(cohortId, prepared)
    const undoneAt = now()
    insertUndo.run({ decisionId, reason, undoneBy, now: undoneAt })
    const cohortHash = isPrepared ? prepared.cohortHash : hashOf(cohortId)
    audit('curation.undone', { cohortId, decisionId, kind: decision.draft.kind, decision: describeDecision(decision.draft, slotsOf(cohortOf(cohortId).slots_json)), undoneBy, cohortHash })
    changed.cohort(cohortId)
    const { cohortId: _cohortId, ...undone } = decision
    return { ...undone, undo: { reason, undoneBy, undoneAt } }
  })

  function standingOf(runId: number): RunCuration {
    const cohortId = found(selectRunCohort.get({ runId }) as number | undefined, 'run', runId)
    const slots = slotsOf(cohortOf(cohortId).slots_json)
    const lineOf = (decision: Decision, at: string): DecisionLine => ({ decisionId: decision.decisionId, what: describeDecision(decision.draft, slots), effect: decision.effect, at })
    const decided = effective.ofRun(runId)
    const own = new Set(decided.decisionIds)
    const studyIds = JSON.stringify([...decided.excludedStudyIds])
    return {
      excludedStudies: decided.excludedStudyIds.size,
      excludedPatients: countOfStudies.get({ studyIds }) as number,
      decidedSince: selectActive.all({ cohortId }).filter(({ id }) => !own.has(id)).map((row) => lineOf(rowToDecision(row), row.made_at)),
      undoneSince: selectOfRun.all({ runId }).flatMap((row) => (row.undone_at === null ? [] : [lineOf(rowToDecision(row), row.undone_at)])),
    }
  }

  const saveReport = db.transaction((cohortId: number, hash: string, version: number, report: object): void => {
    removeReport.run({ cohortId, hash, version })
    insertReport.run({ cohortId, hash, version, report: JSON.stringify(report), now: now() })
  })

  return {
    decide: (cohortId, record, prepared) => decide.immediate(cohortId, record, prepared),
    undo: (decisionId, by, prepared) => undo.immediate(decisionId, by, prepared),
    prepare: (cohortId, input) => {
      const draft = decisionDraftSchema.parse(input)
      check(cohortId, draft)
      return { base: baseOf(cohortId), cohortHash: hashAfter(cohortId, { undone: [], added: [draft] }) }
    },
    prepareUndo: (decisionId) => {
      const { cohortId } = get(decisionId)
      return { base: baseOf(cohortId), cohortHash: hashAfter(cohortId, { undone: [decisionId], added: [] }) }
    },
    baseOf,
    hashAfter,
    get,
    cohortOf: (decisionId) => found(selectCohortOf.get({ decisionId }) as number | undefined, 'decision', decisionId),
    list: (cohortId) => {
      cohortOf(cohortId)
      return selectAll.all({ cohortId }).map(rowToDecision)
    },
    excluding: (cohortId, studyIds) => selectExcluding.all({ cohortId, studyIds: JSON.stringify(studyIds) }).map(rowToDecision),
    exclusionOf: (cohortId, studyId) => {
      const rows = selectExclusion.all({ cohortId, studyId })
      return rows[0] === undefined ? null : { ...rows[0], decisionCount: rows.length }
    },
    standingOf,
    ofRun: (runId) => selectOfRun.all({ runId }).map(rowToDecision),
    alarmsOfRun: (runId) => openAlarmSchema.array().parse(JSON.parse((selectRunAlarms.get({ runId }) as string | undefined) ?? '[]')),
    hashOf,
    persons: (cohortId, runId) => (runId === undefined ? effective.now(cohortId) : effective.ofRun(runId)).persons,
    imageFiles: (cohortId) => {
      const decided = effective.now(cohortId)
      return selectImageFiles.all({ cohortId }).filter(({ studyId, slotId }) => !decided.isItemExcluded(studyId, slotId))
    },
    sites: (cohortId) => new Map(selectSites.all({ cohortId }) as [number, string][]),
    alarmReport: (cohortId, hash, version) => {
      const json = selectReport.get({ cohortId, hash, version }) as string | undefined
      return json === undefined ? null : JSON.parse(json) as unknown
    },
    saveAlarmReport: (cohortId, hash, version, report) => saveReport.immediate(cohortId, hash, version, report),
  }
}
