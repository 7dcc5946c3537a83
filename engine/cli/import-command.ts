import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '../domain/errors.ts'
import { frameChoiceSchema } from '../domain/frames.ts'
import type { ImportCheck, ImportReport } from '../domain/import.ts'
import { mappingSchema, type ImportSource, type Mapping } from '../domain/mapping.ts'
import { mappingFileSchema } from '../domain/saved-mappings.ts'
import { onChangedSchema } from '../domain/deliveries.ts'
import { resumeImport, startDelivery, startImport, type RunningImport } from '../jobs/import-cohort.ts'
import { applyMapping, mappingNamed, recheckLines } from '../jobs/saved-mappings.ts'
import type { Workspace } from '../jobs/workspace.ts'
import { withDateOptions, withPrivacyOptions } from './mapping-options.ts'
import { formatSeconds, type CliOutput } from './output.ts'
import { required, type CliOptions } from './options.ts'

/** `lacuna import`: the wizard's steps without a window. Ctrl-C pauses; --resume goes on. */
export async function importCommand(workspace: Workspace, options: CliOptions, output: CliOutput, onInterrupt: (cancel: () => void) => void): Promise<void> {
  const running = await beginImport(workspace, options, output)
  onInterrupt(running.cancel)
  const report = await running.report
  output.result(report, formatReport(report))
  if (report.status === 'paused') process.exitCode = 130
}

async function beginImport(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<RunningImport> {
  if (options.into !== undefined) {
    const { cohortId } = cohortNamed(workspace, options.into)
    if (options.resume) return resumeImport(workspace, cohortId, output.progress)
    return startDelivery(workspace, { cohortId, ...(await sourceAndMapping(workspace, options, output)), ...deliveryChoices(options) }, output.progress)
  }
  const cohortName = required(options, 'cohort')
  if (options.resume) return resumeImport(workspace, cohortNamed(workspace, cohortName).cohortId, output.progress)
  return startImport(workspace, { ...(await sourceAndMapping(workspace, options, output)), cohortName }, output.progress)
}

function deliveryChoices(options: CliOptions): { onChanged: 'keep' | 'replace'; leaveOutNewLabels: boolean } {
  const onChanged = onChangedSchema.safeParse(options.changed ?? 'keep')
  if (!onChanged.success) throw new AppError('CLI_USAGE', '--changed is "keep" or "replace".')
  const newLabels = options['new-labels'] ?? 'refuse'
  if (newLabels !== 'refuse' && newLabels !== 'leave-out') throw new AppError('CLI_USAGE', '--new-labels is "refuse" or "leave-out".')
  return { onChanged: onChanged.data, leaveOutNewLabels: newLabels === 'leave-out' }
}

/** `lacuna check`: counts over the whole source, nothing written. */
export async function checkCommand(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<void> {
  const { source, mapping } = await sourceAndMapping(workspace, options, output)
  const check = await workspace.files.run('import:check', { source, mapping, pseudonymKey: workspace.pseudonymKey }, { onProgress: output.progress })
  if (check) output.result(check, formatCheck(check))
}

async function sourceAndMapping(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<{ source: ImportSource; mapping: Mapping }> {
  const { source, mapping } = await readSourceAndMapping(workspace, options, output)
  return { source, mapping: withFrames(withDateOptions(withPrivacyOptions(mapping, options), options), options) }
}

/** `--frame middle` for every image, or `--frame frontal=3,lateral=last`. */
function withFrames(mapping: Mapping, { frame: text }: CliOptions): Mapping {
  if (text === undefined) return mapping
  const wanted = new Map(text.split(',').map((part) => {
    const [choice = '', slotId = ''] = part.split('=').reverse().map((word) => word.trim())
    const parsed = frameChoiceSchema.safeParse(/^\d+$/.test(choice) ? Number(choice) : choice)
    if (!parsed.success) throw new AppError('CLI_USAGE', `--frame is first, middle, last or a number from 1, for every image or as ITEM=FRAME; not "${part}".`)
    return [slotId, parsed.data]
  }))
  const unknown = [...wanted.keys()].find((slotId) => slotId !== '' && !mapping.slots.some(({ slot }) => slot.modality === 'image' && slot.slotId === slotId))
  if (unknown !== undefined) throw new AppError('CLI_USAGE', `--frame names "${unknown}", which is no image of the mapping.`)
  return {
    ...mapping,
    slots: mapping.slots.map((mapped) => {
      const { source } = mapped
      const frame = wanted.get(mapped.slot.slotId) ?? wanted.get('')
      return frame === undefined || (source.kind !== 'column' && source.kind !== 'pattern') ? mapped : { ...mapped, source: { ...source, frame } }
    }) as Mapping['slots'],
  }
}

async function readSourceAndMapping(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<{ source: ImportSource; mapping: Mapping }> {
  const sourceDir = resolve(required(options, 'source'))
  // Without a table the XML reports or the headers of the DICOM files in the folder are the table.
  const asked: ImportSource = { sourceDir, tableFile: options.table === undefined ? sourceDir : resolve(options.table), sheet: options.sheet ?? null }
  if (options.map) return { source: asked, mapping: withJoin(readMapping(options.map), options) }
  if (options.mapping !== undefined) {
    const { mappingId } = mappingNamed(workspace, options.mapping)
    const { mapping, recheck } = await applyMapping(workspace, mappingId, asked)
    for (const line of recheckLines(recheck)) output.note(`Since the mapping was saved: ${line}`)
    return { source: asked, mapping: withJoin(mapping, options) }
  }
  if (options.into !== undefined && options.profile === undefined) return { source: asked, mapping: withJoin(workspace.store.cohorts.importRequest(cohortNamed(workspace, options.into).cohortId).mapping, options) }
  const inspection = await workspace.files.run('table:inspect', { source: asked })
  const suggestion = inspection?.suggestion ?? null
  if (options.profile && suggestion?.mapping.profile !== options.profile) {
    throw new AppError('CLI_USAGE', `The table does not look like the profile "${options.profile}"${suggestion ? `; it looks like "${suggestion.mapping.profile}"` : ''}. Name a mapping with --map.`)
  }
  if (!suggestion?.isRecognised) throw new AppError('CLI_USAGE', 'The layout of the table is not one that Lacuna knows. Name a mapping with --map, or map it in the app.')
  output.note(suggestion.explanation)
  // Of two tables that belong together, the one with a row for each study is read first, whichever was named.
  return { source: inspection?.source ?? asked, mapping: withJoin(suggestion.mapping, options) }
}

/** `--join FILE --on "Column=Other column" [--spread Column]`: a second table beside the first one. */
function withJoin(mapping: Mapping, options: CliOptions): Mapping {
  if (options.join === undefined) return mapping
  const [column, otherColumn, ...rest] = required(options, 'on').split('=').map((part) => part.trim())
  if (!column || !otherColumn || rest.length > 0) throw new AppError('CLI_USAGE', '--on must look like "column=other column": the columns that hold the same ID in both tables.')
  return { ...mapping, join: { table: resolve(options.join), sheet: null, column, otherColumn, spreadBy: options.spread ?? null } }
}

function readMapping(file: string): Mapping {
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new AppError('CLI_USAGE', `The mapping file cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  // As Lacuna exports it, or the bare mapping of earlier versions.
  const exported = mappingFileSchema.safeParse(raw)
  if (exported.success) return exported.data.mapping
  const parsed = mappingSchema.safeParse(raw)
  if (!parsed.success) throw new AppError('CLI_USAGE', `The mapping file does not fit: ${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`)
  return parsed.data
}

/** The cohort of that name; throws STORE_NOT_FOUND. */
export function cohortNamed(workspace: Workspace, name: string) {
  const cohort = workspace.store.cohorts.getByName(name)
  if (!cohort) throw new AppError('STORE_NOT_FOUND', `There is no cohort "${name}" in this store.`)
  return cohort
}

function formatReport(report: ImportReport): string {
  const lines = [
    `${report.status === 'complete' ? 'Imported' : 'Paused'}: "${report.cohortName}" (cohort ${report.cohortId}${report.delivery ? `, delivery ${report.delivery.number}` : ''})`,
    ...(report.delivery ? deliveryLines(report.delivery) : []),
    `Rows: ${report.rowsIn} in = ${report.rowsAccepted} accepted + ${report.rowsRejected} rejected`,
    `Patients ${report.patientCount}, studies ${report.studyCount}, items ${report.itemCount}; ${report.imagesPerSecond.toFixed(0)} images/s, ${formatSeconds(report.elapsedMs / 1000)}`,
    ...report.rejections.map((item) => `  rejected ${item.count}: ${item.reason} (rows ${item.rows.slice(0, 10).join(', ')}${item.rows.length > 10 ? ', …' : ''})`),
    ...(report.frames ?? []).map(({ slotId, count, first, last }) => `  ${slotId}: ${count} of files with several frames, ${first === last ? `frame ${first}` : `frames ${first} to ${last}`}`),
    ...report.absences.map((item) => `  ${item.slotId}: ${item.count} ${item.reason}`),
    ...(report.dates ? [`Days known of ${report.dates.dated} studies, of ${report.dates.undated} not`] : []),
    ...(report.dates?.problems ?? []).map(({ problem, count, rows }) => `  date ${problem}: ${count} (rows ${rows.slice(0, 10).join(', ')}${count > 10 ? ', …' : ''})`),
  ]
  return lines.join('\n')
}

function deliveryLines({ counts, changed }: NonNullable<ImportReport['delivery']>): string[] {
  const of = ({ studies, rows }: { studies: number; rows: number }): string => `${studies} ${studies === 1 ? 'study' : 'studies'} (${rows} ${rows === 1 ? 'row' : 'rows'})`
  const what = (change: { kind: string; slotId: string | null }): string => (change.slotId === null ? change.kind : `${change.slotId}: ${change.kind}`)
  return [
    `Added ${of(counts.added)}, ${counts.newPatients} new patients; known already ${of(counts.unchanged)}; changed and kept as they were ${of(counts.kept)}; replaced ${of(counts.replaced)}; kept because a run used them ${of(counts.keptUsed)}`,
    ...changed.slice(0, 20).map(({ patientKey, studyKey, outcome, changes }) => `  ${patientKey} ${studyKey} ${outcome}: ${changes.map(what).join(', ')}`),
    ...(changed.length > 20 ? [`  and ${changed.length - 20} more`] : []),
  ]
}

function formatCheck(check: ImportCheck): string {
  const lines = [
    `Rows: ${check.rowsIn} in = ${check.rowsAccepted} accepted + ${check.rowsRejected} rejected; ${check.patientCount} patients, ${check.studyCount} studies`,
    ...check.labelCounts.map((item) => `  ${item.name}: ${item.positives} with, ${item.negatives} without, ${item.unknown} unknown`),
    ...check.patternCounts.map((item) => `  ${item.pattern || 'nothing present'}: ${item.count}`),
    ...check.absences.map((item) => `  ${item.slotId}: ${item.count} ${item.reason}`),
    ...check.labelWords.slice(0, 8).map((item) => `  label word in ${item.slotId}: "${item.word}" -> ${item.labelName} (${item.studiesWithWordAndLabel} of ${item.studiesWithWord})`),
    ...(check.privacy ? [`  texts: ${check.privacy.studiesChanged} of ${check.privacy.studiesWithText} changed, ${check.privacy.agesCapped} ages over 89${check.privacy.options.off.length > 0 ? `; RULES OFF: ${check.privacy.options.off.join(', ')}` : ''}`] : []),
    ...(check.privacy?.findings ?? []).map((item) => `    ${item.slotId}, ${item.rule}: ${item.count} (${item.examples.map(({ masked, becomes }) => `${masked} -> ${becomes}`).join('; ')})`),
    ...check.issues.map((issue) => `  ${issue.severity}: ${issue.title} (${issue.count}). ${issue.fix}`),
  ]
  return lines.join('\n')
}
