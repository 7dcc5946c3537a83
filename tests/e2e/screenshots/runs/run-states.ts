import Database from 'better-sqlite3'
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { memoryNote } from '../../../../engine/training/optimise/memory-recovery.ts'
import { randomTensors, viltConfig, viltShapes, writeFolder } from '../../../unit/backbones/import/tiny-folders.ts'
import { launchApp, temporaryFolder } from '../../harness/launch.ts'
import { slowMs } from '../../harness/steps.ts'
import { themes, type Camera } from '../camera.ts'
import { copyStore, findSubject, type Subject } from '../subject.ts'

/** States that a run gets into by accident only, made from a finished run of the store; and a backbone whose file has changed. */

interface State { name: string; status: string; epochs: number; error: { code: string; message: string } | null; notes: string[] }

/** `running`: the app was killed meanwhile; it finds such a run when it starts and says that it was interrupted. */
const states: readonly State[] = [
  { name: 'Paused for want of memory', status: 'paused', epochs: 6, error: { code: 'COMPUTE_OUT_OF_MEMORY', message: 'The device has too little memory to update the trained tensors.' }, notes: [] },
  { name: 'Stopped by an error', status: 'failed', epochs: 3, error: { code: 'BACKBONE_CHANGED', message: 'mmbt-minilm-resnet50: model.safetensors is not the file that was added.' }, notes: [] },
  { name: 'Failed before its first epoch', status: 'failed', epochs: 0, error: { code: 'IMPORT_ORIGINALS_GONE', message: 'The folder of the original images is not there.' }, notes: [] },
  { name: 'Killed in the sixth epoch', status: 'running', epochs: 5, error: null, notes: [] },
  { name: 'Finished with smaller pieces', status: 'finished', epochs: 20, error: null, notes: [memoryNote(4, 'out-of-memory', 0, 1, 2), memoryNote(8, 'keeps-less', 0, 1, 0)] },
]

/** Adds copies of a run that stopped on their way; returns their ids by name. */
function addStates(storeFile: string, runId: number): Map<string, number> {
  const db = new Database(storeFile)
  const ids = new Map<string, number>()
  const columns = (db.pragma('table_info(runs)') as { name: string }[]).map(({ name }) => name).filter((name) => name !== 'id')
  for (const state of states) {
    const isEnded = state.status === 'finished' || state.status === 'failed'
    const changed: Record<string, string> = {
      name: ':name', status: ':status', error_code: ':code', error_message: ':message', notes_json: ':notes',
      config_json: "json_set(config_json, '$.name', :name)", ...(isEnded ? {} : { finished_at: 'NULL', elapsed_ms: 'NULL' }),
    }
    const added = db.prepare(`INSERT INTO runs (${columns.join(', ')}) SELECT ${columns.map((name) => changed[name] ?? name).join(', ')} FROM runs WHERE id = :runId`)
      .run({ runId, name: state.name, status: state.status, code: state.error?.code ?? null, message: state.error?.message ?? null, notes: JSON.stringify(state.notes) })
    const id = Number(added.lastInsertRowid)
    ids.set(state.name, id)
    db.prepare('INSERT INTO epochs SELECT :id, fold, epoch, train_loss, val_loss, val_macro_auroc, learning_rate, elapsed_ms, is_best, recorded_at FROM epochs WHERE run_id = :runId AND epoch < :epochs').run({ id, runId, epochs: state.epochs })
  }
  db.close()
  return ids
}

/** Of all files of the copied backbones the largest one, which holds the weights. */
function weightsIn(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return files.sort((a, b) => statSync(b).size - statSync(a).size)[0]!
}

export async function photographStates(camera: Camera, storeFile: string): Promise<void> {
  const dir = temporaryFolder()
  try {
    await copyStore(storeFile, dir)
    // A link to the store's own models: what is changed here must be a copy.
    rmSync(join(dir, 'backbones'), { force: true })
    mkdirSync(join(dir, 'backbones'))
    const subject = await subjectOf(dir)
    if (subject.runId === null) return
    const ids = addStates(join(dir, 'lacuna.db'), subject.runId)
    const app = await launchApp({ dir, dialogs: { chooseBackbone: writeFolder(join(dir, 'tiny-vilt'), viltConfig, randomTensors(viltShapes)) } })
    const { page } = app
    await camera.open(app, '/backbones')
    await page.getByRole('button', { name: 'Add backbone' }).click()
    await page.getByRole('button', { name: 'Choose folder' }).click()
    const card = page.getByRole('article', { name: 'tiny-vilt' })
    await card.waitFor({ timeout: slowMs })
    truncateSync(weightsIn(join(dir, 'backbones')), 4096)
    await card.getByRole('button', { name: 'Verify files' }).click()
    await card.getByText('BACKBONE_').first().waitFor({ timeout: slowMs })
    const inBothThemes = async (name: string, prepare: () => Promise<void>): Promise<void> => {
      if (!camera.mayBeWanted(name)) return
      for (const theme of themes) {
        await camera.choose(app, theme)
        await prepare()
        await camera.photograph(app, theme, name)
      }
    }
    await inBothThemes('23-states-backbone-changed', async () => {
      await camera.open(app, '/backbones')
      await card.scrollIntoViewIfNeeded()
    })
    const pageOf = (name: string): string => `/runs/${ids.get(name)!}`
    for (const [name, picture] of [['Paused for want of memory', 'paused'], ['Stopped by an error', 'failed'], ['Failed before its first epoch', 'failed-early'], ['Killed in the sixth epoch', 'interrupted']] as const) {
      await inBothThemes(`23-states-${picture}`, () => camera.open(app, pageOf(name)))
    }
    await inBothThemes('23-states-memory', async () => {
      await camera.open(app, pageOf('Finished with smaller pieces'))
      await page.getByRole('heading', { name: 'Notes', exact: true }).scrollIntoViewIfNeeded()
    })
    await inBothThemes('23-states-no-results', () => camera.open(app, `${pageOf('Paused for want of memory')}/results`))
    await inBothThemes('23-states-runs', () => camera.open(app, '/runs'))
    await photographExtrapolated(inBothThemes, camera, app, subject)
    await inBothThemes('23-states-run-set-up-backbone', async () => {
      await camera.open(app, `/cohorts/${subject.cohortId}/runs/new`)
      const choice = page.getByLabel('Backbone', { exact: true })
      await choice.scrollIntoViewIfNeeded()
      await choice.focus()
    })
    await app.close()
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** A patient under a run that never saw their combination of items. */
async function photographExtrapolated(inBothThemes: (name: string, prepare: () => Promise<void>) => Promise<void>, camera: Camera, app: Awaited<ReturnType<typeof launchApp>>, { cohortId, completeOnlyRunId, incompleteStudyId }: Subject): Promise<void> {
  if (completeOnlyRunId === null || incompleteStudyId === null) return
  const address = `/patients/${incompleteStudyId}?cohort=${cohortId}&run=${completeOnlyRunId}`
  await inBothThemes('23-states-unseen-combination', () => camera.open(app, address))
  await inBothThemes('23-states-unseen-results', () => camera.open(app, `/runs/${completeOnlyRunId}/results`))
}

async function subjectOf(dir: string): Promise<Subject> {
  const app = await launchApp({ dir })
  const subject = await findSubject(app.page)
  await app.close()
  return subject
}
