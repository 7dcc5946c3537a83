import { findMethod } from '../../adapters/index.ts'
import type { MissingInput, Phase } from '../../adapters/method.ts'
import type { Network } from '../../adapters/network.ts'
import type { Backbone } from '../../backbones/backbone.ts'
import { withTabularTokens } from '../../backbones/tabular-tokens.ts'
import { openCompute, type Compute } from '../../compute/backend.ts'
import { methodsOnSeparateEncoders, type BackboneLocation } from '../../domain/backbones.ts'
import type { Keeping } from '../../compute/kernels.ts'
import { AppError } from '../../domain/errors.ts'
import type { RunConfig } from '../../domain/run.ts'
import type { ModalityPlan } from '../inputs/inputs.ts'
import { openBackbone, verifyBackbone, type OpenedBackbone } from './open-backbone.ts'
import { adamWConfigSchema } from '../optimise/optimizer.ts'
import { createRng } from '../rng.ts'
import { createTrainingModel, type TrainingModel } from '../optimise/training-model.ts'

/** The compute backend and the frozen model, opened once in an engine process and kept for its later jobs. */
export interface Session extends OpenedBackbone {
  compute: Compute
}

/** What names the model of a run. */
export interface SessionRequest {
  weightsDir: string
  config: Pick<RunConfig, 'backbone' | 'maxTextTokens'>
  /** Where the imported backbones of the run lie. */
  backbones?: readonly BackboneLocation[]
}

let opened: { key: string; session: Promise<Session> } | null = null

/**
 * Opens the backend and the run's backbone; a second call for the same one returns the same session, another one takes its place. Its files are
 * hashed again at every call, or with `rechecks` false (a forecast) only when they are opened. Throws BACKBONE_CHANGED, BACKBONE_NOT_FOUND and what opening throws.
 */
export async function openSession(request: SessionRequest, signal: AbortSignal, rechecks = true): Promise<Session> {
  const { weightsDir, config } = request
  const backbones = request.backbones ?? []
  const key = JSON.stringify([weightsDir, config.backbone, backbones, backbones.length > 0 ? config.maxTextTokens : 0])
  if (rechecks || opened?.key !== key) await verifyBackbone(weightsDir, config.backbone, backbones, signal)
  if (opened?.key === key) return opened.session
  // The model before is freed first: two of them may not fit into memory.
  await opened?.session.then(({ backbone }) => backbone.dispose(), () => {})
  const session = (async () => {
    const compute = await openCompute()
    return { compute, ...await openBackbone(compute, weightsDir, config, backbones) }
  })()
  opened = { key, session }
  // A failed start must not be remembered: the next try may find the missing file.
  session.catch(() => {
    if (opened?.session === session) opened = null
  })
  return session
}

function refuseMismatch({ backbone, reader }: { backbone: Backbone; reader: Session['reader'] }, config: RunConfig, plan: ModalityPlan): void {
  if (backbone.blocks.length === 0 && !methodsOnSeparateEncoders.has(config.adapter)) {
    throw new AppError('BACKBONE_METHOD_UNSUPPORTED', `"${config.adapter}" is placed inside a model that reads text and images together; this backbone has an encoder for each.`)
  }
  for (const { kind } of plan.modalities) {
    if (kind === 'tabular') continue
    const isRead = kind === 'text' ? reader.tokenizer !== null : reader.imageTokens > 0
    if (!isRead) throw new AppError('BACKBONE_LACKS_MODALITY', `The chosen backbone cannot read ${kind === 'text' ? 'text' : 'images'}.`)
  }
}

/** The method's own settings, kept in the run's configuration under its name; some methods have none. */
function methodSettings(config: RunConfig): unknown {
  return (config as Partial<Record<string, unknown>>)[config.adapter] ?? {}
}

/**
 * How a missing modality enters. The baselines are blind to missingness: they see the blank input as if it were real.
 */
function missingInput(config: RunConfig): MissingInput {
  return (methodSettings(config) as { missingEnters?: MissingInput }).missingEnters ?? 'dummy'
}

/** The network of a run with freshly drawn trained tensors; a seed and fold give the same ones every time. */
export function createNetwork(session: Session, config: RunConfig, plan: ModalityPlan, fold: number): Network {
  refuseMismatch(session, config, plan)
  const method = findMethod(config.adapter)
  const settings = methodSettings(config)
  const network = method.createNetwork({
    compute: session.compute,
    backbone: plan.tabularIndexOfSlot.size > 0 ? withTabularTokens(session.compute, session.backbone) : session.backbone,
    modalities: plan.modalities,
    labelsCount: config.labelIds.length,
    missingInput: missingInput(config),
    random: createRng(config.seed).fork(`init-${fold}`),
  }, method.configSchema.parse(settings))
  const { adapterRate = 1 } = settings as { adapterRate?: number }
  for (const parameter of network.parameters.all) if (parameter.group === 'adapter') parameter.rateFactor *= adapterRate
  return network
}

/** The training phases of the run's method in order; null when it has one over everything. */
export function phasesOf(config: RunConfig, plan: ModalityPlan): readonly Phase[] | null {
  const method = findMethod(config.adapter)
  return method.phases?.(method.configSchema.parse(methodSettings(config)), plan.modalities) ?? null
}

/** How many numbers a phase of training changes. */
export function countTrained({ parameters }: Network, phase: Phase): number {
  return parameters.all.reduce((sum, parameter) => sum + (phase.trains(parameter) ? parameter.shape.reduce((a, b) => a * b, 1) : 0), 0)
}

/** What frozen blocks keep by the run's own setting; null: by the size of each batch. */
export function keepingOfRun({ memory }: Pick<RunConfig, 'memory'>): Keeping | null {
  return memory === 'automatic' ? null : memory === 'speed' ? 'half' : 'input'
}

/** @param labelWeights [C] class weights, or null for none */
export function createModel(session: Session, network: Network, config: RunConfig, labelWeights: Float32Array | null): TrainingModel {
  const model = createTrainingModel({
    compute: session.compute, network, labelWeights,
    labelsCount: config.labelIds.length, task: config.task,
    optimizer: adamWConfigSchema.parse({ weightDecay: config.weightDecay }),
  })
  const keeping = keepingOfRun(config)
  if (keeping !== null) model.setKeeping(keeping)
  return model
}

/** Whether the frozen block under the adapter can be computed once: only when the first block carries the adapter. */
export function cachesBlockOutput(config: RunConfig): boolean {
  return config.adapter === 'mora'
}
