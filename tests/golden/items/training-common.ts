/** What the training references share: batches, substitution rules and the comparison of one training, step by step. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { type ModalitySpec, type Network, type PrefixEntry, type Sample, restrictSample } from '../../../engine/adapters/network.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { adamWConfigSchema } from '../../../engine/training/optimise/optimizer.ts'
import { learningRateAt } from '../../../engine/training/optimise/schedule.ts'
import { type TrainingModel, createTrainingModel } from '../../../engine/training/optimise/training-model.ts'
import type { GoldenItem, GoldenReport } from '../report.ts'
import { type HostTensor, readTensors, relativeError, tensorOf, transposed } from './shared.ts'
import { openGoldenVilt, pixelPart, textPart } from './vilt-inputs.ts'

/** Issue 3: losses within 1e-3 relative at every step, final trained tensors within 1e-2. */
const LOSS_BOUND = 1e-3
const TENSOR_BOUND = 1e-2
/** Gradients and logits pass through all blocks in float32; the reference's own float32 is within 1e-4 of float64. */
const STEP_BOUND = 1e-3

export const trainingModalities: ModalitySpec[] = [{ name: 'text', kind: 'text', slots: [] }, { name: 'image', kind: 'image', slots: [0] }]
export const TEXT = 1
export const IMAGE = 2
/** Reference missing_type (0 complete, 1 text missing, 2 image missing) as the bits of what is present. */
export const patternOfType = [TEXT | IMAGE, IMAGE, TEXT] as const
/** The same as our names of combinations. */
export const combinationOfType = ['text+image', 'image', 'text'] as const

export interface GoldenBatch {
  samples: Sample[]
  types: number[]
  /** A row of 0 and 1 for each sample; or, of several classes, the number of the right one. */
  labels: Float32Array
}

export interface TrainingLog {
  steps: number
  lr: number
  betas: [number, number]
  eps: number
  weight_decay: number
  warmup_steps: number
  n_trainable?: number
  alpha?: number
  groups: string | { names: string[]; weight_decay: number; lr_multiplier: number }[]
  log: { step: number; batch: number; lr: number; loss: number; grad_norms?: Record<string, number> }[]
}

/** One reference tensor as the tensors that it is with us: the same name transposed, or one for each combination. */
export type Translate = (name: string, tensor: HostTensor) => [name: string, tensor: HostTensor][]

/** PyTorch keeps linear weights as [out, in]; ours are [in, out]. */
export const sameName: Translate = (name, tensor) => [[name, tensor.shape.length === 2 ? transposed(tensor) : tensor]]

/** Entry `index` of the first axis. */
export function sliceOf({ shape, values }: HostTensor, index: number): HostTensor {
  const length = values.length / shape[0]!
  return { shape: shape.slice(1), values: values.slice(index * length, (index + 1) * length) }
}

/** The training in an item's folder and those in its subfolders, whatever they are called; without a start of their own they take the folder's. */
export function trainingsOf(folder: string): { variant: string; folder: string; initialFolder: string }[] {
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort()
  return ['', ...below].map((variant) => ({ variant, folder: path.join(folder, variant) })).filter((one) => existsSync(path.join(one.folder, 'training.json')))
    .map((one) => ({ ...one, initialFolder: existsSync(path.join(one.folder, 'initial.safetensors')) ? one.folder : folder }))
}

export function readTraining(folder: string): TrainingLog {
  return JSON.parse(readFileSync(path.join(folder, 'training.json'), 'utf8')) as TrainingLog
}

function readBatches(folder: string, patch: number): GoldenBatch[] {
  const tensors = readTensors(folder, 'batches.safetensors')
  const count = new Set([...tensors.keys()].map((name) => name.split('.')[0])).size
  return Array.from({ length: count }, (_, i) => {
    const get = (name: string): HostTensor => tensorOf(tensors, `batch${i}.${name}`)
    const scaled = get('pixel_values_x127')
    const pixels = { shape: scaled.shape, values: scaled.values.map((value) => value / 127) }
    const samples = Array.from({ length: scaled.shape[0]! }, (_, b) => [
      textPart(0, b, get('input_ids'), get('attention_mask')), pixelPart(1, 0, b, pixels, get('pixel_mask'), patch),
    ])
    return { samples, types: Array.from(get('missing_type').values), labels: get('labels').values }
  })
}

export interface TrainingPlace {
  compute: Compute
  backbone: Backbone
  batches: GoldenBatch[]
  /** Side of the images that the model was made for. */
  imageSize: number
}

/** The tiny ViLT and the batches beside a training folder; reports and returns null where they are absent. */
export async function openTraining(folder: string, report: GoldenReport): Promise<TrainingPlace | null> {
  const viltFolder = path.join(folder, '..', 'vilt', 'case_types2')
  const commonFolder = path.join(folder, '..', 'training_common')
  if (!existsSync(viltFolder) || !existsSync(commonFolder)) {
    report.notChecked('the training, because vilt/case_types2 or training_common is absent beside it')
    return null
  }
  const compute = await openCompute()
  const { backbone, config } = openGoldenVilt(compute, viltFolder)
  return { compute, backbone, batches: readBatches(commonFolder, config.patch_size), imageSize: config.image_size }
}

/** How many labels the head of a reference has. */
export function labelsOf(initial: Map<string, HostTensor>): number {
  return tensorOf(initial, 'classifier.3.bias').shape[0]!
}

export interface TrainingCase extends TrainingPlace {
  report: GoldenReport
  /** Folder of training.json and the results, and of `initial.safetensors` where that is another. */
  folder: string
  initialFolder?: string
  name: string
  network: Network
  translate: Translate
  /** Reference tensors that cannot be compared. */
  incomparable?: (name: string) => boolean
  /** Trained tensors that the folder gives no start for begin as copies of the frozen model. */
  startsFromOwn?: boolean
  /** Take the frozen block under the adapter from the prefix. */
  cached?: boolean
}

/** Repeats a reference training and reports losses, early and final tensors, logits of every pattern. */
export function runTraining(options: TrainingCase): void {
  const { compute, network, batches, folder, report, name, translate, cached = false } = options
  const reference = readTraining(folder)
  const initial = readTensors(options.initialFolder ?? folder, 'initial.safetensors')
  const ours = new Map([...initial].flatMap(([key, tensor]) => translate(key, tensor)))
  // What the reference does not train keeps the value that leaves the model as it is.
  network.beginPhase!({ name: '', shows: 'own-pattern', epochsShare: 1, trains: (parameter) => options.startsFromOwn === true || ours.has(parameter.name) })
  const labelsCount = labelsOf(initial)
  const isOfClasses = labelsCount > 1 && batches.every(({ samples, labels }) => labels.length === samples.length)
  const groups = Array.isArray(reference.groups) ? reference.groups : null
  const headRateFactor = Math.max(1, ...(groups ?? []).filter(({ names }) => names.some((one) => one.startsWith('classifier.'))).map((group) => group.lr_multiplier))
  const weightDecay = groups === null ? reference.weight_decay : Math.max(...groups.map((group) => group.weight_decay))
  if (groups !== null) {
    const isOurs = groups.every((group) => group.names.every((one) => group.lr_multiplier === (one.startsWith('classifier.') ? headRateFactor : 1)
      && group.weight_decay === (translate(one, tensorOf(initial, one)).every(([, { shape }]) => shape.length > 1) ? weightDecay : 0)))
    report.checkThat(`${name}/groups are no decay of vectors and one factor for the head`, isOurs)
  }
  const model = createTrainingModel({
    compute, network, labelsCount, task: isOfClasses ? 'multi-class' : 'multi-label', labelWeights: null,
    optimizer: adamWConfigSchema.parse({
      beta1: reference.betas[0], beta2: reference.betas[1], epsilon: reference.eps, weightDecay, decayVectors: groups === null, headRateFactor,
    }),
  })
  const rowsOfLabels = (labels: Float32Array): Float32Array =>
    isOfClasses ? Float32Array.from({ length: labels.length * labelsCount }, (_, i) => (labels[Math.floor(i / labelsCount)] === i % labelsCount ? 1 : 0)) : labels
  model.importTrained({ ...model.exportTrained(), ...Object.fromEntries(ours) })
  if (reference.n_trainable !== undefined) {
    const count = network.parameters.all.filter(({ isTrained }) => isTrained).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    report.check(`${name}/trained numbers`, Math.abs(count - reference.n_trainable), 0)
  }
  const prefixes = (batch: GoldenBatch, types: readonly number[]): PrefixEntry[] =>
    network.computePrefix(batch.samples.map((sample, b) => restrictSample(sample, patternOfType[types[b] as 0 | 1 | 2])!), cached)
  const early = readTensors(folder, 'early_steps.safetensors')
  let worstLoss = 0
  let worstRate = 0
  for (const entry of reference.log) {
    const batch = batches[entry.batch]!
    const rate = learningRateAt(entry.step, reference.steps, reference.lr, reference.warmup_steps)
    worstRate = Math.max(worstRate, Math.abs(rate - entry.lr))
    const trainingBatch = { entries: prefixes(batch, batch.types), labels: rowsOfLabels(batch.labels), known: null }
    if (entry.grad_norms !== undefined) checkGradients(options, model, initial, trainingBatch, entry.grad_norms, `${name}/step${entry.step}`, early.get(`step${entry.step}.logits`))
    const loss = model.step(trainingBatch, rate)
    const error = Math.abs(loss - entry.loss) / Math.abs(entry.loss)
    worstLoss = Number.isNaN(error) ? Infinity : Math.max(worstLoss, error)
    const after = `after_step${entry.step}.`
    compareTensors(options, model, new Map([...early].filter(([key]) => key.startsWith(after)).map(([key, value]) => [key.slice(after.length), value])), `${name}/after_step${entry.step}`)
  }
  report.check(`${name}/learning rates`, worstRate, 1e-12)
  report.check(`${name}/losses of ${reference.log.length} steps`, worstLoss, LOSS_BOUND)
  compareTensors(options, model, readTensors(folder, 'final.safetensors'), `${name}/final`)
  const finalLogits = readTensors(folder, 'final_logits.safetensors')
  for (const type of [0, 1, 2].filter((one) => finalLogits.has(`final_logits.type${one}`))) {
    const logits = batches.flatMap((batch) => Array.from(model.predict(prefixes(batch, batch.types.map(() => type)))))
    report.check(`${name}/final_logits.type${type}`, relativeError(logits, tensorOf(finalLogits, `final_logits.type${type}`).values), TENSOR_BOUND)
  }
  model.dispose()
}

function checkGradients(
  { report, network, translate, incomparable }: TrainingCase, model: TrainingModel, initial: Map<string, HostTensor>,
  batch: Parameters<TrainingModel['gradients']>[0], norms: Record<string, number>, name: string, logits: HostTensor | undefined,
): void {
  const result = model.gradients(batch)
  // A part of another missing type than those of the batch has no gradient with us and one of zeros in the reference.
  const byPattern = new Set(network.parameters.all.filter((parameter) => parameter.byPattern).map((parameter) => parameter.name))
  if (logits !== undefined) report.check(`${name}.logits`, relativeError(result.logits, logits.values), STEP_BOUND)
  let worst = 0
  for (const [reference, norm] of Object.entries(norms)) {
    if (incomparable?.(reference) === true) continue
    const own = initial.get(reference)
    // Without a start in the folder the tensor is a copy of one of the same name.
    const names = own === undefined ? [reference] : translate(reference, own).map(([key]) => key)
    const squares = names.flatMap((key) => {
      const gradient = result.gradients.get(key)
      return gradient === undefined ? [byPattern.has(key) ? 0 : NaN] : Array.from(gradient.dataSync() as Float32Array, (value) => value ** 2)
    })
    const ours = Math.sqrt(squares.reduce((sum, value) => sum + value, 0))
    const error = Math.abs(ours - norm) / Math.max(norm, 1e-6)
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error)
  }
  report.check(`${name}.gradient norms`, worst, STEP_BOUND)
  for (const gradient of result.gradients.values()) gradient.dispose()
}

function compareTensors({ report, translate, incomparable }: TrainingCase, model: TrainingModel, reference: Map<string, HostTensor>, name: string): void {
  const ours = model.exportTrained()
  for (const [key, expected] of reference) {
    if (incomparable?.(key) === true) continue
    // Big tensors may be given by their leading rows.
    const parts = translate(key.replace(/^leading_rows\./, ''), expected)
    const got = parts.flatMap(([part, { values }]) => (ours[part] === undefined ? [NaN] : Array.from(ours[part].values.subarray(0, key.startsWith('leading_rows.') ? values.length : undefined))))
    report.check(`${name}.${key}`, relativeError(got, parts.flatMap(([, tensor]) => Array.from(tensor.values))), TENSOR_BOUND)
  }
}

/** The shared folder on its own: batches that can be read, and our stand-ins against its substitution rules. */
export const trainingCommonItem: GoldenItem = {
  name: 'training_common',
  async run(folder, report) {
    const place = await openTraining(folder, report)
    if (place === null) return
    const { backbone, batches, imageSize } = place
    batches.forEach(({ samples, types, labels }, i) => {
      report.checkThat(`batch${i}: known missing types`, types.every((type) => patternOfType[type as 0 | 1 | 2] !== undefined))
      report.checkThat(`batch${i}: labels for each sample`, labels.length > 0 && labels.length % samples.length === 0 && labels.every((value) => Number.isInteger(value) && value >= 0 && (value <= 1 || labels.length === samples.length)))
      report.checkThat(`batch${i}: embeds`, backbone.embed(samples).every(({ x }) => x.every(Number.isFinite)))
    })
    const text = backbone.dummyPart('text', 0, 0)
    report.checkThat('missing text enters as [101, 102]', text.kind === 'text' && [...text.ids].join() === '101,102')
    const image = backbone.dummyPart('image', 1, 0)
    report.checkThat('missing image enters as ones of the model\'s size',
      image.kind === 'pixels' && image.height === imageSize && image.width === imageSize && image.pixels.every((value) => value === 1))
    backbone.dispose()
  },
}
