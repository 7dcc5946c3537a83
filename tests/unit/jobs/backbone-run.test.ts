import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backbonesCommand } from '../../../engine/cli/backbone-commands.ts'
import { parseCommandLine } from '../../../engine/cli/options.ts'
import type { CliOutput } from '../../../engine/cli/output.ts'
import { predictCommand, trainCommand } from '../../../engine/cli/run-commands.ts'
import type { BackboneRecord } from '../../../engine/domain/backbones.ts'
import type { RunRecord } from '../../../engine/domain/records.ts'
import { removeBackbone } from '../../../engine/jobs/backbones.ts'
import { makeDemoSource } from '../../../engine/jobs/demo-cohort.ts'
import { startDegradedTests } from '../../../engine/jobs/degraded/evaluate-degraded.ts'
import { startImport } from '../../../engine/jobs/import-cohort.ts'
import { readInPlace } from './reader-in-place.ts'
import { openWorkspace, type Workspace } from '../../../engine/jobs/workspace.ts'
import { bertConfig, bertShapes, randomTensors, viltConfig, viltShapes, vitConfig, vitShapes, writeFolder } from '../backbones/import/tiny-folders.ts'

/** The commands of the headless twin on a small synthetic cohort, with real engine processes and tiny random models. */
const folder = mkdtempSync(join(tmpdir(), 'lacuna-backbone-run-'))
const root = join(import.meta.dirname, '..', '..', '..')
const cohort = 'Tiny'
let workspace: Workspace
let labels: string

beforeAll(async () => {
  process.env.LACUNA_DEMO_PATIENTS = '30'
  const opened = openWorkspace({
    storeFile: join(folder, 'lacuna.db'), weightsDir: process.env.LACUNA_WEIGHTS ?? '', nodePath: process.execPath, workerFile: join(root, 'engine', 'worker.ts'),
    readerFile: 'not started', versions: { app: '0.1.0', code: 'test' }, log: () => {},
  })
  workspace = { ...opened, reader: readInPlace(opened.store) }
  const request = await makeDemoSource(workspace, join(folder, 'demo')).request
  await startImport(workspace, { ...request!, cohortName: cohort }).report
  const { cohortId } = workspace.store.cohorts.getByName(cohort)!
  const summary = workspace.store.cohorts.get(cohortId)
  const studies = workspace.store.patients.trainingStudies(cohortId, summary.slots.map(({ slotId }) => slotId), summary.labels.map(({ labelId }) => labelId))
  const usable = summary.labels.filter((_, index) => [0, 1].every((value) => studies.filter((study) => study.labels[index] === value).length >= 4))
  labels = usable.slice(0, 2).map(({ name }) => name).join(',')
}, 120_000)

afterAll(() => {
  delete process.env.LACUNA_DEMO_PATIENTS
  workspace.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs one command line and gives what it printed as JSON. */
async function run(...argv: string[]): Promise<unknown> {
  const { command, action, options } = parseCommandLine(argv)
  let printed: unknown = null
  const output: CliOutput = { isJson: true, result: (json) => { printed = json }, note: () => {}, progress: () => {} }
  if (command === 'backbones') await backbonesCommand(workspace, action, options, output, () => {})
  else if (command === 'train') await trainCommand(workspace, options, output, () => {})
  else await predictCommand(workspace, options, output)
  return printed
}
const add = async (config: { model_type: string }, shapes: Record<string, number[]>, ...more: string[]) =>
  await run('backbones', 'add', '--from', writeFolder(join(folder, `source-${config.model_type}`), config, randomTensors(shapes)), ...more) as BackboneRecord
const train = async (backbone: string, method: string, settings: object, slots: string) => {
  const config = join(folder, 'config.json')
  writeFileSync(config, JSON.stringify({ epochs: 1, batchSize: 8, modalityDropout: 0, ...settings }))
  const { run: record } = await run('train', '--cohort', cohort, '--method', method, '--backbone', backbone, '--config', config, '--slots', slots, '--labels', labels) as { run: RunRecord }
  return record
}

describe('a run on an imported backbone', { timeout: 600_000 }, () => {
  it('trains MoRA on a ViLT, says how the model was used, and predicts the same again from the checkpoint', async () => {
    const vilt = await add(viltConfig, viltShapes, '--name', 'Tiny ViLT', '--licence', 'made up')
    expect(vilt).toMatchObject({ name: 'Tiny ViLT', licence: 'made up', architecture: 'vilt' })
    expect(await run('backbones', 'edit', '--backbone', vilt.backboneId, '--source', 'this test')).toMatchObject({ name: 'Tiny ViLT', licence: 'made up', source: 'this test' })
    expect(await run('backbones', 'show', '--backbone', vilt.backboneId)).toMatchObject({ tensors: expect.arrayContaining([{ name: 'embeddings.cls_token', storedType: 'F32', shape: [1, 1, 64], count: 64, isUsed: true }]) })
    expect(await run('backbones', 'list')).toMatchObject([{ backboneId: vilt.backboneId }])
    const record = await train(vilt.backboneId, 'mora', { maxTextTokens: 20 }, 'right-eye,left-eye,notes')
    expect(record).toMatchObject({ status: 'finished', weightsHash: vilt.contentHash, config: { backbone: vilt.backboneId } })
    expect(record.notes.join('\n')).toMatch(/12 text positions; for texts of 20 tokens.*stretched/)
    expect(record.notes.join('\n')).toMatch(/one image-type embedding for 2 images/)
    const stored = workspace.store.predictions.forRun(record.runId)
    const outFile = join(folder, 'again.csv')
    await run('predict', '--run', String(record.runId), '--out', outFile)
    const [header, ...lines] = readFileSync(outFile, 'utf8').trim().split(/\r?\n/)
    const column = header!.split(',').indexOf('logit')
    expect(lines).toHaveLength(stored.logits.length)
    const ours = lines.map((line) => Number(line.replaceAll(/"[^"]*"/g, 'quoted').split(',')[column])).sort((a, b) => a - b)
    const theirs = [...stored.logits].sort((a, b) => a - b)
    expect(Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]!)))).toBeLessThan(1e-4)
    // Predictions of patients that the checkpoint was trained on must not be taken for those of new ones.
    const sides = lines.map((line) => line.replaceAll(/"[^"]*"/g, 'quoted').split(',')[header!.split(',').indexOf('split')]!).sort()
    expect(sides).toEqual(stored.splits.flatMap((side) => stored.labelIds.map(() => side as string)).sort())
    const [degraded] = (await startDegradedTests(workspace, record.runId, [{ kind: 'truncate', level: 2 }]).done)!
    const { overall } = degraded!.results
    expect(Object.values(overall.servedBy!).reduce((sum, count) => sum + count, 0)).toBe(overall.studyCount)
    // A level is computed once; a cancelled series keeps what it had.
    const again = startDegradedTests(workspace, record.runId, [{ kind: 'truncate', level: 2 }, { kind: 'blur', level: 3 }])
    again.cancel()
    expect(await again.done).toBeNull()
    expect(workspace.store.degradedResults.list(record.runId)).toEqual([degraded])
  })

  it('joins BERT and ViT for late fusion, refuses methods that need one model, and refuses a changed file by name', async () => {
    const bert = await add(bertConfig, bertShapes)
    const vit = await add(vitConfig, vitShapes)
    const pair = `${bert.backboneId}+${vit.backboneId}`
    const record = await train(pair, 'late-fusion', {}, 'right-eye,left-eye,notes')
    expect(record.status).toBe('finished')
    await expect(train(pair, 'mora', {}, 'right-eye,notes')).rejects.toMatchObject({ code: 'BACKBONE_METHOD_UNSUPPORTED' })
    await expect(train(vit.backboneId, 'late-fusion', {}, 'right-eye,notes')).rejects.toMatchObject({ code: 'BACKBONE_LACKS_MODALITY' })
    await expect(train('vit-000000000000', 'late-fusion', {}, 'right-eye')).rejects.toMatchObject({ code: 'BACKBONE_NOT_FOUND' })
    // Plug-and-play: the embedded text encoder beside an imported image encoder, and the embedded image encoder beside an imported text encoder.
    const withEmbeddedText = await train(`mmbt-minilm-resnet50+${vit.backboneId}`, 'late-fusion', {}, 'right-eye,left-eye,notes')
    expect(withEmbeddedText).toMatchObject({ status: 'finished', notes: expect.arrayContaining([expect.stringMatching(/^Text is read by the embedded/)]) })
    // Encoders of 384 and 32 numbers, each projected to 128: weights and biases, one head over both.
    const [text, image] = [384 * 128 + 128, 32 * 128 + 128]
    const heads = (2 * (128 * 2 + 2)) + 2 * 128 * 2 + 2
    expect(withEmbeddedText.trainedParameters).toBe(text + image + heads)
    const withEmbeddedImages = await train(`${bert.backboneId}+mmbt-minilm-resnet50`, 'dedicated', {}, 'right-eye,left-eye,notes')
    expect(withEmbeddedImages).toMatchObject({ status: 'finished', notes: expect.arrayContaining([expect.stringMatching(/^Images are read by the embedded/)]) })
    expect(new Set([record, withEmbeddedText, withEmbeddedImages].map(({ weightsHash }) => weightsHash)).size).toBe(3)
    const again = join(folder, 'embedded-again.csv')
    await run('predict', '--run', String(withEmbeddedImages.runId), '--out', again)
    expect(readFileSync(again, 'utf8').trim().split(/\r?\n/).length - 1).toBe(workspace.store.predictions.forRun(withEmbeddedImages.runId).logits.length)
    truncateSync(join(folder, 'backbones', vit.backboneId, 'model.safetensors'), 1000)
    expect(await run('backbones', 'verify', '--backbone', vit.backboneId)).toMatchObject([{ isIntact: false }])
    process.exitCode = 0
    await expect(train(pair, 'late-fusion', {}, 'right-eye,notes')).rejects.toMatchObject({ code: 'BACKBONE_CHANGED', message: expect.stringMatching(/model\.safetensors has 1000 of its \d+ bytes/) })
    removeBackbone(workspace, vit.backboneId)
    expect(readdirSync(join(folder, 'backbones'))).not.toContain(vit.backboneId)
    await expect(train(pair, 'late-fusion', {}, 'right-eye,notes')).rejects.toMatchObject({ code: 'BACKBONE_REMOVED' })
    // The same files come back under the same id.
    expect((await add(vitConfig, vitShapes)).backboneId).toBe(vit.backboneId)
    expect((await train(pair, 'late-fusion', {}, 'right-eye,notes')).weightsHash).toBe(record.weightsHash)
  })
})
