import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '../domain/errors.ts'
import type { ImportCheck, ImportReport } from '../domain/import.ts'
import { mappingSchema, withPrivacy, type ImportSource, type Mapping } from '../domain/mapping.ts'
import { privacyOptionsSchema, privacyRuleSchema } from '../domain/privacy.ts'
import { resumeImport, startImport } from '../jobs/import-cohort.ts'
import type { Workspace } from '../jobs/workspace.ts'
import { formatSeconds, type CliOutput } from './output.ts'
import { required, type CliOptions } from './options.ts'

/** `lacuna import`: the wizard's steps without a window. Ctrl-C pauses; --resume goes on. */
export async function importCommand(workspace: Workspace, options: CliOptions, output: CliOutput, onInterrupt: (cancel: () => void) => void): Promise<void> {
  const cohortName = required(options, 'cohort')
  const running = options.resume
    ? resumeImport(workspace, cohortNamed(workspace, cohortName).cohortId, output.progress)
    : startImport(workspace, { ...(await sourceAndMapping(workspace, options, output)), cohortName }, output.progress)
  onInterrupt(running.cancel)
  const report = await running.report
  output.result(report, formatReport(report))
  if (report.status === 'paused') process.exitCode = 130
}

/** `lacuna check`: counts over the whole source, nothing written. */
export async function checkCommand(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<void> {
  const { source, mapping } = await sourceAndMapping(workspace, options, output)
  const check = await workspace.files.run('import:check', { source, mapping, pseudonymKey: workspace.pseudonymKey }, { onProgress: output.progress })
  if (check) output.result(check, formatCheck(check))
}

/** The mapping with what the command line says of privacy; without options every rule works. */
function withPrivacyOptions(mapping: Mapping, options: CliOptions): Mapping {
  const base = withPrivacy(mapping).privacy!
  const list = options['privacy-list'] === undefined ? [] : readLines(options['privacy-list'])
  const shapes = list.filter((line) => line.startsWith('shape:')).map((line) => line.slice('shape:'.length))
  const parsed = privacyOptionsSchema.safeParse({
    off: options['privacy-off']?.split(',').map((rule) => rule.trim()) ?? base.off,
    dateOrder: options['date-order'] ?? base.dateOrder,
    words: [...base.words, ...list.filter((line) => !line.startsWith('shape:'))], shapes: [...base.shapes, ...shapes],
  })
  // The words themselves may be names and are not repeated.
  if (!parsed.success) throw new AppError('CLI_USAGE', `The privacy options do not fit at ${parsed.error.issues[0]?.path.join(', ')}. Rules: ${privacyRuleSchema.options.join(', ')}.`)
  return { ...mapping, privacy: parsed.data }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '')
  } catch (error) {
    throw new AppError('CLI_USAGE', 'The list of --privacy-list cannot be read.', { cause: error })
  }
}

async function sourceAndMapping(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<{ source: ImportSource; mapping: Mapping }> {
  const { source, mapping } = await readSourceAndMapping(workspace, options, output)
  return { source, mapping: withPrivacyOptions(mapping, options) }
}

async function readSourceAndMapping(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<{ source: ImportSource; mapping: Mapping }> {
  const sourceDir = resolve(required(options, 'source'))
  // Without a table the XML reports or the headers of the DICOM files in the folder are the table.
  const asked: ImportSource = { sourceDir, tableFile: options.table === undefined ? sourceDir : resolve(options.table), sheet: options.sheet ?? null }
  if (options.map) return { source: asked, mapping: readMapping(options.map) }
  const inspection = await workspace.files.run('table:inspect', { source: asked })
  const suggestion = inspection?.suggestion ?? null
  if (options.profile && suggestion?.mapping.profile !== options.profile) {
    throw new AppError('CLI_USAGE', `The table does not look like the profile "${options.profile}"${suggestion ? `; it looks like "${suggestion.mapping.profile}"` : ''}. Name a mapping with --map.`)
  }
  if (!suggestion?.isRecognised) throw new AppError('CLI_USAGE', 'The layout of the table is not one that Lacuna knows. Name a mapping with --map, or map it in the app.')
  output.note(suggestion.explanation)
  // Of two tables that belong together, the one with a row for each study is read first, whichever was named.
  return { source: inspection?.source ?? asked, mapping: suggestion.mapping }
}

function readMapping(file: string): Mapping {
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new AppError('CLI_USAGE', `The mapping file cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
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
    `${report.status === 'complete' ? 'Imported' : 'Paused'}: "${report.cohortName}" (cohort ${report.cohortId})`,
    `Rows: ${report.rowsIn} in = ${report.rowsAccepted} accepted + ${report.rowsRejected} rejected`,
    `Patients ${report.patientCount}, studies ${report.studyCount}, items ${report.itemCount}; ${report.imagesPerSecond.toFixed(0)} images/s, ${formatSeconds(report.elapsedMs / 1000)}`,
    ...report.rejections.map((item) => `  rejected ${item.count}: ${item.reason} (rows ${item.rows.slice(0, 10).join(', ')}${item.rows.length > 10 ? ', …' : ''})`),
    ...report.absences.map((item) => `  ${item.slotId}: ${item.count} ${item.reason}`),
  ]
  return lines.join('\n')
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
