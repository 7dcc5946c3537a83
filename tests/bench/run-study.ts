import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createOutput } from '../../engine/cli/output.ts'
import type { TestSetting } from '../../engine/domain/results.ts'
import type { RunConfigInput } from '../../engine/domain/run.ts'
import { workspaceOptionsFromEnvironment } from '../../engine/jobs/environment.ts'
import { startImport } from '../../engine/jobs/import-cohort.ts'
import { evaluateRun } from '../../engine/jobs/results.ts'
import { suggestRun } from '../../engine/jobs/suggest-run.ts'
import { resumeTraining, startTraining } from '../../engine/jobs/train-run.ts'
import { openWorkspace, type Workspace } from '../../engine/jobs/workspace.ts'

/**
 * Entry of `npm run study`: methods side by side on one cohort of a known layout, at several test missing rates.
 * Every run is stored under its name and skipped when it is there already, so the study can be stopped and resumed.
 */

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    source: { type: 'string', default: '../shared/data/odir' }, table: { type: 'string' }, out: { type: 'string', default: 'study-output' },
    folds: { type: 'string', default: '5' }, seeds: { type: 'string', default: '1' }, keywords: { type: 'boolean', default: false },
  },
})
const output = createOutput(false)
const outDir = resolve(values.out)
const sourceDir = resolve(values.source)
const tableFile = resolve(values.table ?? join(sourceDir, 'ODIR-5K_Training_Annotations(Updated)_V2.xlsx'))
const half = { image: 0.35, text: 0.35 }
const settings: [string, TestSetting][] = [
  ['complete (0 %)', { kind: 'actual' }], ['35 % + 35 %', { kind: 'simulated', ...half, seed: 1 }],
  ['images only', { kind: 'only', modality: 'image' }], ['text only', { kind: 'only', modality: 'text' }],
]
const methods = ['mora', 'head-only', 'zero-fill'] as const
/** How the training patients are shown: as they are, with the paper's fixed table of losses, or with losses drawn anew in every epoch. */
const trainings = [
  { name: 'complete', settings: { modalityDropout: 0 } },
  { name: 'fixed 35 % + 35 %', settings: { modalityDropout: 0, trainMissingness: half } },
  { name: 'modality dropout 0.3', settings: { modalityDropout: 0.3 } },
]

async function cohortOf(workspace: Workspace): Promise<number> {
  const known = workspace.store.cohorts.getByName('study')
  if (known) return known.cohortId
  const source = { sourceDir, tableFile, sheet: null }
  const inspection = await workspace.files.run('table:inspect', { source })
  if (!inspection?.suggestion?.isRecognised) throw new Error('The layout of the table is not a known one.')
  const report = await startImport(workspace, { source, mapping: inspection.suggestion.mapping, cohortName: 'study' }, output.progress).report
  return report.cohortId
}

async function runOf(workspace: Workspace, config: RunConfigInput): Promise<number> {
  const known = workspace.store.runs.list(config.cohortId).find((run) => run.name === config.name)
  if (known?.status === 'finished') return known.runId
  const hooks = { onProgress: output.progress }
  const running = known && (known.status === 'paused' || known.status === 'failed') ? resumeTraining(workspace, known.runId, hooks) : startTraining(workspace, config, hooks)
  const run = await running.done
  output.note(`${run.name}: ${run.epochsDone} epochs, ${Math.round((run.elapsedMs ?? 0) / 1000)} s`)
  return run.runId
}

function printRow(workspace: Workspace, title: string, runIds: readonly number[]): void {
  const cells = settings.map(([, setting]) => {
    const rows = runIds.map((runId) => evaluateRun(workspace, runId, setting).overall)
    const mean = (pick: (row: (typeof rows)[number]) => number | null) => {
      const numbers = rows.map(pick).filter((value) => value !== null)
      return numbers.length === 0 ? 'n. e.' : (numbers.reduce((sum, value) => sum + value, 0) / numbers.length).toFixed(3)
    }
    return `${mean((row) => row.macroAuroc.value)} / ${mean((row) => row.macroF1.value)}`
  })
  output.result(null, `| ${title} | ${cells.join(' | ')} |`)
}

async function study(): Promise<void> {
  mkdirSync(outDir, { recursive: true })
  const workspace = openWorkspace(workspaceOptionsFromEnvironment(join(outDir, 'study.db'), output.note))
  try {
    const cohortId = await cohortOf(workspace)
    const { config } = suggestRun(workspace, cohortId)
    const slotIds = values.keywords ? workspace.store.cohorts.get(cohortId).slots.map((slot) => slot.slotId) : config.slotIds
    const folds = Number(values.folds)
    const split = folds > 1 ? { kind: 'k-fold' as const, folds } : { kind: 'holdout' as const, train: 0.6, val: 0.2, test: 0.2 }
    output.result(null, `| method, trained on (macro-AUROC / macro-F1 on test patients, ${slotIds.join(' + ')}) | ${settings.map(([title]) => title).join(' | ')} |\n|${'---|'.repeat(settings.length + 1)}`)
    for (const training of trainings) {
      for (const adapter of methods) {
        const runIds: number[] = []
        for (const seed of values.seeds.split(',').map(Number)) {
          const name = `${adapter}, ${training.name}, ${values.keywords ? 'with keywords' : 'without keywords'}, ${folds} folds, seed ${seed}`
          runIds.push(await runOf(workspace, { ...config, slotIds, adapter, seed, split, name, ...training.settings }))
        }
        printRow(workspace, `${adapter}, ${training.name}`, runIds)
      }
    }
  } finally {
    workspace.close()
  }
}

await study()
