import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createOutput } from '../../engine/cli/output.ts'
import { runConfigSchema, type RunConfigInput } from '../../engine/domain/run.ts'
import { workspaceOptionsFromEnvironment } from '../../engine/jobs/environment.ts'
import { startImport } from '../../engine/jobs/import-cohort.ts'
import { suggestRun } from '../../engine/jobs/suggest-run.ts'
import { resumeTraining, startTraining } from '../../engine/jobs/train-run.ts'
import { openWorkspace, type Workspace } from '../../engine/jobs/workspace.ts'
import { studyEntries, type StudyEntry } from './study/entries.ts'
import { measureFold, renderStudy, type StudyLine } from './study/measure.ts'
import { studyPatterns } from './study/patterns.ts'

/**
 * Entry of `npm run study`: every method under every presence pattern on one cohort of a known layout, folds x seeds.
 * Text that names labels is left out (that is what suggestRun does) unless --keywords asks for it. Every run is stored under its name and
 * every fold written as one JSON line; what is there is not done again, so the study can be stopped at any moment and started anew.
 * Methods run in one engine process: frozen features are computed once for all folds, seeds and methods that read the same ones.
 */

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    cohort: { type: 'string', default: '../shared/data/odir' }, table: { type: 'string' }, out: { type: 'string', default: 'study-output' },
    folds: { type: 'string', default: '5' }, seeds: { type: 'string', default: '1' }, methods: { type: 'string' }, epochs: { type: 'string' },
    keywords: { type: 'boolean', default: false },
  },
})
const output = createOutput(false)
const outDir = resolve(values.out)
const linesFile = join(outDir, 'study.jsonl')
const tableFile = join(outDir, 'study.md')
const folds = Number(values.folds)
const seeds = values.seeds.split(',').map(Number)

function entriesOf(): StudyEntry[] {
  const wanted = values.methods?.split(',').map((name) => name.trim())
  const unknown = wanted?.find((name) => !studyEntries.some((entry) => entry.name === name))
  if (unknown !== undefined) throw new Error(`There is no method "${unknown}" in the study. It has: ${studyEntries.map(({ name }) => name).join(', ')}.`)
  return studyEntries.filter(({ name }) => wanted?.includes(name) ?? true)
}

/** The cohort of the study, imported at the first start. The table is the one of the folder unless told. */
async function cohortOf(workspace: Workspace): Promise<number> {
  const known = workspace.store.cohorts.getByName('study')
  if (known) return known.cohortId
  const sourceDir = resolve(values.cohort)
  const tables = readdirSync(sourceDir).filter((name) => /\.(xlsx|csv)$/i.test(name)).sort((a, b) => Number(b.endsWith('.xlsx')) - Number(a.endsWith('.xlsx')))
  const source = { sourceDir, tableFile: resolve(values.table ?? join(sourceDir, tables[0] ?? '')), sheet: null }
  const inspection = await workspace.files.run('table:inspect', { source })
  if (!inspection?.suggestion?.isRecognised) throw new Error('The layout of the table is not a known one.')
  return (await startImport(workspace, { source, mapping: inspection.suggestion.mapping, cohortName: 'study' }, output.progress).report).cohortId
}

async function runOf(workspace: Workspace, config: RunConfigInput): Promise<number> {
  const asked = JSON.stringify(runConfigSchema.parse(config))
  // A run of the same name with other settings is of an earlier version of this table: its numbers are another method's.
  const known = workspace.store.runs.list(config.cohortId).find((run) => run.name === config.name && JSON.stringify(runConfigSchema.parse(workspace.store.runs.get(run.runId).config)) === asked)
  if (known?.status === 'finished') return known.runId
  const hooks = { onProgress: output.progress }
  const running = await (known && (known.status === 'paused' || known.status === 'failed') ? resumeTraining(workspace, known.runId, hooks) : startTraining(workspace, config, hooks))
  return (await running.done).runId
}

function readLines(): StudyLine[] {
  if (!existsSync(linesFile)) return []
  // A line cut off by a kill is measured again; one that was written twice counts once.
  const lines = readFileSync(linesFile, 'utf8').split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as StudyLine]
    } catch {
      return []
    }
  })
  return [...new Map(lines.map((line) => [`${line.method} ${line.seed} ${line.fold}`, line])).values()]
}

async function study(): Promise<void> {
  mkdirSync(outDir, { recursive: true })
  const entries = entriesOf()
  const lines = readLines()
  const workspace = openWorkspace(workspaceOptionsFromEnvironment(join(outDir, 'study.db'), output.note))
  try {
    const cohortId = await cohortOf(workspace)
    const { config } = suggestRun(workspace, cohortId)
    const allSlots = workspace.store.cohorts.get(cohortId).slots
    const slotIds = values.keywords ? allSlots.map((slot) => slot.slotId) : config.slotIds
    const columns = studyPatterns(allSlots.filter((slot) => slotIds.includes(slot.slotId)))
    const split = folds > 1 ? { kind: 'k-fold' as const, folds } : { kind: 'holdout' as const, train: 0.6, val: 0.2, test: 0.2 }
    for (const seed of seeds) {
      for (const entry of entries) {
        if (lines.filter((line) => line.method === entry.name && line.seed === seed).length >= folds) continue
        const name = `${entry.name}, ${values.keywords ? 'with keywords' : 'without keywords'}, ${folds} folds, seed ${seed}`
        const runId = await runOf(workspace, { ...config, ...entry.settings, slotIds, seed, split, name, ...(values.epochs ? { epochs: Number(values.epochs) } : {}) })
        const run = workspace.store.runs.get(runId)
        const stored = workspace.store.predictions.forRun(runId, { split: 'test' })
        const seconds = (run.elapsedMs ?? 0) / 1000 / folds
        for (let fold = 0; fold < folds; fold++) {
          const line: StudyLine = { method: entry.name, seed, fold, seconds, trainedParameters: run.trainedParameters ?? 0, patterns: measureFold(stored, fold, columns, run.config.task) }
          lines.push(line)
          appendFileSync(linesFile, `${JSON.stringify(line)}\n`)
        }
        output.note(`${name}: ${run.epochsDone} epochs, ${seconds.toFixed(1)} s for each fold`)
        writeFileSync(tableFile, renderStudy(lines, studyEntries.map((item) => item.name)))
      }
    }
    output.result(null, renderStudy(lines, studyEntries.map((item) => item.name)))
  } finally {
    workspace.close()
  }
}

await study()
